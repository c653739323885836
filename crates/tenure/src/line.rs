//! The line protocol as a client, for people who manage their own socket, or talk to dflockd.
//!
//! One request at a time, one line for an answer: a [`Client`] is a connection with one typed function for every
//! command of the protocol. Nothing happens behind its user's back: no renewal, no second try, no reconnect. Whoever
//! wants guards that know when they are lost wants the rest of this crate.
//!
//! It speaks to Tenure and to dflockd (1.10 to 2.x) alike. `bind`, `inspect` and `info` are Tenure's own; others answer
//! them with an error of the kind `Unsupported`. The protocol knows whole seconds: spans are rounded up.
//!
//! ```
//! use std::time::Duration;
//! use tenure::line::{Acquired, Client, Key};
//! use tenure::net::{Address, TlsRoots};
//!
//! # use tenure_server::{Config, Server};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! # let server = Server::bind(Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() })?;
//! # let url = format!("tenure://{}", server.local_addr());
//! # tokio::spawn(server.run(std::future::pending()));
//! let address: Address = url.parse()?;
//! let mut client = Client::connect(&address, &TlsRoots::system(), Duration::from_secs(5)).await?;
//! let key = Key::lock("nightly-backup");
//! if let Acquired::Granted(grant) = client.acquire(key, Duration::from_secs(10), None).await? {
//!     // … for no longer than grant.lease, unless renewed …
//!     client.release(key, &grant.token).await?;
//! }
//! # Ok(())
//! # })
//! # }
//! ```

mod client;
mod inbox;
mod key;
mod link;
mod outcome;
mod refusal;

pub use client::Client;
pub use key::Key;
pub use outcome::{Acquired, Enqueued, Grant, Renewed, Token, Waited};
pub use tenure_core::Bond;
