//! Elections: one leader at a time, whom everyone can see.

use crate::coordinator::{Released, Seen};
use crate::gate::Gate;
use crate::guard::Guard;
use crate::settings::settings;
use crate::unfold::{Unfold, stream};
use crate::watch::Watch;
use crate::{Error, Fence, Happened, Inspection};
use std::ops::Deref;
use std::time::Duration;

/// How long to wait before looking again, when the coordinator cannot be asked.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// An election: whoever holds the lock of that name leads, and its label says who that is. It comes from
/// [`Tenure::election`](crate::Tenure::election).
///
/// There is nothing to it but the lock: leaders follow each other in the order in which they stood, one that dies is
/// succeeded when its lease ends, and [fences](Guard::fence) tell an old leader from a new one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tenure::Error> {
/// # let tenure = tenure::Tenure::connect("memory:election").await?;
/// let election = tenure.election("scheduler");
/// let mut leaders = election.observe().await?;
/// assert_eq!(leaders.next().await, Some(None));
///
/// let leadership = election.campaign("10.0.0.7:9000").await?;
/// let leader = leaders.next().await.flatten().expect("there is a leader");
/// assert_eq!((&*leader.value, leader.fence), ("10.0.0.7:9000", leadership.fence()));
///
/// leadership.resign().await?;
/// assert_eq!(leaders.next().await, Some(None));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nobody stands before `campaign`"]
pub struct Election {
    pub(crate) gate: Gate,
}

settings!(Election);

impl Election {
    /// The name of the key.
    pub fn key(&self) -> &[u8] {
        &self.gate.named.name
    }

    /// Stands for election with a value that everyone can see, such as an address, and waits to be the leader: for as
    /// long as [`wait`](Self::wait) says. The value has at most 256 bytes.
    ///
    /// # Errors
    ///
    /// Those of [`Lock::acquire`](crate::Lock::acquire).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future is to stand no more, and to resign if elected meanwhile.
    pub async fn campaign(&self, value: impl AsRef<str>) -> Result<Leadership, Error> {
        let mut gate = self.gate.clone();
        gate.label(value.as_ref());
        let guard = gate.acquire(1).await?;
        Ok(Leadership { guard, value: value.as_ref().into() })
    }

    /// Who leads, now and whenever that changes; `None` for nobody.
    ///
    /// # Errors
    ///
    /// `Invalid` for what is no key, and those of asking at all.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn observe(&self) -> Result<Leaders, Error> {
        let watch = self.gate.watch().await?;
        let observer = Observer { gate: self.gate.clone(), watch, told: None, newest: None, looks: true };
        Ok(Leaders { leaders: Unfold::new(observer, |observer| Box::pin(observer.step())) })
    }

    /// Who leads now; `None` for nobody.
    ///
    /// # Errors
    ///
    /// `Invalid` for what is no key, and those of asking at all.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn leader(&self) -> Result<Option<Leader>, Error> {
        Ok(self.gate.inspect().await?.and_then(|seen| leader_of(&seen)))
    }
}

/// A leader, as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leader {
    /// What it stood with.
    pub value: Box<str>,
    /// A number that rises with every leader.
    pub fence: Fence,
}

/// To lead: the [`Guard`] of the lock, and the value that others see. Dropping it is to resign.
#[derive(Debug)]
#[must_use = "dropping it is to resign"]
pub struct Leadership {
    guard: Guard,
    value: Box<str>,
}

impl Leadership {
    /// What it stood with.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Leads no more, and says whether it did until now.
    ///
    /// # Errors
    ///
    /// Those of [`Guard::release`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future resigns in the background.
    pub async fn resign(self) -> Result<Released, Error> {
        self.guard.release().await
    }
}

impl Deref for Leadership {
    type Target = Guard;

    fn deref(&self) -> &Guard {
        &self.guard
    }
}

/// Who leads: see [`Election::observe`]. It ends with its coordinator.
#[derive(Debug)]
#[must_use = "it observes until it is dropped"]
pub struct Leaders {
    leaders: Unfold<Observer, Option<Leader>>,
}

stream!(Leaders, leaders, Option<Leader>);

struct Observer {
    gate: Gate,
    watch: Watch,
    told: Option<Option<Leader>>,
    /// The latest grant that it knows of: what was seen by looking is told by the watch too, and later.
    newest: Option<Fence>,
    /// It does not know, and has to look.
    looks: bool,
}

impl Observer {
    async fn step(mut self) -> Option<(Option<Leader>, Self)> {
        loop {
            let leader = if self.looks { self.look().await } else { self.see().await? };
            if let Some(leader) = leader
                && self.told.as_ref() != Some(&leader)
            {
                self.told = Some(leader.clone());
                return Some((leader, self));
            }
        }
    }

    async fn look(&mut self) -> Option<Option<Leader>> {
        match self.gate.inspect().await {
            Ok(seen) => {
                self.looks = false;
                self.newest = self.newest.max(seen.as_ref().and_then(newest_of));
                Some(seen.and_then(|seen| leader_of(&seen)))
            }
            Err(error) => {
                tracing::debug!(%error, "looking again for the leader");
                self.gate.client.clock().sleep(LOOK_AGAIN).await;
                None
            }
        }
    }

    /// What the next thing that happens says of the leader, if it does; `None` when nothing more happens.
    async fn see(&mut self) -> Option<Option<Option<Leader>>> {
        Some(match self.watch.next().await? {
            Seen::Missed => {
                self.looks = true;
                None
            }
            Seen::Observed(seen) => match seen.happened {
                Happened::Granted { fence, note } => self.is_new(fence).then(|| {
                    let value = note.map(|note| note.label.clone()).unwrap_or_default();
                    Some(Leader { value, fence })
                }),
                Happened::Ended { fence, .. } => self.leads(fence).then_some(None),
                Happened::Queue => None,
            },
        })
    }

    fn is_new(&mut self, fence: Fence) -> bool {
        let known = self.newest.replace(self.newest.map_or(fence, |newest| newest.max(fence)));
        known < Some(fence)
    }

    fn leads(&self, fence: Fence) -> bool {
        self.told.iter().flatten().any(|leader| leader.fence == fence)
    }
}

fn leader_of(seen: &Inspection) -> Option<Leader> {
    let holder = seen.holders.first()?;
    let value = holder.note.as_ref().map(|note| note.label.clone()).unwrap_or_default();
    Some(Leader { value, fence: holder.fence })
}

fn newest_of(seen: &Inspection) -> Option<Fence> {
    let held = seen.holders.iter().map(|holder| holder.fence);
    held.chain(seen.past.iter().map(|past| past.fence)).max()
}
