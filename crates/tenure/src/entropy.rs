//! Where ids and secrets come from: a generator of this thread that the system seeds, and that nobody can predict.

use rand::Rng as _;
use std::cell::Cell;
use tenure_core::ClaimId;

/// How many numbers are drawn at once, so that drawing costs next to nothing per number.
const BATCH: usize = 64;

thread_local! {
    static DRAWN: [Cell<u64>; BATCH] = const { [const { Cell::new(0) }; BATCH] };
    static LEFT: Cell<usize> = const { Cell::new(0) };
}

/// A number that nobody can guess.
#[must_use]
pub fn number() -> u64 {
    let left = match LEFT.get() {
        0 => refill(),
        left => left,
    };
    LEFT.set(left - 1);
    DRAWN.with(|drawn| drawn[left - 1].take())
}

#[cold]
fn refill() -> usize {
    let mut source = rand::rng();
    DRAWN.with(|drawn| drawn.iter().for_each(|number| number.set(source.next_u64())));
    BATCH
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
