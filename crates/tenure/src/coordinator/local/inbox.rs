//! What one client hears of its claims, and of the keys that it watches.

use super::claims::Claims;
use super::world::World;
use crate::coordinator::{Claim, Grant, Seen};
use crate::hub::{Inbox, Told};
use crate::{Clock, Loss};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Wake, Waker};
use tenure_core::{Change, ClaimId, Event, Key, Observation, OwnerId, SharedKey};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// The most that waits for a watcher. One that falls further behind is told that it has missed something.
const SEEN_MAX: usize = 256;

/// What one client hears. Whoever causes something tells it all who are concerned, on the way out of the engine.
pub(super) struct LocalInbox {
    world: Weak<World>,
    owner: OwnerId,
    clock: Clock,
    myself: Weak<Self>,
    mail: Mutex<Unread>,
    watched: Mutex<HashMap<SharedKey, Watchers>>,
}

/// What was not told yet.
#[derive(Default)]
struct Unread {
    mail: VecDeque<Mail>,
    /// Somebody is telling it, so that it is told in order.
    told: bool,
}

enum Mail {
    Event(Event),
    Seen(Told),
}

#[derive(Default)]
struct Watchers {
    senders: Vec<Sender<Seen>>,
    followed: HashMap<ClaimId, Weak<Claim>>,
}

impl LocalInbox {
    pub(super) fn new(world: &Arc<World>, owner: OwnerId, clock: &Clock) -> Arc<Self> {
        Arc::new_cyclic(|myself| Self {
            world: Arc::downgrade(world),
            owner,
            clock: clock.clone(),
            myself: myself.clone(),
            mail: Mutex::default(),
            watched: Mutex::default(),
        })
    }

    /// Lets a claim hear of its position whenever that may have changed.
    pub(super) fn follow(&self, claim: &Arc<Claim>) {
        self.with_watchers(claim.key(), |watchers| {
            watchers.followed.insert(claim.id(), Arc::downgrade(claim));
        });
    }

    /// Watches a key until the receiver is dropped.
    pub(super) fn watch(&self, key: Key<'_>) -> Receiver<Seen> {
        let (sender, receiver) = mpsc::channel(SEEN_MAX);
        self.with_watchers(key, |watchers| watchers.senders.push(sender));
        receiver
    }

    /// Watches nothing any longer.
    pub(super) fn close(&self, world: &World) {
        for (space, name) in lock(&self.watched).drain().map(|(key, _)| key) {
            if let Ok(key) = Key::new(space, &name) {
                world.hub.unwatch(self.owner, key);
            }
        }
    }

    fn with_watchers(&self, key: Key<'_>, add: impl FnOnce(&mut Watchers)) {
        let Some(world) = self.world.upgrade() else { return };
        let mut watched = lock(&self.watched);
        watched.retain(|key, watchers| self.is_watched(&world, key, watchers));
        add(watched.entry((key.space(), key.name().into())).or_default());
        world.hub.watch(self.owner, key);
    }

    /// Whether anyone still watches a key; the engine is told where nobody does.
    fn is_watched(&self, world: &World, (space, name): &SharedKey, watchers: &mut Watchers) -> bool {
        watchers.senders.retain(|sender| !sender.is_closed());
        watchers.followed.retain(|_, claim| claim.upgrade().is_some_and(|claim| !claim.has_ended()));
        let watched = !watchers.senders.is_empty() || !watchers.followed.is_empty();
        if !watched && let Ok(key) = Key::new(*space, name) {
            world.hub.unwatch(self.owner, key);
        }
        watched
    }

    fn deliver(&self, mail: Mail) {
        match mail {
            Mail::Event(event) => self.tell(&event),
            Mail::Seen(told) => self.show(&told.0, &told.1),
        }
    }

    fn tell(&self, event: &Event) {
        let loss = match &event.change {
            Change::Ready => return self.take(event.claim),
            Change::TimedOut | Change::Lapsed => Loss::Lapsed,
            Change::Released => Loss::Released,
            Change::Stolen(reason) => Loss::Stolen { reason: Arc::clone(reason) },
            Change::TakenOver => Loss::taken_over(),
        };
        let Some(world) = self.world.upgrade() else { return };
        let (owner, id) = (self.owner, event.claim);
        let ended = world.hub.call_beside(|engine, claims| {
            // What lives still may be a later claim of the same id, and this the news of an earlier one.
            let is_over = event.change == Change::TakenOver || !engine.knows(id);
            if is_over || claims.has(owner, id, event.fence) { claims.remove(owner, id) } else { None }
        });
        if let Some(claim) = ended {
            claim.end(loss);
        }
    }

    /// Takes the grant of a claim whose turn has come.
    fn take(&self, id: ClaimId) {
        let Some(world) = self.world.upgrade() else { return };
        let base = self.clock.now();
        let taken = world.hub.call_beside(|engine, claims| {
            let grant = engine.take_offered(base, self.owner, id)?;
            Some((claims.granted(self.owner, id, grant.token.fence)?, grant))
        });
        if let Some((claim, grant)) = taken {
            claim.grant(Grant { token: grant.token, ttl: grant.ttl, base });
        }
    }

    fn show(&self, key: &SharedKey, observation: &Observation) {
        let Some(world) = self.world.upgrade() else { return };
        let mut followed: HashMap<ClaimId, Arc<Claim>> = {
            let mut watched = lock(&self.watched);
            let Some(watchers) = watched.get_mut(key) else { return };
            if !self.is_watched(&world, key, watchers) {
                watched.remove(key);
                return;
            }
            let seen = Seen::Observed(observation.clone());
            watchers.senders.iter().for_each(|sender| seen.show(sender));
            let followed = watchers.followed.iter();
            followed.filter_map(|(id, claim)| Some((*id, claim.upgrade()?))).collect()
        };
        if followed.is_empty() {
            return;
        }
        // One walk along the line for all of them.
        let line: Vec<ClaimId> = world.hub.look(|engine| {
            let queue = Key::new(key.0, &key.1).ok().and_then(|key| engine.queue(key));
            queue.iter().flat_map(|queue| queue.waiters()).map(|(claim, _)| claim).collect()
        });
        for (position, claim) in (0..).zip(line) {
            if let Some(claim) = followed.remove(&claim) {
                claim.moved(Some(position));
            }
        }
        followed.values().for_each(|claim| claim.moved(None));
    }
}

impl Inbox for LocalInbox {
    type Beside = Claims;

    fn post(&self, event: Event) -> Option<Waker> {
        self.put(Mail::Event(event))
    }

    fn observe(&self, told: &Told) -> Option<Waker> {
        self.put(Mail::Seen(Arc::clone(told)))
    }
}

impl LocalInbox {
    fn put(&self, mail: Mail) -> Option<Waker> {
        lock(&self.mail).mail.push_back(mail);
        self.myself.upgrade().map(Waker::from)
    }
}

/// To be woken is to read the mail, on the thread of whoever caused it.
impl Wake for LocalInbox {
    fn wake(self: Arc<Self>) {
        if std::mem::replace(&mut lock(&self.mail).told, true) {
            return;
        }
        let telling = Telling(&self);
        // One at a time, and without the lock: to take a grant is to cause more mail.
        loop {
            let next = lock(&self.mail).next();
            let Some(mail) = next else { break };
            self.deliver(mail);
        }
        std::mem::forget(telling);
    }
}

/// Somebody tells what came; if that ends in a panic of whoever is told, somebody else may.
struct Telling<'a>(&'a LocalInbox);

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        lock(&self.0.mail).told = false;
    }
}

impl Unread {
    /// The next to be told; whoever finds none stops telling.
    fn next(&mut self) -> Option<Mail> {
        let next = self.mail.pop_front();
        self.told = next.is_some();
        next
    }
}

impl fmt::Debug for LocalInbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalInbox").field("owner", &self.owner).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
