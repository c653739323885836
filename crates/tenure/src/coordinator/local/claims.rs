//! The claims of this process, as the engine knows them.

use crate::coordinator::Claim;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use tenure_core::{ClaimId, Fence, OwnerId};

/// Who has to hear of what happens to a claim. They stand beside the engine, under its lock: whatever has an event has
/// an entry, and to ask costs no lock of its own.
#[derive(Debug, Default)]
pub(super) struct Claims(HashMap<(OwnerId, ClaimId), Known, BuildHasherDefault<Drawn>>);

#[derive(Debug)]
struct Known {
    claim: Arc<Claim>,
    /// Of its grant, if it has one. An event may be about an earlier claim of the same id.
    fence: Option<Fence>,
}

impl Claims {
    /// From now on this claim hears of what happens to it.
    pub(super) fn add(&mut self, owner: OwnerId, claim: &Arc<Claim>, fence: Option<Fence>) {
        self.0.insert((owner, claim.id()), Known { claim: Arc::clone(claim), fence });
    }

    /// It does so no longer. Whoever called gets it, and drops it without the lock.
    pub(super) fn remove(&mut self, owner: OwnerId, claim: ClaimId) -> Option<Arc<Claim>> {
        self.0.remove(&(owner, claim)).map(|known| known.claim)
    }

    /// Whether the claim has the grant of that fence, or none as it says.
    pub(super) fn has(&self, owner: OwnerId, claim: ClaimId, fence: Option<Fence>) -> bool {
        self.0.get(&(owner, claim)).is_some_and(|known| known.fence == fence)
    }

    /// Whether a later claim of the same owner has the id of this one: then what the engine has is not this one's.
    pub(super) fn is_succeeded(&self, owner: OwnerId, claim: &Arc<Claim>) -> bool {
        self.0.get(&(owner, claim.id())).is_some_and(|known| !Arc::ptr_eq(&known.claim, claim))
    }

    /// The claim whose turn has come.
    pub(super) fn granted(&mut self, owner: OwnerId, claim: ClaimId, fence: Fence) -> Option<Arc<Claim>> {
        let known = self.0.get_mut(&(owner, claim))?;
        known.fence = Some(fence);
        Some(Arc::clone(&known.claim))
    }

    /// No claim of an owner hears of anything any longer; these did.
    pub(super) fn take_all(&mut self, owner: OwnerId) -> Vec<Arc<Claim>> {
        self.0.extract_if(|(of, _), _| *of == owner).map(|(_, known)| known.claim).collect()
    }
}

/// Ids are drawn by chance already, in this process and by itself: they need no hashing.
#[derive(Default)]
struct Drawn(u64);

impl Hasher for Drawn {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        // Those that were chosen by hand are spread at least.
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u128(&mut self, number: u128) {
        self.write_u64(number as u64 ^ (number >> 64) as u64);
    }
}
