//! Everything that whoever starts the daemon decides.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

/// How many fences one write makes available. At a million grants a second that is a write every sixteen seconds, and
/// 2^63 fences are enough for half a million million restarts.
const FENCE_RANGE: NonZeroU64 = NonZeroU64::MIN.saturating_add((1 << 24) - 1);

/// How the daemon runs. [`Config::default`] is the embedded default: loopback, port 6388, state in memory only.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on; port 0 lets the system choose one.
    pub listen: SocketAddr,
    /// The lease of a grant whose request names none.
    pub default_lease: Duration,
    /// How long a key without holders and waiters is remembered, and with it the limit its first user chose.
    pub gc_max_idle: Duration,
    /// The most keys, held and idle together. A new key beyond it is answered `error_max_locks`.
    pub max_locks: usize,
    /// The most claims, waiting and granted, of all keys together. One more is answered `error_max_locks`.
    pub max_claims: usize,
    /// How many fences one write to disk makes available.
    pub fence_range: NonZeroU64,
    /// The most connections. One more is closed without a byte. `None`: no limit.
    pub max_connections: Option<usize>,
    /// The most waiters of one key. One more is answered `error_max_waiters`. `None`: no limit.
    pub max_waiters: Option<usize>,
    /// The most signal subscriptions of one connection, with the keys that it watches and the claims that it follows. One more
    /// is answered `error`. `None`: no limit.
    pub max_subscriptions: Option<usize>,
    /// How long a connection may be silent between requests, and how long one request may take to arrive whole.
    pub read_timeout: Duration,
    /// How long a peer may take to accept an answer before it is cut. `None`: for ever.
    pub write_timeout: Option<Duration>,
    /// How long a shutdown waits for connections to end by themselves. `None`: for ever.
    pub shutdown_timeout: Option<Duration>,
    /// Whether the grants of a connection are released when it goes.
    pub auto_release: bool,
    /// The certificate and key to serve TLS with. `None`: plain TCP.
    pub tls: Option<TlsFiles>,
    /// What a connection must show first. `None`: nothing.
    pub auth_token: Option<AuthToken>,
    /// Where the fence counter lives.
    pub state: State,
}

/// Where the certificate chain and its private key are, both as PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate chain.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Where the fence counter lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nowhere: it starts from the wall clock, so fences fall if that clock was set back between two runs.
    InMemory,
    /// In this folder.
    Dir(PathBuf),
    /// In a folder named after the address that the daemon listens on, below this one.
    Under(PathBuf),
}

/// A secret shared with the clients. It never appears in a debug print.
#[derive(Clone)]
pub struct AuthToken(Box<[u8]>);

impl AuthToken {
    /// A token of these bytes; `None` when there are none, because an empty secret would let everyone in.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() { None } else { Some(Self(bytes.into())) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for AuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthToken(..)")
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 6388)),
            default_lease: Duration::from_secs(33),
            gc_max_idle: Duration::from_secs(60),
            max_locks: 1_000_000,
            max_claims: 4_000_000,
            fence_range: FENCE_RANGE,
            max_connections: Some(10_000),
            max_waiters: Some(10_000),
            max_subscriptions: Some(1_000),
            read_timeout: Duration::from_secs(23),
            write_timeout: Some(Duration::from_secs(5)),
            shutdown_timeout: Some(Duration::from_secs(30)),
            auto_release: true,
            tls: None,
            auth_token: None,
            state: State::InMemory,
        }
    }
}
