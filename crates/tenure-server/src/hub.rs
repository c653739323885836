//! The one engine, and the way from it to the connections.

use crate::clock::Clock;
use crate::entropy;
use crate::mailbox::{Mail, Mailbox};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use tenure_core::{Engine, FenceRange, Instant, Limits, OwnerId};
use tokio::sync::Notify;

/// Claims ended in one go when a connection goes, so that whoever held a hundred thousand stops nobody else.
const ENDED_MAX: usize = 64;

/// The one engine behind all doors.
///
/// Every call is short, none waits, and wakers run after the lock is free.
#[derive(Debug)]
pub(crate) struct Hub {
    inner: Mutex<Inner>,
    clock: Clock,
    /// Told when something falls due earlier than the timer knows.
    pub(crate) earlier: Notify,
    /// Told when fences run low.
    pub(crate) fences_low: Notify,
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    mailboxes: HashMap<OwnerId, Arc<Mailbox>>,
    /// When the timer will call.
    armed: Instant,
    fences_low: u64,
    asked_for_fences: bool,
}

impl Hub {
    /// A hub that asks for more fences when fewer than `fences_low` are left.
    pub(crate) fn new(limits: Limits, fences: FenceRange, fences_low: u64, clock: Clock) -> Self {
        let inner = Inner {
            engine: Engine::new(limits, fences, entropy::number()),
            mailboxes: HashMap::new(),
            armed: Instant::MAX,
            fences_low,
            asked_for_fences: false,
        };
        Self { inner: Mutex::new(inner), clock, earlier: Notify::new(), fences_low: Notify::new() }
    }

    pub(crate) const fn clock(&self) -> Clock {
        self.clock
    }

    /// Does something with the engine, and lets everyone hear of it whom it concerns.
    pub(crate) fn call<R>(&self, act: impl FnOnce(&mut Engine) -> R) -> R {
        let mut inner = self.lock();
        let result = act(&mut inner.engine);
        let wakers = inner.route();
        let earlier = inner.rearm();
        let low = inner.asks_for_fences();
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
        if earlier {
            self.earlier.notify_one();
        }
        if low {
            self.fences_low.notify_one();
        }
        result
    }

    /// Looks at the engine as it is.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&Engine) -> R) -> R {
        look(&self.lock().engine)
    }

    pub(crate) fn connect(&self, owner: OwnerId, mailbox: Arc<Mailbox>) {
        self.lock().mailboxes.insert(owner, mailbox);
    }

    /// Ends some of what goes with an owner; true when nothing is left of it.
    pub(crate) fn disconnect_some(&self, owner: OwnerId, now: Instant) -> bool {
        let done = self.call(|engine| engine.disconnect(now, owner, ENDED_MAX));
        if done {
            self.lock().mailboxes.remove(&owner);
        }
        done
    }

    /// Leaves the same mail for every connection.
    pub(crate) fn tell_all(&self, mail: &Mail) {
        let mailboxes: Vec<_> = self.lock().mailboxes.values().cloned().collect();
        mailboxes.iter().filter_map(|mailbox| mailbox.post(mail.clone())).for_each(Waker::wake);
    }

    /// Brings the engine up to date; when to call next.
    pub(crate) fn tick(&self) -> Instant {
        let now = self.clock.now();
        self.call(|engine| engine.handle_timeout(now));
        let mut inner = self.lock();
        inner.armed = inner.next_due();
        inner.armed
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // A panic under this lock is a broken invariant, and the process has ended by then.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn route(&mut self) -> Vec<Waker> {
        let mut wakers = Vec::new();
        while let Some(event) = self.engine.poll_event() {
            let mailbox = self.mailboxes.get(&event.owner);
            wakers.extend(mailbox.and_then(|mailbox| mailbox.post(Mail::Claim(event.claim, event.change))));
        }
        wakers
    }

    fn rearm(&mut self) -> bool {
        let next = self.next_due();
        let earlier = next < self.armed;
        if earlier {
            self.armed = next;
        }
        earlier
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
