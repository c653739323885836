//! Signals: from one connection to the mailboxes of those who listen.

use crate::mailbox::{Letter, Mailbox, SIGNALS_MAX};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use tenure_core::{Delivery, OwnerId, Subject, Subscriptions};

/// Who listens to what, and where their mailboxes are.
#[derive(Default)]
pub(crate) struct Signals(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    subscriptions: Subscriptions,
    listeners: HashMap<OwnerId, Listener>,
}

/// Where a listener hears signals.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) mailbox: Arc<Mailbox>,
    /// The most bytes that a signal may have, with its subject, for this listener to get it.
    pub(crate) len_max: usize,
}

/// What became of a signal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passed {
    /// How many get it.
    pub(crate) count: u64,
    /// Some of them have so many to take already that they should have their turn before there are more.
    pub(crate) crowded: bool,
}

/// A pattern that somebody listens to.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) pattern: Vec<u8>,
    pub(crate) group: Option<Vec<u8>>,
    pub(crate) listeners: usize,
}

impl Signals {
    /// Lets a connection listen; false when it listens to `most` patterns already and this is not one of them.
    pub(crate) fn listen(
        &self,
        owner: OwnerId,
        listener: &Listener,
        (pattern, group): (&[u8], Option<&[u8]>),
        most: Option<usize>,
    ) -> bool {
        let mut inner = self.lock();
        let full = most.is_some_and(|most| inner.subscriptions.count_of(owner) >= most);
        if full && !inner.subscriptions.is_subscribed(owner, pattern, group) {
            return false;
        }
        inner.subscriptions.subscribe(owner, pattern, group);
        inner.listeners.entry(owner).or_insert_with(|| listener.clone());
        true
    }

    pub(crate) fn unlisten(&self, owner: OwnerId, pattern: &[u8], group: Option<&[u8]>) {
        self.lock().subscriptions.unsubscribe(owner, pattern, group);
    }

    pub(crate) fn disconnect(&self, owner: OwnerId) {
        let mut inner = self.lock();
        if inner.listeners.remove(&owner).is_some() {
            inner.subscriptions.disconnect(owner);
        }
    }

    /// Passes a signal on. Whoever is too far behind is cut, and a listener that it is too long for does not count.
    pub(crate) fn publish(&self, subject: Subject<'_>, payload: &[u8]) -> Passed {
        let letter = Letter::new(subject, payload);
        let (mut crowded, mut left_out, mut wakers) = (false, 0, Vec::new());
        let mut inner = self.lock();
        let Inner { subscriptions, listeners } = &mut *inner;
        let published = subscriptions.publish(subject, |owner| {
            let Some(listener) = listeners.get(&owner) else { return Delivery::Full };
            if letter.len() > listener.len_max {
                left_out += 1;
                return Delivery::Taken;
            }
            let (delivery, waiting, waker) = listener.mailbox.post_signal(&letter);
            crowded |= waiting > SIGNALS_MAX / 2;
            wakers.extend(waker);
            delivery
        });
        let slow = published.cut.iter().filter_map(|owner| listeners.get(owner));
        wakers.extend(slow.filter_map(|listener| listener.mailbox.cut()));
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
        Passed { count: published.count - left_out, crowded }
    }

    /// How many patterns a connection listens to.
    pub(crate) fn count_of(&self, owner: OwnerId) -> usize {
        self.lock().subscriptions.count_of(owner)
    }

    pub(crate) fn channels(&self) -> Vec<Channel> {
        let inner = self.lock();
        let channels = inner.subscriptions.channels();
        let channels = channels.map(|(pattern, group, listeners)| Channel {
            pattern: pattern.to_vec(),
            group: group.map(<[u8]>::to_vec),
            listeners,
        });
        channels.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
