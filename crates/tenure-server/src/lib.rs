//! The daemon as a library.

mod config;

pub use config::{AuthToken, Config, State, TlsFiles};
