//! The clock of the measurements.
#![allow(
    clippy::disallowed_methods,
    reason = "this is where measurements read the clock and wait between two looks"
)]

use std::time::{Duration, Instant};

/// How long anything may take to become true.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long to wait between two looks.
const BETWEEN: Duration = Duration::from_millis(20);

/// Measures what a piece of work took.
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since.
    pub(super) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Looks again and again until something holds. `false` when it never did.
pub(super) fn until(mut holds: impl FnMut() -> bool) -> bool {
    let waited = Stopwatch::start();
    while !holds() {
        if waited.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(BETWEEN);
    }
    true
}

/// Looks again and again until a value has not changed for that long. `None` when it never stopped.
pub(super) fn settled<T: PartialEq>(quiet: Duration, mut look: impl FnMut() -> T) -> Option<T> {
    let mut value = look();
    let mut since = Stopwatch::start();
    let settled = until(|| {
        let now = look();
        if now != value {
            value = now;
            since = Stopwatch::start();
        }
        since.elapsed() > quiet
    });
    settled.then_some(value)
}
