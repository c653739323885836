//! Signals within this process.

use crate::coordinator::Signal;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tenure_core::{Delivery, OwnerId, Subject, Subscriptions};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// The most signals that wait for a listener. One that falls further behind hears no more.
const SIGNALS_MAX: usize = 256;

/// Who listens.
#[derive(Default)]
pub(super) struct Signals(Mutex<Listeners>);

#[derive(Default)]
struct Listeners {
    subscriptions: Subscriptions,
    senders: HashMap<OwnerId, Sender<Signal>>,
    last: u64,
}

impl Signals {
    /// Hears signals until the receiver is dropped.
    pub(super) fn listen(&self, pattern: &[u8], group: &[u8]) -> Receiver<Signal> {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.forget_closed();
        listeners.last += 1;
        let listener = OwnerId::new(listeners.last);
        let group = (!group.is_empty()).then_some(group);
        listeners.subscriptions.subscribe(listener, pattern, group);
        let (sender, receiver) = mpsc::channel(SIGNALS_MAX);
        listeners.senders.insert(listener, sender);
        receiver
    }

    /// Sends a signal; how many get it.
    pub(super) fn publish(&self, subject: Subject<'_>, payload: &[u8]) -> u64 {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.forget_closed();
        let Listeners { subscriptions, senders, .. } = &mut *listeners;
        let published = subscriptions.publish(subject, |listener| {
            let signal = Signal { channel: subject.as_bytes().to_vec(), payload: payload.to_vec() };
            match senders.get(&listener).map(|sender| sender.try_send(signal)) {
                Some(Ok(())) => Delivery::Taken,
                Some(Err(_)) | None => Delivery::Full,
            }
        });
        for listener in &published.cut {
            tracing::warn!(listener = listener.get(), "a listener has fallen behind and hears no more");
            listeners.forget(*listener);
        }
        published.count
    }
}

impl Listeners {
    fn forget_closed(&mut self) {
        let closed: Vec<OwnerId> =
            self.senders.iter().filter(|(_, sender)| sender.is_closed()).map(|(id, _)| *id).collect();
        closed.into_iter().for_each(|listener| self.forget(listener));
    }

    fn forget(&mut self, listener: OwnerId) {
        self.senders.remove(&listener);
        self.subscriptions.disconnect(listener);
    }
}

impl std::fmt::Debug for Signals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signals(..)")
    }
}
