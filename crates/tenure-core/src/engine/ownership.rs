//! Whose a claim is: it goes with its owner, or waits for it to come back, or is taken over by its id.

use super::claims::Stage;
use super::{Bond, Change, Ending, Engine, Enqueued, Grant, Patience, Refusal, Request};
use crate::planted::{Bug, planted};
use crate::{ClaimId, Instant, Key, OwnerId};
use alloc::vec::Vec;

impl Engine {
    /// Ends the claims that go with their owner, and orphans those that wait for it to come back, the latest first, at most
    /// `most` in one call; true when none is left. An owner that has gone must not ask again.
    pub fn disconnect(&mut self, now: Instant, owner: OwnerId, most: usize) -> bool {
        self.handle_timeout(now);
        let claims = self.owners.claims(owner, &self.claims);
        let going: Vec<u32> = claims.filter(|slot| !self.is_left_behind(*slot)).take(most).collect();
        for slot in &going {
            if self.claims.at(*slot).bond == Bond::Resumable {
                self.orphan(*slot);
            } else {
                self.end(*slot, Ending::Disconnected);
            }
        }
        going.len() < most
    }

    /// Whether an owner has claims that end, or are left without one, when it goes. It is not looked at how many.
    #[must_use]
    pub fn has_claims(&self, owner: OwnerId) -> bool {
        self.owners.claims(owner, &self.claims).next().is_some()
    }

    /// Takes over the grant of a claim for `owner`, and starts its lease anew; `None` when it has none, or is a claim on
    /// something else.
    pub fn resume(&mut self, now: Instant, owner: OwnerId, key: Key<'_>, claim: ClaimId) -> Option<Grant> {
        self.handle_timeout(now);
        let (slot, fence) = self.find(claim)?;
        let fence = fence.filter(|_| self.queues.at(self.claims.at(slot).queue).key() == key)?;
        self.hand_over(slot, owner, self.claims.at(slot).bond);
        Some(self.hold(slot, fence))
    }

    /// Takes the grant that an owner's turn in line has brought; its lease starts now. `None` when there is none, or it was
    /// taken, or somebody else has the claim by now.
    pub fn take_offered(&mut self, now: Instant, owner: OwnerId, claim: ClaimId) -> Option<Grant> {
        self.handle_timeout(now);
        let (slot, fence) = self.find(claim)?;
        let claim = self.claims.at(slot);
        let waits_for_owner = matches!(claim.stage, Stage::Offered(_)) && claim.is_of(owner);
        let fence = fence.filter(|_| waits_for_owner)?;
        Some(self.hold(slot, fence))
    }

    /// Finds a claim again: it belongs to whoever asks now.
    pub(super) fn repeat(&mut self, slot: u32, request: &Request<'_>) -> Enqueued {
        let claim = self.claims.at(slot);
        let queue = self.queues.at(claim.queue);
        if queue.key() != request.key || claim.permits != request.permits {
            return Enqueued::Refused(Refusal::Conflict);
        }
        if queue.queue.limit() != request.limit {
            return Enqueued::Refused(Refusal::LimitMismatch(queue.queue.limit()));
        }
        let fence = claim.stage.fence();
        self.hand_over(slot, request.owner, request.bond);
        let claim = self.claims.at_mut(slot);
        (claim.ttl, claim.note) = (request.ttl, request.note.cloned());
        match (fence, self.patience_left(request.patience)) {
            (Some(fence), _) => Enqueued::Acquired(self.hold(slot, fence)),
            (None, Patience::None) => {
                self.end(slot, Ending::Released);
                Enqueued::Busy
            }
            (None, patience) => {
                self.await_until(slot, patience);
                Enqueued::Queued
            }
        }
    }

    /// Lets a claim belong to whoever has asked for it by its id. The one before hears of it, if it is there to hear.
    fn hand_over(&mut self, slot: u32, owner: OwnerId, bond: Bond) {
        if self.claims.at(slot).owner != owner {
            self.tell(slot, Change::TakenOver);
        }
        let claim = self.claims.at(slot);
        if claim.is_of(owner) && claim.bond == bond || planted(Bug::TakenOverInVain) {
            return;
        }
        if self.goes(slot) {
            self.owners.unlink(&mut self.claims, slot);
        }
        let claim = self.claims.at_mut(slot);
        (claim.owner, claim.bond, claim.orphan) = (owner, bond, false);
        if self.goes(slot) {
            self.owners.link(&mut self.claims, slot);
        }
    }

    /// Leaves a claim without an owner. In line its lease runs from now on, unless its patience ends before; granted, it runs
    /// already.
    fn orphan(&mut self, slot: u32) {
        let claim = self.claims.at(slot);
        let (waits, until) = (claim.stage == Stage::Waiting, self.now.after(claim.ttl));
        self.owners.unlink(&mut self.claims, slot);
        self.claims.at_mut(slot).orphan = true;
        if waits && !planted(Bug::OrphanEndless) {
            self.await_until(slot, Patience::Until(until));
        }
    }

    /// Whether an owner may end a claim by its id.
    pub(super) fn is_ended_by(&self, slot: u32, owner: OwnerId) -> bool {
        self.claims.at(slot).is_ended_by(owner) || planted(Bug::StaleEnd)
    }

    /// Whether a claim ends, or is orphaned, with its owner, in whose list it then stands.
    pub(super) fn goes(&self, slot: u32) -> bool {
        self.claims.at(slot).goes()
    }

    fn is_left_behind(&self, slot: u32) -> bool {
        let waits = || self.claims.at(slot).stage == Stage::Waiting;
        planted(Bug::WaiterKept) && waits() || planted(Bug::PermitLeaked) && !waits()
    }
}
