//! What travels between a client and a daemon, as pure codecs: bytes in, typed values out, and back.
//!
//! Nothing here reads a socket or a clock. [`mod@line`] is the line protocol, which the clients of dflockd speak unchanged;
//! [`mod@mux`] carries many claims on one connection.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod line;
pub mod mux;
