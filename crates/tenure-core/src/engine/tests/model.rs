//! The engine again, as plainly as it can be said: lists, scanned from end to end.

mod grants;
mod seen;

use crate::{
    Bond, Change, ClaimId, Ending, Instant, Limits, Note, Observation, OwnerId, PastInfo, Patience, Space,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub(super) type Name = (Space, u8);

/// What is answered. Fences count the grants, so the model knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Acquired { fence: u64, deadline: Instant },
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
    Stolen(u64),
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
    pub(super) note: Option<Arc<Note>>,
    pub(super) deadline: Option<Instant>,
    pub(super) offered: bool,
    /// The number of the grant, once there is one.
    pub(super) fence: u64,
    /// Its owner has gone.
    pub(super) orphan: bool,
    /// When it joined the line, or was granted.
    since: Instant,
    /// Its number among all claims that were made.
    serial: u64,
    /// Its number among all claims that came to their owner.
    joined: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Queue {
    pub(super) limit: u32,
    pub(super) holders: Vec<Claim>,
    pub(super) waiters: Vec<Claim>,
    pub(super) idle_since: Option<Instant>,
    /// Grants that ended, the latest last, and when they did.
    past: Vec<(Instant, PastInfo)>,
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
    pub(super) note: Option<Arc<Note>>,
}

pub(super) struct Model {
    pub(super) queues: BTreeMap<Name, Queue>,
    pub(super) events: Vec<(OwnerId, ClaimId, Change)>,
    pub(super) observations: Vec<(Name, Observation)>,
    pub(super) watched: BTreeSet<Name>,
    pub(super) fences: u64,
    pub(super) now: Instant,
    limits: Limits,
    serial: u64,
    joined: u64,
    grants: u64,
}

impl Model {
    pub(super) fn new(limits: Limits, fences: u64) -> Self {
        Self {
            queues: BTreeMap::new(),
            events: vec![],
            observations: vec![],
            watched: BTreeSet::new(),
            fences,
            now: Instant::ORIGIN,
            limits,
            serial: 0,
            joined: 0,
            grants: 0,
        }
    }

    pub(super) fn enqueue(&mut self, now: Instant, ask: &Ask) -> Answer {
        self.advance(now);
        if self.find(ask.id).is_some() {
            return self.repeat(ask);
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
        match (must_wait, self.left(ask.patience)) {
            (true, Patience::None) => return Answer::Busy,
            (true, _) if known.is_some_and(|queue| queue.waiters.len() >= self.limits.queue_len_max) => {
                return Answer::WaitersFull;
            }
            (true, _) | (false, _) if self.claims() >= self.limits.claims_max => return Answer::ClaimsFull,
            (false, _) if self.fences == 0 => return Answer::NoFence,
            _ => {}
        }
        self.admit(ask, must_wait)
    }

    fn admit(&mut self, ask: &Ask, must_wait: bool) -> Answer {
        (self.serial, self.joined) = (self.serial + 1, self.joined + 1);
        let claim = Claim {
            id: ask.id,
            owner: ask.owner,
            permits: ask.permits,
            ttl: ask.ttl,
            bond: ask.bond,
            note: ask.note.clone(),
            deadline: deadline(ask.patience),
            offered: false,
            fence: 0,
            orphan: false,
            since: self.now,
            serial: self.serial,
            joined: self.joined,
        };
        let fresh =
            Queue { limit: ask.limit, holders: vec![], waiters: vec![], idle_since: None, past: vec![] };
        let queue = self.queues.entry(ask.name).or_insert(fresh);
        if must_wait {
            queue.waiters.push(claim);
            self.saw_line(ask.name);
            return Answer::Queued;
        }
        queue.idle_since = None;
        self.grant(ask.name, claim);
        self.take(ask.name, self.queues[&ask.name].holders.len() - 1)
    }

    fn repeat(&mut self, ask: &Ask) -> Answer {
        let (name, holds, place) = self.find(ask.id).unwrap();
        if name != ask.name || self.claim(name, holds, place).permits != ask.permits {
            return Answer::Conflict;
        }
        if self.queues[&name].limit != ask.limit {
            return Answer::LimitMismatch(self.queues[&name].limit);
        }
        self.hand_over(ask.id, ask.owner, ask.bond);
        let claim = self.claim_mut(name, holds, place);
        (claim.ttl, claim.note) = (ask.ttl, ask.note.clone());
        match (holds, self.left(ask.patience)) {
            (true, _) => self.take(name, place),
            (false, Patience::None) => {
                self.remove(name, holds, place, Ending::Released);
                Answer::Busy
            }
            (false, patience) => {
                self.claim_mut(name, holds, place).deadline = deadline(patience);
                Answer::Queued
            }
        }
    }

    fn hand_over(&mut self, id: ClaimId, owner: OwnerId, bond: Bond) {
        let (name, holds, place) = self.find(id).unwrap();
        let (joined, claim) = (self.joined + 1, self.claim_mut(name, holds, place));
        let before = (claim.owner, claim.bond, claim.orphan);
        if before == (owner, bond, false) {
            return;
        }
        (claim.owner, claim.bond, claim.orphan, claim.joined) = (owner, bond, false, joined);
        self.joined = joined;
        if before.0 != owner && !before.2 {
            self.events.push((before.0, id, Change::TakenOver));
        }
    }

    pub(super) fn wait(&mut self, now: Instant, id: ClaimId, patience: Patience) -> Answer {
        self.advance(now);
        let Some((name, holds, place)) = self.find(id) else { return Answer::Unknown };
        match (holds, self.left(patience)) {
            (true, _) => self.take(name, place),
            (false, Patience::None) => {
                self.remove(name, holds, place, Ending::Released);
                Answer::TimedOut
            }
            (false, patience) => {
                let claim = self.claim_mut(name, holds, place);
                let before = claim.deadline.filter(|_| claim.orphan);
                claim.deadline = before.into_iter().chain(deadline(patience)).min();
                Answer::Queued
            }
        }
    }

    pub(super) fn take_offered(&mut self, now: Instant, owner: OwnerId, id: ClaimId) -> Answer {
        self.advance(now);
        match self.find(id) {
            Some((name, true, place)) if self.claim(name, true, place).offered_to(owner) => {
                self.take(name, place)
            }
            _ => Answer::Unknown,
        }
    }

    pub(super) fn resume(&mut self, now: Instant, owner: OwnerId, asked: Name, id: ClaimId) -> Answer {
        self.advance(now);
        let Some((name, true, place)) = self.find(id) else { return Answer::Unknown };
        if name != asked {
            return Answer::Unknown;
        }
        self.hand_over(id, owner, self.claim(name, true, place).bond);
        self.take(name, place)
    }

    /// The claims of an owner go, the latest that came to it first.
    pub(super) fn disconnect(&mut self, now: Instant, owner: OwnerId) {
        self.advance(now);
        let mut ids: Vec<(u64, ClaimId)> = vec![];
        for queue in self.queues.values() {
            let holders = queue.holders.iter().filter(|claim| claim.bond != Bond::Lease || claim.offered);
            let claims = holders.chain(&queue.waiters).filter(|claim| claim.owner == owner && !claim.orphan);
            ids.extend(claims.map(|claim| (claim.joined, claim.id)));
        }
        ids.sort_by_key(|(joined, _)| u64::MAX - joined);
        for (_, id) in ids {
            let (name, holds, place) = self.find(id).unwrap();
            let claim = self.claim_mut(name, holds, place);
            if claim.bond != Bond::Resumable {
                self.remove(name, holds, place, Ending::Disconnected);
                continue;
            }
            claim.orphan = true;
            if !holds {
                claim.deadline = claim.deadline.into_iter().chain([now.after(claim.ttl)]).min();
            }
        }
    }

    pub(super) fn find(&self, id: ClaimId) -> Option<(Name, bool, usize)> {
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

    fn claim_mut(&mut self, name: Name, holds: bool, place: usize) -> &mut Claim {
        let queue = self.queues.get_mut(&name).unwrap();
        if holds { &mut queue.holders[place] } else { &mut queue.waiters[place] }
    }

    fn claims(&self) -> usize {
        self.queues.values().map(|queue| queue.holders.len() + queue.waiters.len()).sum()
    }

    fn left(&self, patience: Patience) -> Patience {
        if deadline(patience).is_some_and(|at| at <= self.now) { Patience::None } else { patience }
    }
}

impl Claim {
    fn offered_to(&self, owner: OwnerId) -> bool {
        self.offered && self.owner == owner && !self.orphan
    }
}

fn deadline(patience: Patience) -> Option<Instant> {
    match patience {
        Patience::Until(at) => Some(at),
        Patience::None | Patience::Endless => None,
    }
}
