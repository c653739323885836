//! What can be wrong with a message.

use core::fmt;

/// A message does not fit: one of its texts has more than 65,535 bytes, or the whole more than a frame may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// Why a frame is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadFrame {
    /// This version knows no such kind. A server answers [`RefusedCode::Unsupported`](super::RefusedCode::Unsupported), and
    /// the connection goes on.
    UnknownKind(u8),
    /// Its fields are not those of its kind, for this reason.
    Malformed(&'static str),
}

impl BadFrame {
    /// What is wrong, as a response may say it.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::UnknownKind(_) => "this version knows no message of that kind",
            Self::Malformed(reason) => reason,
        }
    }
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the message does not fit into a frame")
    }
}

impl core::error::Error for TooLong {}

impl fmt::Display for BadFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for BadFrame {}
