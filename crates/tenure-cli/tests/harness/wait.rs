//! Waiting for events, and the only clock of the tests.
#![allow(clippy::disallowed_methods, reason = "this is where the tests read the clock and sleep")]

use std::time::{Duration, Instant};

/// How long anything may take that ought to happen at once. Long, because the machine may be busy with other tests:
/// reaching it is a failure and never part of a passing run.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Polls until something holds; fails after [`PATIENCE`].
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Stopwatch::start();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Lets time pass where time itself is what the test is about: a lease that has to run out, a period to measure over.
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Measures how long something takes.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// What is left of [`PATIENCE`]; at least a moment, because a socket takes no timeout of zero.
    pub(crate) fn patience_left(self) -> Duration {
        PATIENCE.saturating_sub(self.elapsed()).max(Duration::from_millis(1))
    }
}
