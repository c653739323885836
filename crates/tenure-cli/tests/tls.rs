//! TLS, with OpenSSL at the other end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod harness;

use std::path::PathBuf;
use std::process::Command;

use harness::{Daemon, Grant, Peer, until};
use tempfile::TempDir;

/// A certificate for `localhost` that signs itself.
struct Identity {
    folder: TempDir,
}

impl Identity {
    fn make() -> Self {
        let identity = Self { folder: tempfile::tempdir().unwrap() };
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        openssl.args([
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ]);
        openssl.arg("-keyout").arg(identity.file("key.pem")).arg("-out").arg(identity.file("cert.pem"));
        let output = openssl.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        identity
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn serve(&self, flags: &[&str]) -> Daemon {
        let (cert, key) = (self.file("cert.pem"), self.file("key.pem"));
        let tls = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
        Daemon::start(&[&tls, flags].concat())
    }

    fn connect(&self, daemon: &Daemon, options: &[&str]) -> Peer {
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-quiet", "-verify_return_error", "-servername", "localhost", "-connect"]);
        let connect = format!("127.0.0.1:{}", daemon.addr().port());
        Peer::start(openssl.arg(connect).arg("-CAfile").arg(self.file("cert.pem")).args(options))
    }
}

#[test]
fn a_lock_over_each_version_of_tls() {
    let identity = Identity::make();
    let daemon = identity.serve(&[]);
    let mut last = 0;
    for version in ["-tls1_2", "-tls1_3"] {
        let mut client = identity.connect(&daemon, &[version]);
        client.send("l\nk\n20\n");
        let grant = Grant::read(&client.line());
        assert!(grant.fence > last);
        last = grant.fence;
        client.send(&format!("r\nk\n{}\n", grant.token));
        assert_eq!(client.line(), "ok");
    }
}

#[test]
fn older_versions_are_refused() {
    let identity = Identity::make();
    let daemon = identity.serve(&[]);
    let mut client = identity.connect(&daemon, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    assert!(!client.end().success(), "{}", client.stderr());
    assert!(client.stderr().contains("SSL alert"), "{}", client.stderr());
}

#[test]
fn a_killed_holder_hands_over_at_once() {
    let identity = Identity::make();
    let daemon = identity.serve(&[]);
    let (mut holder, mut waiter) = (identity.connect(&daemon, &[]), identity.connect(&daemon, &[]));
    holder.send("l\nk\n0 3600\n");
    let first = Grant::read(&holder.line());
    waiter.send("l\nk\n60\n");
    holder.kill();
    assert!(Grant::read(&waiter.line()).fence > first.fence);
}

#[test]
fn a_killed_waiter_leaves_the_queue_at_once() {
    let identity = Identity::make();
    let daemon = identity.serve(&[]);
    let (mut holder, mut waiter) = (identity.connect(&daemon, &[]), identity.connect(&daemon, &[]));
    holder.send("l\nk\n0 3600\n");
    Grant::read(&holder.line());
    waiter.send("l\nk\n60\n");
    let mut waiters = |count: u64| {
        holder.send("stats\n\n\n");
        holder.line().contains(&format!("\"waiters\":{count}"))
    };
    until("it waits", || waiters(1));
    waiter.kill();
    until("it has left", || waiters(0));
}

#[test]
fn many_requests_in_one_record_are_answered_in_order() {
    let identity = Identity::make();
    let daemon = identity.serve(&[]);
    let mut client = identity.connect(&daemon, &[]);
    client.send(&"ping\n\n\nnonsense\n\n\n".repeat(200));
    for _ in 0..200 {
        assert_eq!([client.line(), client.line()], ["ok", "error"]);
    }
}

#[test]
fn the_secret_is_asked_for_behind_tls_too() {
    let identity = Identity::make();
    let daemon = identity.serve(&["--auth-token", "secret"]);
    let mut client = identity.connect(&daemon, &[]);
    client.send("auth\n\nsecret\nping\n\n\n");
    assert_eq!([client.line(), client.line()], ["ok", "ok"]);
    let mut stranger = identity.connect(&daemon, &[]);
    stranger.send("ping\n\n\n");
    assert_eq!(stranger.line(), "error_auth");
}

#[test]
fn whoever_speaks_no_tls_is_ended_and_harms_nobody() {
    let identity = Identity::make();
    let daemon = identity.serve(&["--read-timeout", "1"]);
    let mut plain = daemon.connect();
    plain.send("l\nk\n0\n");
    plain.rest();
    let mut silent = daemon.connect();
    silent.rest();
    let mut client = identity.connect(&daemon, &[]);
    client.send("ping\n\n\n");
    assert_eq!(client.line(), "ok");
}

#[test]
fn with_tls_and_a_secret_the_world_may_be_served() {
    let identity = Identity::make();
    let daemon = identity.serve(&["--host", "0.0.0.0", "--auth-token", "secret"]);
    let mut client = identity.connect(&daemon, &[]);
    client.send("auth\n\nsecret\n");
    assert_eq!(client.line(), "ok");
}
