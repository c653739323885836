//! What becomes of requests and claims when a connection breaks, and when there is another.

use super::claims::Standing;
use super::effects::Effects;
use super::interests::Interest;
use super::slots::{About, Stage};
use super::state::{Phase, State};
use super::trouble::Trouble;
use super::words;
use crate::coordinator::{Claim, Patience};
use crate::lost::Loss;
use crate::{Error, ErrorKind, Instant};
use std::sync::Arc;
use tenure_core::Bond;
use tenure_wire::mux::{Request, RequestId};

impl State {
    /// The connection is gone, and with it whatever was on its way.
    pub(super) fn broke(&mut self, now: Instant, effects: &mut Effects) {
        self.phase = Phase::Down;
        self.outbox.clear();
        for id in self.slots.ids() {
            self.unanswered(id, now, effects);
        }
        let bound = |entry: &super::claims::Entry| {
            matches!(entry.standing, Standing::Granted(_)) && entry.claim.wanted().bond == Bond::Connection
        };
        for entry in self.claims.take(bound) {
            effects.ended(entry.claim, Loss::Disconnected);
        }
        for id in self.claims.contended() {
            self.settle(id, now, effects);
        }
    }

    fn unanswered(&mut self, id: RequestId, now: Instant, effects: &mut Effects) {
        let Some(slot) = self.slots.take_sent(id) else { return };
        slot.tried = true;
        let about = slot.about;
        if slot.abandoned {
            self.give_up(id, about, now, effects);
            self.slots.free(id);
        } else if about == About::Once {
            let text =
                "it was asked for, and the connection broke before the answer: it may have been done, or not";
            slot.stage = Stage::Answered(Err(Error::new(ErrorKind::Indeterminate, text)));
            effects.wakers.extend(slot.waker.take());
        }
    }

    /// There is no connection, and nobody should wait for one.
    pub(super) fn fail(&mut self, trouble: Trouble, effects: &mut Effects) {
        if let Phase::Closed(_) = self.phase {
            return;
        }
        self.phase = Phase::Failing(trouble);
        self.wake_all(effects);
    }

    /// There will be no connection again. Over the one that is there, everything is taken back first.
    pub(super) fn close(&mut self, trouble: Trouble, now: Instant, effects: &mut Effects) {
        if let Phase::Closed(_) = self.phase {
            return;
        }
        for entry in self.claims.take(|_| true) {
            if let Phase::Up = self.phase {
                self.take_back(entry.claim.id(), entry.claim.wanted().ttl, now);
            }
            effects.wakers.extend(entry.waiter);
            effects.ended(entry.claim, Loss::Closed);
        }
        self.phase = Phase::Closed(trouble);
        self.wake_all(effects);
    }

    fn wake_all(&mut self, effects: &mut Effects) {
        effects.wakers.extend(self.slots.wakers());
        effects.wakers.extend(self.claims.iter_mut().filter_map(|entry| entry.waiter.take()));
    }

    /// There is a connection. Whatever was before is asked for first, in its order; then whoever waits asks.
    ///
    /// The service has answered a request that was sent at `greeted`.
    pub(super) fn restore(
        &mut self,
        greeted: Instant,
        interests: &[Interest],
        now: Instant,
        effects: &mut Effects,
    ) {
        if let Phase::Closed(_) = self.phase {
            return;
        }
        self.phase = Phase::Up;
        self.confirm(greeted);
        for (claim, ttl) in self.owed.take() {
            self.take_back(claim, ttl, now);
        }
        for claim in self.claims.in_order() {
            self.restore_claim(&claim, now, effects);
        }
        for interest in interests {
            self.send_unasked(About::Interest, &interest.request(true), now);
        }
        effects.wakers.extend(self.slots.wakers());
    }

    fn restore_claim(&mut self, claim: &Arc<Claim>, now: Instant, effects: &mut Effects) {
        let id = claim.id();
        let Some(entry) = self.claims.find_mut(claim).filter(|entry| !entry.left) else { return };
        let (about, request) = match entry.standing {
            Standing::Waiting => (About::Rejoin(id), words::enqueue(claim, Patience::Endless)),
            Standing::Granted(_) if entry.is_past() => {
                self.claims.forget(claim);
                effects.ended(Arc::clone(claim), Loss::Expired);
                return self.take_back(id, claim.wanted().ttl, now);
            }
            Standing::Granted(_) => (About::Regain(id), Request::Resume { claim: id, key: claim.key() }),
            // Whoever asked asks again, or takes it back. Whoever failed was told so.
            Standing::Asked | Standing::Failed(_) => return,
        };
        let request = self.send_unasked(about, &request, now);
        if let Some(entry) = self.claims.find_mut(claim) {
            entry.request = request;
        }
    }
}
