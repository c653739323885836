//! What a holder may believe about its lease, by its own clock alone.
//!
//! The server counts a lease from when it serves the request; the holder counts it from before the request was sent,
//! which is never later. So the holder gives up before the server hands the key on, however long messages take.
//!
//! ```text
//!     sent                renew                  end the command (TERM)    it must be gone (KILL)
//!      |--- a third of the TTL ---|------------------------|------ grace ------|- margin -| the lease ends
//! ```

use std::time::Duration;

use tenure_core::Instant;

/// The longest time between two renewals, where a server does not tell how long a connection may be silent (23 s unless
/// it is configured otherwise) before it is closed, whatever leases are held through it.
pub(super) const RENEW_AFTER_MAX: Duration = Duration::from_secs(10);

/// The longest time that a command gets to end by itself.
const GRACE_MAX: Duration = Duration::from_secs(10);

/// The longest margin for what the clocks of holder and server differ by while a lease lasts, and for the last signal
/// to do its work. A tenth of the lease is far more than clocks drift.
const MARGIN_MAX: Duration = Duration::from_secs(1);

/// A lease as its holder sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Belief {
    sent: Instant,
    ttl: Duration,
    renew_after_max: Duration,
}

impl Belief {
    /// What follows from a request that was sent no earlier than `sent` and answered with a lease of `ttl`, over a
    /// connection that has to be used at least every `renew_after_max`.
    pub(super) const fn new(sent: Instant, ttl: Duration, renew_after_max: Duration) -> Self {
        Self { sent, ttl, renew_after_max }
    }

    /// What follows from such a request when it was sent again.
    pub(super) const fn renewed(self, sent: Instant, ttl: Duration) -> Self {
        Self { sent, ttl, ..self }
    }

    /// When to renew.
    pub(super) fn renew_at(self) -> Instant {
        self.sent.after((self.ttl / 3).min(self.renew_after_max))
    }

    /// When to tell the command to end, if nothing was heard of the lease until then.
    pub(super) fn term_at(self) -> Instant {
        self.sent.after(self.lived().saturating_sub(self.grace()))
    }

    /// When the command must be gone.
    pub(super) fn kill_at(self) -> Instant {
        self.sent.after(self.lived())
    }

    /// How long the command gets to end by itself.
    pub(super) fn grace(self) -> Duration {
        (self.ttl / 3).min(GRACE_MAX)
    }

    fn lived(self) -> Duration {
        self.ttl.saturating_sub((self.ttl / 10).min(MARGIN_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: Instant = Instant::from_nanos(7_000_000_000);

    fn schedule(ttl: Duration) -> (Duration, Duration, Duration) {
        let belief = Belief::new(SENT, ttl, RENEW_AFTER_MAX);
        (belief.renew_at().since(SENT), belief.term_at().since(SENT), belief.kill_at().since(SENT))
    }

    #[test]
    fn thirty_seconds_leave_two_renewals_before_the_command_is_told_to_end() {
        let seconds = Duration::from_secs;
        assert_eq!(schedule(seconds(30)), (seconds(10), seconds(19), seconds(29)));
    }

    #[test]
    fn a_second_is_divided_alike() {
        let (renew, term, kill) = schedule(Duration::from_secs(1));
        assert_eq!(kill, Duration::from_millis(900));
        assert!(renew < term && term < kill, "{renew:?} {term:?} {kill:?}");
    }

    #[test]
    fn a_long_lease_is_renewed_before_the_server_takes_the_connection_for_dead() {
        let (renew, term, kill) = schedule(Duration::from_secs(3600));
        assert_eq!(renew, Duration::from_secs(10));
        assert_eq!((term, kill), (Duration::from_secs(3589), Duration::from_secs(3599)));
    }

    #[test]
    fn whatever_the_lease_the_command_is_gone_before_it_ends() {
        for seconds in (1..=100).chain([1_000, 86_400, 9_223_372_036]) {
            let ttl = Duration::from_secs(seconds);
            let (renew, term, kill) = schedule(ttl);
            assert!(renew < term && term < kill && kill < ttl, "{ttl:?}: {renew:?} {term:?} {kill:?}");
        }
    }

    #[test]
    fn an_impatient_server_hears_more_often() {
        let belief = Belief::new(SENT, Duration::from_secs(30), Duration::from_millis(700));
        assert_eq!(belief.renew_at().since(SENT), Duration::from_millis(700));
        let renewed = belief.renewed(SENT.after(Duration::from_secs(1)), Duration::from_secs(30));
        assert_eq!(renewed.renew_at().since(SENT), Duration::from_millis(1700));
    }

    #[test]
    fn no_lease_at_all_is_over_at_once() {
        assert_eq!(schedule(Duration::ZERO), (Duration::ZERO, Duration::ZERO, Duration::ZERO));
    }
}
