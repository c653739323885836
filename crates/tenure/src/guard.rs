//! What a holder has in its hands.

use crate::coordinator::Released;
use crate::retry::Retry;
use crate::stake::Stake;
use crate::{ClaimId, Error, Fence, Instant, Loss, Token, telemetry};
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// The proof of holding a lock, or permits of a semaphore, and what ends it.
///
/// As long as it is there its lease is renewed in the background, at a third of the TTL unless told otherwise. Dropping
/// it gives back what it holds, in the background; [`release`](Self::release) does so and says whether it was still there.
///
/// # What it promises
///
/// A guard believes that it holds only as long as its own clock says that the lease cannot have ended: from the moment
/// before the last answered renewal was *sent*, for the TTL less a margin. That clock goes on while the machine is
/// suspended. From then on the guard is [lost](Self::is_lost), whatever the network says, and never comes back.
///
/// So two guards never believe at once, with one exception: a claim of [`Bond::Connection`](crate::Bond::Connection) ends
/// for its coordinator as soon as the connection breaks there, and its guard believes until its own side has seen that
/// too. A connection that breaks on one side only goes unseen on the other for as long as its detection takes, and no
/// longer than the lease.
///
/// And a thread can be stopped between looking at its guard and acting. What
/// must not be written twice has to check the [fence](Self::fence), and refuse lower ones than it has seen.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tenure::Error> {
/// # let tenure = tenure::Tenure::connect("memory:guard").await?;
/// let guard = tenure.lock("nightly-backup").acquire().await?;
/// println!("holding, with fence {}", guard.fence());
/// tokio::select! {
///     () = back_up() => {
///         guard.release().await?;
///     }
///     loss = guard.lost() => eprintln!("stopped half-way: {loss}"),
/// }
/// # Ok(())
/// # }
/// # async fn back_up() {}
/// ```
#[must_use = "what it holds is given back at once when it is dropped"]
pub struct Guard {
    stake: Stake,
    token: Token,
    /// Since when, until it is given back.
    since: Option<Instant>,
}

impl Guard {
    pub(crate) fn new(stake: Stake, token: Token, since: Instant) -> Self {
        Self { stake, token, since: Some(since) }
    }

    /// The name of the key.
    pub fn key(&self) -> &[u8] {
        &self.stake.claim().wanted().name
    }

    /// How many permits it holds.
    pub fn permits(&self) -> u32 {
        self.stake.claim().wanted().permits
    }

    /// What proves the grant to a coordinator. Whoever has it can end the grant.
    pub const fn token(&self) -> Token {
        self.token
    }

    /// A number that rises with every grant of the key. Give it to whatever the lock protects, and have that refuse lower
    /// ones than it has seen.
    pub const fn fence(&self) -> Fence {
        self.token.fence
    }

    /// The id of the claim. Whoever has it can [take the grant over](crate::Lock::resume).
    pub fn claim_id(&self) -> ClaimId {
        self.stake.claim().id()
    }

    /// When it stops believing unless a renewal is answered before, on the [clock](crate::Tenure::clock) of the client.
    pub fn deadline(&self) -> Instant {
        self.stake.claim().deadline()
    }

    /// How long it believes unless a renewal is answered before; nothing once it is lost.
    pub fn remaining(&self) -> Duration {
        self.stake.claim().remaining()
    }

    /// Whether it is held no more. It asks the clock, so it is right even when nothing else has run for a while; and once
    /// it has said so, no renewal that is answered later brings the guard back.
    pub fn is_lost(&self) -> bool {
        self.stake.claim().is_lost()
    }

    /// Waits until it is held no more, and says why. It needs nobody to notice its deadline: where renewals have stopped
    /// with the runtime that they ran in, it is lost in time all the same.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn lost(&self) -> Loss {
        let claim = self.stake.claim();
        let mut ended = pin!(claim.ended());
        loop {
            // Where its deadline has passed and nobody has noticed yet, this does.
            let _ = self.is_lost();
            tokio::select! {
                biased;
                loss = ended.as_mut() => return loss,
                () = claim.clock().nap_until(self.deadline()) => {}
            }
        }
    }

    /// Gives back what it holds, and says whether it was still there: [`Released::Gone`] when the lease had ended, or
    /// somebody took it away, or has released it before. It may say `Gone` of what it has given back itself, too: when the
    /// first answer was lost with its connection, and several others have held the key and gone since.
    ///
    /// A renewal that is under way has no effect any more. A guard that is lost by now has nothing to give back, and says so
    /// without asking anybody.
    ///
    /// # Errors
    ///
    /// `Unavailable` and `Indeterminate` when nobody could be told, as often as that was [tried](crate::Retry). It is
    /// tried once more in the background then, and otherwise ends with its lease.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future releases in the background.
    pub async fn release(mut self) -> Result<Released, Error> {
        self.tell_end();
        if self.is_lost() {
            // Nobody has to be asked. What may be left of it is given back in the background.
            return Ok(Released::Gone);
        }
        let retry = self.stake.retry().clone();
        self.stake.release(&retry).await
    }

    /// Does that until it is done, or the lock is lost.
    pub(crate) async fn run<T>(mut self, work: impl AsyncFnOnce(&Self) -> T) -> Result<T, Error> {
        let done = {
            let (mut work, mut lost) = (pin!(work(&self)), pin!(self.lost()));
            poll_fn(|cx| {
                // Not one step after it is lost, even where nobody else has noticed yet.
                if !self.is_lost()
                    && let Poll::Ready(done) = work.as_mut().poll(cx)
                {
                    return Poll::Ready(Ok(done));
                }
                lost.as_mut().poll(cx).map(|loss| Err(Error::lost(loss)))
            })
            .await?
        };
        self.tell_end();
        // The result does not wait for better times: what fails here is done in the background.
        if let Err(error) = self.stake.release(&Retry::none()).await {
            tracing::debug!(%error, "releasing in the background");
        }
        Ok(done)
    }

    fn tell_end(&mut self) {
        if let Some(since) = self.since.take() {
            telemetry::released(self.stake.claim(), self.token.fence, since);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.tell_end();
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = self.stake.claim().wanted();
        f.debug_struct("Guard")
            .field("space", &wanted.space)
            .field("key", &format_args!("\"{}\"", wanted.name.escape_ascii()))
            .field("permits", &wanted.permits)
            .field("fence", &self.token.fence)
            .field("is_lost", &self.is_lost())
            .finish_non_exhaustive()
    }
}
