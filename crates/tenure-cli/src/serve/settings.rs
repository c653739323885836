//! Flags and environment, as the configuration of the daemon.

use std::num::NonZeroU64;

use tenure_server::{Config, State};

use super::flags::Flags;
use super::sources::{Environment, Setting};
use super::values::{Given, Misconfigured};
use super::{reach, secret, state};

/// What the daemon is started with.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// How it runs.
    pub(super) config: Config,
    /// Whether it says more on stderr.
    pub(super) debug: bool,
    /// What its user should know before it starts.
    pub(super) notes: Vec<String>,
}

const DEFAULT_LEASE_TTL: Setting = Setting::new("--default-lease-ttl", &["TENURE_DEFAULT_LEASE_TTL_S"]);
const GC_MAX_IDLE: Setting =
    Setting::new("--gc-max-idle", &["TENURE_GC_MAX_IDLE_S", "TENURE_GC_MAX_UNUSED_TIME"]);
const AUTO_RELEASE: Setting =
    Setting::new("--auto-release-on-disconnect", &["TENURE_AUTO_RELEASE_ON_DISCONNECT"]);
const MAX_LOCKS: Setting = Setting::new("--max-locks", &["TENURE_MAX_LOCKS"]);
const MAX_CLAIMS: Setting = Setting::new("--max-claims", &["TENURE_MAX_CLAIMS"]);
const FENCE_RANGE: Setting = Setting::new("--fence-range", &["TENURE_FENCE_RANGE"]);
/// A thousand restarts, each of which skips what is left of a range, use up a thousandth of all fences at most.
const FENCE_RANGE_MAX: i128 = 1 << 43;
const MAX_CONNECTIONS: Setting = Setting::new("--max-connections", &["TENURE_MAX_CONNECTIONS"]);
const MAX_WAITERS: Setting = Setting::new("--max-waiters", &["TENURE_MAX_WAITERS"]);
const MAX_SUBSCRIPTIONS: Setting = Setting::new("--max-subscriptions", &["TENURE_MAX_SUBSCRIPTIONS"]);
const READ_TIMEOUT: Setting = Setting::new("--read-timeout", &["TENURE_READ_TIMEOUT_S"]);
const WRITE_TIMEOUT: Setting = Setting::new("--write-timeout", &["TENURE_WRITE_TIMEOUT_S"]);
const SHUTDOWN_TIMEOUT: Setting = Setting::new("--shutdown-timeout", &["TENURE_SHUTDOWN_TIMEOUT_S"]);
const DEBUG: Setting = Setting::new("--debug", &["TENURE_DEBUG"]);
const LEASE_SWEEP_INTERVAL: Setting =
    Setting::new("--lease-sweep-interval", &["TENURE_LEASE_SWEEP_INTERVAL_S"]);
const GC_INTERVAL: Setting = Setting::new("--gc-interval", &["TENURE_GC_INTERVAL_S", "TENURE_GC_LOOP_SLEEP"]);

/// Everything that the flags and the environment say, or the first thing in it that a daemon cannot run with.
pub(super) fn gather(flags: &Flags, environment: &Environment<'_>) -> Result<Settings, Misconfigured> {
    let mut config = Config { state: State::InMemory, ..Config::default() };
    lifetimes(&mut config, flags, environment)?;
    limits(&mut config, flags, environment)?;
    config.tls = reach::tls(flags, environment)?;
    config.auth_token = secret::gather(flags, environment)?;
    config.state = state::gather(flags, environment)?;
    config.listen = reach::listen(&config, flags, environment)?;
    let debug = environment.given(DEBUG, flags.debug.as_ref());
    let debug = debug.map_or(Ok(false), |given| given.switch())?;
    let notes = jobless(flags, environment)?;
    Ok(Settings { config, debug, notes })
}

fn lifetimes(config: &mut Config, flags: &Flags, environment: &Environment<'_>) -> Result<(), Misconfigured> {
    if let Some(given) = environment.given(DEFAULT_LEASE_TTL, flags.default_lease_ttl.as_ref()) {
        config.default_lease = given.seconds(1)?;
    }
    if let Some(given) = environment.given(GC_MAX_IDLE, flags.gc_max_idle.as_ref()) {
        config.gc_max_idle = given.seconds(0)?;
    }
    if let Some(given) = environment.given(READ_TIMEOUT, flags.read_timeout.as_ref()) {
        config.read_timeout = given.seconds(1)?;
    }
    if let Some(given) = environment.given(WRITE_TIMEOUT, flags.write_timeout.as_ref()) {
        config.write_timeout = Some(given.seconds(0)?).filter(|span| !span.is_zero());
    }
    if let Some(given) = environment.given(SHUTDOWN_TIMEOUT, flags.shutdown_timeout.as_ref()) {
        config.shutdown_timeout = Some(given.seconds(0)?).filter(|span| !span.is_zero());
    }
    if let Some(given) = environment.given(AUTO_RELEASE, flags.auto_release_on_disconnect.as_ref()) {
        config.auto_release = given.switch()?;
    }
    Ok(())
}

fn limits(config: &mut Config, flags: &Flags, environment: &Environment<'_>) -> Result<(), Misconfigured> {
    if let Some(given) = environment.given(MAX_LOCKS, flags.max_locks.as_ref()) {
        config.max_locks = given.count(1)?;
    }
    if let Some(given) = environment.given(MAX_CLAIMS, flags.max_claims.as_ref()) {
        config.max_claims = given.count(1)?;
    }
    if let Some(given) = environment.given(FENCE_RANGE, flags.fence_range.as_ref()) {
        let range = u64::try_from(given.number(1..=FENCE_RANGE_MAX)?).unwrap_or(u64::MAX);
        config.fence_range = NonZeroU64::MIN.saturating_add(range - 1);
    }
    let unlimited = |given: &Given| given.count(0).map(|count| Some(count).filter(|count| *count > 0));
    if let Some(given) = environment.given(MAX_CONNECTIONS, flags.max_connections.as_ref()) {
        config.max_connections = unlimited(&given)?;
    }
    if let Some(given) = environment.given(MAX_WAITERS, flags.max_waiters.as_ref()) {
        config.max_waiters = unlimited(&given)?;
    }
    if let Some(given) = environment.given(MAX_SUBSCRIPTIONS, flags.max_subscriptions.as_ref()) {
        config.max_subscriptions = unlimited(&given)?;
    }
    Ok(())
}

/// Notes about flags that are checked as ever and change nothing.
fn jobless(flags: &Flags, environment: &Environment<'_>) -> Result<Vec<String>, Misconfigured> {
    let mut notes = Vec::new();
    let sweep = environment.given(LEASE_SWEEP_INTERVAL, flags.lease_sweep_interval.as_ref());
    if let Some(given) = sweep {
        given.seconds(1)?;
        notes.push(format!("{} has no job any more: leases end exactly at their deadline", given.from));
    }
    if let Some(given) = environment.given(GC_INTERVAL, flags.gc_interval.as_ref()) {
        given.seconds(1)?;
        notes.push(format!("{} has no job any more: idle keys go when --gc-max-idle is over", given.from));
    }
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Command};

    #[test]
    fn without_flags_the_daemon_listens_on_loopback_and_keeps_its_state_at_home() {
        let settings = settings(&[], &[("HOME", "/h")]).expect("defaults");
        assert_eq!(settings.config.listen.to_string(), "127.0.0.1:6388");
        assert_eq!(settings.config.state, State::Under("/h/.local/state/tenure".into()));
        assert_eq!(settings.config.max_locks, 1_000_000);
        assert!(settings.config.auto_release && !settings.debug && settings.notes.is_empty());
    }

    #[test]
    fn a_flag_beats_the_environment_and_the_environment_the_default() {
        let environment = [("TENURE_PORT", "7000"), ("TENURE_MAX_LOCKS", "5"), ("TENURE_DEBUG", "")];
        let settings = settings(&["-port", "8000"], &environment).expect("both");
        assert_eq!((settings.config.listen.port(), settings.config.max_locks), (8000, 5));
    }

    #[test]
    fn a_flag_given_twice_counts_once_and_last() {
        let settings = settings(&["--port=1", "-port", "2"], &[]).expect("the last");
        assert_eq!(settings.config.listen.port(), 2);
    }

    #[test]
    fn zero_means_no_limit_where_it_always_did() {
        let flags = ["--max-connections=0", "--max-waiters=0", "--max-subscriptions=0"];
        let config = settings(&flags, &[]).expect("no limits").config;
        assert_eq!(
            (config.max_connections, config.max_waiters, config.max_subscriptions),
            (None, None, None)
        );
        let config = settings(&["--write-timeout=0", "--shutdown-timeout=0"], &[]).expect("for ever").config;
        assert_eq!((config.write_timeout, config.shutdown_timeout), (None, None));
        let config = settings(&["--gc-max-idle=0"], &[]).expect("at once").config;
        assert_eq!(config.gc_max_idle, Duration::ZERO);
    }

    #[test]
    fn the_older_names_in_the_environment_are_known() {
        let environment = [("TENURE_GC_LOOP_SLEEP", "9"), ("TENURE_GC_MAX_UNUSED_TIME", "7")];
        let settings = settings(&[], &environment).expect("older names");
        assert_eq!(settings.config.gc_max_idle, Duration::from_secs(7));
        assert_eq!(settings.notes.len(), 1);
    }

    #[test]
    fn a_flag_whose_job_is_gone_is_checked_and_noted() {
        let settings = settings(&["--lease-sweep-interval=2", "--gc-interval", "5"], &[]).expect("accepted");
        assert!(settings.notes[0].starts_with("--lease-sweep-interval has no job any more"));
        assert!(settings.notes[1].starts_with("--gc-interval has no job any more"));
    }

    #[test]
    fn what_a_daemon_cannot_run_with_names_its_flag() {
        for (flags, text) in [
            (&["--port=70000"][..], "--port: 70000 is not between 0 and 65535"),
            (&["--port=-1"], "--port: -1 is not between 0 and 65535"),
            (&["--port", "x"], "--port: x is not a whole number"),
            (&["--max-locks=0"], "--max-locks: 0 is not between 1 and 9223372036854775807"),
            (&["--default-lease-ttl=0"], "--default-lease-ttl: 0 is not between 1 and 9223372036"),
            (&["--lease-sweep-interval=0"], "--lease-sweep-interval: 0 is not between 1 and 9223372036"),
            (&["--gc-interval=0"], "--gc-interval: 0 is not between 1 and 9223372036"),
            (&["--gc-max-idle=-1"], "--gc-max-idle: -1 is not between 0 and 9223372036"),
            (&["--read-timeout=0"], "--read-timeout: 0 is not between 1 and 9223372036"),
            (&["--write-timeout=9223372037"], "--write-timeout: 9223372037 is not between 0 and 9223372036"),
            (&["--shutdown-timeout=-1"], "--shutdown-timeout: -1 is not between 0 and 9223372036"),
            (&["--max-waiters=1.5"], "--max-waiters: 1.5 is not a whole number"),
            (&["--debug=yes"], "--debug: yes is neither true nor false"),
            (&["--auth-token="], "--auth-token: the token is empty"),
            (&["--tls-cert=/dev/null"], "--tls-cert: there is no --tls-key for it"),
            (&["--tls-key=/dev/null"], "--tls-key: there is no --tls-cert for it"),
            (
                &["--auth-token=a", "--auth-token-file=b"],
                "--auth-token: --auth-token-file is given as well: it is one or the other",
            ),
            (
                &["--state-dir=a", "--in-memory"],
                "--state-dir: --in-memory is given as well: it is one or the other",
            ),
        ] {
            let wrong = settings(flags, &[]).expect_err("misconfigured");
            assert_eq!(wrong.to_string(), text, "{flags:?}");
        }
    }

    #[test]
    fn a_wrong_variable_is_named_beside_its_flag() {
        let wrong = settings(&[], &[("TENURE_PORT", "x")]).expect_err("misconfigured");
        assert_eq!(wrong.to_string(), "--port (from TENURE_PORT): x is not a whole number");
        let wrong = settings(&[], &[("TENURE_AUTH_TOKEN", "")]).expect_err("misconfigured");
        assert_eq!(wrong.to_string(), "--auth-token (from TENURE_AUTH_TOKEN): the token is empty");
    }

    #[test]
    fn other_machines_are_let_in_only_with_tls_and_a_token_or_when_insecure() {
        let open = ["--host=0.0.0.0"];
        let wrong = settings(&open, &[]).expect_err("open to everyone");
        for flag in ["--host:", "--tls-cert/--tls-key", "--auth-token-file", "--insecure"] {
            assert!(wrong.to_string().contains(flag), "{wrong}");
        }
        assert!(settings(&["--host=0.0.0.0", "--auth-token=t"], &[]).is_err());
        assert!(settings(&["--host=0.0.0.0", "--insecure=false"], &[]).is_err());
        assert!(settings(&["--host=0.0.0.0", "--insecure"], &[]).is_ok());
        let protected = ["--host=::", "--auth-token=t", "--tls-cert=/dev/null", "--tls-key=/dev/null"];
        assert!(settings(&protected, &[]).is_ok());
    }

    #[test]
    fn every_form_of_loopback_is_local() {
        for host in ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "::ffff:127.0.0.1"] {
            let config = settings(&["--host", host], &[]).expect(host).config;
            assert!(config.listen.ip().to_canonical().is_loopback(), "{host}");
        }
        let wrong = settings(&["--host="], &[]).expect_err("no host");
        assert!(wrong.to_string().starts_with("--host: names no host"), "{wrong}");
    }

    #[test]
    fn a_token_file_may_end_with_a_line_break_and_holds_one_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        let with = |content: &str| {
            std::fs::write(&path, content).expect("written");
            settings(&["--auth-token-file", path.to_str().expect("UTF-8")], &[])
                .map(|settings| settings.config.auth_token)
        };
        assert!(with("secret\r\n").expect("one line").is_some());
        for content in ["", "\n", "a\nb", " a"] {
            assert!(
                with(content).expect_err("refused").to_string().starts_with("--auth-token-file: the token")
            );
        }
        let missing = settings(&["--auth-token-file=/nowhere"], &[]).expect_err("missing");
        assert!(missing.to_string().starts_with("--auth-token-file: /nowhere cannot be read"), "{missing}");
    }

    #[test]
    fn either_token_flag_beats_both_variables() {
        let environment = [("TENURE_AUTH_TOKEN", "a"), ("TENURE_AUTH_TOKEN_FILE", "/nowhere")];
        assert!(settings(&["--auth-token=b"], &environment).expect("the flag").config.auth_token.is_some());
        assert!(settings(&[], &environment).is_err());
    }

    #[test]
    fn a_state_folder_beats_what_the_environment_says() {
        let state = |flags: &[&str], environment: &[(&str, &str)]| {
            settings(flags, environment).map(|settings| settings.config.state)
        };
        let dir = State::Dir(PathBuf::from("/s"));
        assert_eq!(state(&["--state-dir=/s"], &[("TENURE_IN_MEMORY", "1")]), Ok(dir.clone()));
        assert_eq!(state(&["--in-memory"], &[("TENURE_STATE_DIR", "/s")]), Ok(State::InMemory));
        assert_eq!(state(&["--in-memory=false"], &[("TENURE_STATE_DIR", "/s")]), Ok(dir));
        assert!(state(&[], &[("TENURE_STATE_DIR", "/s"), ("TENURE_IN_MEMORY", "1")]).is_err());
        assert!(state(&["--state-dir="], &[]).is_err());
    }

    #[test]
    fn what_clap_does_not_understand_is_told_in_one_line_as_well() {
        for (arguments, text) in [
            (&["--prot", "1"][..], "--prot: there is no such flag; there is --port"),
            (&["-frobnicate"], "--frobnicate: there is no such flag (see tenure serve --help)"),
            (&["--port"], "--port: needs a value"),
            (&["extra"], "extra: nothing but flags is expected (see tenure serve --help)"),
            (&["-debug", "true"], "true: a switch takes its value after `=`, as in --debug=true"),
            (
                &["--no-auto-release-on-disconnect"],
                "--no-auto-release-on-disconnect: write --auto-release-on-disconnect=false",
            ),
        ] {
            let arguments = ["tenure", "serve"].iter().chain(arguments).map(Into::into).collect();
            let error = Cli::try_parse_from(super::super::normalise(arguments)).expect_err("not understood");
            assert_eq!(super::super::explain(&error).to_string(), text);
        }
    }

    fn settings(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Settings, Misconfigured> {
        let arguments = ["tenure", "serve"].iter().chain(arguments).map(Into::into).collect();
        let cli = Cli::try_parse_from(super::super::normalise(arguments)).expect("understood");
        let Command::Serve(flags) = cli.command else { unreachable!("serve was asked for") };
        let found =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, text)| text.into());
        gather(&flags, &Environment(&found))
    }
}
