//! The one way in: what every lock and semaphore is made of.

mod ask;
mod look;

pub(crate) use ask::timed_out;

use crate::connect::Tenure;
use crate::coordinator::Claim;
use crate::shard::Shard;
use crate::stake::{Plan, Stake};
use crate::terms::{Named, Terms};
use crate::{Error, Space, entropy};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A key, how to have it, and where.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) client: Tenure,
    pub(crate) named: Named,
    terms: Terms,
    /// What they come to, once somebody has asked.
    plan: OnceLock<Arc<Plan>>,
}

impl Gate {
    pub(crate) fn new(client: Tenure, space: Space, name: &[u8], limit: u32) -> Self {
        let terms = client.terms();
        Self { client, named: Named { space, name: name.into(), limit }, terms, plan: OnceLock::new() }
    }

    pub(crate) const fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(crate) fn terms_mut(&mut self) -> &mut Terms {
        self.plan = OnceLock::new();
        &mut self.terms
    }

    /// Has others see that text.
    pub(crate) fn label(&mut self, label: &str) {
        self.terms_mut().note = Some(Arc::new(self.client.note(label)));
    }

    fn shard(&self) -> Result<&Arc<Shard>, Error> {
        self.client.shards().of(&self.named.name)
    }

    /// A claim that nobody has been asked for yet.
    fn stake(&self, permits: u32) -> Result<Stake, Error> {
        let plan = self.plan(permits)?;
        let id = self.terms.claim_id.unwrap_or_else(entropy::claim_id);
        let claim = Claim::new(id, Arc::clone(&plan.wanted), plan.shard.clock.clone());
        Ok(Stake::new(plan, Arc::new(claim)))
    }

    fn plan(&self, permits: u32) -> Result<Arc<Plan>, Error> {
        if permits != self.terms.permits {
            return self.make_plan(permits).map(Arc::new);
        }
        if let Some(plan) = self.plan.get() {
            return Ok(Arc::clone(plan));
        }
        let plan = Arc::new(self.make_plan(permits)?);
        Ok(Arc::clone(self.plan.get_or_init(|| plan)))
    }

    fn make_plan(&self, permits: u32) -> Result<Plan, Error> {
        Ok(Plan {
            wanted: Arc::new(self.terms.wanted(&self.named, permits)?),
            shard: Arc::clone(self.shard()?),
            renew_every: self.terms.renew_every(),
            retry: self.terms.retry.clone(),
            chosen: self.terms.claim_id.is_some(),
        })
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Named { space, name, limit } = &self.named;
        write!(f, "{space:?}(\"{}\") of {limit}, {:?}", name.escape_ascii(), self.terms)
    }
}
