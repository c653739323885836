//! What there is to see of a key.

use super::{Claim, Model, Name, Queue};
use crate::{
    ClaimId, Fence, Happened, HolderInfo, Inspection, Instant, Limit, Observation, PastInfo, Summary,
    WaiterInfo,
};

impl Model {
    pub(in super::super) fn inspect(&self, name: Name) -> Option<Inspection> {
        let queue = self.queues.get(&name)?;
        let past = queue.past.iter().rev();
        Some(Inspection {
            limit: limit(queue),
            held: queue.limit - queue.free(),
            holders_len: queue.holders.len() as u32,
            queue_len: queue.waiters.len() as u32,
            holders: queue.holders.iter().map(|claim| holder(claim, self.now)).collect(),
            waiters: queue.waiters.iter().map(|claim| waiter(claim, self.now)).collect(),
            past: past.map(|(at, past)| PastInfo { ago: self.now.since(*at), ..past.clone() }).collect(),
        })
    }

    /// The keys whose names begin with `prefix`.
    pub(in super::super) fn list(&self, prefix: &[u8]) -> Vec<Summary> {
        let keys = self.queues.iter().filter(|(name, _)| [name.1].starts_with(prefix));
        let keys = keys.map(|(name, queue)| Summary {
            space: name.0,
            name: vec![name.1],
            limit: limit(queue),
            held: queue.limit - queue.free(),
            holders_len: queue.holders.len() as u32,
            queue_len: queue.waiters.len() as u32,
            holder: queue.holders.first().map(|claim| holder(claim, self.now)),
        });
        keys.collect()
    }

    pub(in super::super) fn position(&self, id: ClaimId) -> Option<u32> {
        self.find(id).filter(|(_, holds, _)| !holds).map(|(_, _, place)| place as u32)
    }

    pub(super) fn saw_line(&mut self, name: Name) {
        self.saw(name, Happened::Queue);
    }

    pub(super) fn saw(&mut self, name: Name, happened: Happened) {
        let queue = &self.queues[&name];
        let (holders_len, queue_len) = (queue.holders.len() as u32, queue.waiters.len() as u32);
        if self.watched.contains(&name) {
            self.observations.push((name, Observation { happened, holders_len, queue_len }));
        }
    }
}

fn holder(claim: &Claim, now: Instant) -> HolderInfo {
    HolderInfo {
        fence: Fence::new(claim.fence),
        permits: claim.permits,
        since: now.since(claim.since),
        remaining: claim.deadline.unwrap().since(now),
        owner: claim.owner,
        note: claim.note.clone(),
    }
}

fn waiter(claim: &Claim, now: Instant) -> WaiterInfo {
    WaiterInfo {
        permits: claim.permits,
        since: now.since(claim.since),
        owner: claim.owner,
        note: claim.note.clone(),
    }
}

fn limit(queue: &Queue) -> Limit {
    Limit::new(queue.limit).expect("at least one")
}
