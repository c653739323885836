//! Claims in line whose position somebody wants to hear of.

use super::refusals::{subscriptions_full, superseded};
use super::{Answer, Mux, push};
use crate::door::Flow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tenure_core::{ClaimId, Engine, Instant, Key, SharedKey};
use tenure_wire::mux::{Push, Response};

/// How long positions are left alone after they were looked at: a line is walked through for that, and may be long.
const PAUSE: Duration = Duration::from_millis(20);

/// The claims that a connection follows.
#[derive(Debug, Default)]
pub(super) struct Follows {
    keys: HashMap<ClaimId, SharedKey>,
    /// The same by their keys, and what the peer believes the position of each to be.
    lines: HashMap<SharedKey, HashMap<ClaimId, Option<u32>>>,
    /// The keys in whose lines they may have moved.
    moved: HashSet<SharedKey>,
    /// Since when, or until when, they are left alone.
    due: Instant,
}

impl Follows {
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// When positions have to be looked at.
    pub(super) fn due(&self) -> Option<Instant> {
        (!self.moved.is_empty()).then_some(self.due)
    }

    fn insert(&mut self, claim: ClaimId, key: &SharedKey) {
        self.keys.insert(claim, key.clone());
        self.lines.entry(key.clone()).or_default().insert(claim, None);
    }

    fn remove(&mut self, claim: ClaimId) -> Option<SharedKey> {
        let key = self.keys.remove(&claim)?;
        let line = self.lines.get_mut(&key)?;
        line.remove(&claim);
        if line.is_empty() {
            self.lines.remove(&key);
        }
        if self.keys.is_empty() {
            // The room of a crowd is not kept.
            (self.keys, self.lines) = Default::default();
        }
        Some(key)
    }

    /// Takes note of what moved.
    pub(super) fn note(&mut self, keys: Vec<SharedKey>) {
        self.moved.extend(keys);
    }

    /// The positions of one line that are news, and the claims that do not stand in it any more.
    fn news(&mut self, key: &SharedKey, engine: &Engine) -> (Vec<(ClaimId, u32)>, Vec<ClaimId>) {
        let Some(line) = self.lines.get_mut(key) else { return Default::default() };
        let mut gone: HashSet<ClaimId> = line.keys().copied().collect();
        let mut news = Vec::new();
        let queue = as_key(key).and_then(|key| engine.queue(key));
        let waiters = queue.iter().flat_map(|queue| queue.waiters());
        for (position, (claim, _)) in waiters.enumerate() {
            if gone.is_empty() {
                break;
            }
            let Some(told) = line.get_mut(&claim) else { continue };
            gone.remove(&claim);
            let position = u32::try_from(position).unwrap_or(u32::MAX);
            if told.replace(position) != Some(position) {
                news.push((claim, position));
            }
        }
        (news, gone.into_iter().collect())
    }
}

impl Mux {
    pub(super) fn position(&self, now: Instant, claim: ClaimId) -> Answer<'static> {
        let position = self.ask(|engine| {
            engine.handle_timeout(now);
            engine.position(claim)
        })?;
        Ok(position.map_or(Response::Gone, |position| Response::Queued { position }))
    }

    /// Follows a claim in line. The peer hears of its position at once, and whenever it changes.
    pub(super) fn follow(&mut self, now: Instant, claim: ClaimId) -> Answer<'static> {
        let key: Option<SharedKey> = self.ask(|engine| {
            engine.handle_timeout(now);
            engine.position(claim)?;
            engine.key_of(claim).map(|key| (key.space(), Arc::from(key.name())))
        })?;
        let Some(key) = key else { return Ok(Response::Gone) };
        if self.follows.keys.contains_key(&claim) {
            return Ok(Response::Done);
        }
        if self.is_full() {
            return Ok(subscriptions_full());
        }
        self.follows.insert(claim, &key);
        self.peer.mailbox.watching(|watching| watching.follow(&key));
        if let Some(key) = as_key(&key) {
            self.shared().hub.watch(self.peer.owner, key);
        }
        Ok(Response::Done)
    }

    pub(super) fn unfollow(&mut self, claim: ClaimId) -> Answer<'static> {
        Ok(if self.forget(claim) { Response::Done } else { Response::Gone })
    }

    fn forget(&mut self, claim: ClaimId) -> bool {
        let Some(key) = self.follows.remove(claim) else { return false };
        if self.peer.mailbox.watching(|watching| watching.unfollow(&key))
            && let Some(key) = as_key(&key)
        {
            self.shared().hub.unwatch(self.peer.owner, key);
        }
        true
    }

    /// Tells the peer of the positions that have changed.
    pub(super) fn tell_positions(&mut self, now: Instant, out: &mut Vec<u8>) -> Flow {
        self.follows.due = now.after(PAUSE);
        for key in std::mem::take(&mut self.follows.moved) {
            let follows = &mut self.follows;
            let looked = self.peer.call_as(|engine| {
                engine.handle_timeout(now);
                follows.news(&key, engine)
            });
            let Some((news, gone)) = looked else { return self.turn_away(0, &superseded(), out) };
            for (claim, position) in news {
                push(out, &Push::Position { claim, position });
            }
            for claim in gone {
                self.forget(claim);
            }
        }
        Flow::Next
    }
}

/// A key whose name is shared, as the engine takes it.
pub(super) fn as_key((space, name): &SharedKey) -> Option<Key<'_>> {
    Key::new(*space, name).ok()
}
