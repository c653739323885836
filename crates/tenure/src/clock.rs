//! The clock of a holder.
#![allow(clippy::disallowed_methods, reason = "this is where the library reads the clock and lets time pass")]

use crate::Instant;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long to sleep before the clock is looked at again: timers of the system stand still while a machine is suspended,
/// and leases do not.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// A clock that never goes back, knows nothing of the time of day, and counts the time that the machine was suspended.
///
/// [`Clock::manual`] is one for tests, which goes only when told to.
#[derive(Clone, Debug, Default)]
pub struct Clock(Kind);

#[derive(Clone, Debug, Default)]
enum Kind {
    #[default]
    System,
    Manual(Arc<watch::Sender<Instant>>),
}

impl Clock {
    /// The clock of the system, since it was started.
    #[must_use]
    pub const fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that stands still until [`Clock::advance`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use tenure::Clock;
    ///
    /// let clock = Clock::manual();
    /// let before = clock.now();
    /// clock.advance(Duration::from_secs(30));
    /// assert_eq!(clock.now().since(before), Duration::from_secs(30));
    /// ```
    #[must_use]
    pub fn manual() -> Self {
        Self(Kind::Manual(Arc::new(watch::Sender::new(Instant::ORIGIN))))
    }

    /// Lets time pass on a manual clock. That of the system cannot be moved: there nothing happens.
    pub fn advance(&self, span: Duration) {
        if let Kind::Manual(now) = &self.0 {
            now.send_modify(|now| *now = now.after(span));
        }
    }

    /// Whether it goes only when told to.
    #[must_use]
    pub const fn is_manual(&self) -> bool {
        matches!(self.0, Kind::Manual(_))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Kind::System => system(),
            Kind::Manual(now) => *now.borrow(),
        }
    }

    /// Nanoseconds since 1970 on the wall clock, which a manual clock does not move; zero when that is set to a time before.
    pub(crate) fn wall_nanos(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Returns at that instant or, where the machine was suspended then, soon after it wakes up.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future forgets the timer and nothing else.
    pub async fn sleep_until(&self, at: Instant) {
        match &self.0 {
            _ if at == Instant::MAX => std::future::pending().await,
            Kind::System => loop {
                let left = at.since(system());
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(LOOK_AGAIN)).await;
            },
            Kind::Manual(now) => {
                let mut seen = now.subscribe();
                // It goes on as long as this clock is there.
                let _ = seen.wait_for(|now| *now >= at).await;
            }
        }
    }

    /// The same with one timer that is set once: for a crowd of sleepers, of whom the one that [looks
    /// again](Self::sleep_until) wakes all. Where that one is gone, it is late by the time that the machine was suspended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future forgets the timer and nothing else.
    pub(crate) async fn nap_until(&self, at: Instant) {
        match &self.0 {
            Kind::System if at != Instant::MAX => tokio::time::sleep(at.since(system())).await,
            Kind::System | Kind::Manual(_) => self.sleep_until(at).await,
        }
    }

    /// Lets a span of time pass.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future forgets the timer and nothing else.
    pub async fn sleep(&self, span: Duration) {
        self.sleep_until(self.now().after(span)).await;
    }

    /// What a future is ready with, if it is before that instant.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops that one.
    pub async fn before<T>(&self, limit: Instant, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            ready = future => Some(ready),
            () = self.sleep_until(limit) => None,
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn system() -> Instant {
    use nix::time::{ClockId, clock_gettime};
    // A system without this clock does not exist; if it did, every lease had better be over.
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Instant::MAX, |time| {
        let (seconds, nanos) = (time.tv_sec().unsigned_abs(), time.tv_nsec().unsigned_abs());
        Instant::from_nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn system() -> Instant {
    static ORIGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    Instant::ORIGIN.after(ORIGIN.get_or_init(std::time::Instant::now).elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleeping_ends_at_its_instant_and_not_before() {
        let clock = Clock::system();
        let at = clock.now().after(Duration::from_millis(20));
        clock.sleep_until(at).await;
        assert!(clock.now() >= at);
        clock.sleep_until(Instant::ORIGIN).await;
    }

    #[tokio::test]
    async fn a_manual_clock_wakes_whoever_sleeps_when_it_gets_there() {
        let clock = Clock::manual();
        let at = clock.now().after(Duration::from_secs(10));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.before(at, std::future::pending::<()>()).await }
        });
        clock.advance(Duration::from_secs(9));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        assert_eq!(sleeper.await.expect("no panic"), None);
    }
}
