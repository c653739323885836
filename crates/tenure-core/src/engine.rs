//! Many queues, the leases that end their grants, and the owners that they end with.

mod claims;
mod grants;
mod inspection;
mod look;
mod outcome;
mod owners;
mod ownership;
mod past;
mod queues;
mod steal;
#[cfg(test)]
mod tests;
mod view;
mod watch;

pub use inspection::{
    Ending, Happened, HolderInfo, Inspection, Observation, PAST_MAX, PastInfo, SHOWN_MAX, Summary, WaiterInfo,
};
pub use outcome::{
    Bond, Cancelled, Change, Enqueued, Event, Grant, Patience, Refusal, Released, Renewed, Request, Waited,
};
pub use view::{Holder, QueueView};
pub use watch::SharedKey;

use crate::deadlines::Deadlines;
use crate::planted::{Bug, planted};
use crate::{ClaimId, Fence, FenceRange, Instant, Key, OwnerId, Token};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use claims::{Claim, Claims, NONE, Stage};
use core::time::Duration;
use owners::Owners;
use queues::Queues;
use watch::Watched;

/// The most idle keys forgotten in one step, so that no step is long.
const FORGOTTEN_MAX: usize = 64;

/// What an engine may grow to, and when it forgets.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most keys, used and idle together.
    pub queues_max: usize,
    /// The most claims, waiting and granted, of all keys together.
    pub claims_max: usize,
    /// The most waiters of one key.
    pub queue_len_max: usize,
    /// How long a key without holders and waiters is remembered.
    pub idle_max: Duration,
}

/// Many queues, the leases that end their grants, and the owners that they end with.
///
/// It is a state machine: nothing happens but in a call. Each call brings it up to `now` first, in the order in which
/// things fell due, so a lease is over from its deadline on, whenever anybody looks. What concerns owners other than the
/// one who calls waits in [`Engine::poll_event`]; [`Engine::poll_timeout`] says when to call next if nobody else does.
///
/// Time is that of one clock which does not go back; an instant before one already seen counts as that one.
///
/// ```
/// use core::time::Duration;
/// use tenure_core::*;
///
/// let limits = Limits { queues_max: 1_000, claims_max: 5_000, queue_len_max: 100, idle_max: Duration::from_secs(60) };
/// let mut engine = Engine::new(limits, FenceRange::new(Fence::new(1), Fence::new(1_000)), 7);
/// let request = |number: u64, patience| Request {
///     claim: ClaimId::new(u128::from(number)),
///     owner: OwnerId::new(number),
///     key: Key::new(Space::Lock, b"backup").expect("a short name"),
///     permits: 1,
///     limit: Limit::ONE,
///     ttl: Duration::from_secs(30),
///     secret: Secret::new(number),
///     bond: Bond::Connection,
///     patience,
///     note: None,
/// };
///
/// let now = Instant::ORIGIN;
/// let Enqueued::Acquired(grant) = engine.enqueue(now, &request(1, Patience::None)) else { panic!("it is free") };
/// assert!(matches!(engine.enqueue(now, &request(2, Patience::None)), Enqueued::Busy));
/// assert!(matches!(engine.enqueue(now, &request(3, Patience::Endless)), Enqueued::Queued));
///
/// // The first never renews: at its deadline, and not before, the one in line is next.
/// engine.handle_timeout(grant.deadline);
/// let lapsed = engine.poll_event().expect("the first hears of its end");
/// assert_eq!((lapsed.owner, lapsed.change), (OwnerId::new(1), Change::Lapsed));
/// let ready = engine.poll_event().expect("the next hears of its turn");
/// assert_eq!((ready.owner, ready.change), (OwnerId::new(3), Change::Ready));
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    limits: Limits,
    fences: FenceRange,
    now: Instant,
    serial: u64,
    queues: Queues,
    claims: Claims,
    owners: Owners,
    deadlines: Deadlines,
    events: VecDeque<Event>,
    watched: Watched,
}

impl Engine {
    /// An engine without keys. `seed` spreads keys over hash tables: draw it where strangers cannot see it.
    #[must_use]
    pub fn new(limits: Limits, fences: FenceRange, seed: u64) -> Self {
        Self {
            limits,
            fences,
            now: Instant::ORIGIN,
            serial: 0,
            queues: Queues::new(seed),
            claims: Claims::new(seed),
            owners: Owners::new(seed),
            deadlines: Deadlines::default(),
            events: VecDeque::new(),
            watched: Watched::default(),
        }
    }

    /// Asks for permits: they are granted at once, or the claim joins the line, or nothing happens, as its patience says.
    ///
    /// A claim that is known already is not made again. From now on it belongs to whoever asks, with the lease, the bond, the
    /// note and the patience of this request; it keeps its place and its secret. The answer tells how it stands: its grant,
    /// if it has one, is taken and its lease starts anew. A request for another key or for other permits is a
    /// [`Refusal::Conflict`], one with another limit a [`Refusal::LimitMismatch`], and both change nothing.
    pub fn enqueue(&mut self, now: Instant, request: &Request<'_>) -> Enqueued {
        self.handle_timeout(now);
        let hash = self.claims.hash(request.claim);
        match self.claims.find_hashed(hash, request.claim) {
            Some(slot) if !planted(Bug::ClaimForgotten) => self.repeat(slot, request),
            _ => self.admit(request, hash).unwrap_or_else(Enqueued::Refused),
        }
    }

    /// Goes on waiting with other patience, or takes the grant if the turn has come. Taking it, even again, starts its
    /// lease anew. Nobody waits with a claim whose owner has gone: more patience does not keep it in line.
    pub fn wait(&mut self, now: Instant, claim: ClaimId, patience: Patience) -> Waited {
        self.handle_timeout(now);
        let Some((slot, fence)) = self.find(claim) else { return Waited::Unknown };
        match (fence, self.patience_left(patience)) {
            (Some(fence), _) => Waited::Acquired(self.hold(slot, fence)),
            (None, Patience::None) => {
                self.end(slot, Ending::Released);
                Waited::TimedOut
            }
            (None, patience) => {
                self.await_until(slot, patience);
                Waited::Pending
            }
        }
    }

    /// Moves the end of a grant's lease to `ttl` from now. A lease that has ended stays ended. What [`Engine::wait`] gives
    /// later is the lease that was asked for at first.
    pub fn renew(&mut self, now: Instant, key: Key<'_>, token: Token, ttl: Duration) -> Renewed {
        if planted(Bug::LeaseRevived)
            && let Some(slot) = self.find_grant(key, token)
        {
            self.now = self.now.max(now);
            self.start_lease(slot, ttl);
        }
        self.handle_timeout(now);
        let Some(slot) = self.find_grant(key, token) else { return Renewed::NotHeld };
        Renewed::Until(self.start_lease(slot, ttl))
    }

    /// The same for the claim of an owner, found by its id. A claim that somebody else has taken over is not one's own, nor is
    /// one whose owner has gone: it has to be resumed first.
    pub fn renew_claim(&mut self, now: Instant, owner: OwnerId, claim: ClaimId, ttl: Duration) -> Renewed {
        self.handle_timeout(now);
        match self.find(claim) {
            Some((slot, Some(_))) if self.claims.at(slot).is_of(owner) || planted(Bug::StaleRenewal) => {
                Renewed::Until(self.start_lease(slot, ttl))
            }
            Some(_) | None => Renewed::NotHeld,
        }
    }

    /// Ends a grant on behalf of `by`, or of nobody in particular; the permits go to the next in line. Its owner hears of it
    /// if that is somebody else.
    pub fn release(&mut self, now: Instant, key: Key<'_>, token: Token, by: OwnerId) -> Released {
        self.handle_timeout(now);
        let Some(slot) = self.find_grant(key, token) else { return Released::NotHeld };
        if self.claims.at(slot).owner != by {
            self.tell(slot, Change::Released);
        }
        self.end(slot, Ending::Released);
        Released::Released
    }

    /// Ends the grant of a claim on behalf of an owner. What somebody else has taken over is not one's own and stays, whoever
    /// had it before; what has no owner is ended by anyone who knows its id.
    pub fn release_own(&mut self, now: Instant, owner: OwnerId, claim: ClaimId) -> Released {
        self.handle_timeout(now);
        let found = self.find(claim).filter(|(slot, _)| self.is_ended_by(*slot, owner));
        let Some((slot, Some(_))) = found else { return Released::NotHeld };
        self.end(slot, Ending::Released);
        Released::Released
    }

    /// Takes a claim back on behalf of an owner, whether it waits or has been granted; the same holds for what is not one's own.
    pub fn cancel_own(&mut self, now: Instant, owner: OwnerId, claim: ClaimId) -> Cancelled {
        self.handle_timeout(now);
        let found = self.find(claim).filter(|(slot, _)| self.is_ended_by(*slot, owner));
        self.take_back(found)
    }

    /// Ends the grant of a claim, found by its id, whoever owns it. The owner does not hear of it: this is for those who know
    /// it to be their own.
    pub fn release_claim(&mut self, now: Instant, claim: ClaimId) -> Released {
        self.handle_timeout(now);
        let Some((slot, Some(_))) = self.find(claim) else { return Released::NotHeld };
        self.end(slot, Ending::Released);
        Released::Released
    }

    /// Takes a claim back, whether it waits or has been granted, whoever owns it. The owner does not hear of it.
    pub fn cancel(&mut self, now: Instant, claim: ClaimId) -> Cancelled {
        self.handle_timeout(now);
        self.take_back(self.find(claim))
    }

    /// Brings everything up to `now`: ends leases and waits whose time is over and forgets keys that nobody uses.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = self.now.max(now);
        while let Some((at, slot)) = self.deadlines.first() {
            if at > self.now && !self.is_near_enough(slot, at) {
                break;
            }
            self.lapse(slot);
        }
        for _ in 0..FORGOTTEN_MAX {
            if self.next_forgetting().is_none_or(|at| at > self.now) {
                break;
            }
            self.queues.forget_oldest();
            if planted(Bug::FenceReset) {
                self.fences = FenceRange::new(Fence::new(1), Fence::new(1 + self.fences.left()));
            }
        }
    }

    /// When [`Engine::handle_timeout`] has something to do next, and what.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let deadline = self.deadlines.first().map(|(at, _)| (at, "a lease or a wait ends"));
        let forgetting = self.next_forgetting().map(|at| (at, "an unused key is forgotten"));
        match (deadline, forgetting) {
            (Some(first), Some(second)) => Some(if second.0 < first.0 { second } else { first }),
            (first, second) => first.or(second),
        }
    }

    /// What an owner other than the caller has to hear of, the oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// How many fences are left to grant with.
    #[must_use]
    pub const fn fences_left(&self) -> u64 {
        self.fences.left()
    }

    /// Allows fences up to, but without, `end`, and grants what had to wait for want of one.
    pub fn extend_fences(&mut self, now: Instant, end: Fence) {
        self.handle_timeout(now);
        let starved = self.fences.left() == 0;
        self.fences.extend(end);
        if starved {
            let slots: Vec<u32> = self.queues.iter_from(0).map(|(slot, _)| slot).collect();
            slots.into_iter().for_each(|slot| self.grant_waiters(slot));
        }
    }

    /// Whether a claim is known, waiting or granted.
    #[must_use]
    pub fn knows(&self, claim: ClaimId) -> bool {
        self.claims.find(claim).is_some()
    }

    /// How many keys, claims and owners with claims there are.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize, usize) {
        (self.queues.len(), self.claims.len(), self.owners.len())
    }

    fn admit(&mut self, request: &Request<'_>, hash: u32) -> Result<Enqueued, Refusal> {
        if request.permits == 0 || request.permits > request.limit.get() {
            return Err(Refusal::BadPermits);
        }
        let known = self.queues.find(request.key);
        if let Some(slot) = known {
            let queue = &self.queues.at(slot).queue;
            if queue.limit() != request.limit {
                return Err(Refusal::LimitMismatch(queue.limit()));
            }
            if !queue.admits(request.permits) {
                return self.join(slot, request, hash);
            }
        } else if self.queues.len() >= self.limits.queues_max {
            return Err(Refusal::QueuesFull);
        }
        if self.claims.len() >= self.limits.claims_max {
            return Err(Refusal::ClaimsFull);
        }
        if self.fences.left() == 0 {
            return Err(Refusal::NoFence);
        }
        let queue = known.unwrap_or_else(|| {
            self.queues.insert(request.key, request.limit, self.watched.contains(request.key))
        });
        self.take(queue, request, hash)
    }

    /// Grants a request whose permits are free.
    fn take(&mut self, queue: u32, request: &Request<'_>, hash: u32) -> Result<Enqueued, Refusal> {
        let slot = self.add(queue, request, hash);
        let fence = self.queues.at_mut(queue).acquire(slot, request.permits, &mut self.fences);
        self.queues.note_use(queue, self.now);
        let fence = fence.ok_or(Refusal::NoFence)?;
        self.observe(queue, || Happened::Granted { fence, note: request.note.cloned() });
        Ok(Enqueued::Acquired(self.hold(slot, fence)))
    }

    /// Puts a request whose permits are not free in line.
    fn join(&mut self, queue: u32, request: &Request<'_>, hash: u32) -> Result<Enqueued, Refusal> {
        let patience = self.patience_left(request.patience);
        if patience == Patience::None {
            return Ok(Enqueued::Busy);
        }
        if self.queues.at(queue).queue.queue_len() >= self.limits.queue_len_max {
            return Err(Refusal::WaitersFull);
        }
        if self.claims.len() >= self.limits.claims_max {
            return Err(Refusal::ClaimsFull);
        }
        let slot = self.add(queue, request, hash);
        self.queues.at_mut(queue).enqueue(self.serial, slot, request.permits);
        self.await_until(slot, patience);
        self.observe(queue, || Happened::Queue);
        Ok(Enqueued::Queued)
    }

    fn add(&mut self, queue: u32, request: &Request<'_>, hash: u32) -> u32 {
        self.serial += 1;
        let slot = self.claims.insert(Claim {
            id: request.claim,
            hash,
            serial: self.serial,
            queue,
            owner: request.owner,
            permits: request.permits,
            stage: Stage::Waiting,
            bond: request.bond,
            ttl: request.ttl,
            secret: request.secret,
            since: self.now,
            note: request.note.cloned(),
            orphan: false,
            previous: NONE,
            next: NONE,
        });
        self.owners.link(&mut self.claims, slot);
        slot
    }

    fn take_back(&mut self, claim: Option<(u32, Option<Fence>)>) -> Cancelled {
        let Some((slot, fence)) = claim else { return Cancelled::Unknown };
        if fence.is_some() || !planted(Bug::GrantToCancelled) {
            self.end(slot, Ending::Released);
        }
        if fence.is_some() { Cancelled::Released } else { Cancelled::Left }
    }

    fn find(&self, claim: ClaimId) -> Option<(u32, Option<Fence>)> {
        let slot = self.claims.find(claim)?;
        Some((slot, self.claims.at(slot).stage.fence()))
    }

    fn find_grant(&self, key: Key<'_>, token: Token) -> Option<u32> {
        let queue = &self.queues.at(self.queues.find(key)?).queue;
        if planted(Bug::RenewAnother) {
            return queue.holders().next().map(|(_, share)| share.claim);
        }
        let slot = queue.holder(token.fence)?;
        self.claims.at(slot).secret.matches(token.secret).then_some(slot)
    }

    fn patience_left(&self, patience: Patience) -> Patience {
        match patience {
            Patience::Until(at) if at <= self.now => Patience::None,
            Patience::None | Patience::Until(_) | Patience::Endless => patience,
        }
    }

    fn next_forgetting(&self) -> Option<Instant> {
        self.queues.idle_longest().map(|since| since.after(self.limits.idle_max))
    }
}
