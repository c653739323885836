//! Whose claims they are.

use super::claims::{Claims, NONE};
use crate::OwnerId;
use crate::index::Index;

/// For each owner that has claims, the head of a list that runs through them.
///
/// An owner without claims takes no room: those who come and go without asking for anything cost nothing.
#[derive(Clone, Debug)]
pub(super) struct Owners {
    heads: Index,
}

impl Owners {
    pub(super) fn new(seed: u64) -> Self {
        Self { heads: Index::new(seed) }
    }

    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The claims of an owner, the latest first.
    pub(super) fn claims<'a>(
        &self,
        owner: OwnerId,
        claims: &'a Claims,
    ) -> impl Iterator<Item = u32> + use<'a> {
        let head = self.heads.find(self.heads.hash(owner), |slot| claims.at(slot).owner == owner);
        core::iter::successors(head, |slot| Some(claims.at(*slot).next).filter(|next| *next != NONE))
    }

    /// Puts a claim at the head of its owner's list.
    pub(super) fn link(&mut self, claims: &mut Claims, slot: u32) {
        let owner = claims.at(slot).owner;
        let hash = self.heads.hash(owner);
        let next = match self.heads.find_mut(hash, |head| claims.at(head).owner == owner) {
            None => {
                self.heads.insert(hash, slot);
                NONE
            }
            Some(head) => {
                let next = core::mem::replace(head, slot);
                claims.at_mut(next).previous = slot;
                next
            }
        };
        let claim = claims.at_mut(slot);
        (claim.previous, claim.next) = (NONE, next);
    }

    /// Takes a claim out of its owner's list, in which it stands.
    pub(super) fn unlink(&mut self, claims: &mut Claims, slot: u32) {
        let claim = claims.at(slot);
        let (owner, previous, next) = (claim.owner, claim.previous, claim.next);
        if next != NONE {
            claims.at_mut(next).previous = previous;
        }
        if previous != NONE {
            claims.at_mut(previous).next = next;
            return;
        }
        let hash = self.heads.hash(owner);
        if next == NONE {
            self.heads.remove(hash, slot);
        } else if let Some(head) = self.heads.find_mut(hash, |head| head == slot) {
            *head = next;
        }
    }
}
