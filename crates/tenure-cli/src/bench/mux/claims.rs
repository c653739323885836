//! The claims of one connection: what each of them waits for, and what it asks for next.

use std::time::{Duration, Instant};

use tenure_core::{Bond, ClaimId, Key, Limit, Space};
use tenure_wire::mux::{
    Enqueue, Frame, Framed, Message, Patience, Push, Request, RequestId, Response, decode_message,
    encode_request, next_frame,
};

use super::super::args::Mode;
use super::super::client::Replies;
use super::super::load::{LEASE, Plan};
use super::super::problem::Problem;
use super::super::requests;
use super::FRAME_MAX;

/// The number of an answer to the service that asks whether the bench is there.
const ALIVE: RequestId = RequestId::MAX - 1;

/// The low bits of a claim's id say which claim of the connection it is.
const SLOT_BITS: u32 = 16;

/// All claims of a connection. Nothing here reads a socket or a clock.
pub(super) struct Claims {
    slots: Vec<Slot>,
    running: usize,
    /// The id of the next claim, but for its slot.
    next: u128,
    mode: Mode,
    replies: Replies,
    requests: Vec<u8>,
    took: Vec<Duration>,
    now: Instant,
}

/// One of them: a key that is acquired and released again and again.
struct Slot {
    key: Box<[u8]>,
    claim: ClaimId,
    step: Step,
    begun: Instant,
}

/// What a claim waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    Grant,
    Turn,
    Release,
}

impl Claims {
    /// Those of connection number `connection`, with keys of their own or the one that all share.
    pub(super) fn new(plan: &Plan, replies: Replies, connection: usize, now: Instant) -> Self {
        let slot = |slot| {
            let number = match plan.mode {
                Mode::Own => connection * plan.in_flight + slot,
                Mode::Contended => 0,
            };
            let key = requests::key(plan.run, number).into_bytes().into_boxed_slice();
            Slot { key, claim: ClaimId::new(0), step: Step::Nothing, begun: now }
        };
        Self {
            slots: (0..plan.in_flight).map(slot).collect(),
            running: 0,
            next: u128::from(tenure::entropy::number()) << 64,
            mode: plan.mode,
            replies,
            requests: Vec::new(),
            took: Vec::with_capacity(plan.in_flight),
            now,
        }
    }

    /// Asks for everything.
    pub(super) fn begin(&mut self, now: Instant) -> Result<(), Problem> {
        self.now = now;
        self.running = self.slots.len();
        (0..self.slots.len()).try_for_each(|slot| self.acquire(slot))
    }

    /// What is to be sent before anything else is received.
    pub(super) fn requests(&self) -> &[u8] {
        &self.requests
    }

    /// Understands what has arrived until `now`, and says how many bytes that was. What is released is asked for again,
    /// or has ended.
    pub(super) fn receive(&mut self, bytes: &[u8], now: Instant, again: bool) -> Result<usize, Problem> {
        self.now = now;
        self.requests.clear();
        let mut used = 0;
        loop {
            match next_frame(&bytes[used..], FRAME_MAX) {
                Framed::Incomplete => return Ok(used),
                Framed::TooLong { .. } | Framed::Malformed => {
                    return Err(Problem::bytes("a request", &bytes[used..]));
                }
                Framed::Whole(frame) => {
                    self.frame(&frame, again)?;
                    used += frame.len;
                }
            }
        }
    }

    /// How long the pairs took that have ended since.
    pub(super) fn took(&mut self) -> impl Iterator<Item = Duration> {
        self.took.drain(..)
    }

    /// Whether nothing is held, waited for or under way.
    pub(super) fn have_ended(&self) -> bool {
        self.running == 0
    }

    fn frame(&mut self, frame: &Frame<'_>, again: bool) -> Result<(), Problem> {
        if self.replies == Replies::Echo {
            return self.echoed(frame.id, again);
        }
        match decode_message(frame) {
            Ok(Message::Response(ALIVE, _) | Message::Unknown) => Ok(()),
            Ok(Message::Response(id, response)) => self.answered(id, &response, again),
            Ok(Message::Push(push)) => self.pushed(&push),
            Err(_) => Err(Problem::bytes("a request", frame.body)),
        }
    }

    fn answered(&mut self, id: RequestId, response: &Response<'_>, again: bool) -> Result<(), Problem> {
        let slot = self.slot(id)?;
        match (self.slots[slot].step, response) {
            (Step::Grant, Response::Granted { .. }) => self.release(slot),
            (Step::Grant, Response::Queued { .. }) => match self.mode {
                Mode::Own => Err(Problem::Shared),
                Mode::Contended => {
                    self.slots[slot].step = Step::Turn;
                    Ok(())
                }
            },
            (Step::Release, Response::Released) => self.released(slot, again),
            (Step::Release, Response::Gone) => Err(Problem::Shared),
            (step, Response::Refused(refused)) => Err(Problem::refused(step.request(), refused)),
            (step, other) => Err(Problem::message(step.request(), other)),
        }
    }

    fn pushed(&mut self, push: &Push<'_>) -> Result<(), Problem> {
        match push {
            Push::Granted { claim, .. } => self.turn(*claim),
            Push::Ping => Ok(encode_request(&mut self.requests, ALIVE, &Request::Ping)?),
            Push::Draining => Err(Problem::Closed),
            Push::Lost { .. } => Err(Problem::Shared),
            Push::Position { .. } | Push::Signal { .. } | Push::Changed { .. } | Push::Missed => {
                Err(Problem::Unasked)
            }
        }
    }

    fn echoed(&mut self, id: RequestId, again: bool) -> Result<(), Problem> {
        let slot = self.slot(id)?;
        match self.slots[slot].step {
            Step::Grant => self.release(slot),
            Step::Release => self.released(slot, again),
            Step::Nothing | Step::Turn => Err(Problem::Unasked),
        }
    }

    fn turn(&mut self, claim: ClaimId) -> Result<(), Problem> {
        let number = claim.get() & ((1 << SLOT_BITS) - 1);
        let slot = usize::try_from(number).ok().filter(|slot| {
            self.slots.get(*slot).is_some_and(|slot| slot.claim == claim && slot.step == Step::Turn)
        });
        self.release(slot.ok_or(Problem::Unasked)?)
    }

    fn acquire(&mut self, number: usize) -> Result<(), Problem> {
        let slot = &mut self.slots[number];
        slot.claim = ClaimId::new(self.next | number as u128);
        slot.step = Step::Grant;
        slot.begun = self.now;
        self.next += 1 << SLOT_BITS;
        let enqueue = Enqueue {
            claim: slot.claim,
            key: Key::new(Space::Lock, &slot.key).map_err(|_| Problem::TooLong)?,
            permits: 1,
            limit: Limit::ONE,
            ttl: LEASE,
            bond: Bond::Resumable,
            patience: Patience::Endless,
            label: "",
        };
        Ok(encode_request(&mut self.requests, id(number), &Request::Enqueue(enqueue))?)
    }

    fn release(&mut self, number: usize) -> Result<(), Problem> {
        let slot = &mut self.slots[number];
        slot.step = Step::Release;
        Ok(encode_request(&mut self.requests, id(number), &Request::Release { claim: slot.claim })?)
    }

    fn released(&mut self, number: usize, again: bool) -> Result<(), Problem> {
        self.took.push(self.now - self.slots[number].begun);
        if again {
            return self.acquire(number);
        }
        self.slots[number].step = Step::Nothing;
        self.running -= 1;
        Ok(())
    }

    /// Which claim a request was for.
    fn slot(&self, id: RequestId) -> Result<usize, Problem> {
        let number = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
        number.filter(|number| *number < self.slots.len()).ok_or(Problem::Unasked)
    }
}

impl Step {
    /// What was asked for.
    const fn request(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Grant | Self::Turn => "acquire",
            Self::Release => "release",
        }
    }
}

/// The number of a claim's request. It never has two of them under way.
fn id(slot: usize) -> RequestId {
    RequestId::try_from(slot + 1).unwrap_or(ALIVE)
}

#[cfg(test)]
mod tests {
    use tenure_core::{Fence, Secret, Token};
    use tenure_wire::mux::{Refused, RefusedCode, decode_request, encode_push, encode_response};

    use super::super::super::args::Protocol;
    use super::super::clock;
    use super::*;

    const TOKEN: Token = Token { fence: Fence::new(1), secret: Secret::new(2) };
    const GRANTED: Response<'_> = Response::Granted { token: TOKEN, ttl: LEASE };

    fn claims(mode: Mode, replies: Replies) -> Claims {
        let protocol = Protocol::Mux;
        let plan =
            Plan { protocol, mode, connections: 1, in_flight: 2, time: Duration::from_secs(1), run: 7 };
        let mut claims = Claims::new(&plan, replies, 0, clock::now());
        claims.begin(clock::now()).expect("it fits");
        claims
    }

    /// What a connection has to send: the number of each request, the claim that it is about, and the key it asks for.
    fn sent(claims: &Claims) -> Vec<(RequestId, ClaimId, Option<Vec<u8>>)> {
        let mut bytes = claims.requests();
        let mut sent = Vec::new();
        while let Framed::Whole(frame) = next_frame(bytes, FRAME_MAX) {
            let request = decode_request(&frame).expect("a request");
            if let Request::Enqueue(enqueue) = request {
                sent.push((frame.id, enqueue.claim, Some(enqueue.key.name().to_vec())));
            } else if let Request::Release { claim } = request {
                sent.push((frame.id, claim, None));
            } else {
                panic!("{request:?}");
            }
            bytes = &bytes[frame.len..];
        }
        assert!(bytes.is_empty(), "whole requests only");
        sent
    }

    fn answer(
        claims: &mut Claims,
        answers: &[(RequestId, Response<'_>)],
        again: bool,
    ) -> Result<usize, Problem> {
        let mut bytes = Vec::new();
        for (id, response) in answers {
            encode_response(&mut bytes, *id, response).expect("it fits");
        }
        claims.receive(&bytes, clock::now(), again)
    }

    fn push(claims: &mut Claims, push: &Push<'_>) -> Result<usize, Problem> {
        let mut bytes = Vec::new();
        encode_push(&mut bytes, push).expect("it fits");
        claims.receive(&bytes, clock::now(), true)
    }

    #[test]
    fn every_claim_is_released_when_granted_and_asked_for_again_when_released() {
        let mut claims = claims(Mode::Own, Replies::Served);
        let first = sent(&claims);
        let keys: Vec<_> = first.iter().map(|(id, _, key)| (*id, key.clone().expect("an acquire"))).collect();
        assert_eq!(keys, [(1, b"b000000700000000".to_vec()), (2, b"b000000700000001".to_vec())]);

        answer(&mut claims, &[(2, GRANTED)], true).expect("a grant");
        assert_eq!(sent(&claims), [(2, first[1].1, None)]);
        answer(&mut claims, &[(1, GRANTED), (2, Response::Released)], true).expect("both");
        let third = sent(&claims);
        assert_eq!(third[0], (1, first[0].1, None));
        assert_eq!((third[1].0, &third[1].2), (2, &first[1].2));
        assert_ne!(third[1].1, first[1].1, "a new claim has a new id");
        assert_eq!(claims.took().count(), 1);
    }

    #[test]
    fn it_has_ended_when_the_last_pair_has() {
        let mut claims = claims(Mode::Own, Replies::Served);
        answer(&mut claims, &[(1, GRANTED), (2, GRANTED)], false).expect("grants");
        answer(&mut claims, &[(1, Response::Released)], false).expect("the first");
        assert!(!claims.have_ended() && claims.requests().is_empty());
        answer(&mut claims, &[(2, Response::Released)], false).expect("the last");
        assert!(claims.have_ended());
        assert_eq!(claims.took().count(), 2);
    }

    #[test]
    fn half_a_frame_is_left_until_the_rest_is_there() {
        let mut claims = claims(Mode::Own, Replies::Served);
        let mut bytes = Vec::new();
        for id in [1, 2] {
            encode_response(&mut bytes, id, &GRANTED).expect("it fits");
        }
        let whole = bytes.len() / 2;
        assert_eq!(claims.receive(&bytes[..bytes.len() - 1], clock::now(), true).expect("one"), whole);
        assert_eq!(claims.receive(&bytes[whole..], clock::now(), true).expect("the other"), whole);
        assert_eq!(sent(&claims).len(), 1);
    }

    #[test]
    fn a_claim_in_line_is_released_when_its_turn_has_come() {
        let mut claims = claims(Mode::Contended, Replies::Served);
        let first = sent(&claims);
        assert_eq!(first[0].2, first[1].2, "one key");
        answer(&mut claims, &[(1, GRANTED), (2, Response::Queued { position: 1 })], true).expect("both");
        assert_eq!(sent(&claims), [(1, first[0].1, None)]);
        let turn = Push::Granted { claim: first[1].1, token: TOKEN, ttl: LEASE };
        push(&mut claims, &turn).expect("its turn");
        assert_eq!(sent(&claims), [(2, first[1].1, None)]);
        assert!(matches!(push(&mut claims, &turn), Err(Problem::Unasked)), "its turn comes once");
    }

    #[test]
    fn the_service_is_told_that_the_bench_is_there() {
        let mut claims = claims(Mode::Contended, Replies::Served);
        push(&mut claims, &Push::Ping).expect("a question");
        let Framed::Whole(frame) = next_frame(claims.requests(), FRAME_MAX) else { panic!("no answer") };
        assert_eq!(decode_request(&frame), Ok(Request::Ping));
        let id = frame.id;
        answer(&mut claims, &[(id, Response::Pong)], true).expect("a pong");
        assert!(claims.requests().is_empty());
    }

    #[test]
    fn an_echo_is_an_answer_to_whatever_it_is_an_echo_of() {
        let mut claims = claims(Mode::Own, Replies::Echo);
        for _ in 0..2 {
            let back = claims.requests().to_vec();
            assert_eq!(claims.receive(&back, clock::now(), false).expect("an echo"), back.len());
        }
        assert!(claims.have_ended());
    }

    #[test]
    fn what_cannot_be_an_answer_stops_it() {
        let own = || claims(Mode::Own, Replies::Served);
        let refused = Refused { code: RefusedCode::QueuesFull, detail: 0, message: "raise it" };
        let stopped =
            |problem: Result<usize, Problem>| problem.expect_err("a problem").into_failure().to_string();
        let text = stopped(answer(&mut own(), &[(1, Response::Refused(refused))], true));
        assert!(text.contains("refused acquire: raise it"), "{text}");
        let text = stopped(answer(&mut own(), &[(1, Response::Queued { position: 0 })], true));
        assert!(text.contains("somebody else"), "{text}");
        let text = stopped(answer(&mut own(), &[(1, Response::Released)], true));
        assert!(text.contains("`Released` to acquire"), "{text}");
        for id in [0, 3] {
            answer(&mut own(), &[(id, GRANTED)], true).expect_err("there is no such request");
        }
        own().receive(b"\0\0\0\x01x", clock::now(), true).expect_err("this is no frame");
    }
}
