//! Asking for permits.

use super::Gate;
use crate::coordinator::{self, Patience};
use crate::guard::Guard;
use crate::stake::Stake;
use crate::terms::invalid;
use crate::ticket::{Enqueued, Ticket};
use crate::{Error, ErrorKind, Loss, telemetry};
use std::time::Duration;
use tracing::Instrument as _;

/// What came of asking once.
enum Asked {
    Acquired(Guard),
    Queued(Ticket),
    Busy,
}

impl Gate {
    /// Waits as long as was said, or for ever.
    pub(crate) async fn acquire(&self, permits: u32) -> Result<Guard, Error> {
        match self.terms.wait {
            None => self.acquire_endless(permits).await,
            Some(Duration::ZERO) => self.try_acquire(permits).await?.ok_or_else(|| {
                Error::new(ErrorKind::Contended, format!("\"{}\" is taken", self.named.name.escape_ascii()))
            }),
            Some(wait) => self.acquire_timeout(permits, wait).await,
        }
    }

    pub(crate) async fn acquire_timeout(&self, permits: u32, wait: Duration) -> Result<Guard, Error> {
        let guard = if wait.is_zero() {
            self.try_acquire(permits).await?
        } else {
            let clock = self.client.clock();
            let limit = clock.now().after(wait);
            clock.before(limit, self.acquire_endless(permits)).await.transpose()?
        };
        guard.ok_or_else(|| timed_out(&self.named.name, wait))
    }

    pub(crate) async fn try_acquire(&self, permits: u32) -> Result<Option<Guard>, Error> {
        match self.ask(permits, Patience::None).await? {
            Asked::Acquired(guard) => Ok(Some(guard)),
            // What stands in line has the same claim id; to try is not to stand in line.
            Asked::Queued(_) | Asked::Busy => Ok(None),
        }
    }

    pub(crate) async fn enqueue(&self, permits: u32) -> Result<Enqueued, Error> {
        match self.ask(permits, Patience::Endless).await? {
            Asked::Acquired(guard) => Ok(Enqueued::Acquired(guard)),
            Asked::Queued(ticket) => Ok(Enqueued::Queued(ticket)),
            Asked::Busy => Err(Error::new(ErrorKind::Contended, "the coordinator has no line to stand in")),
        }
    }

    pub(crate) async fn resume(&self, permits: u32) -> Result<Option<Guard>, Error> {
        if self.terms.claim_id.is_none() {
            return Err(invalid("to resume takes the id of the claim: set it with claim_id"));
        }
        let stake = self.stake(permits)?;
        let clock = self.client.clock();
        let asked = clock.now();
        let resuming = || stake.shard().coordinator.resume(stake.claim());
        match stake.retry().run(clock, resuming).await? {
            Some(grant) => stake.hand_out(grant, asked).await.map(Some),
            None => Ok(None),
        }
    }

    /// A place in line that is gone before its turn is taken is no loss: nobody acted on it, so it is asked for again.
    async fn acquire_endless(&self, permits: u32) -> Result<Guard, Error> {
        let clock = self.client.clock();
        self.terms.retry.run_while(was_never_held, clock, || self.acquire_once(permits)).await
    }

    async fn acquire_once(&self, permits: u32) -> Result<Guard, Error> {
        match self.enqueue(permits).await? {
            Enqueued::Acquired(guard) => Ok(guard),
            Enqueued::Queued(ticket) => ticket.turn().await,
        }
    }

    async fn ask(&self, permits: u32, patience: Patience) -> Result<Asked, Error> {
        let stake = self.stake(permits)?;
        let span = telemetry::asking(stake.claim());
        self.ask_for(stake, patience).instrument(span).await
    }

    async fn ask_for(&self, mut stake: Stake, patience: Patience) -> Result<Asked, Error> {
        let clock = self.client.clock();
        let asked = clock.now();
        stake.arm();
        let asking = || stake.shard().coordinator.enqueue(stake.claim(), patience);
        match stake.retry().run(clock, asking).await {
            Ok(coordinator::Enqueued::Acquired(grant)) => {
                stake.hand_out(grant, asked).await.map(Asked::Acquired)
            }
            Ok(coordinator::Enqueued::Queued { position }) => {
                stake.is_known();
                telemetry::queued(stake.claim(), position);
                Ok(Asked::Queued(Ticket::new(stake, position, asked)))
            }
            Ok(coordinator::Enqueued::Busy) => {
                stake.disarm();
                Ok(Asked::Busy)
            }
            Err(error) => {
                // Where nothing was done there is nothing to take back, and the id may be somebody else's.
                if !error.is_transient() {
                    stake.disarm();
                }
                Err(error)
            }
        }
    }
}

fn was_never_held(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Lost(Loss::Expired | Loss::Lapsed | Loss::Forgotten | Loss::Disconnected)
    )
}

/// The error of whoever waited in vain.
pub(crate) fn timed_out(name: &[u8], wait: Duration) -> Error {
    let message = format!("\"{}\" did not come free within {wait:?}", name.escape_ascii());
    Error::new(ErrorKind::TimedOut, message)
}
