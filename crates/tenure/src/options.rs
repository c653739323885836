//! What a connection to a service is made with.

use crate::Clock;
use crate::net::TlsRoots;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tenure_core::{HOST_LEN_MAX, Note};

/// How long to wait for a connection unless told otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What a coordinator that speaks to a service is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// What shows a service that this client may use it.
    pub auth: Option<AuthToken>,
    /// Whose signature makes a service trusted, where it is spoken to in TLS.
    pub tls_roots: TlsRoots,
    /// How long an operation waits for a connection.
    pub connect_timeout: Duration,
    /// The clock that decides how long grants are believed in.
    pub clock: Clock,
    /// What others see of this client. A claim may bring its own.
    pub note: Arc<Note>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            auth: None,
            tls_roots: TlsRoots::system(),
            connect_timeout: CONNECT_TIMEOUT,
            clock: Clock::system(),
            note: Arc::new(of_this_process("")),
        }
    }
}

/// What this process tells of itself, beside a label.
pub(crate) fn of_this_process(label: &str) -> Note {
    let host = nix::unistd::gethostname().unwrap_or_default();
    let host = host.to_string_lossy();
    let fits = host.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= HOST_LEN_MAX);
    let host = &host[..fits.last().unwrap_or(0)];
    Note { label: label.into(), host: host.into(), pid: std::process::id() }
}

/// The secret that a service asks for. It is in no debug print.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthToken(Arc<[u8]>);

impl AuthToken {
    /// The secret.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<T: AsRef<[u8]> + ?Sized> From<&T> for AuthToken {
    fn from(bytes: &T) -> Self {
        Self(Arc::from(bytes.as_ref()))
    }
}

impl From<String> for AuthToken {
    fn from(text: String) -> Self {
        Self(Arc::from(text.into_bytes()))
    }
}

impl From<Vec<u8>> for AuthToken {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::from(bytes))
    }
}

impl fmt::Debug for AuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_not_printed() {
        let options = Options { auth: Some(AuthToken::from("hush")), ..Options::default() };
        let printed = format!("{options:?}");
        assert!(printed.contains("AuthToken(..)") && !printed.contains("hush"), "{printed}");
    }

    #[test]
    fn a_client_tells_where_it_runs() {
        let note = of_this_process("worker");
        assert_eq!((&*note.label, note.pid), ("worker", std::process::id()));
        assert!(!note.host.is_empty() && note.host.len() <= HOST_LEN_MAX);
    }
}
