//! Keys that are held, and what ends that.

use std::fmt;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use tenure::coordinator::Released;
use tenure::{Clock, Error, Guard, Instant, Loss};
use tokio::task::JoinHandle;

use super::belief;
use crate::say;

/// How long giving back may take.
const GIVE_BACK_MAX: Duration = Duration::from_secs(2);

/// A key that is held.
pub(super) struct Held {
    guard: Guard,
    ttl: Duration,
}

/// That a key is not held any more.
#[derive(Clone, Debug)]
pub(super) struct Lost {
    key: String,
    why: Why,
    kill_at: Instant,
    grace: Duration,
}

#[derive(Clone, Debug)]
enum Why {
    /// The guard says so.
    Loss(Loss),
    /// The command has to end now to be gone in time.
    Silence,
}

/// How it ended for one key.
pub(super) enum Ending {
    /// It was held to the end.
    Released,
    /// It was lost.
    Lost(Lost),
    /// It was not ours any more when it was given back.
    Gone(String),
    /// Nobody said whether it was still ours.
    Unanswered {
        /// The key.
        key: String,
        /// Why; nothing when there was no answer.
        error: Option<Error>,
    },
}

impl Held {
    pub(super) const fn new(guard: Guard, ttl: Duration) -> Self {
        Self { guard, ttl }
    }

    /// What is held.
    pub(super) const fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Its name, for people.
    pub(super) fn shown(&self) -> String {
        say::shown(self.guard.key())
    }

    /// When to tell the command to end, if nothing was heard of the lease until then.
    pub(super) fn term_at(&self) -> Instant {
        belief::term_at(self.guard.deadline(), self.ttl)
    }

    fn lost(&self, why: Why) -> Lost {
        // Who does not answer may still keep the key from others.
        let gone = !matches!(why, Why::Silence | Why::Loss(Loss::Expired));
        let (kill_at, grace) = (self.guard.deadline(), belief::grace(self.ttl, gone));
        Lost { key: self.shown(), why, kill_at, grace }
    }

    async fn give_back(self) -> Ending {
        let key = self.shown();
        let lost =
            if self.guard.is_lost() { Some(self.lost(Why::Loss(self.guard.lost().await))) } else { None };
        // Also what is lost: it may be kept from others until its lease ends.
        let released = self.guard.release().await;
        match (lost, released) {
            (Some(lost), _) => Ending::Lost(lost),
            (None, Ok(Released::Released)) => Ending::Released,
            (None, Ok(_)) => Ending::Gone(key),
            (None, Err(error)) => Ending::Unanswered { key, error: Some(error) },
        }
    }
}

/// Waits until a key is lost, or has to be given up because nothing was heard of its lease for too long.
///
/// # Cancel safety
///
/// Dropping the future loses nothing.
pub(super) async fn lost(held: &[Held], clock: &Clock) -> Lost {
    let lost = first_lost(held, clock).await;
    // Whichever it was: the command must be gone before the first of all the leases can end.
    let deadlines = held.iter().map(|held| held.guard.deadline());
    Lost { kill_at: deadlines.fold(lost.kill_at, Instant::min), ..lost }
}

async fn first_lost(held: &[Held], clock: &Clock) -> Lost {
    let mut losses: Vec<_> = held.iter().map(|held| (held, Box::pin(held.guard.lost()))).collect();
    let mut any = poll_fn(|cx| {
        let mut came = losses.iter_mut().filter_map(|(held, loss)| match loss.as_mut().poll(cx) {
            Poll::Ready(loss) => Some(held.lost(Why::Loss(loss))),
            Poll::Pending => None,
        });
        came.next().map_or(Poll::Pending, Poll::Ready)
    });
    loop {
        let first = held.iter().min_by_key(|held| held.term_at());
        tokio::select! {
            biased;
            lost = &mut any => return lost,
            () = clock.sleep_until(first.map_or(Instant::MAX, Held::term_at)) => {}
        }
        if let Some(silent) = held.iter().find(|held| held.term_at() <= clock.now()) {
            return silent.lost(Why::Silence);
        }
    }
}

/// Gives back what is held. Takes at most [`GIVE_BACK_MAX`].
///
/// # Cancel safety
///
/// Dropping the future leaves the rest to go on in the background.
pub(super) async fn give_back(held: Vec<Held>, clock: &Clock) -> Vec<Ending> {
    let limit = clock.now().after(GIVE_BACK_MAX);
    let releasing: Vec<(String, JoinHandle<Ending>)> =
        held.into_iter().map(|held| (held.shown(), tokio::spawn(held.give_back()))).collect();
    let mut endings = Vec::with_capacity(releasing.len());
    for (key, task) in releasing {
        let ending = clock.before(limit, task).await.and_then(Result::ok);
        endings.push(ending.unwrap_or(Ending::Unanswered { key, error: None }));
    }
    endings
}

impl Lost {
    /// When the command must be gone, if it was told to end at `now`.
    pub(super) fn kill_at(&self, now: Instant) -> Instant {
        self.kill_at.min(now.after(self.grace))
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lost \"{}\": ", self.key)?;
        match &self.why {
            Why::Silence | Why::Loss(Loss::Expired) => f.write_str("it could not be renewed in time"),
            Why::Loss(loss) => f.write_str(&say::shown(loss.to_string().as_bytes())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure::Tenure;

    const TTL: Duration = Duration::from_secs(30);

    /// Two keys, of which the first was taken five seconds before the second.
    async fn two() -> (Tenure, Vec<Held>) {
        let builder = Tenure::builder().clock(Clock::manual());
        let tenure = builder.connect("memory:").await.expect("a world of its own");
        let mut held = Vec::new();
        for key in ["a", "b"] {
            let guard =
                tenure.lock(key).ttl(TTL).try_acquire().await.expect("an answer").expect("it is free");
            held.push(Held::new(guard, TTL));
            tenure.clock().advance(Duration::from_secs(5));
        }
        (tenure, held)
    }

    #[tokio::test]
    async fn a_loss_says_why_and_the_command_is_gone_before_the_first_lease_of_all_can_end() {
        let (tenure, held) = two().await;
        tenure.lock("b").steal("host-3 is on fire").await.expect("an answer");
        let lost = lost(&held, tenure.clock()).await;
        assert_eq!(lost.to_string(), "lost \"b\": it was taken away: host-3 is on fire");
        assert_eq!(lost.kill_at(Instant::MAX), held[0].guard.deadline());
        let now = tenure.clock().now();
        assert_eq!(lost.kill_at(now), now.after(Duration::from_secs(2)), "somebody else may have it");
    }

    #[tokio::test]
    async fn silence_is_a_loss_when_the_command_has_to_end_to_be_gone_in_time() {
        let (tenure, held) = two().await;
        // 19 s after the first, before anyone could renew it.
        tenure.clock().advance(Duration::from_secs(9));
        let lost = lost(&held, tenure.clock()).await;
        assert_eq!(lost.to_string(), "lost \"a\": it could not be renewed in time");
        assert_eq!(lost.kill_at(tenure.clock().now()), held[0].guard.deadline());
    }

    #[tokio::test]
    async fn what_is_given_back_says_whether_it_was_still_there() {
        let (tenure, held) = two().await;
        let token = held[0].guard.token();
        tenure.lock("a").release_token(token).await.expect("an answer");
        let endings = give_back(held, tenure.clock()).await;
        assert!(matches!(endings[0], Ending::Lost(_)));
        assert!(matches!(endings[1], Ending::Released));
        assert!(!tenure.lock("b").is_locked().await.expect("an answer"));
    }
}
