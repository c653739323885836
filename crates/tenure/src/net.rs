//! The way to a service: its address, and a connection to it.
//!
//! This is for those who speak a protocol on their own: with [`line::Client`](crate::line::Client), or by hand. A
//! connection is plain, or in TLS whose certificate is checked; what is said on it is up to its user.

mod address;
mod connect;
mod tls;

pub use address::{Address, PORT};
pub use connect::{Stream, connect};
pub use tls::TlsRoots;
