//! The requests that wait for an answer, by their numbers.

use super::answer::Answer;
use crate::{Error, Instant};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::task::Waker;
use std::time::Duration;
use tenure_core::ClaimId;
use tenure_wire::mux::RequestId;

/// What an answer is to do besides reaching whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Nothing, and the request may be sent again when its answer was lost.
    Question,
    /// Nothing, and the request must not be sent twice.
    Once,
    /// A claim is in line, or granted, or neither.
    Enqueue(ClaimId),
    /// A claim is granted, or not.
    Resume(ClaimId),
    /// A claim is granted no longer. It lives so long if nobody hears of that.
    Release(ClaimId, Duration),
    /// The same, and nobody waits for the answer.
    Cancel(ClaimId, Duration),
    /// A lease runs anew, or is over.
    Renew,
    /// A claim that waits has found its place again; nobody waits for the answer.
    Rejoin(ClaimId),
    /// A grant that is held has been found again; nobody waits for the answer.
    Regain(ClaimId),
    /// Something is watched or listened to again; nobody waits for the answer.
    Interest,
    /// The service has answered, and that is all that matters.
    Sign,
}

/// A request on its way.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) stage: Stage,
    pub(super) about: About,
    /// When it was sent.
    pub(super) sent: Instant,
    /// It was sent on an earlier connection too, which broke before there was an answer.
    pub(super) tried: bool,
    /// Nobody waits for the answer.
    pub(super) abandoned: bool,
    /// Who does.
    pub(super) waker: Option<Waker>,
}

/// How far a request has come.
#[derive(Debug)]
pub(super) enum Stage {
    /// There is none: the number is free.
    Free,
    /// It waits for a connection.
    Parked,
    /// It waits for its answer.
    Sent,
    /// Its answer waits for whoever asked.
    Answered(Result<Answer, Error>),
}

/// An answer, and what is known of its request.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) answer: Result<Answer, Error>,
    pub(super) sent: Instant,
    pub(super) tried: bool,
}

/// So many are kept room for, however few there are.
const ROOM_KEPT: usize = 1024;

/// All of them. The number of a request is its place, so that no answer is searched for.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    /// The lowest comes first, so that a crowd leaves the end free.
    free: BinaryHeap<Reverse<u32>>,
    in_flight: usize,
}

impl Slots {
    /// A number for a request that is not sent yet.
    pub(super) fn open(&mut self, about: About, abandoned: bool) -> RequestId {
        let slot =
            Slot { stage: Stage::Parked, about, sent: Instant::ORIGIN, tried: false, abandoned, waker: None };
        match self.free.pop() {
            Some(Reverse(at)) => {
                self.slots[at as usize] = slot;
                at + 1
            }
            None => {
                self.slots.push(slot);
                self.slots.len() as RequestId
            }
        }
    }

    /// The request of that number, wherever it is on its way.
    pub(super) fn get_mut(&mut self, id: RequestId) -> Option<&mut Slot> {
        let slot = self.slots.get_mut((id as usize).checked_sub(1)?)?;
        (!matches!(slot.stage, Stage::Free)).then_some(slot)
    }

    /// Whether that request is on its way, and asks for that claim.
    pub(super) fn is_sent_about(&mut self, id: RequestId, claim: ClaimId) -> bool {
        let asks = [About::Enqueue(claim), About::Resume(claim)];
        self.get_mut(id).is_some_and(|slot| matches!(slot.stage, Stage::Sent) && asks.contains(&slot.about))
    }

    /// It was sent just now.
    pub(super) fn sent(&mut self, id: RequestId, at: Instant) {
        let Some(slot) = self.get_mut(id) else { return };
        (slot.stage, slot.sent) = (Stage::Sent, at);
        self.in_flight += 1;
    }

    /// The request of that number, if it waits for its answer; it does so no longer.
    pub(super) fn take_sent(&mut self, id: RequestId) -> Option<&mut Slot> {
        let slot = self.slots.get_mut((id as usize).checked_sub(1)?)?;
        if !matches!(slot.stage, Stage::Sent) {
            return None;
        }
        self.in_flight -= 1;
        slot.stage = Stage::Parked;
        Some(slot)
    }

    /// Frees a number that is not on its way to the service.
    pub(super) fn free(&mut self, id: RequestId) {
        if let Some(slot) = self.get_mut(id) {
            (slot.stage, slot.waker) = (Stage::Free, None);
            self.free.push(Reverse(id - 1));
        }
    }

    /// Gives back room that a crowd has left.
    pub(super) fn trim(&mut self) {
        if self.slots.len() <= ROOM_KEPT || self.free.len() < self.slots.len() / 4 * 3 {
            return;
        }
        let used = self.slots.iter().rposition(|slot| !matches!(slot.stage, Stage::Free));
        let len = used.map_or(0, |last| last + 1);
        self.slots.truncate(len);
        self.slots.shrink_to(ROOM_KEPT);
        self.free.retain(|Reverse(at)| (*at as usize) < len);
        self.free.shrink_to(ROOM_KEPT);
    }

    /// How many wait for their answers.
    pub(super) const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The numbers of all requests.
    pub(super) fn ids(&self) -> impl Iterator<Item = RequestId> + use<> {
        1..=self.slots.len() as RequestId
    }

    /// Everyone who waits for a connection or an answer.
    pub(super) fn wakers(&mut self) -> impl Iterator<Item = Waker> + '_ {
        self.slots.iter_mut().filter_map(|slot| slot.waker.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_leaves_no_room_behind_and_whoever_stays_keeps_its_number() {
        let mut slots = Slots::default();
        let ids: Vec<RequestId> = (0..100_000).map(|_| slots.open(About::Question, false)).collect();
        let (stays, left) = (ids[7], ids.iter().filter(|id| **id != ids[7]));
        left.for_each(|id| slots.free(*id));
        slots.trim();
        assert!(slots.slots.capacity() <= ROOM_KEPT && slots.free.capacity() <= ROOM_KEPT);
        assert!(slots.get_mut(stays).is_some());
        let mut again: Vec<RequestId> = (0..2_000).map(|_| slots.open(About::Question, false)).collect();
        again.push(stays);
        again.sort_unstable();
        assert_eq!(again, (1..=2_001).collect::<Vec<_>>(), "each number once");
    }
}
