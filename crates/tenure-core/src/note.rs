//! What people get to see of whoever makes a claim.

use alloc::boxed::Box;

/// The longest label, in bytes: a sentence, or the address of a leader.
pub const LABEL_LEN_MAX: usize = 256;

/// The longest name of a host, in bytes, as systems have it.
pub const HOST_LEN_MAX: usize = 64;

/// What people get to see of whoever makes a claim. Nothing is decided by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// What the owner calls itself, or its purpose; empty for nothing. At most [`LABEL_LEN_MAX`] bytes.
    pub label: Box<str>,
    /// The host that it runs on; empty for unknown. At most [`HOST_LEN_MAX`] bytes.
    pub host: Box<str>,
    /// Its process; zero for unknown.
    pub pid: u32,
}
