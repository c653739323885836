//! Semaphores.

use crate::Error;
use crate::gate::Gate;
use crate::guard::Guard;
use crate::settings::{identity, operations, settings};

/// A semaphore: so many permits, given out in the order in which they were asked for. It comes from
/// [`Tenure::semaphore`](crate::Tenure::semaphore).
///
/// While anyone waits, a newcomer waits too, even where permits are free: who asks for many is not passed by those who
/// ask for few.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tenure::Error> {
/// # let tenure = tenure::Tenure::connect("memory:semaphore").await?;
/// let workers = tenure.semaphore("workers", 5);
/// let one = workers.acquire().await?;
/// let three = workers.acquire_many(3).await?;
/// assert_eq!(workers.available().await?, 1);
/// assert!(workers.try_acquire_many(2).await?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a semaphore holds nothing before it is acquired"]
pub struct Semaphore {
    pub(crate) gate: Gate,
}

settings!(Semaphore);
identity!(Semaphore);
operations!(Semaphore, "semaphore(\"workers\", 5)");

impl Semaphore {
    /// How many permits to ask for: one unless told otherwise.
    pub fn permits(mut self, permits: u32) -> Self {
        self.gate.terms_mut().permits = permits;
        self
    }

    /// Waits for so many permits, whatever [`permits`](Self::permits) says: all of them, or none.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    ///
    /// As for [`acquire`](Self::acquire).
    pub async fn acquire_many(&self, permits: u32) -> Result<Guard, Error> {
        self.gate.acquire(permits).await
    }

    /// Holds so many permits if they are free now; `None` when they are not.
    ///
    /// # Errors
    ///
    /// Those of [`try_acquire`](Self::try_acquire).
    ///
    /// # Cancel safety
    ///
    /// As for [`try_acquire`](Self::try_acquire).
    pub async fn try_acquire_many(&self, permits: u32) -> Result<Option<Guard>, Error> {
        self.gate.try_acquire(permits).await
    }

    /// How many permits are free. Where somebody waits, a newcomer does not get them all the same.
    ///
    /// # Errors
    ///
    /// As for [`inspect`](Self::inspect).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn available(&self) -> Result<u32, Error> {
        Ok(self.gate.named.limit.saturating_sub(self.count().await?))
    }
}
