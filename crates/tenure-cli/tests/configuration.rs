//! Flags and environment: what is taken, what is refused, and what is said about it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod harness;

use std::process::Command;

use harness::{Daemon, refusal, serve, tenure};

/// Fails unless the daemon refuses to start with these flags, in one line that holds all of these words.
fn assert_refused(flags: &[&str], words: &[&str]) {
    let state = tempfile::tempdir().unwrap();
    assert_refusal(&mut serve(state.path(), flags), words);
}

fn assert_refusal(command: &mut Command, words: &[&str]) {
    let (code, stderr) = refusal(command);
    assert_eq!(code, Some(1), "{command:?} said {stderr}");
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{command:?} said {stderr}");
    assert!(lines[0].starts_with("configuration error: "), "{command:?} said {stderr}");
    for word in words {
        assert!(lines[0].contains(word), "{command:?} does not name {word}: {stderr}");
    }
}

#[test]
fn numbers_out_of_range_are_refused_by_the_name_of_their_flag() {
    for flag in [
        "max-locks",
        "max-claims",
        "fence-range",
        "default-lease-ttl",
        "lease-sweep-interval",
        "gc-interval",
        "read-timeout",
    ] {
        for value in ["0", "-1"] {
            assert_refused(&[&format!("--{flag}={value}")], &[&format!("--{flag}")]);
        }
    }
    for flag in [
        "gc-max-idle",
        "max-connections",
        "max-waiters",
        "max-subscriptions",
        "write-timeout",
        "shutdown-timeout",
    ] {
        assert_refused(&[&format!("--{flag}=-1")], &[&format!("--{flag}")]);
    }
    for value in ["-1", "65536"] {
        assert_refused(&[&format!("--port={value}")], &["--port"]);
    }
}

#[test]
fn what_is_no_number_is_refused_by_the_name_of_its_flag() {
    for flag in ["port", "max-locks", "read-timeout", "default-lease-ttl", "max-connections"] {
        for value in ["many", "", "1.5", "99999999999999999999"] {
            assert_refused(&[&format!("--{flag}={value}")], &[&format!("--{flag}")]);
        }
    }
    assert_refused(&["--auto-release-on-disconnect=perhaps"], &["--auto-release-on-disconnect"]);
    assert_refused(&["--host=not an address"], &["--host"]);
}

#[test]
fn half_of_a_pair_is_refused_with_the_name_of_the_other_half() {
    assert_refused(&["--tls-cert", "cert.pem"], &["--tls-cert", "--tls-key"]);
    assert_refused(&["--tls-key", "key.pem"], &["--tls-cert", "--tls-key"]);
}

#[test]
fn files_that_cannot_be_used_are_refused_by_flag_and_path() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, empty) = (folder.path().join("missing"), folder.path().join("empty"));
    std::fs::write(&empty, "\n").unwrap();
    for (file, named) in [(&missing, missing.to_str().unwrap()), (&empty, "empty")] {
        let file = file.to_str().unwrap();
        assert_refused(&["--auth-token-file", file], &["--auth-token-file", named]);
        assert_refused(&["--tls-cert", file, "--tls-key", file], &["--tls-", file]);
    }
}

#[test]
fn the_world_is_not_served_unprotected() {
    for host in ["0.0.0.0", "::"] {
        assert_refused(&["--host", host], &["--tls-cert", "--auth-token", "--insecure"]);
        assert_refused(&["--host", host, "--auth-token", "secret"], &["--tls-cert", "--insecure"]);
    }
    let daemon = Daemon::start(&["--host", "0.0.0.0", "--insecure"]);
    let loopback = ([127, 0, 0, 1], daemon.addr().port()).into();
    assert_eq!(harness::Client::connect(loopback).ask("ping", "", ""), "ok");
}

#[test]
fn flags_may_be_written_as_go_writes_them() {
    let spellings: [&[&str]; 4] = [
        &["-max-locks", "1", "-max-waiters=7"],
        &["-max-locks=1", "--max-waiters", "7"],
        &["--max-locks=1", "-auto-release-on-disconnect"],
        &["--max-locks", "1", "--auto-release-on-disconnect=true", "-debug"],
    ];
    for flags in spellings {
        let daemon = Daemon::start(flags);
        let mut client = daemon.connect();
        client.acquire("l", "a", "0");
        assert_eq!(client.ask("l", "b", "0"), "error_max_locks", "with {flags:?}");
    }
}

#[test]
fn every_flag_of_dflockd_is_known() {
    let daemon = Daemon::start(&[
        "--host=127.0.0.1",
        "--default-lease-ttl=33",
        "--lease-sweep-interval=1",
        "--gc-interval=5",
        "--gc-max-idle=60",
        "--max-locks=1024",
        "--max-connections=0",
        "--max-waiters=0",
        "--max-subscriptions=0",
        "--read-timeout=23",
        "--write-timeout=5",
        "--shutdown-timeout=30",
        "--auto-release-on-disconnect=true",
        "--auth-token=secret",
        "--debug",
    ]);
    assert_eq!(daemon.connect().ask("auth", "", "secret"), "ok");
}

#[test]
fn flags_without_a_job_say_so_once() {
    let daemon = Daemon::start(&["--lease-sweep-interval", "1", "--gc-interval", "5"]);
    assert_eq!(daemon.connect().ask("ping", "", ""), "ok");
    let stderr = daemon.stderr();
    for flag in ["--lease-sweep-interval", "--gc-interval"] {
        assert_eq!(stderr.matches(flag).count(), 1, "{stderr}");
    }
    let silent = Daemon::start(&[]);
    assert_eq!(silent.connect().ask("ping", "", ""), "ok");
    assert!(!silent.stderr().contains("interval"), "{}", silent.stderr());
}

#[test]
fn the_environment_counts_and_flags_beat_it() {
    let one_key = |daemon: &Daemon| {
        let mut client = daemon.connect();
        client.acquire("l", "a", "0");
        client.ask("l", "b", "0") == "error_max_locks"
    };
    let from_environment = Daemon::with(&[], |command| {
        command.env("TENURE_MAX_LOCKS", "1");
    });
    assert!(one_key(&from_environment));
    let from_flag = Daemon::with(&["--max-locks", "2"], |command| {
        command.env("TENURE_MAX_LOCKS", "1");
    });
    assert!(!one_key(&from_flag));
}

#[test]
fn every_variable_of_the_environment_counts() {
    let daemon = Daemon::with(&[], |command| {
        command
            .env("TENURE_DEFAULT_LEASE_TTL_S", "12")
            .env("TENURE_MAX_WAITERS", "1")
            .env("TENURE_MAX_CONNECTIONS", "3")
            .env("TENURE_AUTO_RELEASE_ON_DISCONNECT", "false")
            .env("TENURE_AUTH_TOKEN", "from the environment");
    });
    let mut client = daemon.connect();
    assert_eq!(client.ask("auth", "", "from the environment"), "ok");
    assert_eq!(client.acquire("l", "k", "0").lease, 12);
    assert_eq!(client.ask("e", "k", ""), "queued");
    let mut other = daemon.connect();
    assert_eq!(other.ask("auth", "", "from the environment"), "ok");
    assert_eq!(other.ask("e", "k", ""), "error_max_waiters");
    let _third = daemon.connect();
    daemon.connect().assert_closed();
}

#[test]
fn a_secret_from_a_flag_beats_the_one_from_the_environment() {
    let daemon = Daemon::with(&["--auth-token", "from the flag"], |command| {
        command.env("TENURE_AUTH_TOKEN", "from the environment");
    });
    assert_eq!(daemon.connect().ask("auth", "", "from the environment"), "error_auth");
    assert_eq!(daemon.connect().ask("auth", "", "from the flag"), "ok");
}

#[test]
fn a_bad_variable_is_refused_by_its_name() {
    let state = tempfile::tempdir().unwrap();
    for (variable, value) in
        [("TENURE_PORT", "many"), ("TENURE_MAX_LOCKS", "0"), ("TENURE_READ_TIMEOUT_S", "-1")]
    {
        let mut command = tenure();
        command.args(["serve", "--state-dir"]).arg(state.path()).env("TENURE_PORT", "0").env(variable, value);
        assert_refusal(&mut command, &[variable]);
    }
}

#[test]
fn one_state_folder_serves_one_daemon() {
    let state = tempfile::tempdir().unwrap();
    let first = Daemon::on(state.path(), &[]);
    let (code, stderr) = refusal(&mut serve(state.path(), &[]));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains(state.path().to_str().unwrap()), "{stderr}");
    assert_eq!(first.connect().ask("ping", "", ""), "ok");
    first.kill();
    let second = Daemon::on(state.path(), &[]);
    assert_eq!(second.connect().ask("ping", "", ""), "ok");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let first = Daemon::start(&[]);
    let state = tempfile::tempdir().unwrap();
    let port = first.addr().port().to_string();
    let mut command = tenure();
    command.args(["serve", "--port", &port, "--state-dir"]).arg(state.path());
    let (code, stderr) = refusal(&mut command);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains(&port), "{stderr}");
}

#[test]
fn the_version_is_told() {
    for flag in ["--version", "-version"] {
        let output = tenure().args(["serve", flag]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8_lossy(&output.stdout).contains(env!("CARGO_PKG_VERSION")));
    }
}

#[test]
fn the_state_goes_to_the_users_own_folder_by_default() {
    let home = tempfile::tempdir().unwrap();
    let mut command = tenure();
    command.args(["serve", "--port", "0"]).env("XDG_STATE_HOME", home.path());
    let daemon = Daemon::launch(&mut command);
    daemon.connect().acquire("l", "k", "0");
    assert!(home.path().join("tenure").is_dir(), "nothing below {}", home.path().display());
}
