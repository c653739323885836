//! Which coordinator has which key.

use crate::coordinator::{Claim, Coordinator, Standing};
use crate::keeper::Keeper;
use crate::{ClaimId, Clock, Error, ErrorKind, Loss};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Chooses among so many addresses by the bytes of a key.
pub(crate) type ShardFn = Arc<dyn Fn(&[u8], usize) -> usize + Send + Sync>;

/// The address of so many that has a key, unless a function of one's own says otherwise: CRC-32 of its bytes modulo
/// their number, as the clients of dflockd have it.
///
/// ```
/// assert_eq!(tenure::shard(b"my-resource", 1_000), 18);
/// assert_eq!(tenure::shard(b"foo", 1), 0);
/// ```
///
/// # Panics
///
/// Where there are no addresses.
#[must_use]
pub fn shard(key: &[u8], addresses: usize) -> usize {
    crc32fast::hash(key) as usize % addresses
}

/// One coordinator, and who renews what it granted.
pub(crate) struct Shard {
    pub(crate) coordinator: Arc<dyn Coordinator>,
    pub(crate) keeper: Keeper,
    pub(crate) clock: Clock,
    /// The claims whose ids were chosen by their owners, who may choose the same again.
    chosen: Mutex<HashMap<ClaimId, Weak<Claim>>>,
}

impl Shard {
    pub(crate) fn new(coordinator: Arc<dyn Coordinator>, clock: &Clock) -> Arc<Self> {
        Arc::new(Self {
            coordinator,
            keeper: Keeper::default(),
            clock: clock.clone(),
            chosen: Mutex::default(),
        })
    }

    /// Whether the coordinator may have a claim still, as far as its owner knows. Where it is known to be over, another
    /// owner may have it by now, with the same id.
    pub(crate) fn may_have(&self, claim: &Claim) -> bool {
        !claim.has_ended() || Self::may_have_ended(&claim.standing())
    }

    fn may_have_ended(standing: &Standing) -> bool {
        match standing {
            // Only this side has given it up.
            Standing::Waiting | Standing::Granted(_) | Standing::Ended(Loss::Expired | Loss::Closed) => true,
            Standing::Ended(_) => false,
        }
    }

    /// Takes note of a claim whose owner chose its id, and has the coordinator's answer. To the coordinator one that had
    /// the id before is the same; here it is over.
    pub(crate) fn note_chosen(&self, claim: &Arc<Claim>) {
        let old = self.chosen().insert(claim.id(), Arc::downgrade(claim));
        if let Some(old) = old.and_then(|old| old.upgrade()).filter(|old| !Arc::ptr_eq(old, claim)) {
            old.end(Loss::taken_over());
        }
    }

    /// The coordinator has no claim of that id any more, since it was asked for with it and did not have it: one that had
    /// the id before is over.
    pub(crate) fn end_chosen(&self, claim: &Arc<Claim>) {
        let old = self.chosen().remove(&claim.id());
        if let Some(old) = old.and_then(|old| old.upgrade()).filter(|old| !Arc::ptr_eq(old, claim)) {
            old.end(Loss::taken_over());
        }
    }

    /// Forgets a claim that it took note of.
    pub(crate) fn forget_chosen(&self, claim: &Arc<Claim>) {
        let mut chosen = self.chosen();
        if chosen.get(&claim.id()).is_some_and(|known| known.as_ptr() == Arc::as_ptr(claim)) {
            chosen.remove(&claim.id());
        }
    }

    fn chosen(&self) -> MutexGuard<'_, HashMap<ClaimId, Weak<Claim>>> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All coordinators of a client.
pub(crate) struct Shards {
    list: Vec<Arc<Shard>>,
    choose: Option<ShardFn>,
}

impl Shards {
    pub(crate) fn new(
        coordinators: Vec<Arc<dyn Coordinator>>,
        choose: Option<ShardFn>,
        clock: &Clock,
    ) -> Self {
        Self { list: coordinators.into_iter().map(|each| Shard::new(each, clock)).collect(), choose }
    }

    pub(crate) fn all(&self) -> &[Arc<Shard>] {
        &self.list
    }

    /// The same, if there are any.
    pub(crate) fn some(&self) -> Result<&[Arc<Shard>], Error> {
        if self.list.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "the client was made with no coordinator at all"));
        }
        Ok(&self.list)
    }

    /// The coordinator that has a key.
    pub(crate) fn of(&self, key: &[u8]) -> Result<&Arc<Shard>, Error> {
        let addresses = self.some()?.len();
        let index = match &self.choose {
            Some(choose) => choose(key, addresses),
            None if addresses == 1 => 0,
            None => shard(key, addresses),
        };
        self.list.get(index).ok_or_else(|| {
            let message = format!(
                "the shard function chose address {index} for the key \"{}\", and there are {addresses}: the first is 0",
                key.escape_ascii()
            );
            Error::new(ErrorKind::Invalid, message)
        })
    }
}

impl fmt::Debug for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list.iter().map(|shard| &shard.coordinator)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordinator::NoOp;

    fn shards(addresses: usize, choose: Option<ShardFn>) -> Shards {
        let coordinators = (0..addresses).map(|_| NoOp::locked() as Arc<dyn Coordinator>).collect();
        Shards::new(coordinators, choose, &Clock::manual())
    }

    #[test]
    fn keys_are_spread_by_crc_32_as_other_clients_do_it() {
        for (key, sum) in
            [("my-resource", 1_352_043_018), ("foo", 2_356_372_769), ("key", 2_324_736_937), ("", 0)]
        {
            for addresses in [1, 2, 3, 7, 1_000] {
                assert_eq!(shard(key.as_bytes(), addresses), sum % addresses, "{key}");
            }
        }
        let shards = shards(3, None);
        assert!(Arc::ptr_eq(shards.of(b"foo").expect("one of three"), &shards.all()[2_356_372_769 % 3]));
    }

    #[test]
    fn a_function_of_ones_own_is_asked_even_for_one_address_and_may_not_choose_another() {
        let own = |index: usize| Some(Arc::new(move |_: &[u8], _: usize| index) as ShardFn);
        let two = shards(2, own(1));
        assert!(Arc::ptr_eq(two.of(b"foo").expect("the second"), &two.all()[1]));
        for addresses in [1, 2] {
            let error = shards(addresses, own(7)).of(b"a\n").map(drop).expect_err("out of range");
            assert_eq!(error.kind(), &ErrorKind::Invalid);
            let text = error.to_string();
            assert!(
                text.contains("address 7 for the key \"a\\n\"")
                    && text.contains(&format!("there are {addresses}"))
            );
        }
    }
}
