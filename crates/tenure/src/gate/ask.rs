//! Asking for permits.

use super::Gate;
use crate::coordinator::{self, Patience};
use crate::guard::Guard;
use crate::stake::Stake;
use crate::terms::invalid;
use crate::ticket::{Enqueued, Ticket};
use crate::{Error, ErrorKind, Instant, Loss, telemetry};
use std::time::Duration;
use tracing::Instrument as _;

impl Gate {
    /// Waits as long as was said, or for ever.
    pub(crate) async fn acquire(&self, permits: u32) -> Result<Guard, Error> {
        match self.terms().wait {
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
            Some(Enqueued::Acquired(guard)) => Ok(Some(guard)),
            // What stands in line has the same claim id; to try is not to stand in line.
            Some(Enqueued::Queued(_)) | None => Ok(None),
        }
    }

    pub(crate) async fn enqueue(&self, permits: u32) -> Result<Enqueued, Error> {
        self.ask(permits, Patience::Endless).await?.ok_or_else(no_line)
    }

    pub(crate) async fn resume(&self, permits: u32) -> Result<Option<Guard>, Error> {
        if self.terms().claim_id.is_none() {
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
        match self.acquire_once(permits).await {
            Err(error) if was_never_held(&error) => {
                let (retry, clock) = (&self.terms().retry, self.client.clock());
                retry.again(error, was_never_held, clock, || self.acquire_once(permits)).await
            }
            answer => answer,
        }
    }

    async fn acquire_once(&self, permits: u32) -> Result<Guard, Error> {
        match self.ask(permits, Patience::Endless).await? {
            Some(Enqueued::Acquired(guard)) => Ok(guard),
            Some(Enqueued::Queued(ticket)) => ticket.turn().await,
            None => Err(no_line()),
        }
    }

    /// Asks; `None` when it was not to wait and has to.
    async fn ask(&self, permits: u32, patience: Patience) -> Result<Option<Enqueued>, Error> {
        let mut stake = self.stake(permits)?;
        stake.arm();
        let span = telemetry::asking(stake.claim());
        let reply = span.in_scope(|| stake.shard().coordinator.enqueue(stake.claim(), patience));
        let (answer, asked) = match reply.at_once() {
            Ok(answer) => (answer, None),
            Err(reply) => {
                let asked = self.client.clock().now();
                (reply.instrument(span.clone()).await, Some(asked))
            }
        };
        if let (Ok(coordinator::Enqueued::Acquired(grant)), None) = (&answer, asked) {
            let grant = *grant;
            return span
                .in_scope(|| stake.hand_out_at_once(grant))
                .map(|guard| Some(Enqueued::Acquired(guard)));
        }
        self.settle(stake, patience, answer, asked).instrument(span).await
    }

    /// Asks again where that may help, and makes of the answer what it is.
    async fn settle(
        &self,
        mut stake: Stake,
        patience: Patience,
        answer: Result<coordinator::Enqueued, Error>,
        asked: Option<Instant>,
    ) -> Result<Option<Enqueued>, Error> {
        let clock = self.client.clock();
        let asked = asked.unwrap_or_else(|| clock.now());
        let answer = match answer {
            Err(error) if error.is_transient() => {
                let asking = || stake.shard().coordinator.enqueue(stake.claim(), patience);
                stake.retry().again(error, Error::is_transient, clock, asking).await
            }
            answer => answer,
        };
        match answer {
            Ok(coordinator::Enqueued::Acquired(grant)) => {
                stake.hand_out(grant, asked).await.map(|guard| Some(Enqueued::Acquired(guard)))
            }
            Ok(coordinator::Enqueued::Queued { position }) => {
                stake.is_known();
                telemetry::queued(stake.claim(), position);
                Ok(Some(Enqueued::Queued(Ticket::new(stake, position, asked))))
            }
            Ok(coordinator::Enqueued::Busy) => {
                stake.is_unknown();
                Ok(None)
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

fn no_line() -> Error {
    Error::new(ErrorKind::Contended, "the coordinator has no line to stand in")
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
