//! Grants: taking, renewing and ending them, and who comes next.

use super::{Answer, Claim, Model, Name, Queue};
use crate::{Change, ClaimId, Ending, Fence, Happened, Instant, OwnerId, PAST_MAX, PastInfo};
use std::sync::Arc;
use std::time::Duration;

impl Model {
    pub(in super::super) fn renew(
        &mut self,
        now: Instant,
        name: Name,
        fence: Option<u64>,
        ttl: Duration,
    ) -> Answer {
        self.advance(now);
        let Some(place) = self.holder(name, fence) else { return Answer::NotHeld };
        self.claim_mut(name, true, place).deadline = Some(now.after(ttl));
        Answer::Renewed(now.after(ttl))
    }

    pub(in super::super) fn renew_claim(
        &mut self,
        now: Instant,
        owner: OwnerId,
        id: ClaimId,
        ttl: Duration,
    ) -> Answer {
        self.advance(now);
        let Some((name, true, place)) = self.find(id) else { return Answer::NotHeld };
        let claim = self.claim_mut(name, true, place);
        if claim.owner != owner || claim.orphan {
            return Answer::NotHeld;
        }
        claim.deadline = Some(now.after(ttl));
        Answer::Renewed(now.after(ttl))
    }

    pub(in super::super) fn release(
        &mut self,
        now: Instant,
        name: Name,
        fence: Option<u64>,
        by: OwnerId,
    ) -> Answer {
        self.advance(now);
        let Some(place) = self.holder(name, fence) else { return Answer::NotHeld };
        if self.claim(name, true, place).owner != by {
            self.tell(name, true, place, Change::Released);
        }
        self.remove(name, true, place, Ending::Released);
        Answer::Done
    }

    pub(in super::super) fn release_own(&mut self, now: Instant, owner: OwnerId, id: ClaimId) -> Answer {
        self.advance(now);
        match self.find(id) {
            Some((_, true, _)) if self.is_ended_by(owner, id) => self.cancel(now, id),
            _ => Answer::NotHeld,
        }
    }

    pub(in super::super) fn cancel_own(&mut self, now: Instant, owner: OwnerId, id: ClaimId) -> Answer {
        self.advance(now);
        if self.is_ended_by(owner, id) { self.cancel(now, id) } else { Answer::Unknown }
    }

    fn is_ended_by(&self, owner: OwnerId, id: ClaimId) -> bool {
        self.find(id).is_some_and(|(name, holds, place)| {
            let claim = self.claim(name, holds, place);
            claim.orphan || claim.owner == owner
        })
    }

    pub(in super::super) fn cancel(&mut self, now: Instant, id: ClaimId) -> Answer {
        self.advance(now);
        let Some((name, holds, place)) = self.find(id) else { return Answer::Unknown };
        self.remove(name, holds, place, Ending::Released);
        Answer::Done
    }

    /// The grants that are there now are taken away, one after the other.
    pub(in super::super) fn steal(
        &mut self,
        now: Instant,
        name: Name,
        fence: Option<u64>,
        reason: &Arc<str>,
    ) -> Answer {
        self.advance(now);
        let holders = self.queues.get(&name).map_or(vec![], |queue| queue.holders.clone());
        let meant: Vec<u64> = holders.iter().map(|claim| claim.fence).collect();
        let meant: Vec<u64> =
            meant.into_iter().filter(|held| fence.is_none_or(|fence| fence == *held)).collect();
        for fence in &meant {
            let place = self.holder(name, Some(*fence)).unwrap();
            self.tell(name, true, place, Change::Stolen(Arc::clone(reason)));
            self.remove_because(name, true, place, Ending::Stolen, reason);
        }
        Answer::Stolen(meant.len() as u64)
    }

    /// Allows more fences; the keys that had to wait for them get theirs in the order that is given.
    pub(in super::super) fn extend_fences(&mut self, now: Instant, more: u64, order: &[Name]) {
        self.advance(now);
        self.fences += more;
        order
            .iter()
            .filter(|name| self.queues.contains_key(name))
            .copied()
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|name| self.settle(name));
    }

    pub(in super::super) fn next_timeout(&self) -> Option<Instant> {
        let idle = self.queues.values().filter_map(|queue| queue.idle_since);
        let idle = idle.map(|at| at.after(self.limits.idle_max));
        self.due().map(|(at, ..)| at).into_iter().chain(idle).min()
    }

    pub(in super::super) fn advance(&mut self, now: Instant) {
        self.now = now;
        while let Some((_, waits, _, id)) = self.due().filter(|due| due.0 <= now) {
            let (name, holds, place) = self.find(id).unwrap();
            self.tell(name, holds, place, if waits { Change::TimedOut } else { Change::Lapsed });
            self.remove(name, holds, place, Ending::Lapsed);
        }
        let idle_max = self.limits.idle_max;
        self.queues.retain(|_, queue| queue.idle_since.is_none_or(|since| since.after(idle_max) > now));
    }

    /// The grant of that fence, if the key has it.
    fn holder(&self, name: Name, fence: Option<u64>) -> Option<usize> {
        self.queues.get(&name)?.holders.iter().position(|claim| Some(claim.fence) == fence)
    }

    /// What falls due next: leases before waits, then the earlier claim.
    fn due(&self) -> Option<(Instant, bool, u64, ClaimId)> {
        let claims = self.queues.values().flat_map(|queue| {
            let holders = queue.holders.iter().map(|claim| (claim, false));
            holders.chain(queue.waiters.iter().map(|claim| (claim, true)))
        });
        claims.filter_map(|(claim, waits)| Some((claim.deadline?, waits, claim.serial, claim.id))).min()
    }

    fn tell(&mut self, name: Name, holds: bool, place: usize, change: Change) {
        let claim = self.claim(name, holds, place).clone();
        if !claim.orphan {
            self.events.push((claim.owner, claim.id, change));
        }
    }

    pub(super) fn remove(&mut self, name: Name, holds: bool, place: usize, ending: Ending) {
        self.remove_because(name, holds, place, ending, &Arc::from(""));
    }

    fn remove_because(&mut self, name: Name, holds: bool, place: usize, ending: Ending, reason: &Arc<str>) {
        let (now, queue) = (self.now, self.queues.get_mut(&name).unwrap());
        if holds {
            let claim = queue.holders.remove(place);
            let fence = Fence::new(claim.fence);
            queue.past.push((now, claim.past(now, ending)));
            if queue.past.len() > PAST_MAX {
                queue.past.remove(0);
            }
            self.saw(name, Happened::Ended { fence, ending, reason: Arc::clone(reason) });
        } else {
            queue.waiters.remove(place);
            self.saw_line(name);
        }
        self.settle(name);
    }

    pub(super) fn take(&mut self, name: Name, place: usize) -> Answer {
        let (now, claim) = (self.now, self.claim_mut(name, true, place));
        claim.offered = false;
        claim.deadline = Some(now.after(claim.ttl));
        Answer::Acquired { fence: claim.fence, deadline: now.after(claim.ttl) }
    }

    /// Gives a claim its permits, and a fence.
    pub(super) fn grant(&mut self, name: Name, mut claim: Claim) {
        (self.fences, self.grants) = (self.fences - 1, self.grants + 1);
        (claim.fence, claim.since) = (self.grants, self.now);
        let happened = Happened::Granted { fence: Fence::new(claim.fence), note: claim.note.clone() };
        self.queues.get_mut(&name).unwrap().holders.push(claim);
        self.saw(name, happened);
    }

    /// Grants the head of the line for as long as it fits, and notes whether anyone is left.
    fn settle(&mut self, name: Name) {
        while self.fences > 0 && self.queues[&name].head_fits() {
            let mut claim = self.queues.get_mut(&name).unwrap().waiters.remove(0);
            // The lease of an orphan runs already.
            let until = claim.deadline.filter(|_| claim.orphan);
            claim.deadline = Some(until.unwrap_or(self.now.after(claim.ttl)));
            claim.offered = true;
            self.grant(name, claim);
            self.tell(name, true, self.queues[&name].holders.len() - 1, Change::Ready);
        }
        let queue = self.queues.get_mut(&name).unwrap();
        let idle = queue.holders.is_empty() && queue.waiters.is_empty();
        queue.idle_since = if idle { queue.idle_since.or(Some(self.now)) } else { None };
    }
}

impl Claim {
    fn past(&self, now: Instant, ending: Ending) -> PastInfo {
        PastInfo {
            fence: Fence::new(self.fence),
            held_for: now.since(self.since),
            ago: Duration::ZERO,
            ending,
            owner: self.owner,
            note: self.note.clone(),
        }
    }
}

impl Queue {
    pub(super) fn free(&self) -> u32 {
        self.limit - self.holders.iter().map(|claim| claim.permits).sum::<u32>()
    }

    fn head_fits(&self) -> bool {
        self.waiters.first().is_some_and(|head| head.permits <= self.free())
    }
}
