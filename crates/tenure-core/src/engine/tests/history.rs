//! Histories: steps that many owners take, played to the engine and to the model side by side.

use super::compare::compare;
use super::invariants::{Deed, Watch, check_departure};
use super::model::{Answer, Ask, Model, Name};
use super::steps::{OWNERS, Step, TTL_MAX, Terms, Wish, key, named, permits_of, usual_limit};
use crate::{
    Cancelled, ClaimId, Engine, Enqueued, Event, Fence, FenceRange, Grant, Instant, Limit, Limits,
    Observation, OwnerId, Patience, Refusal, Released, Renewed, Request, Secret, SharedKey, Token, Waited,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use std::sync::Arc;
use std::time::Duration;

const LIMITS: Limits =
    Limits { queues_max: 4, claims_max: 14, queue_len_max: 4, idle_max: Duration::from_nanos(15) };
const FENCES: u64 = 40;

/// Plays a history to the engine alone and writes down all that can be seen of it.
pub(super) fn trace(history: &[Step]) -> String {
    let mut play = Play::new();
    let mut lines = String::new();
    for step in history {
        let (answer, _) = play.step(step);
        let told = play.told();
        lines += &format!("{step:?} -> {answer:?}, {told:?}, {:?}\n", play.engine.poll_timeout());
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
        let (events, observations) = play.told();
        watch.check(&play.engine, play.now, play.deed, &events, &observations)?;
        prop_assert_eq!(engine, model, "the answer to {:?}", step);
        compare(&mut play.engine, &mut play.model, &events, &observations)?;
        let due = play.engine.poll_timeout().map(|(at, _)| at);
        prop_assert_eq!(due, play.model.next_timeout(), "the next timeout after {:?}", step);
    }
    play.leave()
}

/// A claim that was asked for, and for what.
#[derive(Clone, Copy)]
struct Asked {
    id: ClaimId,
    name: u8,
    permits: u32,
    limit: u32,
}

struct Play {
    engine: Engine,
    model: Model,
    now: Instant,
    claims: Vec<Asked>,
    /// The tokens that the engine gave out.
    grants: Vec<(Name, Token)>,
    requests: u64,
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
            requests: 0,
            deed: Deed::Other,
        }
    }

    /// Takes a step with both; what each of them answers.
    fn step(&mut self, step: &Step) -> (Answer, Answer) {
        self.deed = Deed::Other;
        match *step {
            Step::Enqueue { owner, name, permits, limit, ref terms } => {
                let limit = if limit > 0 && name >= 3 { limit } else { usual_limit(name) };
                let id = ClaimId::new(self.claims.len() as u128);
                let asked = Asked { id, name, permits: permits_of(name, permits), limit };
                self.claims.push(asked);
                self.enqueue(owner, asked, terms)
            }
            Step::Repeat { claim, owner, name, permits, ref terms } => match self.pick_claim(claim) {
                Some(asked) => {
                    let name = name.unwrap_or(asked.name);
                    let permits = permits.unwrap_or(asked.permits);
                    self.enqueue(owner, Asked { name, permits, ..asked }, terms)
                }
                None => (Answer::Done, Answer::Done),
            },
            Step::Wait { claim, patience } => self.wait(self.pick_id(claim), patience),
            Step::TakeOffered { claim, owner } => self.take_offered(self.pick_id(claim), owned(owner)),
            Step::Resume { claim, owner, name } => {
                let picked = self.pick_claim(claim);
                let name = name.or(picked.map(|asked| asked.name)).unwrap_or_default();
                self.resume(self.pick_id(claim), owned(owner), named(name))
            }
            Step::Renew { grant, name, forged, ttl } => self.renew(self.pick_grant(grant, name, forged), ttl),
            Step::RenewClaim { claim, owner, ttl } => {
                self.renew_claim(self.pick_id(claim), owned(owner), ttl)
            }
            Step::Release { grant, name, forged, by } => {
                self.release(self.pick_grant(grant, name, forged), owned(by))
            }
            Step::ReleaseOwn { claim, owner } => self.release_own(self.pick_id(claim), owned(owner)),
            Step::CancelOwn { claim, owner } => self.cancel_own(self.pick_id(claim), owned(owner)),
            Step::Cancel { claim } => self.cancel(self.pick_id(claim)),
            Step::Steal { name, grant } => self.steal(named(name), grant),
            Step::Disconnect { owner, most } => self.disconnect(owned(owner), most),
            Step::Watch { name, stop } => self.watch(named(name), stop),
            Step::Extend { more } => self.extend(more),
            Step::Advance { nanos, late } => self.advance(nanos, late),
        }
    }

    fn enqueue(&mut self, owner: u8, asked: Asked, terms: &Terms) -> (Answer, Answer) {
        let (id, name, owner) = (asked.id, named(asked.name), owned(owner));
        let (ttl, patience) = (Duration::from_nanos(terms.ttl), self.patience(terms.patience));
        self.requests += 1;
        let request = Request {
            claim: id,
            owner,
            key: key(&name),
            permits: asked.permits,
            limit: Limit::new(asked.limit).expect("at least one"),
            ttl,
            secret: Secret::new(self.requests),
            bond: terms.bond,
            patience,
            note: terms.note.as_ref(),
        };
        let engine = self.engine.enqueue(self.now, &request);
        let ask = Ask {
            id,
            owner,
            name,
            permits: asked.permits,
            limit: asked.limit,
            ttl,
            bond: terms.bond,
            patience,
            note: terms.note.clone(),
        };
        if let Some(known) = self.claims.iter_mut().find(|known| known.id == id)
            && !matches!(engine, Enqueued::Refused(_))
        {
            // A claim that has ended may be asked for again for something else.
            *known = asked;
        }
        self.deed = match engine {
            Enqueued::Acquired(_) | Enqueued::Queued => Deed::Asked(id, owner),
            Enqueued::Busy => Deed::Gone(id),
            Enqueued::Refused(_) => Deed::Other,
        };
        let engine = match engine {
            Enqueued::Acquired(grant) => self.note(name, grant),
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
        (engine, self.model.enqueue(self.now, &ask))
    }

    fn wait(&mut self, id: ClaimId, wish: Wish) -> (Answer, Answer) {
        let patience = self.patience(wish);
        self.deed = Deed::Taken(id);
        let engine = match self.engine.wait(self.now, id, patience) {
            Waited::Acquired(grant) => self.note_of(id, grant),
            Waited::Pending => Answer::Queued,
            Waited::TimedOut => Answer::TimedOut,
            Waited::Unknown => Answer::Unknown,
        };
        (engine, self.model.wait(self.now, id, patience))
    }

    fn take_offered(&mut self, id: ClaimId, owner: OwnerId) -> (Answer, Answer) {
        self.deed = Deed::Taken(id);
        let taken = self.engine.take_offered(self.now, owner, id);
        let engine = taken.map_or(Answer::Unknown, |grant| self.note_of(id, grant));
        (engine, self.model.take_offered(self.now, owner, id))
    }

    fn resume(&mut self, id: ClaimId, owner: OwnerId, name: Name) -> (Answer, Answer) {
        let resumed = self.engine.resume(self.now, owner, key(&name), id);
        if resumed.is_some() {
            self.deed = Deed::Asked(id, owner);
        }
        let engine = resumed.map_or(Answer::Unknown, |grant| self.note_of(id, grant));
        (engine, self.model.resume(self.now, owner, name, id))
    }

    fn renew(&mut self, (name, token, known): Picked, ttl: u64) -> (Answer, Answer) {
        let ttl = Duration::from_nanos(ttl);
        self.deed = Deed::Shown(known.map(Fence::new));
        let engine = renewed(self.engine.renew(self.now, key(&name), token, ttl));
        (engine, self.model.renew(self.now, name, known, ttl))
    }

    fn renew_claim(&mut self, id: ClaimId, owner: OwnerId, ttl: u64) -> (Answer, Answer) {
        let ttl = Duration::from_nanos(ttl);
        self.deed = Deed::RenewedBy(id, owner);
        let engine = renewed(self.engine.renew_claim(self.now, owner, id, ttl));
        (engine, self.model.renew_claim(self.now, owner, id, ttl))
    }

    fn release(&mut self, (name, token, known): Picked, by: OwnerId) -> (Answer, Answer) {
        self.deed = Deed::Shown(known.map(Fence::new));
        let engine = done(self.engine.release(self.now, key(&name), token, by));
        (engine, self.model.release(self.now, name, known, by))
    }

    fn release_own(&mut self, id: ClaimId, owner: OwnerId) -> (Answer, Answer) {
        self.deed = Deed::EndedBy(id, owner);
        let engine = done(self.engine.release_own(self.now, owner, id));
        (engine, self.model.release_own(self.now, owner, id))
    }

    fn cancel_own(&mut self, id: ClaimId, owner: OwnerId) -> (Answer, Answer) {
        self.deed = Deed::EndedBy(id, owner);
        let engine = cancelled(self.engine.cancel_own(self.now, owner, id));
        (engine, self.model.cancel_own(self.now, owner, id))
    }

    fn cancel(&mut self, id: ClaimId) -> (Answer, Answer) {
        self.deed = Deed::Gone(id);
        let engine = cancelled(self.engine.cancel(self.now, id));
        (engine, self.model.cancel(self.now, id))
    }

    fn steal(&mut self, name: Name, grant: Option<usize>) -> (Answer, Answer) {
        let picked =
            grant.and_then(|pick| self.grants.iter().rev().nth(pick % self.grants.len().clamp(1, 8)));
        let fence = picked.map(|(_, token)| token.fence);
        let name = picked.map_or(name, |(name, _)| *name);
        let reason = Arc::from("it was needed");
        let engine = Answer::Stolen(self.engine.steal(self.now, key(&name), fence, &reason));
        (engine, self.model.steal(self.now, name, fence.map(Fence::get), &reason))
    }

    fn disconnect(&mut self, owner: OwnerId, most: usize) -> (Answer, Answer) {
        self.deed = Deed::Went(owner);
        while !self.engine.disconnect(self.now, owner, most) {}
        self.model.disconnect(self.now, owner);
        (Answer::Done, Answer::Done)
    }

    fn watch(&mut self, name: Name, stop: bool) -> (Answer, Answer) {
        if stop {
            self.engine.unwatch(key(&name));
            self.model.watched.remove(&name);
        } else {
            self.engine.watch(key(&name));
            self.model.watched.insert(name);
        }
        self.deed = Deed::Watched(name, stop);
        (Answer::Done, Answer::Done)
    }

    fn extend(&mut self, more: u64) -> (Answer, Answer) {
        let order: Vec<Name> =
            self.engine.queues(0).map(|(_, view)| (view.key().space(), view.key().name()[0])).collect();
        self.engine.extend_fences(self.now, Fence::new(self.engine.fences.end().get() + more));
        self.model.extend_fences(self.now, more, &order);
        (Answer::Done, Answer::Done)
    }

    fn advance(&mut self, nanos: u64, late: bool) -> (Answer, Answer) {
        self.now = self.now.after(Duration::from_nanos(nanos));
        if late {
            self.deed = Deed::Unseen;
        } else {
            self.engine.handle_timeout(self.now);
            self.model.advance(self.now);
        }
        (Answer::Done, Answer::Done)
    }

    /// What the engine has to tell after a step.
    fn told(&mut self) -> (Vec<Event>, Vec<(SharedKey, Observation)>) {
        let engine = &mut self.engine;
        let events = std::iter::from_fn(|| engine.poll_event()).collect();
        (events, std::iter::from_fn(|| engine.poll_observation()).collect())
    }

    /// Remembers a token.
    fn note(&mut self, name: Name, grant: Grant) -> Answer {
        self.grants.push((name, grant.token));
        Answer::Acquired { fence: grant.token.fence.get(), deadline: grant.deadline }
    }

    fn note_of(&mut self, id: ClaimId, grant: Grant) -> Answer {
        let asked = self.claims.iter().find(|asked| asked.id == id);
        let name = named(asked.expect("a claim that was asked for").name);
        self.note(name, grant)
    }

    fn patience(&self, wish: Wish) -> Patience {
        match wish {
            Wish::None => Patience::None,
            Wish::Nanos(nanos) => Patience::Until(self.now.after(Duration::from_nanos(nanos))),
            Wish::Endless => Patience::Endless,
        }
    }

    /// One of the latest claims, so that steps often meet.
    fn pick_claim(&self, pick: usize) -> Option<Asked> {
        self.claims.iter().rev().nth(pick % self.claims.len().clamp(1, 12)).copied()
    }

    fn pick_id(&self, pick: usize) -> ClaimId {
        self.pick_claim(pick).map_or(ClaimId::new(u128::MAX), |asked| asked.id)
    }

    /// A token, perhaps with another key or a forged secret, and the fence that it stands for if it is a good one.
    fn pick_grant(&self, pick: usize, other: Option<u8>, forged: bool) -> Picked {
        let known = self.grants.iter().rev().nth(pick % self.grants.len().clamp(1, 8)).copied();
        let nothing = (named(0), Token { fence: Fence::new(0), secret: Secret::new(0) });
        let (name, mut token) = known.unwrap_or(nothing);
        if forged {
            token.secret = Secret::new(u64::MAX);
        }
        let asked = other.map_or(name, named);
        (asked, token, (!forged && asked == name).then_some(token.fence.get()))
    }

    /// Everyone goes: nothing may stay behind longer than a lease.
    fn leave(mut self) -> TestCaseResult {
        for owner in (0..OWNERS).map(owned) {
            while !self.engine.disconnect(self.now, owner, 3) {}
            check_departure(&self.engine, owner)?;
        }
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

/// A key, a token, and the fence of its grant if the two belong together.
type Picked = (Name, Token, Option<u64>);

fn owned(owner: u8) -> OwnerId {
    OwnerId::new(u64::from(owner))
}

fn renewed(renewed: Renewed) -> Answer {
    match renewed {
        Renewed::Until(at) => Answer::Renewed(at),
        Renewed::NotHeld => Answer::NotHeld,
    }
}

fn cancelled(cancelled: Cancelled) -> Answer {
    match cancelled {
        Cancelled::Left | Cancelled::Released => Answer::Done,
        Cancelled::Unknown => Answer::Unknown,
    }
}

fn done(released: Released) -> Answer {
    match released {
        Released::Released => Answer::Done,
        Released::NotHeld => Answer::NotHeld,
    }
}
