//! What `tenure serve` can be told.
//!
//! The names, and the meaning of 0, are dflockd's, so that whatever starts a dflockd can start this. Values stay text
//! here: they come from flags or from the environment, and both are checked alike by [`super::settings`].

use std::ffi::OsString;

use clap::Args;

use super::values::Given;

const EXAMPLES: &str = "\
Every flag can also be set in the environment: TENURE_ and its name in capitals, with _S for
seconds (TENURE_PORT, TENURE_READ_TIMEOUT_S). A flag beats the environment. Switches take a
value only after =, as in --auto-release-on-disconnect=false. One dash will do: -port 7000.

Examples:
  tenure serve
  tenure serve --port 7000 --state-dir /var/lib/tenure
  tenure serve --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem --auth-token-file token
  printf 'l\\nmy-key\\n10\\n' | nc -N 127.0.0.1 6388";

/// Flags of `tenure serve`.
#[derive(Clone, Debug, Default, Args)]
#[command(args_override_self = true, after_help = EXAMPLES)]
pub(crate) struct Flags {
    /// The address or host name to listen on; other machines can reach any but a loopback address, which is refused
    /// without TLS and authentication [default: 127.0.0.1]
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Option<OsString>,

    /// The port to listen on; 0 lets the system choose [default: 6388]
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<OsString>,

    /// The folder of the fence counter, by which fences rise across restarts
    /// [default: tenure/IP_PORT under $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<OsString>,

    /// Keep nothing on disk; fences fall if the clock is set back between two runs
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) in_memory: Option<OsString>,

    /// The lease of a lock whose request names none, in seconds [default: 33]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) default_lease_ttl: Option<OsString>,

    /// How long a key that nobody holds or awaits is remembered, in seconds [default: 60]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) gc_max_idle: Option<OsString>,

    /// Release what a connection holds when it closes; =false lets its leases run out [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) auto_release_on_disconnect: Option<OsString>,

    /// The most keys, held and idle; one more is answered error_max_locks [default: 1000000]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) max_locks: Option<OsString>,

    /// The most claims, waiting and granted, of all keys together; one more is answered error_max_locks
    /// [default: 4000000]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) max_claims: Option<OsString>,

    /// How many fences one write to the state folder makes available [default: 16777216]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) fence_range: Option<OsString>,

    /// The most connections, 0 for no limit; one more is closed without a byte [default: 10000]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) max_connections: Option<OsString>,

    /// The most waiters of one key, 0 for no limit; one more is answered error_max_waiters [default: 10000]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) max_waiters: Option<OsString>,

    /// The most signal patterns of one connection, 0 for no limit; one more is answered error [default: 1000]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) max_subscriptions: Option<OsString>,

    /// How long a connection may be silent, and a request may take to arrive, in seconds; it is answered error and
    /// closed [default: 23]
    #[arg(long, value_name = "SECONDS", help_heading = "Limits")]
    pub(crate) read_timeout: Option<OsString>,

    /// How long a peer may take to accept an answer, in seconds, 0 for ever; it is closed [default: 5]
    #[arg(long, value_name = "SECONDS", help_heading = "Limits")]
    pub(crate) write_timeout: Option<OsString>,

    /// How long a shutdown waits for connections to end by themselves, in seconds, 0 for ever [default: 30]
    #[arg(long, value_name = "SECONDS", help_heading = "Limits")]
    pub(crate) shutdown_timeout: Option<OsString>,

    /// The certificate chain to serve TLS with, a PEM file
    #[arg(long, value_name = "FILE", help_heading = "Security")]
    pub(crate) tls_cert: Option<OsString>,

    /// The private key of the certificate, a PEM file
    #[arg(long, value_name = "FILE", help_heading = "Security")]
    pub(crate) tls_key: Option<OsString>,

    /// A file with the token that clients must show
    #[arg(long, value_name = "FILE", help_heading = "Security")]
    pub(crate) auth_token_file: Option<OsString>,

    /// The token that clients must show; other users of this machine can read it here, so prefer the file
    #[arg(long, value_name = "TOKEN", help_heading = "Security")]
    pub(crate) auth_token: Option<OsString>,

    /// Listen where other machines can reach it even without TLS and authentication
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        help_heading = "Security"
    )]
    pub(crate) insecure: Option<OsString>,

    /// Say more on stderr
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) debug: Option<OsString>,

    /// Print the version
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) version: Option<OsString>,

    /// Accepted for dflockd's sake: leases end exactly at their deadline, nothing sweeps
    #[arg(long, value_name = "SECONDS", help_heading = "Without a job any more")]
    pub(crate) lease_sweep_interval: Option<OsString>,

    /// Accepted for dflockd's sake: idle keys go exactly when they have been idle for long enough
    #[arg(long, value_name = "SECONDS", help_heading = "Without a job any more")]
    pub(crate) gc_interval: Option<OsString>,
}

impl Flags {
    /// Whether it is only asked which version this is. Any word but a no is a yes.
    pub(super) fn wants_the_version(&self) -> bool {
        let given = self.version.clone().map(|text| Given { from: "--version".to_owned(), text });
        given.is_some_and(|given| given.switch().unwrap_or(true))
    }
}
