//! What the end-to-end tests share: the daemon as a real process, a client that knows only bytes, and waiting with a
//! deadline.
#![allow(dead_code, unused_imports, reason = "every test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod client;
mod daemon;
mod peer;
mod relay;
mod wait;

pub(crate) use client::{Client, Grant};
pub(crate) use daemon::{Daemon, refusal, serve, tenure};
pub(crate) use peer::Peer;
pub(crate) use relay::Relay;
pub(crate) use wait::{PATIENCE, Stopwatch, pause, until};
