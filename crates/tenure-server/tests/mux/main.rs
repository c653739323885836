//! The multiplexed protocol, spoken over real sockets.
#![allow(
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test may stop at what it did not expect"
)]

mod claims;
mod client;
mod framing;
mod keys;
mod limits;
#[path = "../client/mod.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod line;
mod sessions;
mod shutdown;
mod signals;
