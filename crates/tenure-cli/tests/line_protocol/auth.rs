//! A daemon that asks for a secret first.

use std::time::Duration;

use crate::harness::{Daemon, Stopwatch};

const FLAGS: [&str; 2] = ["--auth-token", "open sesame"];

#[test]
fn the_right_secret_lets_in() {
    let daemon = Daemon::start(&FLAGS);
    for (key, argument) in [("", "open sesame"), ("_", "  open sesame "), ("anything at all", "open sesame")]
    {
        let mut client = daemon.connect();
        assert_eq!(client.ask("auth", key, argument), "ok");
        assert_eq!(client.ask("ping", "", ""), "ok");
    }
}

#[test]
fn anything_else_ends_the_connection() {
    let daemon = Daemon::start(&FLAGS);
    let too_long = "x".repeat(300);
    let requests = [
        ("auth", "", "open sesam"),
        ("auth", "", "open sesame!"),
        ("auth", "", "OPEN SESAME"),
        ("auth", "", ""),
        ("ping", "", ""),
        ("stats", "", ""),
        ("l", "k", "0"),
        ("nonsense", "", ""),
        (too_long.as_str(), "", ""),
    ];
    for (command, key, argument) in requests {
        let mut client = daemon.connect();
        let started = Stopwatch::start();
        assert!(client.try_send(format!("{command}\n{key}\n{argument}\n")));
        assert_eq!(client.line(), "error_auth", "to {command} {argument}");
        client.assert_closed();
        assert!(started.elapsed() >= Duration::from_millis(95), "guessing must be slow");
    }
}

#[test]
fn what_is_sent_behind_a_wrong_secret_is_not_looked_at() {
    let daemon = Daemon::start(&FLAGS);
    let mut client = daemon.connect();
    client.send("auth\n\nwrong\nauth\n\nopen sesame\nl\nk\n0 3600\n");
    let rest = client.rest();
    assert!(rest.is_empty() || rest == b"error_auth\n", "{:?}", String::from_utf8_lossy(&rest));
    let mut watcher = daemon.connect();
    assert_eq!(watcher.ask("auth", "", "open sesame"), "ok");
    assert_eq!(watcher.stats()["locks"], serde_json::json!([]));
}

#[test]
fn requests_may_follow_the_right_secret_in_one_write() {
    let daemon = Daemon::start(&FLAGS);
    let mut client = daemon.connect();
    client.send("auth\n\nopen sesame\nl\nk\n0\nping\n\n\n");
    assert_eq!(client.line(), "ok");
    client.grant();
    assert_eq!(client.line(), "ok");
}

#[test]
fn a_second_secret_is_an_error() {
    let daemon = Daemon::start(&FLAGS);
    let mut client = daemon.connect();
    assert_eq!(client.ask("auth", "", "open sesame"), "ok");
    assert_eq!(client.ask("auth", "", "open sesame"), "error");
    assert_eq!(client.ask("auth", "", "wrong"), "error");
    assert_eq!(client.ask("ping", "", ""), "ok");
}

#[test]
fn a_secret_may_come_from_a_file_and_be_long() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    let secret = "s".repeat(10_000);
    std::fs::write(&file, format!("{secret}\n")).unwrap();
    let daemon = Daemon::start(&["--auth-token-file", file.to_str().unwrap()]);
    let mut client = daemon.connect();
    assert_eq!(client.ask("auth", "", &secret), "ok");
    assert_eq!(client.ask("ping", "", ""), "ok");
}

#[test]
fn the_secret_is_told_to_nobody() {
    let daemon = Daemon::start(&["--debug", "--auth-token", "very-secret-word"]);
    let mut client = daemon.connect();
    assert_eq!(client.ask("auth", "", "very-secret-word"), "ok");
    client.acquire("l", "k", "0");
    assert!(!daemon.stderr().contains("very-secret-word"), "{}", daemon.stderr());
}
