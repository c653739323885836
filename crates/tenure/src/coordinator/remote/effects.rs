//! What follows from what a service said, to be done when the state of the link is free again.

use crate::Instant;
use crate::coordinator::{Claim, Grant};
use crate::lost::Loss;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

/// Whom to wake, and what to tell which claim first.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) wakers: Vec<Waker>,
    tidings: Vec<(Arc<Claim>, Tiding)>,
    lost: Vec<Arc<Claim>>,
}

#[derive(Debug)]
enum Tiding {
    Granted(Grant),
    Renewed(Instant, Duration),
    Moved(u32),
    Ended(Loss),
}

impl Effects {
    pub(super) fn granted(&mut self, claim: &Arc<Claim>, grant: Grant) {
        self.tidings.push((Arc::clone(claim), Tiding::Granted(grant)));
    }

    pub(super) fn renewed(&mut self, claim: &Arc<Claim>, base: Instant, ttl: Duration) {
        self.tidings.push((Arc::clone(claim), Tiding::Renewed(base, ttl)));
    }

    pub(super) fn moved(&mut self, claim: &Arc<Claim>, position: u32) {
        self.tidings.push((Arc::clone(claim), Tiding::Moved(position)));
    }

    pub(super) fn ended(&mut self, claim: Arc<Claim>, loss: Loss) {
        self.tidings.push((claim, Tiding::Ended(loss)));
    }

    /// The service has ended it. Its entry stays until its owner has been told: at no time does it look as if nobody had
    /// asked for it.
    pub(super) fn lost(&mut self, claim: &Arc<Claim>, loss: Loss) {
        self.ended(Arc::clone(claim), loss);
        self.lost.push(Arc::clone(claim));
    }

    /// Claims whose owners have been told of their ends, to be forgotten.
    pub(super) fn told(&mut self) -> impl Iterator<Item = Arc<Claim>> + '_ {
        self.lost.drain(..)
    }

    pub(super) fn has_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    /// Does all of it, but for forgetting.
    pub(super) fn apply(&mut self) {
        for (claim, tiding) in self.tidings.drain(..) {
            match tiding {
                Tiding::Granted(grant) => {
                    claim.moved(None);
                    claim.grant(grant);
                }
                Tiding::Renewed(base, ttl) => claim.renewed(base, ttl),
                Tiding::Moved(position) => claim.moved(Some(position)),
                Tiding::Ended(loss) => claim.end(loss),
            }
        }
        self.wakers.drain(..).for_each(Waker::wake);
    }
}
