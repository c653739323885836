//! What can go wrong.

use crate::lost::Loss;
use std::error::Error as StdError;
use std::fmt;

/// What went wrong: a [kind](Error::kind) to act on, a sentence for people, and the error below it.
///
/// Its `Debug` form is for people, too: it is what a `main` that returns one prints.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What kind of thing went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller must stop acting: what it held it holds no more.
    Lost(Loss),
    /// The caller must come back later, or give up: its time was over before its turn came. It has left the line.
    TimedOut,
    /// The caller must come back later, or wait: the permits are not free.
    Contended,
    /// The caller must come back later: nobody could be asked.
    Unavailable,
    /// The caller must ask again, with the same claim: it was asked, and the answer never came.
    Indeterminate,
    /// The caller must ask for something else: this makes no sense.
    Invalid,
    /// The caller must use the limit that others use: the key has another one.
    LimitMismatch {
        /// The limit that it has; zero where the service does not tell, which it never does on the line protocol.
        limit: u32,
    },
    /// The caller must choose another id: this one belongs to a claim for something else.
    Conflict,
    /// The caller must come back when there is less going on, or have a limit raised.
    Full,
    /// The caller must show the right secret.
    Denied,
    /// The caller must ask another service, or this one later: it is about to stop.
    Draining,
    /// The caller must use something else: this service cannot do it.
    Unsupported,
}

impl Error {
    /// An error that has no cause below it.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None }))
    }

    /// An error, and the one that it comes from.
    #[must_use]
    pub fn with_source(
        kind: ErrorKind,
        message: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: Some(source.into()) }))
    }

    /// The error of whoever went on with what is lost.
    #[must_use]
    pub fn lost(loss: Loss) -> Self {
        let message = format!("lost: {loss}");
        Self::new(ErrorKind::Lost(loss), message)
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub const fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Whether asking again, with the same claim, may help.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Unavailable | ErrorKind::Indeterminate | ErrorKind::Draining)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        let mut below = self.source();
        while let Some(cause) = below {
            write!(f, ": {cause}")?;
            below = cause.source();
        }
        write!(f, " ({:?})", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_ends_with_is_a_sentence() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let error = Error::with_source(ErrorKind::Unavailable, "no service at tenure://a:1", refused);
        assert_eq!(format!("{error:?}"), "no service at tenure://a:1: connection refused (Unavailable)");
        assert_eq!(error.to_string(), "no service at tenure://a:1");
    }

    #[test]
    fn an_error_goes_everywhere() {
        fn goes<T: Send + Sync + 'static>() {}
        goes::<Error>();
    }
}
