//! What keeps requests from being answered, to be told to everyone who asks.

use crate::{Error, ErrorKind};
use std::error::Error as _;

/// An error that many hear of.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    kind: ErrorKind,
    text: String,
}

impl Trouble {
    pub(super) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// Whether time may mend it.
    pub(super) const fn is_hopeless(&self) -> bool {
        matches!(self.kind, ErrorKind::Denied | ErrorKind::Unsupported | ErrorKind::Invalid)
    }

    /// For someone who has asked nothing yet.
    pub(super) fn error(&self) -> Error {
        Error::new(self.kind.clone(), self.text.clone())
    }

    /// For someone whose request was sent before, and may have been done.
    pub(super) fn error_of_sent(&self) -> Error {
        let text = format!("it was asked for, and the connection broke before the answer: {}", self.text);
        Error::new(ErrorKind::Indeterminate, text)
    }
}

impl From<&Error> for Trouble {
    fn from(error: &Error) -> Self {
        let mut text = error.to_string();
        let mut below = error.source();
        while let Some(cause) = below {
            text = format!("{text}: {cause}");
            below = cause.source();
        }
        Self { kind: error.kind().clone(), text }
    }
}
