//! What somebody has in a claim, and gives back by letting go of it.

use crate::coordinator::{Claim, Grant, Released, Renewal, Renewed, Standing, Wanted};
use crate::guard::Guard;
use crate::keeper::{Keeper, Slot};
use crate::retry::Retry;
use crate::shard::Shard;
use crate::{Error, ErrorKind, Instant, Loss, telemetry};
use std::sync::Arc;
use std::time::Duration;

/// A claim that somebody has asked for, stands in line with, or holds. Whoever drops it takes it back in the background,
/// at whatever point that is.
pub(crate) struct Stake {
    plan: Arc<Plan>,
    claim: Arc<Claim>,
    /// Where the keeper has it.
    slot: Option<Slot>,
    /// There may be something to take back.
    armed: bool,
}

/// What is asked for, where, and how it is held.
pub(crate) struct Plan {
    pub(crate) wanted: Arc<Wanted>,
    pub(crate) shard: Arc<Shard>,
    pub(crate) renew_every: Duration,
    pub(crate) retry: Retry,
    /// Its owner chose the id, and may choose it again.
    pub(crate) chosen: bool,
}

impl Stake {
    /// A claim that nobody has been asked for yet.
    pub(crate) const fn new(plan: Arc<Plan>, claim: Arc<Claim>) -> Self {
        Self { plan, claim, slot: None, armed: false }
    }

    pub(crate) fn shard(&self) -> &Arc<Shard> {
        &self.plan.shard
    }

    pub(crate) const fn claim(&self) -> &Arc<Claim> {
        &self.claim
    }

    pub(crate) fn retry(&self) -> &Retry {
        &self.plan.retry
    }

    /// The coordinator has it: one that had the same id before is over.
    pub(crate) fn is_known(&self) {
        // One that is over by now has been followed by another already.
        if self.plan.chosen && !self.claim.has_ended() {
            self.shard().note_chosen(&self.claim);
        }
    }

    /// The coordinator has none of its id: neither this, nor one that had the same id before.
    pub(crate) fn is_unknown(&mut self) {
        if self.plan.chosen {
            self.shard().end_chosen(&self.claim);
        }
        self.disarm();
    }

    /// From now on there may be something to take back.
    pub(crate) const fn arm(&mut self) {
        self.armed = true;
    }

    /// There is nothing to take back.
    pub(crate) const fn disarm(&mut self) {
        self.armed = false;
    }

    /// Makes a guard of a grant that was asked for at `asked`.
    ///
    /// A lease that is a good part over by now is started anew first. When that takes as long again, it is too short to
    /// be kept.
    pub(crate) async fn hand_out(mut self, grant: Grant, asked: Instant) -> Result<Guard, Error> {
        let (mut base, mut now) = (grant.base, self.shard().clock.now());
        if now.since(base) > grant.ttl / 3 {
            base = self.plan.retry.run(&self.shard().clock, || self.renew_now()).await?;
            now = self.shard().clock.now();
            if now.since(base) > grant.ttl / 3 {
                self.arm();
                return Err(too_short(grant.ttl, now.since(base)));
            }
        }
        self.hold(Grant { base, ..grant }, asked, now)
    }

    /// The same for one that was there as soon as it was asked for.
    pub(crate) fn hand_out_at_once(self, grant: Grant) -> Result<Guard, Error> {
        self.hold(grant, grant.base, grant.base)
    }

    fn hold(mut self, grant: Grant, asked: Instant, now: Instant) -> Result<Guard, Error> {
        self.is_known();
        self.arm();
        self.claim.guard(true);
        self.slot = Some(Keeper::hold(self.shard(), &self.claim, grant.base, self.plan.renew_every)?);
        if self.claim.has_ended()
            && let Standing::Ended(loss) = self.claim.standing()
        {
            return Err(Error::lost(loss));
        }
        telemetry::acquired(&self.claim, grant.token.fence, now.since(asked));
        Ok(Guard::new(self, grant.token, now))
    }

    /// Gives it back; whether it was still there.
    pub(crate) async fn release(&mut self, retry: &Retry) -> Result<Released, Error> {
        self.leave_keeper();
        let (shard, claim) = (self.shard(), &self.claim);
        let released = if shard.may_have(claim) {
            retry.run(&shard.clock, || shard.coordinator.release(claim)).await?
        } else {
            Released::Gone
        };
        self.disarm();
        Ok(released)
    }

    async fn renew_now(&self) -> Result<Instant, Error> {
        let mut renewals = [Renewal { claim: Arc::clone(&self.claim), outcome: None }];
        self.shard().coordinator.renew(&mut renewals).await?;
        let [renewal] = renewals;
        match renewal.outcome {
            Some(Ok(Renewed::From { base, ttl })) => {
                self.claim.renewed(base, ttl);
                Ok(base)
            }
            Some(Ok(Renewed::Gone)) => Err(Error::lost(Loss::Lapsed)),
            Some(Err(error)) => Err(error),
            None => Err(Error::new(ErrorKind::Indeterminate, "the renewal was not answered")),
        }
    }

    fn leave_keeper(&mut self) {
        self.claim.guard(false);
        if let Some(slot) = self.slot.take() {
            self.shard().keeper.drop_claim(slot);
        }
    }
}

impl Drop for Stake {
    fn drop(&mut self) {
        if self.armed && self.slot.is_none() {
            // Whoever hears of its position hears no more.
            self.claim.moved(None);
        }
        self.leave_keeper();
        if self.armed && self.shard().may_have(&self.claim) {
            self.shard().coordinator.cancel(&self.claim);
        }
        if self.plan.chosen {
            self.shard().forget_chosen(&self.claim);
        }
    }
}

fn too_short(ttl: Duration, took: Duration) -> Error {
    let message = format!(
        "a lease of {ttl:?} cannot be kept: one round trip took {took:?}, and it has to fit into a third of the lease; \
         ask for a longer ttl"
    );
    Error::new(ErrorKind::Invalid, message)
}
