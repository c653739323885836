//! Read-write locks.

use crate::Error;
use crate::gate::Gate;
use crate::guard::Guard;
use crate::lock::Lock;
use crate::settings::{label, looks, settings};

/// A read-write lock: many readers at a time, or one writer, in the order in which they asked. It comes from
/// [`Tenure::rw_lock`](crate::Tenure::rw_lock).
///
/// It is a semaphore of which a reader takes one permit and a writer all. Readers who come while a writer waits come
/// after it, so writers do not starve.
///
/// [`reader`](Self::reader) and [`writer`](Self::writer) have everything that a [`Lock`] has.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tenure::Error> {
/// # let tenure = tenure::Tenure::connect("memory:rw-lock").await?;
/// let index = tenure.rw_lock("search-index");
/// let (one, other) = (index.read().await?, index.read().await?);
/// assert!(index.try_write().await?.is_none());
/// drop((one, other));
/// let written = index.writer().with_lock(async |guard| guard.fence()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a lock holds nothing before it is acquired"]
pub struct RwLock {
    pub(crate) gate: Gate,
}

settings!(RwLock);
label!(RwLock);
looks!(RwLock);

impl RwLock {
    /// The lock as readers have it.
    pub fn reader(&self) -> Lock {
        Lock { gate: self.gate.clone() }
    }

    /// The lock as a writer has it.
    pub fn writer(&self) -> Lock {
        let mut gate = self.gate.clone();
        gate.terms_mut().permits = self.gate.named.limit;
        Lock { gate }
    }

    /// Waits to read: [`Lock::acquire`] of the [`reader`](Self::reader).
    ///
    /// # Errors
    ///
    /// Those of [`Lock::acquire`].
    ///
    /// # Cancel safety
    ///
    /// As for [`Lock::acquire`].
    pub async fn read(&self) -> Result<Guard, Error> {
        self.gate.acquire(1).await
    }

    /// Waits to write: [`Lock::acquire`] of the [`writer`](Self::writer).
    ///
    /// # Errors
    ///
    /// Those of [`Lock::acquire`].
    ///
    /// # Cancel safety
    ///
    /// As for [`Lock::acquire`].
    pub async fn write(&self) -> Result<Guard, Error> {
        self.gate.acquire(self.gate.named.limit).await
    }

    /// Reads if nobody writes or waits; `None` otherwise.
    ///
    /// # Errors
    ///
    /// Those of [`Lock::try_acquire`].
    ///
    /// # Cancel safety
    ///
    /// As for [`Lock::try_acquire`].
    pub async fn try_read(&self) -> Result<Option<Guard>, Error> {
        self.gate.try_acquire(1).await
    }

    /// Writes if nobody reads, writes or waits; `None` otherwise.
    ///
    /// # Errors
    ///
    /// Those of [`Lock::try_acquire`].
    ///
    /// # Cancel safety
    ///
    /// As for [`Lock::try_acquire`].
    pub async fn try_write(&self) -> Result<Option<Guard>, Error> {
        self.gate.try_acquire(self.gate.named.limit).await
    }
}
