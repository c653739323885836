//! Coordinators that coordinate nothing, for tests.

use super::{
    Claim, Coordinator, Enqueued, Grant, Page, Patience, Released, Renewal, Renewed, Reply, Seen, Signal,
};
use crate::{Fence, Inspection, Token, entropy};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tenure_core::{Key, Limit, Secret};
use tokio::sync::mpsc;

/// A coordinator that coordinates nothing: everything is free, or nothing ever is. For tests of programs that need a lock
/// and whose tests do not.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tenure::Error> {
/// use tenure::{Tenure, coordinator::NoOp};
///
/// let free = Tenure::with_coordinator(NoOp::unlocked()).lock("backup");
/// let (one, other) = (free.acquire().await?, free.acquire().await?);
/// assert!(other.fence() > one.fence());
///
/// let taken = Tenure::with_coordinator(NoOp::locked()).lock("backup");
/// assert!(taken.try_acquire().await?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct NoOp {
    locked: bool,
    fences: AtomicU64,
}

impl NoOp {
    /// Everything is free, whoever has it already: each claim gets a grant of its own, with a higher fence.
    #[must_use]
    pub fn unlocked() -> Arc<Self> {
        Arc::new(Self { locked: false, fences: AtomicU64::new(1) })
    }

    /// Nothing is ever free. Who waits, waits for ever.
    #[must_use]
    pub fn locked() -> Arc<Self> {
        Arc::new(Self { locked: true, fences: AtomicU64::new(1) })
    }

    fn grant(&self, claim: &Claim) -> Grant {
        let fence = Fence::new(self.fences.fetch_add(1, Ordering::Relaxed));
        let token = Token { fence, secret: Secret::new(entropy::number()) };
        let grant = Grant { token, ttl: claim.wanted().ttl, base: claim.clock().now() };
        claim.grant(grant);
        grant
    }

    fn released(&self) -> Released {
        if self.locked { Released::Gone } else { Released::Released }
    }
}

impl Coordinator for NoOp {
    fn enqueue<'a>(&'a self, claim: &'a Arc<Claim>, patience: Patience) -> Reply<'a, Enqueued> {
        Reply::ready(Ok(match (self.locked, patience) {
            (false, _) => Enqueued::Acquired(self.grant(claim)),
            (true, Patience::None) => Enqueued::Busy,
            (true, Patience::Endless) => Enqueued::Queued { position: 0 },
        }))
    }

    fn wait<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Grant> {
        if self.locked { Reply::coming(std::future::pending()) } else { Reply::ready(Ok(self.grant(claim))) }
    }

    fn resume<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Option<Grant>> {
        Reply::ready(Ok((!self.locked).then(|| self.grant(claim))))
    }

    fn renew<'a>(&'a self, renewals: &'a mut [Renewal]) -> Reply<'a, ()> {
        for renewal in renewals {
            let (base, ttl) = (renewal.claim.clock().now(), renewal.claim.wanted().ttl);
            renewal.outcome = Some(Ok(Renewed::From { base, ttl }));
        }
        Reply::ready(Ok(()))
    }

    fn release<'a>(&'a self, _: &'a Arc<Claim>) -> Reply<'a, Released> {
        Reply::ready(Ok(self.released()))
    }

    fn cancel(&self, _: &Arc<Claim>) {}

    fn release_token<'a>(&'a self, _: Key<'a>, _: Token) -> Reply<'a, Released> {
        Reply::ready(Ok(self.released()))
    }

    fn position<'a>(&'a self, _: &'a Arc<Claim>) -> Reply<'a, Option<u32>> {
        Reply::ready(Ok(self.locked.then_some(0)))
    }

    fn follow<'a>(&'a self, _: &'a Arc<Claim>) -> Reply<'a, ()> {
        Reply::ready(Ok(()))
    }

    fn inspect<'a>(&'a self, _: Key<'a>) -> Reply<'a, Option<Inspection>> {
        Reply::ready(Ok(self.locked.then(|| Inspection {
            limit: Limit::ONE,
            held: 1,
            holders_len: 1,
            queue_len: 0,
            holders: Vec::new(),
            waiters: Vec::new(),
            past: Vec::new(),
        })))
    }

    fn list<'a>(&'a self, _: &'a [u8], _: u32) -> Reply<'a, Page> {
        Reply::ready(Ok(Page::default()))
    }

    fn watch<'a>(&'a self, _: Key<'a>) -> Reply<'a, mpsc::Receiver<Seen>> {
        Reply::ready(Ok(mpsc::channel(1).1))
    }

    fn steal<'a>(&'a self, _: Key<'a>, _: Option<Fence>, _: &'a str) -> Reply<'a, u64> {
        Reply::ready(Ok(0))
    }

    fn signal<'a>(&'a self, _: &'a [u8], _: &'a [u8]) -> Reply<'a, u64> {
        Reply::ready(Ok(0))
    }

    fn listen<'a>(&'a self, _: &'a [u8], _: &'a [u8]) -> Reply<'a, mpsc::Receiver<Signal>> {
        Reply::ready(Ok(mpsc::channel(1).1))
    }

    fn info(&self) -> Reply<'_, String> {
        Reply::ready(Ok("{\"server\":\"none\"}".to_owned()))
    }
}
