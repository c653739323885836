//! Whose claims they are.

use super::claims::{Claim, Claims, NONE};
use crate::OwnerId;
use crate::index::Index;
use crate::slab::Slab;

/// The owners that have claims, each with a list that runs through its claims.
///
/// An owner without claims takes no room: those who come and go without asking for anything cost nothing.
#[derive(Clone, Debug)]
pub(super) struct Owners {
    slab: Slab<Owner>,
    index: Index,
}

#[derive(Clone, Debug)]
struct Owner {
    id: OwnerId,
    first: u32,
}

impl Owners {
    pub(super) fn new(seed: u64) -> Self {
        Self { slab: Slab::new(), index: Index::new(seed) }
    }

    pub(super) const fn len(&self) -> usize {
        self.slab.len()
    }

    pub(super) fn id(&self, slot: u32) -> OwnerId {
        self.slab[slot].id
    }

    pub(super) fn find(&self, id: OwnerId) -> Option<u32> {
        self.index.find(self.index.hash(id), |slot| self.id(slot) == id)
    }

    /// The claims of an owner, the latest first.
    pub(super) fn claims<'a>(&'a self, id: OwnerId, claims: &'a Claims) -> impl Iterator<Item = u32> + 'a {
        let first = self.find(id).map(|slot| self.slab[slot].first);
        core::iter::successors(first, |slot| Some(claims.at(*slot).next).filter(|next| *next != NONE))
    }

    /// Puts a claim at the head of its owner's list and notes the owner in it.
    pub(super) fn link(&mut self, id: OwnerId, claims: &mut Claims, slot: u32) {
        let owner = self.find(id).unwrap_or_else(|| self.add(id));
        let next = core::mem::replace(&mut self.slab[owner].first, slot);
        if let Some(neighbour) = claims.get_mut(next) {
            neighbour.previous = slot;
        }
        let claim = claims.at_mut(slot);
        (claim.owner, claim.previous, claim.next) = (owner, NONE, next);
    }

    /// Takes a claim out of its owner's list; an owner goes with its last claim.
    pub(super) fn unlink(&mut self, claims: &mut Claims, slot: u32) {
        let Claim { owner, previous, next, .. } = *claims.at(slot);
        if let Some(neighbour) = claims.get_mut(next) {
            neighbour.previous = previous;
        }
        if let Some(neighbour) = claims.get_mut(previous) {
            neighbour.next = next;
        } else if next == NONE {
            self.remove(owner);
        } else {
            self.slab[owner].first = next;
        }
    }

    fn add(&mut self, id: OwnerId) -> u32 {
        let slot = self.slab.insert(Owner { id, first: NONE });
        self.index.insert(self.index.hash(id), slot);
        slot
    }

    fn remove(&mut self, slot: u32) {
        if let Some(owner) = self.slab.remove(slot) {
            self.index.remove(self.index.hash(owner.id), slot);
        }
    }
}
