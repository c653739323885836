//! The only clock of a holder.
//!
//! It counts the time that the machine was suspended: a lease goes on ending while its holder sleeps.
#![allow(clippy::disallowed_methods, reason = "this is where the command reads the clock and lets time pass")]

use std::future::Future;
use std::os::fd::OwnedFd;
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{self, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::time::{ClockId, clock_gettime};
use tenure_core::Instant;
use tokio::io::unix::AsyncFd;

/// How often the clock is looked at where the system has no more timers to give.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The time since the machine was started.
pub(crate) fn now() -> Instant {
    // A system without this clock does not exist; if it did, every lease had better be over.
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Instant::MAX, |time| Instant::ORIGIN.after(time.into()))
}

/// Returns at that instant or, where the machine was suspended then, as soon as it wakes up.
///
/// # Cancel safety
///
/// Dropping the future forgets the timer and nothing else.
pub(crate) async fn sleep_until(at: Instant) {
    if at == Instant::MAX {
        return std::future::pending().await;
    }
    if let Some(timer) = timer(at)
        && timer.readable().await.is_ok()
    {
        return;
    }
    while now() < at {
        tokio::time::sleep(at.since(now()).min(LOOK_AGAIN)).await;
    }
}

/// What a future is ready with, if it is before that instant.
pub(crate) async fn before<T>(limit: Instant, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        ready = future => Some(ready),
        () = sleep_until(limit) => None,
    }
}

/// A timer that goes off at that instant, or at once where that has passed.
#[expect(
    deprecated,
    reason = "its unsafe successor asks for a descriptor that stays the same: an OwnedFd's does"
)]
fn timer(at: Instant) -> Option<AsyncFd<OwnedFd>> {
    // Zero would disarm it.
    let at = TimeSpec::from_duration(Duration::from_nanos(at.as_nanos().max(1)));
    let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
    let timer = TimerFd::new(timerfd::ClockId::CLOCK_BOOTTIME, flags).ok()?;
    timer.set(Expiration::OneShot(at), TimerSetTimeFlags::TFD_TIMER_ABSTIME).ok()?;
    AsyncFd::new(OwnedFd::from(timer)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleeping_ends_at_its_instant_and_not_before() {
        let at = now().after(Duration::from_millis(20));
        sleep_until(at).await;
        assert!(now() >= at);
    }

    #[tokio::test]
    async fn an_instant_that_has_passed_is_not_waited_for() {
        sleep_until(Instant::ORIGIN).await;
        sleep_until(now()).await;
    }
}
