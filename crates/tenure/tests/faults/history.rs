//! What the workers said and what was done to them, and what must not be in it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use tenure::{Bond, Instant};

/// What a worker says. Instants are of the one clock of this host that counts suspended time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Asks {
        at: Instant,
    },
    /// From now on it believes, until its deadline.
    Holds {
        at: Instant,
        fence: u64,
        deadline: Instant,
    },
    Renewed {
        at: Instant,
        deadline: Instant,
    },
    /// It believes no more.
    Lost {
        at: Instant,
        deadline: Instant,
        cause: String,
    },
    /// It believes no more, and gives back.
    Releases {
        at: Instant,
        deadline: Instant,
    },
    Released {
        at: Instant,
        how: String,
    },
    Failed {
        at: Instant,
        why: String,
    },
    /// Not said by itself: it is dead.
    Died {
        at: Instant,
    },
    /// Not said by itself: it stands still, for longer than a lease.
    Stopped {
        at: Instant,
    },
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = |at: &Instant| at.as_nanos();
        match self {
            Self::Asks { at } => write!(f, "asks {}", nanos(at)),
            Self::Holds { at, fence, deadline } => {
                write!(f, "holds {} {fence} {}", nanos(at), nanos(deadline))
            }
            Self::Renewed { at, deadline } => write!(f, "renewed {} {}", nanos(at), nanos(deadline)),
            Self::Lost { at, deadline, cause } => write!(f, "lost {} {} {cause}", nanos(at), nanos(deadline)),
            Self::Releases { at, deadline } => write!(f, "releases {} {}", nanos(at), nanos(deadline)),
            Self::Released { at, how } => write!(f, "released {} {how}", nanos(at)),
            Self::Failed { at, why } => write!(f, "failed {} {}", nanos(at), why.escape_debug()),
            Self::Died { at } => write!(f, "died {}", nanos(at)),
            Self::Stopped { at } => write!(f, "stopped {}", nanos(at)),
        }
    }
}

impl FromStr for Line {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.splitn(3, ' ');
        let (word, at) = (words.next().ok_or(())?, instant(words.next().ok_or(())?)?);
        let rest = words.next().unwrap_or_default();
        Ok(match word {
            "asks" => Self::Asks { at },
            "holds" => {
                let (fence, deadline) = rest.split_once(' ').ok_or(())?;
                Self::Holds { at, fence: fence.parse().map_err(|_| ())?, deadline: instant(deadline)? }
            }
            "renewed" => Self::Renewed { at, deadline: instant(rest)? },
            "lost" => {
                let (deadline, cause) = rest.split_once(' ').ok_or(())?;
                Self::Lost { at, deadline: instant(deadline)?, cause: cause.to_owned() }
            }
            "releases" => Self::Releases { at, deadline: instant(rest)? },
            "released" => Self::Released { at, how: rest.to_owned() },
            "failed" => Self::Failed { at, why: rest.to_owned() },
            _ => return Err(()),
        })
    }
}

fn instant(text: &str) -> Result<Instant, ()> {
    text.parse().map(Instant::from_nanos).map_err(|_| ())
}

/// A line, and of which process it is.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) process: usize,
    pub(crate) line: Line,
}

/// The span in which a process believed that it held the lock.
#[derive(Clone, Copy, Debug)]
struct Belief {
    process: usize,
    fence: u64,
    from: Instant,
    until: Instant,
    /// When it would have stopped to believe by itself, if it died before that and could not give back.
    left_behind: Option<Instant>,
}

impl Belief {
    /// A grant that was stale when it was handed out was never believed in.
    fn is_empty(&self) -> bool {
        self.from >= self.until
    }
}

/// What has to hold of a history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// For how long two may believe at once. None at all where leases decide; the time that a process takes to see that its
    /// connection is gone where connections do.
    pub(crate) overlap: Duration,
    /// How long after what a dead process would have believed the next may begin, at the earliest: half of the part of its
    /// lease that a holder does without. Nothing where its grant goes with its connection.
    pub(crate) margin: Option<Duration>,
    /// How long everyone waits at most for one that has died, or says nothing.
    pub(crate) succession: Duration,
}

impl Rules {
    pub(crate) fn of(bond: Bond, overlap: Duration) -> Self {
        let margin = (bond != Bond::Connection).then_some(crate::TTL / 20);
        Self { overlap, margin, succession: crate::SUCCESSION }
    }

    /// Everything in a history that must not be.
    pub(crate) fn broken(&self, history: &[Entry]) -> Vec<String> {
        let beliefs = beliefs(history);
        let mut broken = self.overlaps(&beliefs);
        broken.extend(Self::fences(&beliefs));
        broken.extend(self.gaps(history, &beliefs));
        broken.extend(self.orphans(history, &beliefs));
        broken
    }

    fn overlaps(&self, beliefs: &[Belief]) -> Vec<String> {
        let mut broken = Vec::new();
        for (at, one) in beliefs.iter().enumerate() {
            let lease = one.left_behind.zip(self.margin).map(|(until, margin)| until.after(margin));
            for other in &beliefs[at + 1..] {
                if other.from.after(self.overlap) < one.until {
                    let span = one.until.since(other.from);
                    broken.push(format!("two believe at once, for {span:?}: {one:?} {other:?}"));
                }
                if lease.is_some_and(|lease| other.from < lease) {
                    broken.push(format!("the lease of the dead had not ended: {one:?} {other:?}"));
                }
            }
        }
        broken
    }

    fn fences(beliefs: &[Belief]) -> Vec<String> {
        let pairs = beliefs.iter().zip(&beliefs[1.min(beliefs.len())..]);
        let falling = pairs.filter(|(one, next)| next.fence <= one.fence);
        falling.map(|(one, next)| format!("the fence does not rise: {one:?} {next:?}")).collect()
    }

    /// Somebody always wants it. One that dies in line keeps its place for as long as a lease, and so does whoever stands
    /// before it then: the last one to die counts.
    fn gaps(&self, history: &[Entry], beliefs: &[Belief]) -> Vec<String> {
        let mut broken = Vec::new();
        let mut until = beliefs.first().map_or(Instant::ORIGIN, |first| first.from);
        for belief in beliefs {
            let deaths = history.iter().filter_map(|entry| match entry.line {
                Line::Died { at } if at < belief.from => Some(at),
                _ => None,
            });
            let since = deaths.fold(until, Instant::max);
            if since.after(self.succession) < belief.from {
                broken.push(format!("nobody held it for {:?} before {belief:?}", belief.from.since(since)));
            }
            until = until.max(belief.until);
        }
        broken
    }

    /// Whoever stood still while it believed is succeeded.
    fn orphans(&self, history: &[Entry], beliefs: &[Belief]) -> Vec<String> {
        let mut broken = Vec::new();
        for entry in history {
            let Line::Stopped { at } = entry.line else { continue };
            let covers = |belief: &&Belief| belief.from <= at && at <= belief.until;
            let Some(left) = beliefs.iter().filter(covers).find(|left| left.process == entry.process) else {
                continue;
            };
            let next = beliefs.iter().find(|next| next.from > left.from);
            if let Some(next) = next.filter(|next| next.from > at.after(self.succession)) {
                broken.push(format!(
                    "{:?} passed before {left:?} was succeeded by {next:?}",
                    next.from.since(at)
                ));
            }
        }
        broken
    }
}

/// Who believed when, in the order in which they began to.
fn beliefs(history: &[Entry]) -> Vec<Belief> {
    let processes = history.iter().map(|entry| entry.process).max().map_or(0, |last| last + 1);
    let mut all: Vec<Belief> = (0..processes)
        .flat_map(|process| {
            let lines = history.iter().filter(move |entry| entry.process == process);
            beliefs_of(process, lines.map(|entry| &entry.line))
        })
        .filter(|belief| !belief.is_empty())
        .collect();
    all.sort_by_key(|belief| belief.from);
    all
}

fn beliefs_of<'a>(process: usize, lines: impl Iterator<Item = &'a Line>) -> Vec<Belief> {
    let (mut all, mut now): (Vec<Belief>, Option<Belief>) = (Vec::new(), None);
    for line in lines {
        match *line {
            Line::Holds { at, fence, deadline } => {
                now = Some(Belief { process, fence, from: at, until: deadline, left_behind: None });
            }
            Line::Renewed { deadline, .. } => {
                now.iter_mut().for_each(|belief| belief.until = deadline);
            }
            Line::Lost { at, deadline, .. } | Line::Releases { at, deadline } => {
                all.extend(now.take().map(|belief| Belief { until: at.min(deadline), ..belief }));
            }
            Line::Died { at } => {
                let left = now.take();
                all.extend(left.map(|belief| Belief {
                    until: at.min(belief.until),
                    left_behind: Some(belief.until),
                    ..belief
                }));
            }
            Line::Asks { .. } | Line::Released { .. } | Line::Failed { .. } | Line::Stopped { .. } => {}
        }
    }
    all.extend(now);
    all
}
