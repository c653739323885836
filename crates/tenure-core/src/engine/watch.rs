//! Keys that somebody watches.

use super::{Engine, Happened, Observation};
use crate::{Key, Space};
use alloc::collections::{BTreeSet, VecDeque};
use alloc::sync::Arc;

/// A key whose name is shared.
pub type SharedKey = (Space, Arc<[u8]>);

/// Which keys are watched, and what happened to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    keys: BTreeSet<SharedKey>,
    observations: VecDeque<(SharedKey, Observation)>,
}

impl Watched {
    /// Whether a key is watched; looked at when a queue comes to be, and marked there.
    pub(super) fn contains(&self, key: Key<'_>) -> bool {
        !self.keys.is_empty() && self.keys.contains(&shared(key))
    }
}

impl Engine {
    /// From now on [`Engine::poll_observation`] tells of what happens to this key.
    pub fn watch(&mut self, key: Key<'_>) {
        self.watched.keys.insert(shared(key));
        self.mark_watched(key, true);
    }

    /// It does so no longer.
    pub fn unwatch(&mut self, key: Key<'_>) {
        self.watched.keys.remove(&shared(key));
        self.mark_watched(key, false);
    }

    /// What happened to watched keys, the oldest first.
    pub fn poll_observation(&mut self) -> Option<(SharedKey, Observation)> {
        self.watched.observations.pop_front()
    }

    /// Notes what happened to a key if anybody watches it.
    pub(super) fn observe(&mut self, queue: u32, happened: impl FnOnce() -> Happened) {
        let entry = self.queues.at(queue);
        if !entry.watched {
            return;
        }
        let observation = Observation {
            happened: happened(),
            holders_len: u32::try_from(entry.queue.holders_len()).unwrap_or(u32::MAX),
            queue_len: u32::try_from(entry.queue.queue_len()).unwrap_or(u32::MAX),
        };
        self.watched.observations.push_back((shared(entry.key()), observation));
    }

    fn mark_watched(&mut self, key: Key<'_>, watched: bool) {
        if let Some(slot) = self.queues.find(key) {
            self.queues.entry_mut(slot).watched = watched;
        }
    }
}

fn shared(key: Key<'_>) -> SharedKey {
    (key.space(), key.name().into())
}
