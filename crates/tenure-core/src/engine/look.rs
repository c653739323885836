//! Looking at keys, for people.

use super::claims::Claim;
use super::queues::Entry;
use super::{Engine, HolderInfo, Inspection, PastInfo, SHOWN_MAX, Stage, Summary, WaiterInfo};
use crate::{ClaimId, Fence, Instant, Key};
use alloc::vec::Vec;

/// Keys looked at in one go, with everyone else waiting. So many summaries, of the longest names and notes, are less than
/// 64 KiB.
const LOOKED_AT_MAX: usize = 64;

impl Engine {
    /// A key, if anyone uses it or it is not forgotten yet.
    pub fn inspect(&mut self, now: Instant, key: Key<'_>) -> Option<Inspection> {
        self.handle_timeout(now);
        let entry = self.queues.at(self.queues.find(key)?);
        let holders = entry.queue.holders().take(SHOWN_MAX);
        let waiters = entry.queue.waiters().take(SHOWN_MAX);
        Some(Inspection {
            limit: entry.queue.limit(),
            held: entry.queue.held(),
            holders_len: count(entry.queue.holders_len()),
            queue_len: count(entry.queue.queue_len()),
            holders: holders.map(|(fence, share)| self.holder_info(fence, share.claim)).collect(),
            waiters: waiters.map(|share| self.waiter_info(self.claims.at(share.claim))).collect(),
            past: self.past(entry),
        })
    }

    /// Some of the keys whose names begin with `prefix`, and the slot to go on from; `None` when that was all. A caller that
    /// goes on sees each key that was there all the time exactly once.
    pub fn list(&mut self, now: Instant, prefix: &[u8], from: u32) -> (Vec<Summary>, Option<u32>) {
        self.handle_timeout(now);
        let mut entries = self.queues.iter_from(from);
        let mut next = None;
        let looked_at = entries.by_ref().take(LOOKED_AT_MAX).inspect(|(slot, _)| next = Some(slot + 1));
        let of_prefix = looked_at.filter(|(_, entry)| entry.key().name().starts_with(prefix));
        let keys = of_prefix.map(|(_, entry)| self.summary(entry)).collect();
        (keys, next.filter(|_| entries.next().is_some()))
    }

    /// What a claim, waiting or granted, is a claim on.
    #[must_use]
    pub fn key_of(&self, claim: ClaimId) -> Option<Key<'_>> {
        let slot = self.claims.find(claim)?;
        Some(self.queues.at(self.claims.at(slot).queue).key())
    }

    /// How many claims stand before one in line; `None` when it does not wait.
    #[must_use]
    pub fn position(&self, claim: ClaimId) -> Option<u32> {
        let slot = self.claims.find(claim)?;
        let claim = self.claims.at(slot);
        if claim.stage != Stage::Waiting {
            return None;
        }
        let queue = &self.queues.at(claim.queue).queue;
        if queue.last_waiter() == Some(slot) {
            // Most who ask have just joined, and nobody has to be counted.
            return Some(count(queue.queue_len() - 1));
        }
        let mut waiters = queue.waiters();
        waiters.position(|share| share.claim == slot).map(count)
    }

    fn summary(&self, entry: &Entry) -> Summary {
        let holder = entry.queue.holders().next();
        Summary {
            space: entry.key().space(),
            name: entry.key().name().to_vec(),
            limit: entry.queue.limit(),
            held: entry.queue.held(),
            holders_len: count(entry.queue.holders_len()),
            queue_len: count(entry.queue.queue_len()),
            holder: holder.map(|(fence, share)| self.holder_info(fence, share.claim)),
        }
    }

    fn holder_info(&self, fence: Fence, slot: u32) -> HolderInfo {
        let claim = self.claims.at(slot);
        HolderInfo {
            fence,
            permits: claim.permits,
            since: self.now.since(claim.since),
            remaining: self.deadlines.get(slot).unwrap_or(self.now).since(self.now),
            owner: claim.owner,
            note: claim.note.clone(),
        }
    }

    fn waiter_info(&self, claim: &Claim) -> WaiterInfo {
        WaiterInfo {
            permits: claim.permits,
            since: self.now.since(claim.since),
            owner: claim.owner,
            note: claim.note.clone(),
        }
    }

    fn past(&self, entry: &Entry) -> Vec<PastInfo> {
        let past = entry.past.iter().map(|grant| PastInfo {
            fence: grant.fence,
            held_for: grant.ended.since(grant.since),
            ago: self.now.since(grant.ended),
            ending: grant.ending,
            owner: grant.owner,
            note: grant.note.clone(),
        });
        past.collect()
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
