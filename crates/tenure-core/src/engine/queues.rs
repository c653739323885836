//! The queues that there are, and those that nobody uses any more.

use super::claims::NONE;
use super::past::Past;
use crate::index::Index;
use crate::slab::Slab;
use crate::{Instant, Key, Limit, Queue, Space};
use alloc::boxed::Box;

/// All queues, by slot and by key. Those in disuse stand in a list, the longest unused first.
#[derive(Clone, Debug)]
pub(super) struct Queues {
    slab: Slab<Entry>,
    index: Index,
    oldest: u32,
    newest: u32,
}

/// A queue under its key.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    name: Box<[u8]>,
    space: Space,
    pub(super) queue: Queue<u32>,
    /// Somebody wants to hear of it.
    pub(super) watched: bool,
    pub(super) past: Past,
    idle: Option<Idle>,
}

/// Since when a queue is in disuse, and its neighbours in the list.
#[derive(Clone, Copy, Debug)]
struct Idle {
    since: Instant,
    previous: u32,
    next: u32,
}

impl Entry {
    pub(super) fn key(&self) -> Key<'_> {
        Key::of(self.space, &self.name)
    }

    pub(super) fn idle_since(&self) -> Option<Instant> {
        self.idle.map(|idle| idle.since)
    }
}

impl Queues {
    pub(super) fn new(seed: u64) -> Self {
        Self { slab: Slab::new(), index: Index::new(seed), oldest: NONE, newest: NONE }
    }

    pub(super) const fn len(&self) -> usize {
        self.slab.len()
    }

    /// A queue that the caller knows to be there.
    pub(super) fn at(&self, slot: u32) -> &Entry {
        &self.slab[slot]
    }

    pub(super) fn at_mut(&mut self, slot: u32) -> &mut Queue<u32> {
        &mut self.slab[slot].queue
    }

    pub(super) fn iter_from(&self, from: u32) -> impl Iterator<Item = (u32, &Entry)> {
        self.slab.iter_from(from)
    }

    pub(super) fn find(&self, key: Key<'_>) -> Option<u32> {
        self.index.find(self.index.hash(key), |slot| {
            let entry = &self.slab[slot];
            entry.space == key.space() && *entry.name == *key.name()
        })
    }

    /// A queue that the caller knows to be there, and what belongs to it.
    pub(super) fn entry_mut(&mut self, slot: u32) -> &mut Entry {
        &mut self.slab[slot]
    }

    pub(super) fn insert(&mut self, key: Key<'_>, limit: Limit, watched: bool) -> u32 {
        let entry = Entry {
            name: key.name().into(),
            space: key.space(),
            queue: Queue::new(limit),
            watched,
            past: Past::default(),
            idle: None,
        };
        let slot = self.slab.insert(entry);
        self.index.insert(self.index.hash(key), slot);
        slot
    }

    /// Notes whether a queue is in use, as of `now`.
    pub(super) fn note_use(&mut self, slot: u32, now: Instant) {
        let entry = &self.slab[slot];
        match (entry.queue.is_idle(), entry.idle) {
            (true, None) => self.retire(slot, now),
            (false, Some(idle)) => self.reuse(slot, idle),
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// Since when the longest unused queue is in disuse.
    pub(super) fn idle_longest(&self) -> Option<Instant> {
        self.slab.get(self.oldest).and_then(Entry::idle_since)
    }

    /// Forgets the longest unused queue.
    pub(super) fn forget_oldest(&mut self) {
        let slot = self.oldest;
        let Some(idle) = self.slab.get(slot).and_then(|entry| entry.idle) else { return };
        self.reuse(slot, idle);
        let Some(entry) = self.slab.remove(slot) else { return };
        self.index.remove(self.index.hash(entry.key()), slot);
    }

    fn retire(&mut self, slot: u32, since: Instant) {
        let previous = core::mem::replace(&mut self.newest, slot);
        match self.idle_mut(previous) {
            Some(neighbour) => neighbour.next = slot,
            None => self.oldest = slot,
        }
        self.slab[slot].idle = Some(Idle { since, previous, next: NONE });
    }

    fn reuse(&mut self, slot: u32, idle: Idle) {
        match self.idle_mut(idle.previous) {
            Some(neighbour) => neighbour.next = idle.next,
            None => self.oldest = idle.next,
        }
        match self.idle_mut(idle.next) {
            Some(neighbour) => neighbour.previous = idle.previous,
            None => self.newest = idle.previous,
        }
        self.slab[slot].idle = None;
    }

    fn idle_mut(&mut self, slot: u32) -> Option<&mut Idle> {
        self.slab.get_mut(slot)?.idle.as_mut()
    }
}
