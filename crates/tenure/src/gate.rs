//! The one way in: what every lock and semaphore is made of.

mod ask;
mod look;

pub(crate) use ask::timed_out;

use crate::connect::Tenure;
use crate::coordinator::Claim;
use crate::entropy;
use crate::shard::Shard;
use crate::stake::{Holding, Stake};
use crate::terms::{Named, Terms};
use crate::{Error, Space};
use std::fmt;
use std::sync::Arc;

/// A key, how to have it, and where.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) client: Tenure,
    pub(crate) named: Named,
    pub(crate) terms: Terms,
}

impl Gate {
    pub(crate) fn new(client: Tenure, space: Space, name: &[u8], limit: u32) -> Self {
        let terms = client.terms();
        Self { client, named: Named { space, name: name.into(), limit }, terms }
    }

    /// Has others see that text.
    pub(crate) fn label(&mut self, label: &str) {
        self.terms.note = Some(Arc::new(self.client.note(label)));
    }

    fn shard(&self) -> Result<&Arc<Shard>, Error> {
        self.client.shards().of(&self.named.name)
    }

    /// A claim that nobody has been asked for yet.
    fn stake(&self, permits: u32) -> Result<Stake, Error> {
        let wanted = self.terms.wanted(&self.named, permits)?;
        let shard = self.shard()?;
        let id = self.terms.claim_id.unwrap_or_else(entropy::claim_id);
        let claim = Arc::new(Claim::new(id, wanted, shard.clock.clone()));
        let holding = Holding {
            renew_every: self.terms.renew_every(),
            retry: self.terms.retry.clone(),
            chosen: self.terms.claim_id.is_some(),
        };
        Ok(Stake::new(Arc::clone(shard), claim, holding))
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Named { space, name, limit } = &self.named;
        write!(f, "{space:?}(\"{}\") of {limit}, {:?}", name.escape_ascii(), self.terms)
    }
}
