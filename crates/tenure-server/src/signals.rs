//! Signals: from one connection to the mailboxes of those who listen.

use crate::mailbox::{Mailbox, SIGNALS_MAX};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use tenure_core::{Delivery, OwnerId, Subject, Subscriptions};
use tenure_wire::line::encode_signal;

/// Who listens to what, and where their mailboxes are.
#[derive(Default)]
pub(crate) struct Signals(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    subscriptions: Subscriptions,
    mailboxes: HashMap<OwnerId, Arc<Mailbox>>,
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
        mailbox: &Arc<Mailbox>,
        (pattern, group): (&[u8], Option<&[u8]>),
        most: Option<usize>,
    ) -> bool {
        let mut inner = self.lock();
        let full = most.is_some_and(|most| inner.subscriptions.count_of(owner) >= most);
        if full && !inner.subscriptions.is_subscribed(owner, pattern, group) {
            return false;
        }
        inner.subscriptions.subscribe(owner, pattern, group);
        inner.mailboxes.entry(owner).or_insert_with(|| Arc::clone(mailbox));
        true
    }

    pub(crate) fn unlisten(&self, owner: OwnerId, pattern: &[u8], group: Option<&[u8]>) {
        self.lock().subscriptions.unsubscribe(owner, pattern, group);
    }

    pub(crate) fn disconnect(&self, owner: OwnerId) {
        let mut inner = self.lock();
        if inner.mailboxes.remove(&owner).is_some() {
            inner.subscriptions.disconnect(owner);
        }
    }

    /// Passes a signal on. Whoever is too far behind is cut.
    pub(crate) fn publish(&self, subject: Subject<'_>, payload: &[u8]) -> Passed {
        let mut line = Vec::new();
        encode_signal(&mut line, subject.as_bytes(), payload);
        let line: Arc<[u8]> = line.into();
        let (mut crowded, mut wakers) = (false, Vec::new());
        let mut inner = self.lock();
        let Inner { subscriptions, mailboxes } = &mut *inner;
        let published = subscriptions.publish(subject, |owner| {
            let Some(mailbox) = mailboxes.get(&owner) else { return Delivery::Full };
            let (delivery, waiting, waker) = mailbox.post_signal(&line);
            crowded |= waiting > SIGNALS_MAX / 2;
            wakers.extend(waker);
            delivery
        });
        let slow = published.cut.iter().filter_map(|owner| mailboxes.get(owner));
        wakers.extend(slow.filter_map(|mailbox| mailbox.cut()));
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
        Passed { count: published.count, crowded }
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
