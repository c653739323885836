//! The daemon as a library: doors around one engine.
//!
//! [`Server::bind`] takes a [`Config`] and listens; [`Server::run`] answers until it is told to stop. Every request goes the
//! same way: bytes, decoded once into a typed command, through the door of its connection to the one engine, and the
//! outcome back as bytes. Grants that come later leave the engine as events and reach their connection through its mailbox.

mod auth;
mod clock;
mod config;
mod connection;
mod door;
mod error;
mod listener;
mod mailbox;
mod mux;
mod peer;
mod report;
mod server;
mod session;
mod sessions;
mod shared;
mod signals;
mod state;
mod tls;
mod upkeep;

pub use config::{AuthToken, Config, State, TlsFiles};
pub use error::Error;
pub use server::Server;
