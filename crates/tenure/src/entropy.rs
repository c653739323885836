//! Where ids and secrets come from: a generator that the system seeds, asked for many at a time.

use aws_lc_rs::rand::fill;
use std::cell::RefCell;
use tenure_core::ClaimId;

/// How many numbers one question brings: enough that the question costs next to nothing per number.
const BATCH: usize = 512;

thread_local! {
    static DRAWN: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// A number that nobody can guess.
pub fn number() -> u64 {
    DRAWN.with_borrow_mut(|drawn| {
        if drawn.is_empty() {
            refill(drawn);
        }
        drawn.pop().unwrap_or_else(|| unreachable!("it was just filled"))
    })
}

/// The id of a claim that nobody can guess.
pub(crate) fn claim_id() -> ClaimId {
    ClaimId::new(wide())
}

/// A number of twice the length.
pub(crate) fn wide() -> u128 {
    u128::from(number()) << 64 | u128::from(number())
}

#[expect(clippy::panic, reason = "without random numbers no secret is one")]
fn refill(drawn: &mut Vec<u64>) {
    let mut bytes = [0_u8; BATCH * 8];
    if let Err(error) = fill(&mut bytes) {
        panic!("there are no random numbers: {error}");
    }
    let (numbers, _) = bytes.as_chunks::<8>();
    drawn.extend(numbers.iter().map(|number| u64::from_ne_bytes(*number)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_do_not_repeat_over_several_batches() {
        let numbers: HashSet<u64> = (0..BATCH * 4).map(|_| number()).collect();
        assert_eq!(numbers.len(), BATCH * 4);
    }
}
