//! Histories: steps that many owners take, played to the engine and to the model side by side.

use super::invariants::{Deed, Watch};
use super::model::{Answer, Ask, Model, Name};
use crate::{
    Bond, ClaimId, Engine, Enqueued, Event, Fence, FenceRange, Instant, Key, Limit, Limits, OwnerId,
    Patience, Refusal, Released, Renewed, Request, Secret, Space, Token, Waited,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use std::time::Duration;

const LIMITS: Limits =
    Limits { queues_max: 4, claims_max: 14, queue_len_max: 4, idle_max: Duration::from_nanos(15) };
const FENCES: u64 = 40;
/// Every lease is over after that many nanoseconds.
const TTL_MAX: u64 = 25;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Enqueue {
        owner: u8,
        name: u8,
        permits: u32,
        limit: u32,
        ttl: u64,
        bond: Bond,
        patience: Wish,
    },
    Repeat {
        claim: usize,
        permits: u32,
    },
    Wait {
        claim: usize,
        patience: Wish,
    },
    Renew {
        grant: usize,
        name: Option<u8>,
        forged: bool,
        ttl: u64,
    },
    Release {
        grant: usize,
        name: Option<u8>,
        forged: bool,
    },
    Cancel {
        claim: usize,
    },
    Disconnect {
        owner: u8,
        most: usize,
    },
    Extend {
        more: u64,
    },
    /// Time passes; nobody tells the engine when the timer is late.
    Advance {
        nanos: u64,
        late: bool,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    None,
    Nanos(u64),
    Endless,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..500)
}

fn step() -> impl Strategy<Value = Step> {
    let wish = || prop_oneof![1 => Just(Wish::None), 3 => (0..25_u64).prop_map(Wish::Nanos), 3 => Just(Wish::Endless)];
    let bond = prop_oneof![3 => Just(Bond::Connection), 1 => Just(Bond::Lease)];
    let limit = prop_oneof![9 => Just(0_u32), 1 => 1..4_u32];
    let name = || prop::option::weighted(0.1, 0..6_u8);
    let enqueue = (0..4_u8, 0..6_u8, 0..4_u32, limit, 1..TTL_MAX, bond, wish());
    prop_oneof![
        12 => enqueue.prop_map(|(owner, name, permits, limit, ttl, bond, patience)| Step::Enqueue { owner, name, permits, limit, ttl, bond, patience }),
        1 => (any::<usize>(), 0..3_u32).prop_map(|(claim, permits)| Step::Repeat { claim, permits }),
        5 => (any::<usize>(), wish()).prop_map(|(claim, patience)| Step::Wait { claim, patience }),
        3 => (any::<usize>(), name(), prop::bool::weighted(0.1), 1..25_u64).prop_map(|(grant, name, forged, ttl)| Step::Renew { grant, name, forged, ttl }),
        5 => (any::<usize>(), name(), prop::bool::weighted(0.1)).prop_map(|(grant, name, forged)| Step::Release { grant, name, forged }),
        2 => any::<usize>().prop_map(|claim| Step::Cancel { claim }),
        1 => (0..4_u8, 1..4_usize).prop_map(|(owner, most)| Step::Disconnect { owner, most }),
        1 => (0..30_u64).prop_map(|more| Step::Extend { more }),
        6 => (0..9_u64, any::<bool>()).prop_map(|(nanos, late)| Step::Advance { nanos, late }),
    ]
}

impl Step {
    /// A fixed history, for showing that playing is deterministic.
    pub(super) fn sample(len: usize) -> Vec<Self> {
        use proptest::strategy::ValueTree;
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        (0..len).map(|_| step().new_tree(&mut runner).expect("a step").current()).collect()
    }
}

/// Plays a history to the engine alone and writes down all that can be seen of it.
pub(super) fn trace(history: &[Step]) -> String {
    let mut play = Play::new();
    let mut lines = String::new();
    for step in history {
        let answer = play.step(step);
        lines += &format!("{step:?} -> {answer:?}, {:?}\n", play.engine.poll_timeout());
    }
    lines
}

/// Plays a history to both and compares all that can be seen after every step.
///
/// What must hold in any case is looked at first, so that a fault is called by its own name where it has one.
pub(super) fn run(history: &[Step]) -> TestCaseResult {
    let (mut play, mut watch) = (Play::new(), Watch::default());
    for step in history {
        let (engine, model) = play.step(step);
        let events: Vec<Event> = std::iter::from_fn(|| play.engine.poll_event()).collect();
        watch.check(&play.engine, play.now, play.deed, &events)?;
        prop_assert_eq!(engine, model, "the answer to {:?}", step);
        play.compare_events(&events)?;
        play.compare_queues()?;
        let due = play.engine.poll_timeout().map(|(at, _)| at);
        prop_assert_eq!(due, play.model.next_timeout(), "the next timeout after {:?}", step);
    }
    play.leave()
}

struct Play {
    engine: Engine,
    model: Model,
    now: Instant,
    claims: Vec<(ClaimId, OwnerId, u8)>,
    /// The tokens that the engine gave out, each with the number that the model has for the grant.
    grants: Vec<(Name, Token, u64)>,
    /// What the last step did.
    deed: Deed,
}

impl Play {
    fn new() -> Self {
        let range = FenceRange::new(Fence::new(1), Fence::new(FENCES + 1));
        Self {
            engine: Engine::new(LIMITS, range, 1),
            model: Model::new(LIMITS, FENCES),
            now: Instant::ORIGIN,
            claims: vec![],
            grants: vec![],
            deed: Deed::Other,
        }
    }

    fn step(&mut self, step: &Step) -> (Answer, Answer) {
        self.deed = Deed::Other;
        match *step {
            Step::Enqueue { owner, name, permits, limit, ttl, bond, patience } => {
                let (id, owner) = (ClaimId::new(self.claims.len() as u128), OwnerId::new(u64::from(owner)));
                self.claims.push((id, owner, name));
                let limit = if limit > 0 && name >= 3 { limit } else { usual_limit(name) };
                self.enqueue(id, owner, name, (permits, limit), (ttl, bond), patience)
            }
            Step::Repeat { claim, permits } => match self.pick_claim(claim) {
                Some((id, owner, name)) => self.enqueue(
                    id,
                    owner,
                    name,
                    (permits, usual_limit(name)),
                    (9, Bond::Connection),
                    Wish::Endless,
                ),
                None => (Answer::Done, Answer::Done),
            },
            Step::Wait { claim, patience } => {
                let id = self.pick_claim(claim).map_or(ClaimId::new(u128::MAX), |claim| claim.0);
                let patience = self.patience(patience);
                let answer = self.model.wait(self.now, id, patience);
                (self.read_waited(id, answer, patience), answer)
            }
            Step::Renew { grant, name, forged, ttl } => {
                let (name, token, known) = self.pick_grant(grant, name, forged);
                let ttl = Duration::from_nanos(ttl);
                let engine = match self.engine.renew(self.now, key(&name), token, ttl) {
                    Renewed::Until(at) => Answer::Renewed(at),
                    Renewed::NotHeld => Answer::NotHeld,
                };
                (engine, self.model.renew(self.now, name, known, ttl))
            }
            Step::Release { grant, name, forged } => {
                let (name, token, known) = self.pick_grant(grant, name, forged);
                let engine = match self.engine.release(self.now, key(&name), token) {
                    Released::Released => Answer::Done,
                    Released::NotHeld => Answer::NotHeld,
                };
                (engine, self.model.release(self.now, name, known))
            }
            Step::Cancel { claim } => {
                let id = self.pick_claim(claim).map_or(ClaimId::new(u128::MAX), |claim| claim.0);
                self.deed = Deed::TakenBack(id);
                let engine = match self.engine.cancel(self.now, id) {
                    crate::Cancelled::Left | crate::Cancelled::Released => Answer::Done,
                    crate::Cancelled::Unknown => Answer::Unknown,
                };
                (engine, self.model.cancel(self.now, id))
            }
            Step::Disconnect { owner, most } => {
                let owner = OwnerId::new(u64::from(owner));
                self.deed = Deed::Went(owner);
                while !self.engine.disconnect(self.now, owner, most) {}
                self.model.disconnect(self.now, owner);
                (Answer::Done, Answer::Done)
            }
            Step::Extend { more } => {
                let end = self.engine.fences.end().get() + more;
                self.engine.extend_fences(self.now, Fence::new(end));
                self.model.extend_fences(self.now, more);
                (Answer::Done, Answer::Done)
            }
            Step::Advance { nanos, late } => {
                self.now = self.now.after(Duration::from_nanos(nanos));
                if late {
                    self.deed = Deed::Unseen;
                } else {
                    self.engine.handle_timeout(self.now);
                    self.model.advance(self.now);
                }
                (Answer::Done, Answer::Done)
            }
        }
    }

    fn enqueue(
        &mut self,
        id: ClaimId,
        owner: OwnerId,
        name: u8,
        (permits, limit): (u32, u32),
        (ttl, bond): (u64, Bond),
        wish: Wish,
    ) -> (Answer, Answer) {
        let (name, ttl, patience) = (named(name), Duration::from_nanos(ttl), self.patience(wish));
        let secret = Secret::new(id.get() as u64);
        self.deed = Deed::Asked(id);
        let request = Request {
            claim: id,
            owner,
            key: key(&name),
            permits,
            limit: Limit::new(limit).expect("at least one"),
            ttl,
            secret,
            bond,
            patience,
        };
        let engine = self.engine.enqueue(self.now, &request);
        let model =
            self.model.enqueue(self.now, &Ask { id, owner, name, permits, limit, ttl, bond, patience });
        let engine = match engine {
            Enqueued::Acquired(grant) => self.note(name, grant, model),
            Enqueued::Queued => Answer::Queued,
            Enqueued::Busy => Answer::Busy,
            Enqueued::Refused(Refusal::LimitMismatch(limit)) => Answer::LimitMismatch(limit.get()),
            Enqueued::Refused(Refusal::BadPermits) => Answer::BadPermits,
            Enqueued::Refused(Refusal::QueuesFull) => Answer::QueuesFull,
            Enqueued::Refused(Refusal::WaitersFull) => Answer::WaitersFull,
            Enqueued::Refused(Refusal::ClaimsFull) => Answer::ClaimsFull,
            Enqueued::Refused(Refusal::Conflict) => Answer::Conflict,
            Enqueued::Refused(Refusal::NoFence) => Answer::NoFence,
        };
        (engine, model)
    }

    fn read_waited(&mut self, id: ClaimId, model: Answer, patience: Patience) -> Answer {
        let name = self.claims.iter().find(|claim| claim.0 == id).map(|claim| named(claim.2));
        match (self.engine.wait(self.now, id, patience), name) {
            (Waited::Acquired(grant), Some(name)) => self.note(name, grant, model),
            (Waited::Acquired(_), None) => Answer::Done,
            (Waited::Pending, _) => Answer::Queued,
            (Waited::TimedOut, _) => Answer::TimedOut,
            (Waited::Unknown, _) => Answer::Unknown,
        }
    }

    /// Remembers a token under the number that the model has for its grant.
    fn note(&mut self, name: Name, grant: crate::Grant, model: Answer) -> Answer {
        let Answer::Acquired { grant: number, .. } = model else {
            return Answer::Acquired { grant: 0, deadline: grant.deadline };
        };
        self.grants.push((name, grant.token, number));
        Answer::Acquired { grant: number, deadline: grant.deadline }
    }

    fn patience(&self, wish: Wish) -> Patience {
        match wish {
            Wish::None => Patience::None,
            Wish::Nanos(nanos) => Patience::Until(self.now.after(Duration::from_nanos(nanos))),
            Wish::Endless => Patience::Endless,
        }
    }

    /// One of the latest claims, so that steps often meet.
    fn pick_claim(&self, pick: usize) -> Option<(ClaimId, OwnerId, u8)> {
        self.claims.iter().rev().nth(pick % self.claims.len().clamp(1, 12)).copied()
    }

    /// A token, perhaps with another key or a forged secret, and the grant that it stands for.
    fn pick_grant(&self, pick: usize, other: Option<u8>, forged: bool) -> (Name, Token, Option<u64>) {
        let known = self.grants.iter().rev().nth(pick % self.grants.len().clamp(1, 8)).copied();
        let nothing = (named(0), Token { fence: Fence::new(0), secret: Secret::new(0) }, 0);
        let (name, mut token, grant) = known.unwrap_or(nothing);
        if forged {
            token.secret = Secret::new(u64::MAX);
        }
        let asked = other.map_or(name, named);
        (asked, token, (known.is_some() && !forged && asked == name).then_some(grant))
    }

    fn compare_events(&mut self, events: &[Event]) -> TestCaseResult {
        let events: Vec<_> = events.iter().map(|event| (event.owner, event.claim, event.change)).collect();
        prop_assert_eq!(events, std::mem::take(&mut self.model.events), "events");
        Ok(())
    }

    fn compare_queues(&self) -> TestCaseResult {
        prop_assert_eq!(self.engine.sizes().0, self.model.queues.len(), "keys");
        prop_assert_eq!(self.engine.fences_left(), self.model.fences, "fences");
        for (name, model) in &self.model.queues {
            let Some(view) = self.engine.queue(key(name)) else {
                return Err(TestCaseError::fail("a key is gone"));
            };
            let holders: Vec<_> =
                view.holders().map(|h| (h.claim, h.owner, h.permits, Some(h.deadline), h.offered)).collect();
            let expected: Vec<_> =
                model.holders.iter().map(|c| (c.id, c.owner, c.permits, c.deadline, c.offered)).collect();
            prop_assert_eq!(holders, expected, "holders of {:?}", name);
            let expected = model.waiters.iter().map(|claim| (claim.id, claim.permits));
            prop_assert!(view.waiters().eq(expected), "waiters of {:?}", name);
            prop_assert_eq!(view.queue_len(), model.waiters.len());
            prop_assert_eq!((view.limit().get(), view.idle_since()), (model.limit, model.idle_since));
        }
        Ok(())
    }

    /// Everyone goes: nothing may stay behind.
    fn leave(mut self) -> TestCaseResult {
        for owner in 0..4 {
            while !self.engine.disconnect(self.now, OwnerId::new(owner), 3) {}
        }
        let bound_to_leases = self.engine.queues(0).map(|(_, view)| view.holders().count()).sum::<usize>();
        prop_assert_eq!(self.engine.sizes().1, bound_to_leases, "a waiter stayed when its owner went");
        let later = self.now.after(Duration::from_nanos(TTL_MAX));
        self.engine.handle_timeout(later);
        let (_, claims, owners) = self.engine.sizes();
        prop_assert_eq!((claims, owners), (0, 0), "claims and owners left behind");
        self.engine.handle_timeout(later.after(LIMITS.idle_max));
        prop_assert_eq!(self.engine.sizes(), (0, 0, 0), "keys left behind");
        prop_assert_eq!(self.engine.poll_timeout(), None);
        Ok(())
    }
}

const fn usual_limit(name: u8) -> u32 {
    if name < 3 { 1 } else { 3 }
}

const fn named(name: u8) -> Name {
    (if name < 3 { Space::Lock } else { Space::Semaphore }, name % 3 + b'a')
}

fn key(name: &Name) -> Key<'_> {
    Key::new(name.0, std::slice::from_ref(&name.1)).expect("one byte")
}
