//! A place in line.

use crate::coordinator::Claim;
use crate::gate::timed_out;
use crate::guard::Guard;
use crate::stake::Stake;
use crate::unfold::{Unfold, stream};
use crate::{ClaimId, Error, Instant, telemetry};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch::Receiver;
use tracing::Instrument as _;

/// What came of asking without waiting.
#[derive(Debug)]
pub enum Enqueued {
    /// It was free, and is held now.
    Acquired(Guard),
    /// Others come first: here is a place in line.
    Queued(Ticket),
}

/// A place in line. Dropping it leaves the line.
///
/// Its turn may come before anybody [waits](Self::wait) for it; from then on the lease runs, and the turn has to be
/// taken before that ends.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tenure::Error> {
/// use std::time::Duration;
/// use tenure::Enqueued;
///
/// # let tenure = tenure::Tenure::connect("memory:ticket").await?;
/// let lock = tenure.lock("printer");
/// let guard = match lock.enqueue().await? {
///     Enqueued::Acquired(guard) => guard,
///     Enqueued::Queued(ticket) => {
///         println!("waiting for the printer: {:?} before us", ticket.position().await?);
///         ticket.wait(Duration::from_secs(60)).await?
///     }
/// };
/// # drop(guard);
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping it leaves the line"]
pub struct Ticket {
    stake: Stake,
    position: u32,
    asked: Instant,
}

impl Ticket {
    pub(crate) const fn new(stake: Stake, position: u32, asked: Instant) -> Self {
        Self { stake, position, asked }
    }

    /// The name of the key.
    pub fn key(&self) -> &[u8] {
        &self.stake.claim().wanted().name
    }

    /// The id of the claim. Whoever has it can take over the place in line, and the grant after it.
    pub fn claim_id(&self) -> ClaimId {
        self.stake.claim().id()
    }

    /// How many claims stand before it; `None` when its turn has come, or it has lost its place.
    ///
    /// # Errors
    ///
    /// Those of asking at all: `Unavailable`, `Indeterminate`, `Denied`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn position(&self) -> Result<Option<u32>, Error> {
        let (shard, claim) = (self.stake.shard(), self.stake.claim());
        self.stake.retry().run(&shard.clock, || shard.coordinator.position(claim)).await
    }

    /// How many claims stand before it, now and whenever that changes, until its turn has come or its place is lost.
    /// Nothing is sent for those who do not ask.
    ///
    /// # Errors
    ///
    /// Those of asking at all: `Unavailable`, `Indeterminate`, `Denied`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn positions(&self) -> Result<Positions, Error> {
        let (shard, claim) = (self.stake.shard(), self.stake.claim());
        let heard = claim.positions(Some(self.position));
        self.stake.retry().run(&shard.clock, || shard.coordinator.follow(claim)).await?;
        claim.moved(self.position().await?);
        Ok(Positions::new(Arc::clone(claim), heard))
    }

    /// Waits for its turn, so long at most: a `Duration`, or `None` for as long as it takes.
    ///
    /// # Errors
    ///
    /// - `TimedOut`: its turn did not come. It has left the line.
    /// - `Lost`: it has no place any more, or did not take its turn in time.
    /// - `Invalid`: the TTL is too short for the way to the coordinator.
    /// - `Unavailable`, `Indeterminate`: nobody could be asked.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the line, and gives back what was granted meanwhile.
    pub async fn wait(self, timeout: impl Into<Option<Duration>>) -> Result<Guard, Error> {
        let Some(timeout) = timeout.into() else { return self.turn().await };
        let claim = Arc::clone(self.stake.claim());
        let limit = claim.clock().now().after(timeout);
        let turn = claim.clock().before(limit, self.turn()).await;
        turn.unwrap_or_else(|| Err(timed_out(&claim.wanted().name, timeout)))
    }

    pub(crate) async fn turn(self) -> Result<Guard, Error> {
        let Self { stake, asked, .. } = self;
        let grant = {
            let (shard, claim) = (stake.shard(), stake.claim());
            let waiting = stake.retry().run(&shard.clock, || shard.coordinator.wait(claim));
            waiting.instrument(telemetry::waiting(claim)).await?
        };
        stake.hand_out(grant, asked).await
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = self.stake.claim().wanted();
        f.debug_struct("Ticket")
            .field("space", &wanted.space)
            .field("key", &format_args!("\"{}\"", wanted.name.escape_ascii()))
            .field("permits", &wanted.permits)
            .field("joined_behind", &self.position)
            .finish_non_exhaustive()
    }
}

/// How many claims stand before one: see [`Ticket::positions`]. It ends when the turn has come, or the place is lost.
#[derive(Debug)]
#[must_use = "it follows the line until it is dropped"]
pub struct Positions {
    positions: Unfold<Following, u32>,
}

stream!(Positions, positions, u32);

struct Following {
    claim: Arc<Claim>,
    heard: Receiver<Option<u32>>,
    told: Option<u32>,
}

impl Positions {
    fn new(claim: Arc<Claim>, heard: Receiver<Option<u32>>) -> Self {
        let following = Following { claim, heard, told: None };
        Self { positions: Unfold::new(following, |following| Box::pin(following.step())) }
    }
}

impl Following {
    async fn step(mut self) -> Option<(u32, Self)> {
        loop {
            let position = (*self.heard.borrow_and_update())?;
            if self.told.replace(position) != Some(position) {
                return Some((position, self));
            }
            tokio::select! {
                biased;
                // Its turn, or the end.
                _ = self.claim.granted() => return None,
                changed = self.heard.changed() => changed.ok()?,
            }
        }
    }
}
