//! The engine again, as plainly as it can be said: lists, scanned from end to end.

use crate::{Bond, Change, ClaimId, Instant, Limits, OwnerId, Patience, Space};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) type Name = (Space, u8);

/// What the model answers, without the numbers that only the engine knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Acquired { grant: u64, deadline: Instant },
    Queued,
    Busy,
    LimitMismatch(u32),
    BadPermits,
    QueuesFull,
    WaitersFull,
    ClaimsFull,
    Conflict,
    NoFence,
    TimedOut,
    Unknown,
    Renewed(Instant),
    Done,
    NotHeld,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) id: ClaimId,
    pub(super) owner: OwnerId,
    pub(super) permits: u32,
    pub(super) ttl: Duration,
    pub(super) bond: Bond,
    pub(super) deadline: Option<Instant>,
    pub(super) offered: bool,
    /// The number of the grant, once there is one.
    pub(super) grant: u64,
    serial: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Queue {
    pub(super) limit: u32,
    pub(super) holders: Vec<Claim>,
    pub(super) waiters: Vec<Claim>,
    pub(super) idle_since: Option<Instant>,
}

pub(super) struct Ask {
    pub(super) id: ClaimId,
    pub(super) owner: OwnerId,
    pub(super) name: Name,
    pub(super) permits: u32,
    pub(super) limit: u32,
    pub(super) ttl: Duration,
    pub(super) bond: Bond,
    pub(super) patience: Patience,
}

pub(super) struct Model {
    pub(super) queues: BTreeMap<Name, Queue>,
    pub(super) events: Vec<(OwnerId, ClaimId, Change)>,
    pub(super) fences: u64,
    limits: Limits,
    now: Instant,
    serial: u64,
    grants: u64,
}

impl Model {
    pub(super) fn new(limits: Limits, fences: u64) -> Self {
        let (queues, events) = (BTreeMap::new(), Vec::new());
        Self { queues, events, fences, limits, now: Instant::ORIGIN, serial: 0, grants: 0 }
    }

    pub(super) fn enqueue(&mut self, now: Instant, ask: &Ask) -> Answer {
        self.advance(now);
        if let Some((name, holds, place)) = self.find(ask.id) {
            let claim = self.claim(name, holds, place);
            return match (name == ask.name && claim.permits == ask.permits, holds) {
                (false, _) => Answer::Conflict,
                (true, true) => Answer::Acquired { grant: claim.grant, deadline: claim.deadline.unwrap() },
                (true, false) => Answer::Queued,
            };
        }
        if ask.permits == 0 || ask.permits > ask.limit {
            return Answer::BadPermits;
        }
        let known = self.queues.get(&ask.name);
        if let Some(queue) = known.filter(|queue| queue.limit != ask.limit) {
            return Answer::LimitMismatch(queue.limit);
        }
        if known.is_none() && self.queues.len() >= self.limits.queues_max {
            return Answer::QueuesFull;
        }
        let must_wait = known.is_some_and(|queue| !queue.waiters.is_empty() || queue.free() < ask.permits);
        let patience = if ask.patience == Patience::Until(self.now) { Patience::None } else { ask.patience };
        match (must_wait, patience) {
            (true, Patience::None) => return Answer::Busy,
            (true, _) if known.is_some_and(|queue| queue.waiters.len() >= self.limits.queue_len_max) => {
                return Answer::WaitersFull;
            }
            (true, _) | (false, _) if self.claims() >= self.limits.claims_max => return Answer::ClaimsFull,
            (false, _) if self.fences == 0 => return Answer::NoFence,
            _ => {}
        }
        self.serial += 1;
        let deadline = if let Patience::Until(at) = patience { Some(at) } else { None };
        let claim = Claim {
            id: ask.id,
            owner: ask.owner,
            permits: ask.permits,
            ttl: ask.ttl,
            bond: ask.bond,
            deadline,
            offered: false,
            grant: 0,
            serial: self.serial,
        };
        let fresh = Queue { limit: ask.limit, holders: vec![], waiters: vec![], idle_since: None };
        let queue = self.queues.entry(ask.name).or_insert(fresh);
        queue.waiters.push(claim);
        if must_wait {
            return Answer::Queued;
        }
        self.settle(ask.name);
        self.events.pop();
        self.take(ask.name, self.queues[&ask.name].holders.len() - 1)
    }

    pub(super) fn wait(&mut self, now: Instant, id: ClaimId, patience: Patience) -> Answer {
        self.advance(now);
        let Some((name, holds, place)) = self.find(id) else { return Answer::Unknown };
        if holds {
            return self.take(name, place);
        }
        let queue = self.queues.get_mut(&name).unwrap();
        match patience {
            Patience::Until(at) if at > self.now => queue.waiters[place].deadline = Some(at),
            Patience::Endless => queue.waiters[place].deadline = None,
            Patience::None | Patience::Until(_) => {
                queue.waiters.remove(place);
                self.settle(name);
                return Answer::TimedOut;
            }
        }
        Answer::Queued
    }

    pub(super) fn renew(&mut self, now: Instant, name: Name, grant: Option<u64>, ttl: Duration) -> Answer {
        self.advance(now);
        let Some(place) = self.holder(name, grant) else { return Answer::NotHeld };
        let claim = &mut self.queues.get_mut(&name).unwrap().holders[place];
        claim.deadline = Some(self.now.after(ttl));
        Answer::Renewed(self.now.after(ttl))
    }

    pub(super) fn release(&mut self, now: Instant, name: Name, grant: Option<u64>) -> Answer {
        self.advance(now);
        let Some(place) = self.holder(name, grant) else { return Answer::NotHeld };
        self.queues.get_mut(&name).unwrap().holders.remove(place);
        self.settle(name);
        Answer::Done
    }

    pub(super) fn cancel(&mut self, now: Instant, id: ClaimId) -> Answer {
        self.advance(now);
        let Some((name, holds, place)) = self.find(id) else { return Answer::Unknown };
        self.remove(name, holds, place);
        Answer::Done
    }

    /// The claims of an owner go, the latest first.
    pub(super) fn disconnect(&mut self, now: Instant, owner: OwnerId) {
        self.advance(now);
        let mut ids: Vec<(u64, ClaimId)> = vec![];
        for queue in self.queues.values() {
            let holders =
                queue.holders.iter().filter(|claim| claim.bond == Bond::Connection || claim.offered);
            let claims = holders.chain(&queue.waiters).filter(|claim| claim.owner == owner);
            ids.extend(claims.map(|claim| (claim.serial, claim.id)));
        }
        ids.sort_by_key(|(serial, _)| u64::MAX - serial);
        for (_, id) in ids {
            let (name, holds, place) = self.find(id).unwrap();
            self.remove(name, holds, place);
        }
    }

    pub(super) fn extend_fences(&mut self, now: Instant, more: u64) {
        self.advance(now);
        self.fences += more;
        self.queues.keys().copied().collect::<Vec<_>>().into_iter().for_each(|name| self.settle(name));
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let idle = self
            .queues
            .values()
            .filter_map(|queue| queue.idle_since)
            .map(|at| at.after(self.limits.idle_max));
        self.due().map(|(at, ..)| at).into_iter().chain(idle).min()
    }

    pub(super) fn advance(&mut self, now: Instant) {
        self.now = now;
        while let Some((_, waits, _, id)) = self.due().filter(|due| due.0 <= now) {
            let (name, holds, place) = self.find(id).unwrap();
            let owner = self.claim(name, holds, place).owner;
            self.events.push((owner, id, if waits { Change::TimedOut } else { Change::Lapsed }));
            self.remove(name, holds, place);
        }
        let kept =
            |queue: &Queue| queue.idle_since.is_none_or(|since| since.after(self.limits.idle_max) > now);
        self.queues.retain(|_, queue| kept(queue));
    }

    fn claims(&self) -> usize {
        self.queues.values().map(|queue| queue.holders.len() + queue.waiters.len()).sum()
    }

    /// The grant `grant` of a key, if it stands.
    fn holder(&self, name: Name, grant: Option<u64>) -> Option<usize> {
        self.queues.get(&name)?.holders.iter().position(|claim| Some(claim.grant) == grant)
    }

    /// What falls due next: leases before waits, then the earlier claim.
    fn due(&self) -> Option<(Instant, bool, u64, ClaimId)> {
        let claims = self.queues.values().flat_map(|queue| {
            let holders = queue.holders.iter().map(|claim| (claim, false));
            holders.chain(queue.waiters.iter().map(|claim| (claim, true)))
        });
        claims.filter_map(|(claim, waits)| Some((claim.deadline?, waits, claim.serial, claim.id))).min()
    }

    fn find(&self, id: ClaimId) -> Option<(Name, bool, usize)> {
        self.queues.iter().find_map(|(name, queue)| {
            let holder =
                queue.holders.iter().position(|claim| claim.id == id).map(|place| (*name, true, place));
            holder.or_else(|| {
                queue.waiters.iter().position(|claim| claim.id == id).map(|place| (*name, false, place))
            })
        })
    }

    fn claim(&self, name: Name, holds: bool, place: usize) -> &Claim {
        let queue = &self.queues[&name];
        if holds { &queue.holders[place] } else { &queue.waiters[place] }
    }

    fn remove(&mut self, name: Name, holds: bool, place: usize) {
        let queue = self.queues.get_mut(&name).unwrap();
        if holds {
            queue.holders.remove(place)
        } else {
            queue.waiters.remove(place)
        };
        self.settle(name);
    }

    fn take(&mut self, name: Name, place: usize) -> Answer {
        let claim = &mut self.queues.get_mut(&name).unwrap().holders[place];
        claim.offered = false;
        claim.deadline = Some(self.now.after(claim.ttl));
        Answer::Acquired { grant: claim.grant, deadline: self.now.after(claim.ttl) }
    }

    /// Grants the head of the line for as long as it fits, and notes whether anyone is left.
    fn settle(&mut self, name: Name) {
        let queue = self.queues.get_mut(&name).unwrap();
        while self.fences > 0 && queue.waiters.first().is_some_and(|head| head.permits <= queue.free()) {
            let mut claim = queue.waiters.remove(0);
            self.fences -= 1;
            self.grants += 1;
            (claim.grant, claim.offered, claim.deadline) =
                (self.grants, true, Some(self.now.after(claim.ttl)));
            self.events.push((claim.owner, claim.id, Change::Ready));
            queue.holders.push(claim);
        }
        let idle = queue.holders.is_empty() && queue.waiters.is_empty();
        queue.idle_since = if idle { queue.idle_since.or(Some(self.now)) } else { None };
    }
}

impl Queue {
    fn free(&self) -> u32 {
        self.limit - self.holders.iter().map(|claim| claim.permits).sum::<u32>()
    }
}
