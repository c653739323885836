//! The clock of the bench.
#![allow(clippy::disallowed_methods, reason = "this is where the bench reads the clock and lets time pass")]

use std::time::{Duration, Instant};

/// Now.
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Lets so much time pass while the load runs.
pub(super) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}
