//! Keys that somebody watches.

use super::{Engine, Happened, Observation};
use crate::planted::{Bug, planted};
use crate::{Key, Space};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::sync::Arc;

/// A key whose name is shared.
pub type SharedKey = (Space, Arc<[u8]>);

/// Which keys are watched, and what happened to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    names: BTreeMap<Space, BTreeSet<Arc<[u8]>>>,
    observations: VecDeque<(SharedKey, Observation)>,
}

impl Watched {
    /// Whether a key is watched; looked at when a queue comes to be, and marked there.
    pub(super) fn contains(&self, key: Key<'_>) -> bool {
        self.find(key).is_some()
    }

    fn find(&self, key: Key<'_>) -> Option<&Arc<[u8]>> {
        self.names.get(&key.space())?.get(key.name())
    }

    fn insert(&mut self, key: Key<'_>) {
        if !self.contains(key) {
            self.names.entry(key.space()).or_default().insert(key.name().into());
        }
    }

    fn remove(&mut self, key: Key<'_>) {
        let Some(names) = self.names.get_mut(&key.space()) else { return };
        names.remove(key.name());
        if names.is_empty() {
            self.names.remove(&key.space());
        }
    }

    fn note(&mut self, key: Key<'_>, observation: Observation) {
        if let Some(name) = self.find(key).cloned() {
            self.observations.push_back(((key.space(), name), observation));
        }
    }
}

impl Engine {
    /// From now on [`Engine::poll_observation`] tells of what happens to this key, whether anyone uses it yet or not.
    pub fn watch(&mut self, key: Key<'_>) {
        self.watched.insert(key);
        self.mark_watched(key, true);
    }

    /// It does so no longer.
    pub fn unwatch(&mut self, key: Key<'_>) {
        self.watched.remove(key);
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
        if planted(Bug::ObservationLost) && observation.happened == Happened::Queue {
            return;
        }
        self.watched.note(entry.key(), observation);
    }

    fn mark_watched(&mut self, key: Key<'_>, watched: bool) {
        if let Some(slot) = self.queues.find(key) {
            self.queues.entry_mut(slot).watched = watched;
        }
    }
}
