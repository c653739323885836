//! Where ids and secrets come from: a generator of this thread that the system seeds, and that nobody can predict.

use rand::Rng as _;
use tenure_core::ClaimId;

/// A number that nobody can guess.
#[must_use]
pub fn number() -> u64 {
    rand::rng().next_u64()
}

/// The id of a claim that nobody can guess.
#[must_use]
pub fn claim_id() -> ClaimId {
    ClaimId::new(wide())
}

/// A number of twice the length.
pub(crate) fn wide() -> u128 {
    u128::from(number()) << 64 | u128::from(number())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_do_not_repeat() {
        let numbers: HashSet<u64> = (0..2_000).map(|_| number()).collect();
        assert_eq!(numbers.len(), 2_000);
    }
}
