//! What a connection has to hear of though it did not ask just now.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use tenure_core::{Change, ClaimId, Delivery, Event, Observation, SharedKey};

/// The most signals that wait for one connection. A listener that falls further behind is cut.
pub(crate) const SIGNALS_MAX: usize = 64;

/// One thing to hear of.
#[derive(Clone, Debug)]
pub(crate) enum Mail {
    /// One of its claims changed.
    Claim(ClaimId, Change),
    /// A signal, as the line to send.
    Signal(Arc<[u8]>),
    /// The daemon is shutting down.
    Drain,
}

/// The mail of one connection, and how to wake it.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    inbox: Mutex<Inbox>,
    /// Whether something came since the inbox was last found empty.
    stirred: AtomicBool,
}

#[derive(Debug, Default)]
struct Inbox {
    mail: VecDeque<Mail>,
    signals: usize,
    cut: bool,
    waker: Option<Waker>,
}

impl Mailbox {
    /// Leaves a piece of mail. Whoever does it wakes the connection once it holds no lock any more.
    #[must_use]
    pub(crate) fn leave(&self, mail: Mail) -> Option<Waker> {
        let mut inbox = self.lock();
        inbox.mail.push_back(mail);
        self.stirred.store(true, Ordering::Release);
        inbox.waker.take()
    }

    /// Leaves a signal unless too many wait already; how many wait then.
    pub(crate) fn post_signal(&self, line: &Arc<[u8]>) -> (Delivery, usize, Option<Waker>) {
        let mut inbox = self.lock();
        if inbox.signals >= SIGNALS_MAX || inbox.cut {
            return (Delivery::Full, inbox.signals, None);
        }
        inbox.signals += 1;
        inbox.mail.push_back(Mail::Signal(Arc::clone(line)));
        self.stirred.store(true, Ordering::Release);
        (Delivery::Taken, inbox.signals, inbox.waker.take())
    }

    /// Tells the connection to end, whatever it is doing.
    #[must_use]
    pub(crate) fn cut(&self) -> Option<Waker> {
        let mut inbox = self.lock();
        inbox.cut = true;
        self.stirred.store(true, Ordering::Release);
        inbox.waker.take()
    }

    pub(crate) fn is_cut(&self, waker: &Waker) -> bool {
        let mut inbox = self.lock();
        inbox.remember(waker);
        inbox.cut
    }

    /// Takes the oldest piece of mail; nothing when the connection is to end. `waker` is woken for the next one.
    pub(crate) fn poll_next(&self, waker: &Waker) -> Poll<Option<Mail>> {
        let mut inbox = self.lock();
        if inbox.cut {
            return Poll::Ready(None);
        }
        match inbox.mail.pop_front() {
            Some(mail) => {
                inbox.signals -= usize::from(matches!(mail, Mail::Signal(_)));
                Poll::Ready(Some(mail))
            }
            None => {
                self.stirred.store(false, Ordering::Release);
                inbox.remember(waker);
                Poll::Pending
            }
        }
    }

    /// Whether there is mail, without taking a look at it.
    pub(crate) fn has_mail(&self) -> bool {
        self.stirred.load(Ordering::Acquire)
    }

    /// Takes every word of a lease that has ended.
    pub(crate) fn take_lapses(&self, mut heard: impl FnMut(ClaimId)) {
        if !self.has_mail() {
            return;
        }
        self.lock().mail.retain(|mail| match mail {
            Mail::Claim(claim, Change::Lapsed) => {
                heard(*claim);
                false
            }
            Mail::Claim(..) | Mail::Signal(_) | Mail::Drain => true,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl tenure::hub::Inbox for Mailbox {
    fn post(&self, event: Event) -> Option<Waker> {
        self.leave(Mail::Claim(event.claim, event.change))
    }

    fn observe(&self, _key: &SharedKey, _observation: &Observation) -> Option<Waker> {
        None
    }
}

impl Inbox {
    fn remember(&mut self, waker: &Waker) {
        match &mut self.waker {
            Some(known) => known.clone_from(waker),
            None => self.waker = Some(waker.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_that_is_too_far_behind_takes_no_more_signals_but_still_hears_of_its_claims() {
        let mailbox = Mailbox::default();
        let line: Arc<[u8]> = Arc::from(&b"sig a b\n"[..]);
        for _ in 0..SIGNALS_MAX {
            assert_eq!(mailbox.post_signal(&line).0, Delivery::Taken);
        }
        assert_eq!(mailbox.post_signal(&line).0, Delivery::Full);
        assert!(mailbox.leave(Mail::Claim(ClaimId::new(1), Change::Lapsed)).is_none());
        let mut lapsed = Vec::new();
        mailbox.take_lapses(|claim| lapsed.push(claim));
        assert_eq!(lapsed, [ClaimId::new(1)]);
        assert!(matches!(mailbox.poll_next(Waker::noop()), Poll::Ready(Some(Mail::Signal(_)))));
        assert_eq!(mailbox.post_signal(&line).0, Delivery::Taken);
    }
}
