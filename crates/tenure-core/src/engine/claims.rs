//! The claims that there are.

use crate::index::Index;
use crate::slab::Slab;
use crate::{Bond, ClaimId, Fence, Instant, Note, OwnerId, Secret};
use alloc::sync::Arc;
use core::time::Duration;

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// One claim, waiting or granted.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) id: ClaimId,
    /// The hash of its id.
    pub(super) hash: u32,
    /// The number of its arrival, over all keys: its place in line.
    pub(super) serial: u64,
    pub(super) queue: u32,
    pub(super) owner: OwnerId,
    pub(super) permits: u32,
    pub(super) stage: Stage,
    pub(super) bond: Bond,
    pub(super) ttl: Duration,
    pub(super) secret: Secret,
    /// When it joined the line, or was granted.
    pub(super) since: Instant,
    pub(super) note: Option<Arc<Note>>,
    /// Its owner has gone. It has none until somebody asks for it, and its lease runs even in line.
    pub(super) orphan: bool,
    /// Its neighbours among the claims of its owner.
    pub(super) previous: u32,
    pub(super) next: u32,
}

/// How far a claim has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It stands in line.
    Waiting,
    /// It was granted while it stood in line, and its owner has not taken the grant yet.
    Offered(Fence),
    /// Its owner has the grant.
    Held(Fence),
}

impl Claim {
    pub(super) fn is_of(&self, owner: OwnerId) -> bool {
        !self.orphan && self.owner == owner
    }

    /// Whether an owner may end it by its id: it is its own, or nobody's.
    pub(super) fn is_ended_by(&self, owner: OwnerId) -> bool {
        self.orphan || self.owner == owner
    }

    /// Whether it ends, or is orphaned, when its owner goes; then it stands in its owner's list.
    pub(super) fn goes(&self) -> bool {
        !self.orphan && (self.bond != Bond::Lease || !matches!(self.stage, Stage::Held(_)))
    }
}

impl Stage {
    pub(super) const fn fence(self) -> Option<Fence> {
        match self {
            Self::Waiting => None,
            Self::Offered(fence) | Self::Held(fence) => Some(fence),
        }
    }
}

/// All claims, by slot and by id.
#[derive(Clone, Debug)]
pub(super) struct Claims {
    slab: Slab<Claim>,
    index: Index,
}

impl Claims {
    pub(super) fn new(seed: u64) -> Self {
        Self { slab: Slab::new(), index: Index::new(seed) }
    }

    pub(super) const fn len(&self) -> usize {
        self.slab.len()
    }

    /// A claim's hash, which it is made with.
    pub(super) fn hash(&self, id: ClaimId) -> u32 {
        self.index.hash(id)
    }

    pub(super) fn find(&self, id: ClaimId) -> Option<u32> {
        self.find_hashed(self.hash(id), id)
    }

    pub(super) fn find_hashed(&self, hash: u32, id: ClaimId) -> Option<u32> {
        self.index.find(hash, |slot| self.slab[slot].id == id)
    }

    /// A claim that the caller knows to be there.
    pub(super) fn at(&self, slot: u32) -> &Claim {
        &self.slab[slot]
    }

    pub(super) fn at_mut(&mut self, slot: u32) -> &mut Claim {
        &mut self.slab[slot]
    }

    pub(super) fn insert(&mut self, claim: Claim) -> u32 {
        let hash = claim.hash;
        let slot = self.slab.insert(claim);
        self.index.insert(hash, slot);
        slot
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Claim> {
        let claim = self.slab.remove(slot)?;
        self.index.remove(claim.hash, slot);
        Some(claim)
    }
}
