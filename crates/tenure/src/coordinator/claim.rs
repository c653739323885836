//! A claim as its owner keeps it.

mod waiters;

use crate::lost::Loss;
use crate::telemetry::{self, Short};
use crate::{Clock, Instant};
use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tenure_core::{Bond, ClaimId, Key, Limit, Note, Token};
use tokio::sync::watch;
use waiters::Waiters;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The name space and the name of the key.
    pub space: tenure_core::Space,
    /// The name of the key, checked: see [`Claim::key`].
    pub name: Arc<[u8]>,
    /// How many permits.
    pub permits: u32,
    /// How many the key has in all.
    pub limit: Limit,
    /// How long a grant lives unless it is renewed.
    pub ttl: Duration,
    /// What it ends with.
    pub bond: Bond,
    /// What others see of it; the client's own note when there is none.
    pub note: Option<Arc<Note>>,
}

/// A claim as its owner and the coordinator share it: what was asked for, how it stands, and who waits to hear.
pub struct Claim {
    id: ClaimId,
    wanted: Arc<Wanted>,
    clock: Clock,
    /// When the owner stops believing, in nanoseconds of its clock; zero before there is a grant.
    deadline: AtomicU64,
    ended: AtomicBool,
    /// There is a guard of it, whose owner has to hear of the end.
    guarded: AtomicBool,
    state: Mutex<State>,
    position: Mutex<Option<watch::Sender<Option<u32>>>>,
}

#[derive(Debug)]
struct State {
    standing: Standing,
    waiters: Waiters,
}

/// How a claim stands, as far as its owner knows.
#[derive(Clone, Debug)]
pub enum Standing {
    /// Nothing was granted yet.
    Waiting,
    /// It is granted.
    Granted(Grant),
    /// It is over.
    Ended(Loss),
}

/// Permits that were granted.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// What proves it.
    pub token: Token,
    /// How long it lives unless it is renewed, from no earlier than `base`.
    pub ttl: Duration,
    /// An instant of the owner's clock that was before the lease started: when the request was sent.
    pub base: Instant,
}

/// The largest part of a lease, and the longest time, that its holder does without: for what two clocks differ by while it
/// lasts. A tenth of the lease is far more than clocks drift.
const MARGIN_MAX: Duration = Duration::from_secs(1);

impl Grant {
    /// When its owner stops believing in it: before the lease can end, however long the messages took.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.base.after(believed(self.ttl))
    }
}

/// For how long the owner of a lease believes in it.
pub(crate) fn believed(ttl: Duration) -> Duration {
    ttl.saturating_sub((ttl / 10).min(MARGIN_MAX))
}

impl Claim {
    /// A claim that nobody has heard of yet.
    #[must_use]
    pub fn new(id: ClaimId, wanted: impl Into<Arc<Wanted>>, clock: Clock) -> Self {
        Self {
            id,
            wanted: wanted.into(),
            clock,
            deadline: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            guarded: AtomicBool::new(false),
            state: Mutex::new(State { standing: Standing::Waiting, waiters: Waiters::new() }),
            position: Mutex::new(None),
        }
    }

    /// Its id.
    pub const fn id(&self) -> ClaimId {
        self.id
    }

    /// What is asked for.
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// The key.
    pub fn key(&self) -> Key<'_> {
        Key::new(self.wanted.space, &self.wanted.name)
            .unwrap_or_else(|_| unreachable!("a claim is made with the name of a key"))
    }

    /// The clock of its owner.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// When its owner stops believing; the origin of the clock before there is a grant.
    pub fn deadline(&self) -> Instant {
        Instant::from_nanos(self.deadline.load(Ordering::Acquire))
    }

    /// Whether it is over, or its owner has to stop believing. What somebody holds, and has once been seen to be lost,
    /// stays so.
    pub fn is_lost(&self) -> bool {
        self.remaining().is_zero()
    }

    /// How long its owner believes unless the lease starts anew; nothing once it is lost.
    pub(crate) fn remaining(&self) -> Duration {
        if self.has_ended() {
            return Duration::ZERO;
        }
        let left = self.deadline().since(self.clock.now());
        if left.is_zero() && self.is_guarded() {
            // Whoever has seen this may have acted on it.
            self.end(Loss::Expired);
        }
        left
    }

    /// Whether it is over, as far as has been heard.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.state().standing.clone()
    }

    /// Tells its owner that it has its permits. Nothing happens once it is over; what somebody holds, and has had to stop
    /// believing in, is over by now.
    pub fn grant(&self, grant: Grant) {
        if self.is_guarded() && self.is_lost() {
            return;
        }
        self.set(Standing::Granted(grant), |old| matches!(old, Standing::Waiting | Standing::Granted(_)));
    }

    /// Tells its owner that its lease runs for `ttl` from no earlier than `base`. Nothing happens unless it is granted;
    /// what somebody holds, and has had to stop believing in, is over by now.
    pub fn renewed(&self, base: Instant, ttl: Duration) {
        if self.is_guarded() && self.is_lost() {
            return;
        }
        let mut state = self.state();
        if let Standing::Granted(grant) = &mut state.standing
            && base >= grant.base
        {
            (grant.base, grant.ttl) = (base, ttl);
            self.deadline.store(grant.deadline().as_nanos(), Ordering::Release);
        }
    }

    /// Tells its owner that it is over. The first to say so is believed.
    pub fn end(&self, loss: Loss) {
        self.set(Standing::Ended(loss), |old| !matches!(old, Standing::Ended(_)));
    }

    /// Says whether there is a guard of it.
    pub(crate) fn guard(&self, guarded: bool) {
        self.guarded.store(guarded, Ordering::Relaxed);
    }

    fn is_guarded(&self) -> bool {
        self.guarded.load(Ordering::Relaxed)
    }

    /// Tells its owner how many stand before it.
    pub fn moved(&self, position: Option<u32>) {
        if let Some(sender) = &*self.position.lock().unwrap_or_else(PoisonError::into_inner) {
            sender.send_if_modified(|known| std::mem::replace(known, position) != position);
        }
    }

    /// Whether anybody hears of its position.
    pub(crate) fn has_followers(&self) -> bool {
        let sender = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().is_some_and(|sender| sender.receiver_count() > 0)
    }

    /// How many stand before it, from now on.
    pub fn positions(&self, now: Option<u32>) -> watch::Receiver<Option<u32>> {
        let mut sender = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        sender.get_or_insert_with(|| watch::Sender::new(now)).subscribe()
    }

    /// Waits for a grant, or the end.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn granted(&self) -> Result<Grant, Loss> {
        let mut waiting = Waiting::new(self);
        poll_fn(|cx| {
            waiting.poll(cx, |standing| match standing {
                Standing::Waiting => None,
                Standing::Granted(grant) => Some(Ok(*grant)),
                Standing::Ended(loss) => Some(Err(loss.clone())),
            })
        })
        .await
    }

    /// Waits for the end.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn ended(&self) -> Loss {
        let mut waiting = Waiting::new(self);
        poll_fn(|cx| {
            waiting.poll(cx, |standing| match standing {
                Standing::Waiting | Standing::Granted(_) => None,
                Standing::Ended(loss) => Some(loss.clone()),
            })
        })
        .await
    }

    fn set(&self, standing: Standing, may_follow: impl Fn(&Standing) -> bool) {
        let mut state = self.state();
        if !may_follow(&state.standing) {
            return;
        }
        match &standing {
            Standing::Granted(grant) => self.deadline.store(grant.deadline().as_nanos(), Ordering::Release),
            Standing::Ended(_) => self.ended.store(true, Ordering::Release),
            Standing::Waiting => {}
        }
        let old = std::mem::replace(&mut state.standing, standing);
        let lost = match (old, &state.standing) {
            (Standing::Granted(grant), Standing::Ended(loss)) => Some((grant.token.fence, loss.clone())),
            (_, _) => None,
        };
        let wakers = state.waiters.take();
        drop(state);
        if let Some((fence, loss)) = lost
            && self.is_guarded()
        {
            telemetry::lost(self, fence, &loss);
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits for a claim to stand in some way, and is forgotten when it waits no more.
struct Waiting<'a> {
    claim: &'a Claim,
    /// Where its waker is, once it has had to wait.
    at: Option<u32>,
}

impl<'a> Waiting<'a> {
    const fn new(claim: &'a Claim) -> Self {
        Self { claim, at: None }
    }

    fn poll<R>(&mut self, cx: &Context<'_>, look: impl Fn(&Standing) -> Option<R>) -> Poll<R> {
        let mut state = self.claim.state();
        if let Some(answer) = look(&state.standing) {
            return Poll::Ready(answer);
        }
        let old = state.waiters.note(&mut self.at, cx);
        drop(state);
        // With a waker a whole task may go, and look at this claim once more.
        drop(old);
        Poll::Pending
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(at) = self.at {
            let old = self.claim.state().waiters.leave(at);
            drop(old);
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever knows the id of a claim has it.
        f.debug_struct("Claim")
            .field("id", &format_args!("{}", Short(self.id)))
            .field("wanted", &self.wanted)
            .field("standing", &self.standing())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure_core::{Fence, Secret, Space};

    const TTL: Duration = Duration::from_secs(5);

    #[test]
    fn what_somebody_holds_does_not_come_back_after_its_deadline_by_whatever_way() {
        for (held, granted) in [(true, true), (true, false), (false, true), (false, false)] {
            let wanted = Wanted {
                space: Space::Lock,
                name: Arc::from(&b"k"[..]),
                permits: 1,
                limit: Limit::ONE,
                ttl: TTL,
                bond: Bond::Resumable,
                note: None,
            };
            let clock = Clock::manual();
            let claim = Claim::new(ClaimId::new(7), wanted, clock.clone());
            let token = Token { fence: Fence::new(1), secret: Secret::new(2) };
            claim.grant(Grant { token, ttl: TTL, base: clock.now() });
            claim.guard(held);
            clock.advance(believed(TTL));
            if granted {
                claim.grant(Grant { token, ttl: TTL, base: clock.now() });
            } else {
                claim.renewed(clock.now(), TTL);
            }
            // A turn that nobody has taken yet may have its lease started anew.
            assert_eq!((claim.is_lost(), claim.has_ended()), (held, held));
        }
    }
}
