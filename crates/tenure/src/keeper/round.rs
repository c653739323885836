//! What the keeper's task does when it wakes.

use super::held::{Held, Kept};
use super::{Keeper, Running};
use crate::coordinator::{Claim, Renewal, Renewed};
use crate::shard::Shard;
use crate::{Clock, Instant, Loss, telemetry};
use std::sync::{Arc, Weak};
use tokio::sync::Notify;

/// The renewals that go out together, and where the claims are kept. It is used again and again.
#[derive(Default)]
struct Batch {
    renewals: Vec<Renewal>,
    slots: Vec<u32>,
}

impl Running {
    /// Renews as long as the client is there.
    pub(super) async fn keep(self, earlier: Arc<Notify>, clock: Clock) {
        let mut batch = Batch::default();
        loop {
            let Some(shard) = Weak::upgrade(&self.0) else { return };
            let next = shard.round(&mut batch).await;
            drop(shard);
            clock.before(next, earlier.notified()).await;
        }
    }
}

impl Shard {
    /// Does what is due; when to come again.
    async fn round(&self, batch: &mut Batch) -> Instant {
        self.keeper.expire(self.clock.now());
        if self.keeper.collect(self.clock.now(), batch) {
            self.renew(batch).await;
            self.keeper.settle(self.clock.now(), batch);
        }
        self.keeper.arm(|kept| kept.slots.iter().map(Held::wakes_at).min())
    }

    /// Sends a batch, and watches the deadlines until there is an answer.
    async fn renew(&self, batch: &mut Batch) {
        let now = self.clock.now();
        let mut answer = self.coordinator.renew(&mut batch.renewals);
        loop {
            let next = self.keeper.arm(|kept| kept.slots.iter().map(Held::deadline).min());
            let earlier = self.clock.before(next, self.keeper.earlier.notified());
            tokio::select! {
                biased;
                done = &mut answer => {
                    if let Err(error) = done {
                        tracing::warn!(%error, "a renewal failed");
                    }
                    break;
                }
                _ = earlier => self.keeper.expire(self.clock.now()),
            }
        }
        drop(answer);
        telemetry::renewed(&batch.renewals, self.clock.now().since(now));
    }
}

impl Keeper {
    /// Ends the claims whose owners have to stop believing.
    fn expire(&self, now: Instant) {
        let mut expired = Vec::new();
        for (_, held) in self.lock().slots.iter_mut() {
            if held.is_past(now) {
                held.is_over();
                expired.push(Arc::clone(held.claim()));
            }
        }
        // Whoever is woken runs without the lock.
        expired.iter().for_each(|claim: &Arc<Claim>| claim.end(Loss::Expired));
    }

    /// Gathers what is due, and what soon will be; whether there is anything.
    fn collect(&self, now: Instant, batch: &mut Batch) -> bool {
        let mut kept = self.lock();
        if kept.slots.iter().all(|held| held.wakes_at() > now) {
            return false;
        }
        for (slot, held) in kept.slots.iter_mut().filter(|(_, held)| held.is_due(now)) {
            if held.claim().has_ended() {
                held.is_over();
            } else {
                batch.renewals.push(Renewal { claim: Arc::clone(held.claim()), outcome: None });
                batch.slots.push(slot);
            }
        }
        !batch.slots.is_empty()
    }

    /// Takes the answers to heart, but for what was let go of meanwhile.
    fn settle(&self, now: Instant, batch: &mut Batch) {
        // Where the answer comes after the deadline, the claim ends; whoever is woken runs without the lock.
        for renewal in &batch.renewals {
            if let Some(Ok(Renewed::From { base, ttl })) = renewal.outcome {
                renewal.claim.renewed(base, ttl);
            }
        }
        let mut kept = self.lock();
        for (renewal, slot) in batch.renewals.iter_mut().zip(&batch.slots) {
            let outcome = renewal.outcome.take();
            let Some(held) = kept.slots.find(*slot, &renewal.claim) else { continue };
            match outcome {
                Some(Ok(Renewed::From { .. })) if renewal.claim.has_ended() => held.is_over(),
                Some(Ok(Renewed::From { base, .. })) => held.was_renewed(base),
                Some(Ok(Renewed::Gone)) => {
                    held.is_over();
                    renewal.outcome = Some(Ok(Renewed::Gone));
                }
                Some(Err(_)) | None => held.failed(now),
            }
        }
        drop(kept);
        batch.slots.clear();
        for renewal in batch.renewals.drain(..) {
            if let Some(Ok(Renewed::Gone)) = renewal.outcome {
                renewal.claim.end(Loss::Lapsed);
            }
        }
    }

    /// Says when the task wakes next, so that it is told of what is due before that.
    fn arm(&self, next: impl FnOnce(&mut Kept) -> Option<Instant>) -> Instant {
        let mut kept = self.lock();
        kept.armed = next(&mut kept).unwrap_or(Instant::MAX);
        kept.armed
    }
}
