//! A claim as its owner keeps it.

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
    wakers: Vec<Waker>,
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
            state: Mutex::new(State { standing: Standing::Waiting, wakers: Vec::new() }),
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

    /// Whether it is over, or its owner has to stop believing.
    pub fn is_lost(&self) -> bool {
        self.ended.load(Ordering::Acquire) || self.clock.now() >= self.deadline()
    }

    /// Whether it is over, as far as has been heard.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.state().standing.clone()
    }

    /// Tells its owner that it has its permits. Nothing happens once it is over.
    pub fn grant(&self, grant: Grant) {
        self.set(Standing::Granted(grant), |old| matches!(old, Standing::Waiting | Standing::Granted(_)));
    }

    /// Tells its owner that its lease runs for `ttl` from no earlier than `base`. Nothing happens unless it is granted.
    pub fn renewed(&self, base: Instant, ttl: Duration) {
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

    /// Tells its owner how many stand before it.
    pub fn moved(&self, position: Option<u32>) {
        if let Some(sender) = &*self.position.lock().unwrap_or_else(PoisonError::into_inner) {
            sender.send_if_modified(|known| std::mem::replace(known, position) != position);
        }
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
        poll_fn(|cx| {
            self.poll(cx, |standing| match standing {
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
        poll_fn(|cx| {
            self.poll(cx, |standing| match standing {
                Standing::Waiting | Standing::Granted(_) => None,
                Standing::Ended(loss) => Some(loss.clone()),
            })
        })
        .await
    }

    fn poll<R>(&self, cx: &Context<'_>, look: impl Fn(&Standing) -> Option<R>) -> Poll<R> {
        let mut state = self.state();
        if let Some(answer) = look(&state.standing) {
            return Poll::Ready(answer);
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.wakers.push(cx.waker().clone());
        }
        Poll::Pending
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
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        if let Some((fence, loss)) = lost
            && self.guarded.load(Ordering::Relaxed)
        {
            telemetry::lost(self, fence, &loss);
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
