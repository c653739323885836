//! The keys that a connection wants to hear of.

use std::collections::HashMap;
use tenure_core::SharedKey;

/// The most observations that wait for one connection. What comes then is told as one "more than could be told".
///
/// One holds at most some 500 bytes, of which most are shared with whoever else was told.
pub(crate) const OBSERVATIONS_MAX: usize = 64;

/// The keys that a connection wants to hear of, and which of them it has to look at.
#[derive(Debug, Default)]
pub(crate) struct Watching {
    interests: HashMap<SharedKey, Interest>,
    /// How many of them are watched.
    watched: usize,
    /// How many claims are followed.
    followed: usize,
    /// The keys in whose lines followed claims may have moved, each once.
    moved: Vec<SharedKey>,
    /// Observations in the mail.
    observations: usize,
    /// The mail says that there were more.
    missed: bool,
}

/// Why a connection wants to hear of a key.
#[derive(Debug, Default)]
struct Interest {
    watched: bool,
    /// How many of the claims that it follows are claims on this key.
    followed: usize,
    moved: bool,
}

/// What an observation means to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing that is to be told.
    Nothing,
    /// It is to be told.
    Told,
    /// It is the first that is too much.
    Missed,
}

impl Watching {
    /// How many keys are watched.
    pub(crate) const fn watched(&self) -> usize {
        self.watched
    }

    pub(crate) fn watches(&self, key: &SharedKey) -> bool {
        self.interests.get(key).is_some_and(|interest| interest.watched)
    }

    pub(crate) fn watch(&mut self, key: SharedKey) {
        let interest = self.interests.entry(key).or_default();
        self.watched += usize::from(!interest.watched);
        interest.watched = true;
    }

    pub(crate) fn follow(&mut self, key: &SharedKey) {
        self.interests.entry(key.clone()).or_default().followed += 1;
        self.followed += 1;
        self.note_move(key);
    }

    /// Ends a watch; true when nothing is left to hear of the key.
    pub(crate) fn unwatch(&mut self, key: &SharedKey) -> bool {
        self.watched -= usize::from(self.watches(key));
        self.lessen(key, |interest| interest.watched = false)
    }

    /// Ends the following of one claim; true when nothing is left to hear of the key.
    pub(crate) fn unfollow(&mut self, key: &SharedKey) -> bool {
        let follows = self.interests.get(key).is_some_and(|interest| interest.followed > 0);
        self.followed -= usize::from(follows);
        self.lessen(key, |interest| interest.followed = interest.followed.saturating_sub(1))
    }

    fn lessen(&mut self, key: &SharedKey, lessen: impl FnOnce(&mut Interest)) -> bool {
        let Some(interest) = self.interests.get_mut(key) else { return false };
        lessen(interest);
        let ended = !interest.watched && interest.followed == 0;
        if ended {
            self.interests.remove(key);
        }
        ended
    }

    /// Takes note of something that happened to a key.
    pub(super) fn hear(&mut self, key: &SharedKey) -> Heard {
        // Most who are too far behind follow nothing, and there may be thousands of them.
        if self.missed && self.observations >= OBSERVATIONS_MAX && self.followed == 0 {
            return Heard::Nothing;
        }
        self.note_move(key);
        if !self.watches(key) {
            return Heard::Nothing;
        }
        if self.observations < OBSERVATIONS_MAX {
            self.observations += 1;
            return Heard::Told;
        }
        if std::mem::replace(&mut self.missed, true) { Heard::Nothing } else { Heard::Missed }
    }

    fn note_move(&mut self, key: &SharedKey) {
        if self.followed == 0 {
            return;
        }
        let Some(interest) = self.interests.get_mut(key).filter(|interest| interest.followed > 0) else {
            return;
        };
        if !std::mem::replace(&mut interest.moved, true) {
            self.moved.push(key.clone());
        }
    }

    /// One observation less is in the mail.
    pub(super) fn told(&mut self) {
        self.observations = self.observations.saturating_sub(1);
    }

    /// The mail does not say any more that there were more.
    pub(super) fn told_of_missing(&mut self) {
        self.missed = false;
    }

    /// Nothing is wanted, and nothing that was is in the mail.
    pub(super) fn is_over(&self) -> bool {
        self.interests.is_empty() && self.moved.is_empty() && self.observations == 0 && !self.missed
    }

    pub(super) fn has_moved(&self) -> bool {
        !self.moved.is_empty()
    }

    /// Takes the keys in whose lines followed claims may have moved.
    pub(super) fn take_moved(&mut self) -> Vec<SharedKey> {
        let moved = std::mem::take(&mut self.moved);
        for key in &moved {
            if let Some(interest) = self.interests.get_mut(key) {
                interest.moved = false;
            }
        }
        moved
    }

    /// Every key.
    pub(crate) fn keys(&self) -> Vec<SharedKey> {
        self.interests.keys().cloned().collect()
    }
}
