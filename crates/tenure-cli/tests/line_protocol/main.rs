//! The line protocol, from the outside: every command, every answer, byte for byte.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

#[path = "../harness/mod.rs"]
mod harness;

mod auth;
mod bytes;
mod draining;
mod extensions;
mod framing;
mod leases;
mod limits;
mod locks;
mod malformed;
mod signals;
mod stats;
mod two_phase;
