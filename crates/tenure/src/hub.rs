//! One engine behind a lock, for those who build a door to it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use tenure_core::{Engine, Event, Instant, Key, Observation, OwnerId, SharedKey};
use tokio::sync::{Notify, watch};

/// Claims ended in one go when an owner goes, so that whoever held a hundred thousand stops nobody else.
const ENDED_MAX: usize = 64;

/// Where an owner hears of what it did not ask for just now.
///
/// Both functions are called under the lock of the hub: they take note, and give back whom to wake once the lock is free.
pub trait Inbox: Send + Sync + 'static {
    /// What all owners together keep beside the engine, under the same lock.
    type Beside: Default + Send;

    /// Leaves an event.
    fn post(&self, event: Event) -> Option<Waker>;

    /// Leaves what happened to a key that the owner watches.
    fn observe(&self, key: &SharedKey, observation: &Observation) -> Option<Waker>;
}

/// One engine behind a lock, and the way from it to those whom its events concern.
///
/// Every call is short, none waits, and wakers run after the lock is free.
pub struct Hub<I: Inbox> {
    inner: Mutex<Inner<I>>,
    /// When the timer has to call next.
    due: watch::Sender<Instant>,
    fences_low: Notify,
}

struct Inner<I: Inbox> {
    engine: Engine,
    beside: I::Beside,
    inboxes: HashMap<OwnerId, Arc<I>>,
    watchers: HashMap<SharedKey, Vec<OwnerId>>,
    /// When the timer knows that it has to call.
    armed: Instant,
    fences_low: u64,
    asked_for_fences: bool,
}

impl<I: Inbox> Hub<I> {
    /// A hub that asks for more fences when fewer than `fences_low` are left.
    #[must_use]
    pub fn new(engine: Engine, fences_low: u64) -> Self {
        let inner = Inner {
            engine,
            beside: I::Beside::default(),
            inboxes: HashMap::new(),
            watchers: HashMap::new(),
            armed: Instant::MAX,
            fences_low,
            asked_for_fences: false,
        };
        Self { inner: Mutex::new(inner), due: watch::Sender::new(Instant::MAX), fences_low: Notify::new() }
    }

    /// Does something with the engine, and lets everyone hear of it whom it concerns.
    pub fn call<R>(&self, act: impl FnOnce(&mut Engine) -> R) -> R {
        self.call_beside(|engine, _| act(engine))
    }

    /// The same, together with what is kept beside it.
    pub fn call_beside<R>(&self, act: impl FnOnce(&mut Engine, &mut I::Beside) -> R) -> R {
        self.finish(self.lock(), act)
    }

    /// The same for an owner; `None`, and nothing is done, when it is not connected any more.
    pub fn call_as<R>(&self, owner: OwnerId, act: impl FnOnce(&mut Engine) -> R) -> Option<R> {
        let inner = self.lock();
        if !inner.inboxes.contains_key(&owner) {
            return None;
        }
        Some(self.finish(inner, |engine, _| act(engine)))
    }

    /// Looks at the engine as it is.
    pub fn look<R>(&self, look: impl FnOnce(&Engine) -> R) -> R {
        look(&self.lock().engine)
    }

    /// From now on the owner hears of its claims.
    pub fn connect(&self, owner: OwnerId, inbox: Arc<I>) {
        self.lock().inboxes.insert(owner, inbox);
    }

    /// From now on the owner hears of nothing, and [`call_as`](Self::call_as) does nothing for it. What it has is still to
    /// be ended by [`disconnect_some`](Self::disconnect_some).
    pub fn silence(&self, owner: OwnerId) {
        self.lock().inboxes.remove(&owner);
    }

    /// Ends some of what goes with an owner; true when nothing is left of it.
    pub fn disconnect_some(&self, owner: OwnerId, now: Instant) -> bool {
        let done = self.call(|engine| engine.disconnect(now, owner, ENDED_MAX));
        if done {
            self.silence(owner);
        }
        done
    }

    /// From now on the owner hears of what happens to a key.
    pub fn watch(&self, owner: OwnerId, key: Key<'_>) {
        let mut inner = self.lock();
        let watchers = inner.watchers.entry((key.space(), key.name().into())).or_default();
        if !watchers.contains(&owner) {
            watchers.push(owner);
        }
        inner.engine.watch(key);
    }

    /// It does so no longer.
    pub fn unwatch(&self, owner: OwnerId, key: Key<'_>) {
        let mut inner = self.lock();
        let shared = (key.space(), key.name().into());
        let Some(watchers) = inner.watchers.get_mut(&shared) else { return };
        watchers.retain(|watcher| *watcher != owner);
        if watchers.is_empty() {
            inner.watchers.remove(&shared);
            inner.engine.unwatch(key);
        }
    }

    /// Every inbox that there is.
    #[must_use]
    pub fn inboxes(&self) -> Vec<Arc<I>> {
        self.lock().inboxes.values().cloned().collect()
    }

    /// Brings the engine up to date. [`due`](Self::due) shows when to call next.
    pub fn tick(&self, now: Instant) {
        self.call(|engine| engine.handle_timeout(now));
        let mut inner = self.lock();
        inner.armed = inner.next_due();
        // Several may keep the time of one engine, and only news is worth waking them for.
        self.due.send_if_modified(|due| std::mem::replace(due, inner.armed) != inner.armed);
    }

    /// When to call [`tick`](Self::tick) next; it changes when something falls due earlier.
    #[must_use]
    pub fn due(&self) -> watch::Receiver<Instant> {
        self.due.subscribe()
    }

    /// Waits until fences run low.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn fences_low(&self) {
        self.fences_low.notified().await;
    }

    /// Looks at what is kept beside the engine, or changes it.
    pub fn beside<R>(&self, act: impl FnOnce(&mut I::Beside) -> R) -> R {
        act(&mut self.lock().beside)
    }

    fn finish<R>(
        &self,
        mut inner: MutexGuard<'_, Inner<I>>,
        act: impl FnOnce(&mut Engine, &mut I::Beside) -> R,
    ) -> R {
        let Inner { engine, beside, .. } = &mut *inner;
        let result = act(engine, beside);
        let wakers = inner.route();
        if let Some(earlier) = inner.rearm() {
            self.due.send_replace(earlier);
        }
        let low = inner.asks_for_fences();
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
        if low {
            self.fences_low.notify_one();
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, Inner<I>> {
        // A panic under this lock is a broken invariant; what is there is still what everyone has been told.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I: Inbox> Inner<I> {
    fn route(&mut self) -> Vec<Waker> {
        let mut wakers = Vec::new();
        while let Some(event) = self.engine.poll_event() {
            let inbox = self.inboxes.get(&event.owner);
            wakers.extend(inbox.and_then(|inbox| inbox.post(event)));
        }
        while let Some((key, observation)) = self.engine.poll_observation() {
            let watchers = self.watchers.get(&key).into_iter().flatten();
            let inboxes = watchers.filter_map(|owner| self.inboxes.get(owner));
            wakers.extend(inboxes.filter_map(|inbox| inbox.observe(&key, &observation)));
        }
        wakers
    }

    fn rearm(&mut self) -> Option<Instant> {
        let next = self.next_due();
        let earlier = next < self.armed;
        self.armed = self.armed.min(next);
        earlier.then_some(next)
    }

    fn next_due(&self) -> Instant {
        self.engine.poll_timeout().map_or(Instant::MAX, |(at, _)| at)
    }

    fn asks_for_fences(&mut self) -> bool {
        let low = self.engine.fences_left() < self.fences_low;
        let asks = low && !self.asked_for_fences;
        self.asked_for_fences = low;
        asks
    }
}

impl<I: Inbox> fmt::Debug for Hub<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("due", &*self.due.borrow()).finish_non_exhaustive()
    }
}
