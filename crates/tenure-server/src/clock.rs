//! The one clock of the daemon.

use std::time::Duration;
use tenure_core::Instant;

/// A clock that never goes back and knows nothing of the time of day, so no correction of that can end a lease early.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: std::time::Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the module that owns the clock")]
    pub(crate) fn start() -> Self {
        Self { origin: std::time::Instant::now() }
    }

    pub(crate) fn now(self) -> Instant {
        Instant::ORIGIN.after(self.origin.elapsed())
    }

    /// When a timer of the runtime has to fire for it to be `at` here.
    pub(crate) fn timer(self, at: Instant) -> tokio::time::Instant {
        // A timer has room for some thirty years; nothing that waits longer has to be exact.
        let span = at.since(Instant::ORIGIN).min(Duration::from_secs(1 << 30));
        tokio::time::Instant::from_std(self.origin + span)
    }

    /// Lets time pass where there is no event to wait for.
    #[expect(clippy::disallowed_methods, reason = "this is the module that owns the clock")]
    pub(crate) async fn pause(span: Duration) {
        tokio::time::sleep(span).await;
    }

    /// Nanoseconds since 1970 on the wall clock; zero when that is set to a time before.
    #[expect(clippy::disallowed_methods, reason = "this is the module that owns the clock")]
    pub(crate) fn wall_nanos() -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }
}
