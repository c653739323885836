//! When to end the command, if nothing is heard of its lease.
//!
//! A guard believes by its own clock, from before the request for its lease was sent, and for less than the lease lasts.
//! So a command that is gone when its guard stops believing is gone before anyone else can be granted the key.
//!
//! ```text
//!     sent                renew                  end the command (TERM)    it must be gone (KILL)
//!      |--- a third of the TTL ---|------------------------|------ grace ------|- margin -| the lease ends
//! ```

use std::time::Duration;

use tenure::Instant;

/// The longest time that a command gets to end by itself.
const GRACE_MAX: Duration = Duration::from_secs(10);

/// How long a command gets to end by itself when the key is somebody else's already.
const GRACE_WHEN_GONE: Duration = Duration::from_secs(2);

/// How long a command under a lease of `ttl` gets to end by itself; less where the key is somebody else's already.
pub(super) fn grace(ttl: Duration, gone: bool) -> Duration {
    let grace = (ttl / 3).min(GRACE_MAX);
    if gone { grace.min(GRACE_WHEN_GONE) } else { grace }
}

/// When to tell a command to end that must be gone at the deadline of its guard.
pub(super) fn term_at(deadline: Instant, ttl: Duration) -> Instant {
    Instant::ORIGIN.after(deadline.since(Instant::ORIGIN).saturating_sub(grace(ttl, false)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: Instant = Instant::from_nanos(7_000_000_000);

    /// After how much of a lease its command is told to end, and must be gone.
    fn schedule(ttl: Duration, margin: Duration) -> (Duration, Duration) {
        let deadline = SENT.after(ttl.saturating_sub(margin));
        (term_at(deadline, ttl).since(SENT), deadline.since(SENT))
    }

    #[test]
    fn thirty_seconds_leave_two_renewals_before_the_command_is_told_to_end() {
        let seconds = Duration::from_secs;
        assert_eq!(schedule(seconds(30), seconds(1)), (seconds(19), seconds(29)));
    }

    #[test]
    fn whatever_the_lease_it_is_renewed_before_the_command_is_told_to_end() {
        for millis in [1, 10, 500, 1_000, 30_000, 3_600_000, 86_400_000] {
            let ttl = Duration::from_millis(millis);
            let (term, kill) = schedule(ttl, (ttl / 10).min(Duration::from_secs(1)));
            assert!(ttl / 3 < term && term < kill && kill < ttl, "{ttl:?}: {term:?} {kill:?}");
        }
    }

    #[test]
    fn a_key_that_is_somebody_elses_leaves_little_time() {
        let ttl = Duration::from_secs(30);
        assert_eq!((grace(ttl, false), grace(ttl, true)), (GRACE_MAX, GRACE_WHEN_GONE));
        assert_eq!(grace(Duration::from_secs(3), true), Duration::from_secs(1));
    }

    #[test]
    fn a_deadline_that_was_never_is_over() {
        assert_eq!(term_at(Instant::ORIGIN, Duration::from_secs(30)), Instant::ORIGIN);
    }
}
