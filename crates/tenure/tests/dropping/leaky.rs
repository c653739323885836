//! A coordinator that does not do one thing.

use std::sync::Arc;
use tenure::coordinator::{
    Claim, Coordinator, Enqueued, Grant, Page, Patience, Released, Renewal, Reply, Seen, Signal,
};
use tenure::{Fence, Inspection, Token};
use tenure_core::Key;
use tokio::sync::mpsc;

/// A coordinator that does everything but to take claims back.
#[derive(Debug)]
pub(crate) struct Leaky(Arc<dyn Coordinator>);

impl Leaky {
    pub(crate) fn wrap(coordinator: Arc<dyn Coordinator>) -> Arc<dyn Coordinator> {
        Arc::new(Self(coordinator))
    }
}

impl Coordinator for Leaky {
    fn cancel(&self, _claim: &Arc<Claim>) {}

    fn enqueue<'a>(&'a self, claim: &'a Arc<Claim>, patience: Patience) -> Reply<'a, Enqueued> {
        self.0.enqueue(claim, patience)
    }

    fn wait<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Grant> {
        self.0.wait(claim)
    }

    fn resume<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Option<Grant>> {
        self.0.resume(claim)
    }

    fn renew<'a>(&'a self, renewals: &'a mut [Renewal]) -> Reply<'a, ()> {
        self.0.renew(renewals)
    }

    fn release<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Released> {
        self.0.release(claim)
    }

    fn release_token<'a>(&'a self, key: Key<'a>, token: Token) -> Reply<'a, Released> {
        self.0.release_token(key, token)
    }

    fn position<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Option<u32>> {
        self.0.position(claim)
    }

    fn follow<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, ()> {
        self.0.follow(claim)
    }

    fn inspect<'a>(&'a self, key: Key<'a>) -> Reply<'a, Option<Inspection>> {
        self.0.inspect(key)
    }

    fn list<'a>(&'a self, prefix: &'a [u8], cursor: u32) -> Reply<'a, Page> {
        self.0.list(prefix, cursor)
    }

    fn watch<'a>(&'a self, key: Key<'a>) -> Reply<'a, mpsc::Receiver<Seen>> {
        self.0.watch(key)
    }

    fn steal<'a>(&'a self, key: Key<'a>, fence: Option<Fence>, reason: &'a str) -> Reply<'a, u64> {
        self.0.steal(key, fence, reason)
    }

    fn signal<'a>(&'a self, channel: &'a [u8], payload: &'a [u8]) -> Reply<'a, u64> {
        self.0.signal(channel, payload)
    }

    fn listen<'a>(&'a self, pattern: &'a [u8], group: &'a [u8]) -> Reply<'a, mpsc::Receiver<Signal>> {
        self.0.listen(pattern, group)
    }

    fn info(&self) -> Reply<'_, String> {
        self.0.info()
    }
}
