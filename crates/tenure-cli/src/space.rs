//! Which name space a key is in.

use tenure::coordinator::Released;
use tenure::{Error, Fence, Lock, RwLock, Semaphore, Tenure, Token, Watch};
use tenure_core::{Key, Space};

use crate::exit::{Exit, Failure};
use crate::say;

/// The flags that choose one.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct SpaceFlags {
    /// The key is a lock's
    #[arg(long, conflicts_with_all = ["semaphore", "rwlock"])]
    lock: bool,

    /// The key is a semaphore's
    #[arg(long, conflicts_with = "rwlock")]
    semaphore: bool,

    /// The key is a read-write lock's
    #[arg(long)]
    rwlock: bool,
}

impl SpaceFlags {
    /// The one that was chosen, if one was.
    pub(crate) const fn chosen(self) -> Option<Space> {
        match self {
            Self { lock: true, .. } => Some(Space::Lock),
            Self { semaphore: true, .. } => Some(Space::Semaphore),
            Self { rwlock: true, .. } => Some(Space::RwLock),
            Self { .. } => None,
        }
    }

    /// The one that was chosen; that of locks unless one was.
    pub(crate) fn or_lock(self) -> Space {
        self.chosen().unwrap_or(Space::Lock)
    }

    /// The one that was chosen; all of them unless one was.
    pub(crate) fn or_all(self) -> Vec<Space> {
        self.chosen().map_or_else(|| vec![Space::Lock, Space::Semaphore, Space::RwLock], |space| vec![space])
    }
}

/// What people and JSON call it.
pub(crate) const fn name(space: Space) -> &'static str {
    match space {
        Space::Lock => "lock",
        Space::Semaphore => "semaphore",
        Space::RwLock => "rwlock",
    }
}

/// The key of that name.
pub(crate) fn key(space: Space, name: &[u8]) -> Result<Key<'_>, Failure> {
    Key::new(space, name).map_err(|error| {
        Failure::from(Exit::Usage, format!("\"{}\" cannot be a key", say::shown(name)), error)
    })
}

/// A key, whichever name space it is in.
pub(crate) enum Target {
    Lock(Lock),
    Semaphore(Semaphore),
    RwLock(RwLock),
}

impl Target {
    /// The key of that name.
    pub(crate) fn new(tenure: &Tenure, space: Space, name: &[u8]) -> Self {
        match space {
            Space::Lock => Self::Lock(tenure.lock(name)),
            // What only looks needs no limit.
            Space::Semaphore => Self::Semaphore(tenure.semaphore(name, 1)),
            Space::RwLock => Self::RwLock(tenure.rw_lock(name)),
        }
    }

    /// What happens to it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn watch(&self) -> Result<Watch, Error> {
        match self {
            Self::Lock(key) => key.watch().await,
            Self::Semaphore(key) => key.watch().await,
            Self::RwLock(key) => key.watch().await,
        }
    }

    /// Takes its grants away, all of them or that of one fence; how many.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, it may have happened or not.
    pub(crate) async fn steal(&self, fence: Option<Fence>, reason: &str) -> Result<u64, Error> {
        match (self, fence) {
            (Self::Lock(key), None) => key.steal(reason).await,
            (Self::Semaphore(key), None) => key.steal(reason).await,
            (Self::RwLock(key), None) => key.steal(reason).await,
            (Self::Lock(key), Some(fence)) => key.steal_one(fence, reason).await.map(u64::from),
            (Self::Semaphore(key), Some(fence)) => key.steal_one(fence, reason).await.map(u64::from),
            (Self::RwLock(key), Some(fence)) => key.steal_one(fence, reason).await.map(u64::from),
        }
    }

    /// Ends the grant that a token proves.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, it may have happened or not.
    pub(crate) async fn release_token(&self, token: Token) -> Result<Released, Error> {
        match self {
            Self::Lock(key) => key.release_token(token).await,
            Self::Semaphore(key) => key.release_token(token).await,
            Self::RwLock(key) => key.release_token(token).await,
        }
    }
}
