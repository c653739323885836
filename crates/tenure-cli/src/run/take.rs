//! Taking all the keys, or none.

use std::io::IsTerminal as _;
use std::time::Duration;

use nix::sys::signal::Signal;
use tenure::{Clock, Enqueued, Error, ErrorKind, Guard, Instant, Lock, Loss, Semaphore, Tenure};

use super::held::{self, Held, Lost};
use super::signals::Signals;
use crate::exit::{Exit, Failure};
use crate::{query, say};

/// What is to be held.
pub(super) struct Wanted {
    pub(super) keys: Vec<Vec<u8>>,
    pub(super) limit: Option<u32>,
    pub(super) permits: u32,
    pub(super) ttl: Duration,
    pub(super) patience: Patience,
}

/// How long to wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Not at all.
    Once,
    /// Until then, all keys together.
    Until(Instant),
    /// For ever.
    Endless,
}

/// Why it is not held.
pub(super) enum Untaken {
    /// This key was not free in time.
    InTime(String),
    /// A signal came first.
    Signalled(Signal),
    /// Something else.
    Failed(Failure),
}

/// How long a service may take to say whether a key is free.
const ANSWER_MAX: Duration = query::SILENCE_MAX;

/// After how long a user who looks at a terminal is told what is waited for.
const TELL_AFTER: Duration = Duration::from_millis(300);

/// The same for a service that does not answer: a connection over a great distance takes its time.
const TELL_AFTER_SILENCE: Duration = Duration::from_secs(1);

/// Where keys are taken, and what may come before they are.
pub(super) struct Taking<'a> {
    pub(super) wanted: &'a Wanted,
    pub(super) clock: &'a Clock,
    /// The service, for people.
    pub(super) at: &'a str,
    pub(super) signals: &'a mut Signals,
}

enum Interrupted {
    Signal(Signal),
    Lost(Lost),
    TimeIsOver,
}

impl Taking<'_> {
    /// What comes of a question to the service, unless something else comes first.
    pub(super) async fn answer<T>(
        &mut self,
        held: &[Held],
        question: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Untaken> {
        let limit = self.wanted.patience.answer_limit(self.clock.now());
        let tell_at = self.clock.now().after(TELL_AFTER_SILENCE);
        let (clock, service) = (self.clock, format!("the service at {}", self.at));
        tokio::select! {
            biased;
            why = self.interrupted(held, limit) => Err(match why {
                // Whoever has not said a word has not said that the key is taken, either.
                Interrupted::TimeIsOver => Untaken::Failed(query::silent(self.at)),
                Interrupted::Signal(signal) => Untaken::Signalled(signal),
                Interrupted::Lost(lost) => Untaken::lost(&lost, "the service"),
            }),
            answer = question => answer.map_err(Untaken::from),
            never = tell(clock, service, tell_at) => match never {},
        }
    }

    /// Takes the keys one after the other; those that are held are kept meanwhile. What was taken in vain is given back.
    pub(super) async fn all(&mut self, tenure: &Tenure) -> Result<Vec<Held>, Untaken> {
        let mut held = Vec::with_capacity(self.wanted.keys.len());
        for name in &self.wanted.keys {
            match self.one(&held, &Door::new(tenure, name, self.wanted), name).await {
                Ok(guard) => held.push(Held::new(guard, self.wanted.ttl)),
                Err(untaken) => {
                    held::give_back(held, self.clock).await;
                    return Err(untaken);
                }
            }
        }
        Ok(held)
    }

    async fn one(&mut self, held: &[Held], door: &Door, name: &[u8]) -> Result<Guard, Untaken> {
        let not_free = || Untaken::InTime(say::shown(name));
        if self.wanted.patience == Patience::Once {
            return self.answer(held, door.try_acquire()).await?.ok_or_else(not_free);
        }
        loop {
            let ticket = match self.answer(held, door.enqueue()).await? {
                Enqueued::Acquired(guard) => return Ok(guard),
                Enqueued::Queued(ticket) => ticket,
            };
            let (clock, shown, tell_at) =
                (self.clock, format!("\"{}\"", say::shown(name)), self.clock.now().after(TELL_AFTER));
            tokio::select! {
                biased;
                why = self.interrupted(held, self.wanted.patience.limit()) => return Err(match why {
                    Interrupted::TimeIsOver => not_free(),
                    Interrupted::Signal(signal) => Untaken::Signalled(signal),
                    Interrupted::Lost(lost) => Untaken::lost(&lost, &shown),
                }),
                turn = ticket.wait(None) => match turn {
                    Ok(guard) => return Ok(guard),
                    // Nobody has acted on it: to the end of the line.
                    Err(error) if lost_its_place(&error) => {}
                    Err(error) => return Err(error.into()),
                },
                never = tell(clock, shown.clone(), tell_at) => match never {},
            }
        }
    }

    async fn interrupted(&mut self, held: &[Held], limit: Instant) -> Interrupted {
        tokio::select! {
            signal = self.signals.next() => Interrupted::Signal(signal),
            lost = held::lost(held, self.clock) => Interrupted::Lost(lost),
            () = self.clock.sleep_until(limit) => Interrupted::TimeIsOver,
        }
    }
}

fn lost_its_place(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Lost(Loss::Expired | Loss::Lapsed | Loss::Forgotten | Loss::Disconnected)
    )
}

/// Tells a user who looks at a terminal what is waited for.
async fn tell(clock: &Clock, what: String, at: Instant) -> std::convert::Infallible {
    if std::io::stderr().is_terminal() {
        clock.sleep_until(at).await;
        say::say_aside(format!("waiting for {what} …"));
    }
    std::future::pending().await
}

/// The way to one key.
enum Door {
    Lock(Lock),
    Semaphore(Semaphore, u32),
}

impl Door {
    fn new(tenure: &Tenure, name: &[u8], wanted: &Wanted) -> Self {
        match wanted.limit {
            None => Self::Lock(tenure.lock(name).ttl(wanted.ttl)),
            Some(limit) => Self::Semaphore(tenure.semaphore(name, limit).ttl(wanted.ttl), wanted.permits),
        }
    }

    async fn try_acquire(&self) -> Result<Option<Guard>, Error> {
        match self {
            Self::Lock(lock) => lock.try_acquire().await,
            Self::Semaphore(semaphore, permits) => semaphore.try_acquire_many(*permits).await,
        }
    }

    async fn enqueue(&self) -> Result<Enqueued, Error> {
        match self {
            Self::Lock(lock) => lock.enqueue().await,
            Self::Semaphore(semaphore, permits) => semaphore.clone().permits(*permits).enqueue().await,
        }
    }
}

impl Patience {
    /// When not to wait any more.
    const fn limit(self) -> Instant {
        match self {
            Self::Once => Instant::ORIGIN,
            Self::Until(end) => end,
            Self::Endless => Instant::MAX,
        }
    }

    /// When not to wait any more for a service to say anything at all.
    fn answer_limit(self, now: Instant) -> Instant {
        match self {
            Self::Once => now.after(ANSWER_MAX),
            Self::Until(end) => end.max(now.after(ANSWER_MIN)),
            Self::Endless => Instant::MAX,
        }
    }
}

/// How long an answer may take even when the wait is over: a message has to come and go.
const ANSWER_MIN: Duration = Duration::from_millis(50);

impl Untaken {
    fn lost(lost: &Lost, awaited: &str) -> Self {
        Self::Failed(Failure::new(Exit::Lost, format!("{lost}, while waiting for {awaited}")))
    }
}

impl From<Error> for Untaken {
    fn from(error: Error) -> Self {
        Self::Failed(Failure::of(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_nanos(1_000);

    #[test]
    fn a_wait_is_shared_by_all_keys_and_an_answer_gets_a_moment_beyond_it() {
        let end = NOW.after(Duration::from_secs(5));
        let patience = Patience::Until(end);
        assert_eq!((patience.limit(), patience.answer_limit(NOW)), (end, end));
        let too_late = NOW.after(Duration::from_secs(9));
        assert_eq!(patience.answer_limit(too_late), too_late.after(ANSWER_MIN));
    }

    #[test]
    fn one_try_takes_as_long_as_an_answer_and_an_endless_wait_has_no_end() {
        assert_eq!(Patience::Once.answer_limit(NOW), NOW.after(ANSWER_MAX));
        assert_eq!(Patience::Endless.answer_limit(NOW), Instant::MAX);
    }
}
