//! What there is to see of a key.

use super::Engine;
use super::claims::Stage;
use super::queues::Entry;
use crate::{ClaimId, Fence, Instant, Key, Limit, Note, OwnerId};
use alloc::sync::Arc;

/// A key as it stands at the moment.
#[derive(Clone, Copy, Debug)]
pub struct QueueView<'a> {
    engine: &'a Engine,
    entry: &'a Entry,
}

/// A grant, without the part of it that is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The claim that was granted.
    pub claim: ClaimId,
    /// Whose it is.
    pub owner: OwnerId,
    /// Its fence.
    pub fence: Fence,
    /// How many permits it has.
    pub permits: u32,
    /// When its lease ends, on the clock of the engine.
    pub deadline: Instant,
    /// Whether its owner has yet to take it.
    pub offered: bool,
}

impl<'a> QueueView<'a> {
    /// The key.
    #[must_use]
    pub fn key(&self) -> Key<'a> {
        self.entry.key()
    }

    /// How many permits it has in all.
    #[must_use]
    pub const fn limit(&self) -> Limit {
        self.entry.queue.limit()
    }

    /// How many grants there are of it.
    #[must_use]
    pub fn holders_len(&self) -> usize {
        self.entry.queue.holders_len()
    }

    /// How many claims wait.
    #[must_use]
    pub fn queue_len(&self) -> usize {
        self.entry.queue.queue_len()
    }

    /// Since when nobody has held it or waited for it; `None` while anyone does.
    #[must_use]
    pub fn idle_since(&self) -> Option<Instant> {
        self.entry.idle_since()
    }

    /// Who holds it, in the order of the grants.
    pub fn holders(&self) -> impl Iterator<Item = Holder> + 'a {
        let engine = self.engine;
        self.entry.queue.holders().map(move |(fence, share)| engine.holder(fence, share.claim))
    }

    /// What the owners of the grants told of themselves, in the order of [`holders`](Self::holders).
    pub fn notes(&self) -> impl Iterator<Item = Option<&'a Arc<Note>>> + 'a {
        let engine = self.engine;
        self.entry.queue.holders().map(move |(_, share)| engine.claims.at(share.claim).note.as_ref())
    }

    /// How many permits are out.
    #[must_use]
    pub const fn held(&self) -> u32 {
        self.entry.queue.held()
    }

    /// The claims in line and the permits each asks for, in order.
    pub fn waiters(&self) -> impl Iterator<Item = (ClaimId, u32)> + 'a {
        let engine = self.engine;
        let waiters = self.entry.queue.waiters();
        waiters.map(move |share| (engine.claims.at(share.claim).id, share.permits))
    }
}

impl Engine {
    /// The keys from slot `from` on, each with its slot. A caller that stops and later goes on one slot further sees each
    /// key that was there all the time exactly once.
    pub fn queues(&self, from: u32) -> impl Iterator<Item = (u32, QueueView<'_>)> {
        let entries = self.queues.iter_from(from);
        entries.map(|(slot, entry)| (slot, QueueView { engine: self, entry }))
    }

    /// One key, if anyone uses it or it is not forgotten yet.
    #[must_use]
    pub fn queue(&self, key: Key<'_>) -> Option<QueueView<'_>> {
        let entry = self.queues.at(self.queues.find(key)?);
        Some(QueueView { engine: self, entry })
    }

    fn holder(&self, fence: Fence, slot: u32) -> Holder {
        let claim = self.claims.at(slot);
        Holder {
            claim: claim.id,
            owner: claim.owner,
            fence,
            permits: claim.permits,
            deadline: self.deadlines.get(slot).unwrap_or(self.now),
            offered: matches!(claim.stage, Stage::Offered(_)),
        }
    }
}
