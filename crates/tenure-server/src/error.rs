//! What keeps a daemon from starting.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the daemon did not start. Every text names what to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller must choose another address, or end what uses this one.
    #[error("--host, --port: cannot listen on {address}; choose another, or stop what listens there")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The caller must give another folder, or make this one usable.
    #[error("--state-dir: cannot keep the fence counter in {}; give a folder that can be written, or --in-memory", path.display())]
    State {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The caller must give every daemon a folder of its own.
    #[error("--state-dir: {} is in use by another daemon; give this one a folder of its own", path.display())]
    StateInUse {
        /// The file that is locked.
        path: PathBuf,
    },
    /// The caller must restore the file from a copy that is not older than the last use, or accept that fences may fall and remove it.
    #[error(
        "--state-dir: {} is damaged, so fences could fall; restore it, or remove it if no resource remembers fences from before",
        path.display()
    )]
    StateDamaged {
        /// The file.
        path: PathBuf,
    },
    /// The caller must give a certificate chain and its private key, both as PEM.
    #[error("--tls-cert and --tls-key: {problem} ({})", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}
