//! Locks.

use crate::gate::Gate;
use crate::settings::{identity, operations, settings};

/// A lock: one holder at a time, in the order in which they asked. It comes from [`Tenure::lock`](crate::Tenure::lock).
///
/// It is a handle: making one asks nobody, clones are the same lock, and one of them can be acquired many times, one
/// after the other. Nothing is re-entrant: who holds a lock and asks for it again waits behind itself.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tenure::Error> {
/// use std::time::Duration;
///
/// # let tenure = tenure::Tenure::connect("memory:lock").await?;
/// let lock = tenure.lock("nightly-backup").ttl(Duration::from_secs(10)).label("backup of db-1");
/// let guard = lock.acquire().await?;
/// assert!(lock.try_acquire().await?.is_none());
/// guard.release().await?;
/// assert!(!lock.is_locked().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a lock holds nothing before it is acquired"]
pub struct Lock {
    pub(crate) gate: Gate,
}

settings!(Lock);
identity!(Lock);
operations!(Lock, "lock(\"nightly-backup\")");
