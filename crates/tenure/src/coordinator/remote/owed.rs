//! Claims that were taken back when nobody could be told.

use crate::{Clock, Instant};
use std::time::Duration;
use tenure_core::ClaimId;

/// How many there are before those that have ended by themselves are looked for.
const TIDY_LEN: usize = 64;

/// Claims that were taken back when nobody could be told, until they have ended by themselves.
///
/// Their instants are of the system's clock, whatever clock grants are believed in by: it is the service that ends them.
#[derive(Debug, Default)]
pub(super) struct Owed {
    claims: Vec<(ClaimId, Instant)>,
    tidy_at: usize,
}

impl Owed {
    /// A claim that lives so long unless the service hears that it is over.
    pub(super) fn add(&mut self, claim: ClaimId, ttl: Duration) {
        let now = Clock::system().now();
        if self.claims.len() >= self.tidy_at.max(TIDY_LEN) {
            self.claims.retain(|(_, until)| *until > now);
            self.tidy_at = self.claims.len() * 2;
        }
        self.claims.push((claim, now.after(ttl)));
    }

    /// Whoever owed it tells it now; whether it was owed.
    pub(super) fn settle(&mut self, claim: ClaimId) -> bool {
        let before = self.claims.len();
        self.claims.retain(|(owed, _)| *owed != claim);
        self.claims.len() != before
    }

    /// All that can still matter, and for how long.
    pub(super) fn take(&mut self) -> Vec<(ClaimId, Duration)> {
        let now = Clock::system().now();
        let claims = std::mem::take(&mut self.claims);
        claims
            .into_iter()
            .filter(|(_, until)| *until > now)
            .map(|(claim, until)| (claim, until.since(now)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_by_itself_is_owed_no_longer() {
        let mut owed = Owed::default();
        for number in 0..1000 {
            owed.add(ClaimId::new(number), Duration::ZERO);
        }
        assert!(owed.claims.len() <= TIDY_LEN, "those that have ended are forgotten");
        owed.add(ClaimId::new(7), Duration::from_secs(60));
        owed.add(ClaimId::new(8), Duration::from_secs(60));
        assert!(owed.settle(ClaimId::new(8)));
        assert!(!owed.settle(ClaimId::new(8)));
        let left: Vec<ClaimId> = owed.take().into_iter().map(|(claim, _)| claim).collect();
        assert_eq!(left, [ClaimId::new(7)]);
    }
}
