//! One engine behind a lock, for those who build a door to it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use tenure_core::{Engine, Event, Instant, Key, Observation, OwnerId, SharedKey};
use tokio::sync::{Notify, watch};

/// Claims ended in one go when an owner goes, so that whoever held a hundred thousand stops nobody else.
const ENDED_MAX: usize = 64;

/// Once somebody has been told so often, in one go, of what happened to a key that it watches, others have their turn. The
/// change with which that is reached is still told to everyone who watches its key.
pub const TOLD_MAX: usize = 256;

/// Something that happened to a key; one for all who watch it.
pub type Told = Arc<(SharedKey, Observation)>;

/// Where an owner hears of what it did not ask for just now.
///
/// Both functions are called under the lock of the hub: they take note, and give back whom to wake once the lock is free.
pub trait Inbox: Send + Sync + 'static {
    /// What all owners together keep beside the engine, under the same lock.
    type Beside: Default + Send;

    /// Leaves an event.
    fn post(&self, event: Event) -> Option<Waker>;

    /// Leaves what happened to a key that the owner watches.
    fn observe(&self, told: &Told) -> Option<Waker>;
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
        self.call_counted(act).0
    }

    /// The same, and how often somebody was told of what happened to a key.
    pub fn call_counted<R>(&self, act: impl FnOnce(&mut Engine) -> R) -> (R, usize) {
        self.finish(self.lock(), |inner, heard| inner.step(heard, |engine, _| act(engine)))
    }

    /// The same as [`call`](Self::call), together with what is kept beside the engine.
    pub fn call_beside<R>(&self, act: impl FnOnce(&mut Engine, &mut I::Beside) -> R) -> R {
        self.finish(self.lock(), |inner, heard| inner.step(heard, act)).0
    }

    /// The same as [`call_counted`](Self::call_counted) for an owner; `None`, and nothing is done, when it is not connected
    /// any more.
    pub fn call_as<R>(&self, owner: OwnerId, act: impl FnOnce(&mut Engine) -> R) -> Option<(R, usize)> {
        let inner = self.lock();
        if !inner.inboxes.contains_key(&owner) {
            return None;
        }
        Some(self.finish(inner, |inner, heard| inner.step(heard, |engine, _| act(engine))))
    }

    /// Does one thing after the other for an owner: until `act` is false, or has been done `most` times, or was told of
    /// [`TOLD_MAX`] times. How often somebody was told; `None`, and nothing is done, when the owner is not connected any more.
    pub fn call_each(
        &self,
        owner: OwnerId,
        most: usize,
        act: impl FnMut(&mut Engine) -> bool,
    ) -> Option<usize> {
        let inner = self.lock();
        if !inner.inboxes.contains_key(&owner) {
            return None;
        }
        Some(self.finish(inner, |inner, heard| inner.steps(heard, most, act)).1)
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
        let (done, _) = self.finish(self.lock(), |inner, heard| {
            // Few at first where anyone watches: many may have to be told of each.
            let (mut done, mut ended) = (false, 0);
            let mut some = if inner.watchers.is_empty() { ENDED_MAX } else { 1 };
            while !done && ended < ENDED_MAX && heard.told < TOLD_MAX {
                done = inner.step(heard, |engine, _| engine.disconnect(now, owner, some));
                ended += some;
                some = (2 * some).min(ENDED_MAX - ended);
            }
            done
        });
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
        act: impl FnOnce(&mut Inner<I>, &mut Heard) -> R,
    ) -> (R, usize) {
        let mut heard = Heard::default();
        let result = act(&mut inner, &mut heard);
        if let Some(earlier) = inner.rearm() {
            self.due.send_replace(earlier);
        }
        let low = inner.asks_for_fences();
        drop(inner);
        heard.wakers.into_iter().for_each(Waker::wake);
        if low {
            self.fences_low.notify_one();
        }
        (result, heard.told)
    }

    fn lock(&self) -> MutexGuard<'_, Inner<I>> {
        // A panic under this lock is a broken invariant; what is there is still what everyone has been told.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who heard of something.
#[derive(Default)]
struct Heard {
    wakers: Vec<Waker>,
    /// How often somebody was told of what happened to a key.
    told: usize,
}

impl<I: Inbox> Inner<I> {
    /// Does something, and tells everyone whom it concerns.
    fn step<R>(&mut self, heard: &mut Heard, act: impl FnOnce(&mut Engine, &mut I::Beside) -> R) -> R {
        let result = act(&mut self.engine, &mut self.beside);
        self.route(heard);
        result
    }

    /// Does something again and again, and tells everyone in between.
    fn steps(&mut self, heard: &mut Heard, most: usize, mut act: impl FnMut(&mut Engine) -> bool) {
        for _ in 0..most {
            if !self.step(heard, |engine, _| act(engine)) || heard.told >= TOLD_MAX {
                break;
            }
        }
    }

    fn route(&mut self, heard: &mut Heard) {
        while let Some(event) = self.engine.poll_event() {
            let inbox = self.inboxes.get(&event.owner);
            heard.wakers.extend(inbox.and_then(|inbox| inbox.post(event)));
        }
        while let Some(told) = self.engine.poll_observation() {
            let told = Arc::new(told);
            let watchers = self.watchers.get(&told.0).map_or(&[][..], Vec::as_slice);
            heard.told += watchers.len();
            let inboxes = watchers.iter().filter_map(|owner| self.inboxes.get(owner));
            heard.wakers.extend(inboxes.filter_map(|inbox| inbox.observe(&told)));
        }
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
