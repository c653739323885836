//! What comes of a request.

use crate::Fence;
use std::fmt;
use std::time::Duration;

/// A permit that was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What proves it: shown to renew and to release it, from any connection.
    pub token: Token,
    /// Its fence. `None` while the service has not shown that it is Tenure, by answering `info`, `inspect` or `bind`: the
    /// tokens of others may have no fence in them.
    pub fence: Option<Fence>,
    /// How long it lasts unless it is renewed, in whole seconds, from the moment that the service granted it; 30 s
    /// where that was not told.
    pub lease: Duration,
}

/// What proves a grant, as the service gave it. It never appears in a debug print.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Token(Box<[u8]>);

/// What comes of asking for a permit and waiting for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// It is the asker's.
    Granted(Grant),
    /// The wait is over, and others have it. The asker has left the line.
    TimedOut,
}

/// What comes of asking for a permit or a place in line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It was free, and is the asker's. [`Client::wait`](super::Client::wait) starts its lease anew.
    Granted(Grant),
    /// Others come first: now wait.
    Queued,
    /// This connection has asked before, and has not waited yet.
    Already,
}

/// What comes of waiting for what this connection has enqueued for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The permit is the asker's.
    Granted(Grant),
    /// The wait is over, and others have it. The asker has left the line.
    TimedOut,
    /// This connection has no place in line.
    NotEnqueued,
    /// The permit came, and its lease ended before anyone waited for it.
    LeaseExpired,
}

/// What comes of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// The grant lasts on.
    For {
        /// How long from the moment that the service heard of it, in whole seconds.
        lease: Duration,
    },
    /// Nobody holds the key with that token: stop acting.
    Gone,
}

impl Token {
    /// A token that came some other way.
    #[must_use]
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
