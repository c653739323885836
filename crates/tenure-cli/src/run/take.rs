//! Taking all the keys, or none.

use std::io::IsTerminal as _;
use std::time::Duration;

use nix::sys::signal::Signal;
use tenure_core::{Instant, Key, Limit};

use super::attempt::Attempt;
use super::hold::{Hold, Loss};
use super::keeper::{self, Keeper, Losses};
use super::signals::Signals;
use crate::args::Service;
use crate::client::silent;
use crate::exit::{Exit, Failure};
use crate::{clock, say};

/// What is to be held.
pub(super) struct Wanted<'a> {
    pub(super) service: &'a Service,
    pub(super) keys: Vec<Key<'static>>,
    pub(super) limit: Limit,
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

/// A wait that no one will see the end of, within what every server takes.
const ENDLESS: Duration = Duration::from_secs(1_000_000_000);

/// How long after the end of the wait an answer may still come: a server counts whole seconds, and knows best.
const ANSWER_MAX: Duration = Duration::from_millis(50);

/// How long a server may take that is not asked to wait.
const ANSWER_MAX_AT_ONCE: Duration = Duration::from_secs(5);

/// After how long a user who looks at a terminal is told what is waited for.
const TELL_AFTER: Duration = Duration::from_millis(300);

/// The same for a service that does not answer: a connection over a great distance takes its time.
const TELL_AFTER_SILENCE: Duration = Duration::from_secs(1);

/// Takes the keys one after the other; those that are held are kept meanwhile. What was taken in vain is given back.
pub(super) async fn take_all(
    wanted: &Wanted<'_>,
    signals: &mut Signals,
    losses: &mut Losses,
) -> Result<Vec<Keeper>, Untaken> {
    let mut keepers = Vec::with_capacity(wanted.keys.len());
    for key in &wanted.keys {
        let interruption = Interruption { limit: wanted.patience.limit(clock::now()), signals, losses };
        match take(wanted, *key, interruption).await {
            Ok(hold) => keepers.push(Keeper::start(hold, losses)),
            Err(untaken) => {
                keeper::give_back(wanted.service, keepers).await;
                return Err(untaken);
            }
        }
    }
    Ok(keepers)
}

async fn take(wanted: &Wanted<'_>, key: Key<'static>, mut stop: Interruption<'_>) -> Result<Hold, Untaken> {
    let mut attempt = tokio::select! {
        biased;
        why = stop.comes() => return Err(why.before_an_answer(key, wanted.service)),
        attempt = Attempt::open(wanted.service, key) => attempt?,
        never = tell(format!("the service at {}", wanted.service.url), clock::now().after(TELL_AFTER_SILENCE)) => match never {},
    };
    let (shown, tell_at) = (format!("\"{}\"", say::shown(key.name())), clock::now().after(TELL_AFTER));
    loop {
        attempt.ask(wanted.limit, wanted.patience.left(clock::now()), wanted.ttl).await?;
        let answer = tokio::select! {
            biased;
            why = stop.comes() => {
                attempt.abandon().await;
                return Err(match wanted.patience {
                    // Who is not to wait is answered at once, by any service that answers.
                    Patience::Once => why.before_an_answer(key, wanted.service),
                    Patience::Until(_) | Patience::Endless => why.told(key),
                });
            }
            answer = attempt.answered() => answer?,
            never = tell(shown.clone(), tell_at) => match never {},
        };
        match answer {
            Some((token, lease)) => return Ok(attempt.into_hold(token, lease).await?),
            None if wanted.patience == Patience::Endless => {}
            None => return Err(Untaken::InTime(say::shown(key.name()))),
        }
    }
}

/// Tells a user who looks at a terminal what is waited for.
async fn tell(what: String, at: Instant) -> std::convert::Infallible {
    if std::io::stderr().is_terminal() {
        clock::sleep_until(at).await;
        say::say_aside(format!("waiting for {what} …"));
    }
    std::future::pending().await
}

/// What ends a wait before its answer.
struct Interruption<'a> {
    limit: Instant,
    signals: &'a mut Signals,
    losses: &'a mut Losses,
}

enum Interrupted {
    Signal(Signal),
    Loss(Loss),
    TimeIsOver,
}

impl Interruption<'_> {
    async fn comes(&mut self) -> Interrupted {
        tokio::select! {
            signal = self.signals.next() => Interrupted::Signal(signal),
            loss = self.losses.next() => Interrupted::Loss(loss),
            () = clock::sleep_until(self.limit) => Interrupted::TimeIsOver,
        }
    }
}

impl Interrupted {
    /// Whoever has not said a word has not said that the key is taken, either.
    fn before_an_answer(self, key: Key<'_>, service: &Service) -> Untaken {
        match self {
            Self::TimeIsOver => Untaken::Failed(silent(&service.url)),
            Self::Signal(_) | Self::Loss(_) => self.told(key),
        }
    }

    fn told(self, key: Key<'_>) -> Untaken {
        match self {
            Self::Signal(signal) => Untaken::Signalled(signal),
            Self::TimeIsOver => Untaken::InTime(say::shown(key.name())),
            Self::Loss(loss) => Untaken::Failed(Failure::new(
                Exit::Lost,
                format!("{loss}, while waiting for \"{}\"", say::shown(key.name())),
            )),
        }
    }
}

impl Patience {
    /// How long a server is asked to wait.
    fn left(self, now: Instant) -> Duration {
        match self {
            Self::Once => Duration::ZERO,
            Self::Until(end) => end.since(now).min(ENDLESS),
            Self::Endless => ENDLESS,
        }
    }

    /// When not to wait for its answer any more.
    fn limit(self, now: Instant) -> Instant {
        match self {
            Self::Once => now.after(ANSWER_MAX_AT_ONCE),
            Self::Until(end) => end.max(now).after(ANSWER_MAX),
            Self::Endless => Instant::MAX,
        }
    }
}

impl From<Failure> for Untaken {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_nanos(1_000);

    #[test]
    fn one_try_does_not_wait_and_an_endless_wait_stays_within_what_servers_take() {
        assert_eq!(Patience::Once.left(NOW), Duration::ZERO);
        assert!(Patience::Endless.left(NOW).as_secs() <= tenure_wire::line::SECONDS_MAX);
        assert_eq!(Patience::Endless.limit(NOW), Instant::MAX);
    }

    #[test]
    fn a_wait_is_shared_by_all_keys() {
        let patience = Patience::Until(NOW.after(Duration::from_secs(5)));
        let later = NOW.after(Duration::from_secs(3));
        assert_eq!(patience.left(later), Duration::from_secs(2));
        let too_late = NOW.after(Duration::from_secs(9));
        assert_eq!(patience.left(too_late), Duration::ZERO);
        assert_eq!(patience.limit(too_late), too_late.after(ANSWER_MAX));
    }
}
