//! What a connection has to hear of though it did not ask just now.

mod letter;
mod watching;

pub(crate) use letter::Letter;
#[cfg(test)]
use watching::OBSERVATIONS_MAX;
pub(crate) use watching::Watching;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use tenure::hub::Told;
use tenure_core::{Change, ClaimId, Delivery, Event, Fence, SharedKey};
use watching::Heard;

/// The most signals that wait for one connection. A listener that falls further behind is cut.
pub(crate) const SIGNALS_MAX: usize = 64;

/// Room for so many pieces of mail is kept by a connection that has none.
const ROOM_KEPT: usize = 4;

/// One thing to hear of.
#[derive(Clone, Debug)]
pub(crate) enum Mail {
    /// One of its claims changed, while it had the grant of that fence or stood in line.
    Claim { claim: ClaimId, fence: Option<Fence>, change: Change },
    /// A signal.
    Signal(Letter),
    /// Something happened to a key that it watches.
    Changed(Told),
    /// More happened to such keys than could be kept.
    Missed,
    /// In the lines of these keys claims may have moved that it follows.
    Moved(Vec<SharedKey>),
    /// The daemon is shutting down.
    Drain,
    /// A later connection has taken its place.
    Superseded,
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
    watching: Option<Box<Watching>>,
    end: Option<End>,
    waker: Option<Waker>,
}

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Cut,
    Superseded,
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
    pub(crate) fn post_signal(&self, letter: &Letter) -> (Delivery, usize, Option<Waker>) {
        let mut inbox = self.lock();
        if inbox.signals >= SIGNALS_MAX || inbox.end.is_some() {
            return (Delivery::Full, inbox.signals, None);
        }
        inbox.signals += 1;
        inbox.mail.push_back(Mail::Signal(letter.clone()));
        self.stirred.store(true, Ordering::Release);
        (Delivery::Taken, inbox.signals, inbox.waker.take())
    }

    /// Tells the connection to end, whatever it is doing.
    #[must_use]
    pub(crate) fn cut(&self) -> Option<Waker> {
        self.end(End::Cut)
    }

    /// Tells the connection that it ends because a later one has taken its place.
    #[must_use]
    pub(crate) fn supersede(&self) -> Option<Waker> {
        self.end(End::Superseded)
    }

    fn end(&self, end: End) -> Option<Waker> {
        let mut inbox = self.lock();
        inbox.end.get_or_insert(end);
        self.stirred.store(true, Ordering::Release);
        inbox.waker.take()
    }

    /// Whether the connection is to end.
    pub(crate) fn is_cut(&self, waker: &Waker) -> bool {
        let mut inbox = self.lock();
        inbox.remember(waker);
        inbox.end.is_some()
    }

    /// Takes the oldest piece of mail; nothing when the connection is to end. `waker` is woken for the next one.
    pub(crate) fn poll_next(&self, waker: &Waker) -> Poll<Option<Mail>> {
        let mut inbox = self.lock();
        match inbox.end {
            Some(End::Cut) => return Poll::Ready(None),
            Some(End::Superseded) => return Poll::Ready(Some(Mail::Superseded)),
            None => {}
        }
        if let Some(mail) = inbox.next() {
            return Poll::Ready(Some(mail));
        }
        self.stirred.store(false, Ordering::Release);
        inbox.give_back_room();
        inbox.remember(waker);
        Poll::Pending
    }

    /// Takes the claims whose turns have come, as long as the oldest mail is such word, at most `most`.
    pub(crate) fn take_turns(&self, turns: &mut Vec<ClaimId>, most: usize) {
        let mut inbox = self.lock();
        while turns.len() < most
            && let Some(Mail::Claim { claim, change: Change::Ready, .. }) = inbox.mail.front()
        {
            turns.push(*claim);
            inbox.mail.pop_front();
        }
    }

    /// Looks at, or changes, what the connection wants to hear of keys.
    pub(crate) fn watching<R>(&self, act: impl FnOnce(&mut Watching) -> R) -> R {
        let mut inbox = self.lock();
        let watching = inbox.watching.get_or_insert_default();
        let result = act(watching);
        if watching.has_moved() {
            self.stirred.store(true, Ordering::Release);
        }
        inbox.give_back_room();
        result
    }

    /// The keys that the connection wants to hear of; it does so no longer.
    pub(crate) fn forget_keys(&self) -> Vec<SharedKey> {
        self.lock().watching.take().map(|watching| watching.keys()).unwrap_or_default()
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
            Mail::Claim { claim, change: Change::Lapsed, .. } => {
                heard(*claim);
                false
            }
            Mail::Claim { .. }
            | Mail::Signal(_)
            | Mail::Changed(_)
            | Mail::Missed
            | Mail::Moved(_)
            | Mail::Drain
            | Mail::Superseded => true,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl tenure::hub::Inbox for Mailbox {
    type Beside = ();

    fn post(&self, event: Event) -> Option<Waker> {
        let Event { claim, fence, change, .. } = event;
        self.leave(Mail::Claim { claim, fence, change })
    }

    fn observe(&self, told: &Told) -> Option<Waker> {
        let mut inbox = self.lock();
        let watching = inbox.watching.as_mut()?;
        let (heard, moved) = (watching.hear(&told.0), watching.has_moved());
        match heard {
            Heard::Told => inbox.mail.push_back(Mail::Changed(Arc::clone(told))),
            Heard::Missed => inbox.mail.push_back(Mail::Missed),
            Heard::Nothing if moved => {}
            Heard::Nothing => return None,
        }
        self.stirred.store(true, Ordering::Release);
        inbox.waker.take()
    }
}

impl Inbox {
    fn next(&mut self) -> Option<Mail> {
        let Some(mail) = self.mail.pop_front() else {
            let watching = self.watching.as_mut().filter(|watching| watching.has_moved())?;
            return Some(Mail::Moved(watching.take_moved()));
        };
        self.signals -= usize::from(matches!(mail, Mail::Signal(_)));
        match (&mail, &mut self.watching) {
            (Mail::Changed(_), Some(watching)) => watching.told(),
            (Mail::Missed, Some(watching)) => watching.told_of_missing(),
            _ => {}
        }
        Some(mail)
    }

    /// Gives back what a crowd of mail, or of keys, has left: an idle connection is small.
    fn give_back_room(&mut self) {
        if self.mail.is_empty() && self.mail.capacity() > ROOM_KEPT {
            self.mail = VecDeque::new();
        }
        self.watching.take_if(|watching| watching.is_over());
    }

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
    use tenure::hub::Inbox as _;
    use tenure_core::{Happened, Observation, Space, Subject};

    #[test]
    fn a_listener_that_is_too_far_behind_takes_no_more_signals_but_still_hears_of_its_claims() {
        let mailbox = Mailbox::default();
        let letter = Letter::new(Subject::new(b"a").expect("a subject"), b"b");
        for _ in 0..SIGNALS_MAX {
            assert_eq!(mailbox.post_signal(&letter).0, Delivery::Taken);
        }
        assert_eq!(mailbox.post_signal(&letter).0, Delivery::Full);
        let lapse = Mail::Claim { claim: ClaimId::new(1), fence: None, change: Change::Lapsed };
        assert!(mailbox.leave(lapse).is_none());
        let mut lapsed = Vec::new();
        mailbox.take_lapses(|claim| lapsed.push(claim));
        assert_eq!(lapsed, [ClaimId::new(1)]);
        assert!(matches!(mailbox.poll_next(Waker::noop()), Poll::Ready(Some(Mail::Signal(_)))));
        assert_eq!(mailbox.post_signal(&letter).0, Delivery::Taken);
    }

    /// A claim that joined the line of a key.
    fn joined(key: &SharedKey) -> Told {
        Arc::new((key.clone(), Observation { happened: Happened::Queue, holders_len: 1, queue_len: 1 }))
    }

    fn next(mailbox: &Mailbox) -> Option<Mail> {
        match mailbox.poll_next(Waker::noop()) {
            Poll::Ready(mail) => mail,
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_watcher_that_is_too_far_behind_is_told_once_that_it_missed_something() {
        let (mailbox, key): (_, SharedKey) = (Mailbox::default(), (Space::Lock, b"k"[..].into()));
        let told = joined(&key);
        assert!(mailbox.observe(&told).is_none() && next(&mailbox).is_none(), "nobody watches");
        mailbox.watching(|watching| watching.watch(key.clone()));
        for _ in 0..OBSERVATIONS_MAX + 5 {
            mailbox.observe(&told);
        }
        assert!(matches!(next(&mailbox), Some(Mail::Changed(_))));
        // There is room for one more, behind the word that some are missing.
        mailbox.observe(&told);
        mailbox.observe(&told);
        for _ in 1..OBSERVATIONS_MAX {
            assert!(matches!(next(&mailbox), Some(Mail::Changed(_))));
        }
        assert!(matches!(next(&mailbox), Some(Mail::Missed)));
        assert!(matches!(next(&mailbox), Some(Mail::Changed(_))));
        assert!(next(&mailbox).is_none());
        assert_eq!(mailbox.forget_keys(), [key]);
    }

    #[test]
    fn what_many_watch_is_kept_once_for_all_of_them() {
        let key: SharedKey = (Space::Lock, b"k"[..].into());
        let mailboxes: [Mailbox; 5] = Default::default();
        let all = OBSERVATIONS_MAX + 1;
        let told: Vec<Told> = (0..all).map(|_| joined(&key)).collect();
        for mailbox in &mailboxes {
            mailbox.watching(|watching| watching.watch(key.clone()));
            told.iter().for_each(|told| drop(mailbox.observe(told)));
        }
        let kept: Vec<usize> = told.iter().map(|told| Arc::strong_count(told) - 1).collect();
        assert_eq!(kept[..OBSERVATIONS_MAX], [5; OBSERVATIONS_MAX], "one each");
        assert_eq!(kept[OBSERVATIONS_MAX], 0, "what is too much is kept by nobody");
    }

    #[test]
    fn what_was_heard_leaves_no_room_behind() {
        let (mailbox, key): (_, SharedKey) = (Mailbox::default(), (Space::Lock, b"k"[..].into()));
        let told = joined(&key);
        mailbox.watching(|watching| watching.watch(key.clone()));
        for _ in 0..100 {
            mailbox.observe(&told);
        }
        assert!(mailbox.watching(|watching| watching.unwatch(&key)));
        assert!(mailbox.lock().watching.is_some(), "it counts what is in the mail");
        while next(&mailbox).is_some() {}
        assert!(mailbox.lock().watching.is_none());
        assert!(mailbox.lock().mail.capacity() <= ROOM_KEPT);
        assert_eq!(mailbox.watching(|watching| watching.watched()), 0);
        assert!(mailbox.lock().watching.is_none(), "to look at it leaves none, either");
    }

    #[test]
    fn moves_in_a_line_are_told_once_however_many_there_were() {
        let (mailbox, key): (_, SharedKey) = (Mailbox::default(), (Space::Lock, b"k"[..].into()));
        let told = joined(&key);
        mailbox.watching(|watching| watching.follow(&key));
        for _ in 0..3 {
            mailbox.observe(&told);
        }
        assert!(mailbox.has_mail());
        assert!(matches!(next(&mailbox), Some(Mail::Moved(keys)) if keys == [key.clone()]));
        assert!(next(&mailbox).is_none());
        assert!(mailbox.watching(|watching| watching.unfollow(&key)), "nothing is left to hear of it");
    }

    #[test]
    fn a_connection_that_was_superseded_hears_of_nothing_else() {
        let mailbox = Mailbox::default();
        assert!(mailbox.leave(Mail::Drain).is_none() && mailbox.supersede().is_none());
        assert!(matches!(next(&mailbox), Some(Mail::Superseded)));
        assert!(mailbox.is_cut(Waker::noop()));
    }
}
