//! Grants: taking them, their leases, their end, and who comes next.

use super::claims::Stage;
use super::past::PastGrant;
use super::{Change, Ending, Engine, Event, Grant, Happened, Patience};
use crate::deadlines::{Due, Turn};
use crate::planted::{Bug, planted};
use crate::{Fence, Instant, Token};
use alloc::sync::Arc;
use core::time::Duration;

impl Engine {
    /// Hands a grant to its owner; its lease starts now.
    pub(super) fn hold(&mut self, slot: u32, fence: Fence) -> Grant {
        let went = self.goes(slot);
        let claim = self.claims.at_mut(slot);
        claim.stage = Stage::Held(fence);
        let (ttl, secret) = (claim.ttl, claim.secret);
        if went && !self.goes(slot) {
            self.owners.unlink(&mut self.claims, slot);
        }
        let deadline = self.start_lease(slot, ttl);
        Grant { token: Token { fence, secret }, ttl, deadline }
    }

    pub(super) fn start_lease(&mut self, slot: u32, ttl: Duration) -> Instant {
        self.end_lease_at(slot, self.now.after(ttl))
    }

    fn end_lease_at(&mut self, slot: u32, at: Instant) -> Instant {
        self.deadlines.set(slot, Due { at, turn: Turn::lease(self.claims.at(slot).serial) });
        at
    }

    /// Lets a claim in line wait so long. An orphan waits no longer than it would have without this.
    pub(super) fn await_until(&mut self, slot: u32, patience: Patience) {
        let claim = self.claims.at(slot);
        let turn = Turn::wait(claim.serial);
        let most = self.deadlines.get(slot).filter(|_| claim.orphan);
        match (patience, most) {
            (Patience::Until(at), most) => {
                let at = most.map_or(at, |most| most.min(at));
                self.deadlines.set(slot, Due { at, turn });
            }
            (Patience::None | Patience::Endless, None) => self.deadlines.clear(slot),
            (Patience::None | Patience::Endless, Some(_)) => {}
        }
    }

    pub(super) fn is_near_enough(&self, slot: u32, at: Instant) -> bool {
        planted(Bug::LapsedEarly)
            && self.claims.at(slot).stage != Stage::Waiting
            && at.since(self.now) < Duration::from_nanos(2)
    }

    /// Ends a claim whose time is over.
    pub(super) fn lapse(&mut self, slot: u32) {
        let waited = self.claims.at(slot).stage == Stage::Waiting;
        let change = if waited { Change::TimedOut } else { Change::Lapsed };
        self.tell(slot, change);
        self.end(slot, Ending::Lapsed);
    }

    /// Lets the owner of a claim hear of it. An orphan has none.
    pub(super) fn tell(&mut self, slot: u32, change: Change) {
        let claim = self.claims.at(slot);
        if !claim.orphan {
            let fence = claim.stage.fence();
            self.events.push_back(Event { owner: claim.owner, claim: claim.id, fence, change });
        }
    }

    /// Removes a claim and lets those who come next have what it leaves.
    pub(super) fn end(&mut self, slot: u32, ending: Ending) {
        self.end_because(slot, ending, None);
    }

    pub(super) fn end_because(&mut self, slot: u32, ending: Ending, reason: Option<&Arc<str>>) {
        if self.goes(slot) {
            self.owners.unlink(&mut self.claims, slot);
        }
        self.deadlines.clear(slot);
        let Some(claim) = self.claims.remove(slot) else { return };
        let queue = self.queues.at_mut(claim.queue);
        match claim.stage.fence() {
            Some(fence) => {
                queue.release(fence);
                let reason = || reason.map_or_else(|| Arc::from(""), Arc::clone);
                self.observe(claim.queue, || Happened::Ended { fence, ending, reason: reason() });
                self.queues.entry_mut(claim.queue).past.push(PastGrant {
                    fence,
                    owner: claim.owner,
                    since: claim.since,
                    ended: self.now,
                    ending,
                    note: claim.note,
                });
            }
            None => {
                queue.cancel(claim.serial);
                self.observe(claim.queue, || Happened::Queue);
            }
        }
        if !wakes_nobody(claim.stage, ending) {
            self.grant_waiters(claim.queue);
        }
        self.queues.note_use(claim.queue, self.now);
    }

    /// Offers grants to the head of the line for as long as its permits are free.
    pub(super) fn grant_waiters(&mut self, queue: u32) {
        while let Some(granted) = self.queues.at_mut(queue).grant_next(&mut self.fences) {
            let claim = self.claims.at_mut(granted.claim);
            claim.stage = Stage::Offered(granted.fence);
            claim.since = self.now;
            let (ttl, orphan) = (claim.ttl, claim.orphan && !planted(Bug::OrphanRevived));
            // The lease of an orphan runs already: those behind it wait for nobody longer than one lease.
            let until = self.deadlines.get(granted.claim).filter(|_| orphan);
            self.end_lease_at(granted.claim, until.unwrap_or_else(|| self.now.after(ttl)));
            self.tell(granted.claim, Change::Ready);
            if self.queues.at(queue).watched {
                let note = self.claims.at(granted.claim).note.clone();
                self.observe(queue, || Happened::Granted { fence: granted.fence, note });
            }
        }
    }
}

/// Whether a bug keeps those in line from what a claim leaves.
fn wakes_nobody(stage: Stage, ending: Ending) -> bool {
    match stage {
        Stage::Waiting => planted(Bug::HeadLeftUnseen),
        Stage::Offered(_) | Stage::Held(_) => {
            planted(Bug::LostWakeUp) || ending == Ending::Stolen && planted(Bug::StealWakesNobody)
        }
    }
}
