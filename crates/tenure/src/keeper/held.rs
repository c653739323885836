//! What is held, and when something has to be done for it.

use crate::Instant;
use crate::coordinator::Claim;
use std::sync::Arc;
use std::time::Duration;

/// The shortest and the longest pause after a renewal that failed.
const AGAIN: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// Everything that a keeper keeps.
pub(super) struct Kept {
    pub(super) slots: Slots,
    /// When the task wakes.
    pub(super) armed: Instant,
    pub(super) running: bool,
}

impl Default for Kept {
    fn default() -> Self {
        Self { slots: Slots::default(), armed: Instant::MAX, running: false }
    }
}

/// A claim that is held.
pub(super) struct Held {
    claim: Arc<Claim>,
    every: Duration,
    /// When to renew it.
    due: Instant,
    /// From when on it is renewed along with others.
    soon: Instant,
    /// When its owner stops believing, or earlier: the claim knows.
    deadline: Instant,
}

impl Held {
    pub(super) fn new(claim: &Arc<Claim>, base: Instant, every: Duration) -> Self {
        let mut held = Self {
            claim: Arc::clone(claim),
            every,
            due: Instant::MAX,
            soon: Instant::MAX,
            deadline: claim.deadline(),
        };
        held.renew_at(base.after(every));
        held
    }

    pub(super) const fn claim(&self) -> &Arc<Claim> {
        &self.claim
    }

    /// When something has to be done for it.
    pub(super) fn wakes_at(&self) -> Instant {
        self.due.min(self.deadline)
    }

    /// When its owner stops believing, or earlier.
    pub(super) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether to renew it in a batch that is sent now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.soon <= now
    }

    /// Whether its owner has to stop believing.
    pub(super) fn is_past(&mut self, now: Instant) -> bool {
        if self.deadline > now {
            return false;
        }
        self.deadline = self.claim.deadline();
        self.deadline <= now
    }

    /// The lease has started anew.
    pub(super) fn was_renewed(&mut self, base: Instant) {
        self.deadline = self.claim.deadline();
        self.renew_at(base.after(self.every));
    }

    /// Nobody knows what came of the renewal.
    pub(super) fn failed(&mut self, now: Instant) {
        let pause = (self.every / 8).clamp(AGAIN.0, AGAIN.1);
        self.renew_at(now.after(pause.mul_f64(0.5 + fastrand::f64() / 2.0)));
    }

    /// Nothing has to be done for it any more.
    pub(super) fn is_over(&mut self) {
        (self.due, self.soon, self.deadline) = (Instant::MAX, Instant::MAX, Instant::MAX);
    }

    fn renew_at(&mut self, due: Instant) {
        // A tenth of the lease, and never so much that a renewal would be due with the next batch again.
        let window = (nanos(self.claim.wanted().ttl) / 10).min(nanos(self.every) / 2);
        self.due = due;
        self.soon = Instant::from_nanos(due.as_nanos().saturating_sub(window));
    }
}

/// As one number, which is quicker to divide.
const fn nanos(span: Duration) -> u64 {
    Instant::ORIGIN.after(span).as_nanos()
}

/// A table whose places are used again.
#[derive(Default)]
pub(super) struct Slots {
    places: Vec<Option<Held>>,
    free: Vec<u32>,
}

impl Slots {
    pub(super) fn insert(&mut self, held: Held) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.places[slot as usize] = Some(held);
            return slot;
        }
        self.places.push(Some(held));
        u32::try_from(self.places.len() - 1).unwrap_or_else(|_| unreachable!("memory ends before numbers do"))
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Held> {
        let held = self.places.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        if self.free.len() == self.places.len() {
            // A crowd that has gone leaves no room behind.
            self.places.clear();
            self.free.clear();
            self.places.shrink_to(64);
            self.free.shrink_to(64);
        }
        Some(held)
    }

    /// What is at a place, if it is that claim still.
    pub(super) fn find(&mut self, slot: u32, claim: &Arc<Claim>) -> Option<&mut Held> {
        let held = self.places.get_mut(slot as usize)?.as_mut()?;
        Arc::ptr_eq(&held.claim, claim).then_some(held)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.places.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut Held)> {
        (0..).zip(&mut self.places).filter_map(|(slot, held)| Some((slot, held.as_mut()?)))
    }
}
