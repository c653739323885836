//! Why a grant is not held any more.

use std::fmt;
use std::sync::Arc;

/// Why a grant is not held any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// The holder's own clock says that the lease may have ended: no renewal was answered in time.
    Expired,
    /// Whoever grants says that the lease has ended.
    Lapsed,
    /// Somebody took it away.
    Stolen {
        /// Why, as they said.
        reason: Arc<str>,
    },
    /// Somebody else released it with its token.
    Released,
    /// It was bound to a connection, which is gone.
    Disconnected,
    /// Whoever granted it knows nothing of it any more: a daemon that was started again.
    Forgotten,
    /// The client that it belongs to was closed.
    Closed,
}

impl Loss {
    /// Another owner has it now, because it knew the id of the claim.
    #[must_use]
    pub fn taken_over() -> Self {
        Self::Stolen { reason: Arc::from("another client has taken over the claim with its id") }
    }

    /// A word for it, for metrics and logs.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Lapsed => "lapsed",
            Self::Stolen { .. } => "stolen",
            Self::Released => "released",
            Self::Disconnected => "disconnected",
            Self::Forgotten => "forgotten",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => f.write_str("no renewal was answered before the lease could end"),
            Self::Lapsed => f.write_str("its lease ended"),
            Self::Stolen { reason } if reason.is_empty() => f.write_str("it was taken away"),
            Self::Stolen { reason } => write!(f, "it was taken away: {reason}"),
            Self::Released => f.write_str("it was released from outside"),
            Self::Disconnected => f.write_str("its connection is gone"),
            Self::Forgotten => f.write_str("the service knows nothing of it any more"),
            Self::Closed => f.write_str("its client was closed"),
        }
    }
}
