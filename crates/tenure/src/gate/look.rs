//! Looking at a key, and taking it away from others.

use super::Gate;
use crate::coordinator::Released;
use crate::terms::invalid;
use crate::watch::Watch;
use crate::{Error, Fence, HolderInfo, Inspection, Token};
use tenure_wire::mux::REASON_LEN_MAX;

impl Gate {
    pub(crate) async fn inspect(&self) -> Result<Option<Inspection>, Error> {
        let (shard, key) = (self.shard()?, self.named.key()?);
        self.terms().retry.run(&shard.clock, || shard.coordinator.inspect(key)).await
    }

    pub(crate) async fn holders(&self) -> Result<Vec<HolderInfo>, Error> {
        Ok(self.inspect().await?.map_or_else(Vec::new, |seen| seen.holders))
    }

    pub(crate) async fn count(&self) -> Result<u32, Error> {
        Ok(self.inspect().await?.map_or(0, |seen| seen.held))
    }

    pub(crate) async fn is_locked(&self, permits: u32) -> Result<bool, Error> {
        let seen = self.inspect().await?;
        Ok(seen
            .is_some_and(|seen| seen.queue_len > 0 || permits > seen.limit.get().saturating_sub(seen.held)))
    }

    pub(crate) async fn watch(&self) -> Result<Watch, Error> {
        let (shard, key) = (self.shard()?, self.named.key()?);
        let seen = self.terms().retry.run(&shard.clock, || shard.coordinator.watch(key)).await?;
        Ok(Watch::new(seen, self.client.clone()))
    }

    /// Asked once: whoever is granted next is not to lose it to a second attempt.
    pub(crate) async fn steal(&self, fence: Option<Fence>, reason: &str) -> Result<u64, Error> {
        if reason.len() > REASON_LEN_MAX {
            return Err(invalid(format!("a reason has at most {REASON_LEN_MAX} bytes")));
        }
        self.shard()?.coordinator.steal(self.named.key()?, fence, reason).await
    }

    pub(crate) async fn release_token(&self, token: Token) -> Result<Released, Error> {
        let (shard, key) = (self.shard()?, self.named.key()?);
        self.terms().retry.run(&shard.clock, || shard.coordinator.release_token(key, token)).await
    }
}
