//! Who watches which key, and who listens to which signals, in this client.

use crate::coordinator::{Seen, Signal};
use std::collections::{BTreeMap, HashMap};
use tenure_core::{Delivery, Key, Observation, OwnerId, Space, Subject, Subscriptions};
use tenure_wire::mux::Request;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// The most that waits for a watcher or a listener. One that falls further behind misses something.
const WAITING_MAX: usize = 256;

/// What the service has to tell this client of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Interest {
    Key { space: Space, name: Box<[u8]> },
    Pattern { pattern: Box<[u8]>, group: Box<[u8]> },
}

/// Who watches and who listens.
#[derive(Debug, Default)]
pub(super) struct Interests {
    watchers: BTreeMap<Interest, Vec<Sender<Seen>>>,
    listeners: HashMap<OwnerId, (Interest, Sender<Signal>)>,
    subscriptions: Subscriptions,
    last: u64,
    /// How many have been added since what is over was looked for.
    added: usize,
    /// How many were left then.
    left: usize,
}

/// So many are added at least before it is looked for what is over.
const SWEEP_MIN: usize = 16;

/// News, and who gets it. It is sent without any lock: whoever is woken by it may do anything.
#[derive(Debug)]
#[must_use = "it is not sent yet"]
pub(super) struct News<T> {
    receivers: Vec<Sender<T>>,
    news: T,
}

impl News<Seen> {
    pub(super) fn send(self) {
        self.receivers.iter().for_each(|watcher| self.news.show(watcher));
    }
}

impl News<Signal> {
    pub(super) fn send(self) {
        for listener in self.receivers {
            if let Err(mpsc::error::TrySendError::Full(_)) = listener.try_send(self.news.clone()) {
                tracing::warn!("a signal is dropped: its listener has fallen behind");
            }
        }
    }
}

impl Interest {
    pub(super) fn key(key: Key<'_>) -> Self {
        Self::Key { space: key.space(), name: key.name().into() }
    }

    pub(super) fn pattern(pattern: &[u8], group: &[u8]) -> Self {
        Self::Pattern { pattern: pattern.into(), group: group.into() }
    }

    /// The request that tells the service of it, or that it is no more.
    pub(super) fn request(&self, on: bool) -> Request<'_> {
        match self {
            Self::Key { space, name } => {
                let key = Key::new(*space, name).unwrap_or_else(|_| unreachable!("it was a key before"));
                if on { Request::Watch { key } } else { Request::Unwatch { key } }
            }
            Self::Pattern { pattern, group } if on => Request::Listen { pattern, group },
            Self::Pattern { pattern, group } => Request::Unlisten { pattern, group },
        }
    }
}

impl Interests {
    /// Watches a key until the receiver is dropped.
    pub(super) fn watch(&mut self, key: Interest) -> Receiver<Seen> {
        self.added += 1;
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        self.watchers.entry(key).or_default().push(sender);
        receiver
    }

    /// Hears what the service sends for that pattern until the receiver is dropped. Groups are the service's business: it
    /// sends only what a member is to hear.
    pub(super) fn listen(&mut self, pattern: &[u8], group: &[u8]) -> Receiver<Signal> {
        self.added += 1;
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        self.last += 1;
        let listener = OwnerId::new(self.last);
        self.subscriptions.subscribe(listener, pattern, None);
        self.listeners.insert(listener, (Interest::pattern(pattern, group), sender));
        receiver
    }

    /// A key has changed.
    pub(super) fn changed(&self, key: &Interest, observation: &Observation) -> News<Seen> {
        let receivers = self.watchers.get(key).cloned().unwrap_or_default();
        News { receivers, news: Seen::Observed(observation.clone()) }
    }

    /// Whatever is watched may have changed unseen.
    pub(super) fn missed(&self) -> News<Seen> {
        News { receivers: self.watchers.values().flatten().cloned().collect(), news: Seen::Missed }
    }

    /// A signal has come.
    pub(super) fn signal(&mut self, signal: Signal) -> News<Signal> {
        let mut receivers = Vec::new();
        let Self { subscriptions, listeners, .. } = self;
        if let Ok(subject) = Subject::new(&signal.channel) {
            subscriptions.publish(subject, |listener| {
                receivers.extend(listeners.get(&listener).map(|(_, sender)| sender.clone()));
                Delivery::Taken
            });
        }
        News { receivers, news: signal }
    }

    /// Whether so many have been added that it is time to look for what is over.
    pub(super) const fn is_sweep_due(&self) -> bool {
        self.added >= SWEEP_MIN && self.added >= self.left
    }

    /// Whatever is of interest to anyone.
    pub(super) fn all(&self) -> Vec<Interest> {
        let mut all: Vec<Interest> = self.watchers.keys().cloned().collect();
        all.extend(self.listeners.values().map(|(interest, _)| interest.clone()));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Forgets receivers that were dropped; what nobody is interested in any more.
    pub(super) fn sweep(&mut self) -> Vec<Interest> {
        let before = self.all();
        self.watchers.retain(|_, watchers| {
            watchers.retain(|watcher| !watcher.is_closed());
            !watchers.is_empty()
        });
        let Self { subscriptions, listeners, .. } = self;
        listeners.retain(|listener, (_, sender)| {
            let listens = !sender.is_closed();
            if !listens {
                subscriptions.disconnect(*listener);
            }
            listens
        });
        let after = self.all();
        (self.added, self.left) = (0, after.len());
        before.into_iter().filter(|interest| after.binary_search(interest).is_err()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure_core::Happened;

    const CHANGE: Observation = Observation { happened: Happened::Queue, holders_len: 1, queue_len: 1 };

    fn key() -> Interest {
        Interest::Key { space: Space::Lock, name: (*b"k").into() }
    }

    fn signal(channel: &[u8]) -> Signal {
        Signal { channel: channel.to_vec(), payload: b"p".to_vec() }
    }

    #[test]
    fn a_watcher_that_falls_behind_is_told_so_behind_what_it_got_and_before_what_comes_then() {
        let mut interests = Interests::default();
        let mut seen = interests.watch(key());
        for _ in 0..WAITING_MAX * 2 {
            interests.changed(&key(), &CHANGE).send();
        }
        for _ in 0..WAITING_MAX - 1 {
            assert_eq!(seen.try_recv(), Ok(Seen::Observed(CHANGE)));
        }
        interests.changed(&key(), &CHANGE).send();
        assert_eq!(seen.try_recv(), Ok(Seen::Missed));
        assert_eq!(seen.try_recv(), Ok(Seen::Observed(CHANGE)));
        assert!(seen.try_recv().is_err());
    }

    #[test]
    fn a_signal_reaches_every_listener_whose_pattern_matches_and_no_other() {
        let mut interests = Interests::default();
        let mut exact = interests.listen(b"a.b", b"");
        let mut wild = interests.listen(b"a.*", b"");
        let mut twin = interests.listen(b"a.*", b"");
        let mut other = interests.listen(b"b", b"");
        interests.signal(signal(b"a.b")).send();
        for heard in [&mut exact, &mut wild, &mut twin] {
            assert_eq!(heard.try_recv(), Ok(signal(b"a.b")));
            assert!(heard.try_recv().is_err());
        }
        assert!(other.try_recv().is_err());
    }

    #[test]
    fn a_listener_that_falls_behind_misses_signals_and_goes_on() {
        let mut interests = Interests::default();
        let mut heard = interests.listen(b"a", b"");
        for _ in 0..=WAITING_MAX {
            interests.signal(signal(b"a")).send();
        }
        for _ in 0..WAITING_MAX {
            assert_eq!(heard.try_recv(), Ok(signal(b"a")));
        }
        assert!(heard.try_recv().is_err());
        interests.signal(signal(b"a")).send();
        assert_eq!(heard.try_recv(), Ok(signal(b"a")));
    }

    #[test]
    fn an_interest_is_over_when_the_last_receiver_is_dropped() {
        let mut interests = Interests::default();
        let (first, second) = (interests.watch(key()), interests.watch(key()));
        let listener = interests.listen(b"a", b"");
        drop(first);
        assert_eq!(interests.sweep(), []);
        drop((second, listener));
        assert_eq!(interests.sweep(), [key(), Interest::pattern(b"a", b"")]);
        assert_eq!(interests.all(), []);
    }
}
