//! `tenure ls`, `release`, `listen`, `signal`, `stats` and `completions`, against a real daemon.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod harness;

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use harness::{Daemon, Peer, pause, tenure, until};
use nix::sys::signal::Signal;
use serde_json::Value;

/// A token that nobody has.
const TOKEN: &str = "00000000000000010000000000000001";

/// A sub-command against a daemon.
fn command(daemon: &Daemon, arguments: &[&str]) -> Command {
    let mut command = tenure();
    command.args(arguments).args(["--url", &format!("tenure://{}", daemon.addr())]);
    command
}

fn output(daemon: &Daemon, arguments: &[&str]) -> Output {
    command(daemon, arguments).stdin(Stdio::null()).output().unwrap()
}

/// What a sub-command that succeeds prints.
fn printed(daemon: &Daemon, arguments: &[&str]) -> String {
    let output = output(daemon, arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    text
}

/// What a sub-command says that fails, behind its exit code.
fn refused(daemon: &Daemon, arguments: &[&str]) -> (Option<i32>, String) {
    let output = output(daemon, arguments);
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// The words of each line.
fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn keys_are_listed_with_who_holds_them_and_how_many_wait() {
    let daemon = Daemon::start(&[]);
    let (mut one, mut two, mut three) = (daemon.connect(), daemon.connect(), daemon.connect());
    let lock = one.acquire("l", "db", "0 600");
    two.request("l", "db", "600");
    let slot = three.acquire("sl", "slots", "0 3 5");
    until("it waits", || three.stats()["locks"][0]["waiters"] == 1);
    let text = printed(&daemon, &["ls"]);
    let [header, db, slots] = &rows(&text)[..] else { panic!("three lines: {text}") };
    assert_eq!(header.join(" "), "KEY KIND HOLDER FENCE TIME LEFT WAITERS");
    let [key, kind, "connection", _, fence, minutes, _, waiters] = db[..] else { panic!("{db:?}") };
    assert_eq!((key, kind, fence, minutes, waiters), ("db", "lock", &*lock.fence.to_string(), "9m", "1"));
    let [key, kind, used, "connection", _, fence, left, waiters] = slots[..] else { panic!("{slots:?}") };
    assert_eq!((key, kind, used, waiters), ("slots", "semaphore", "1/3", "0"));
    assert_eq!(fence, slot.fence.to_string());
    assert!(left.ends_with('s'), "{left}");
}

#[test]
fn a_pattern_chooses_and_json_tells_everything() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let grant = client.acquire("l", "backup-a", "0 600");
    client.acquire("l", "other", "0 600");
    let json: Value = serde_json::from_str(&printed(&daemon, &["ls", "--json", "backup-*"])).unwrap();
    let [key] = json["keys"].as_array().unwrap().as_slice() else { panic!("one key: {json}") };
    assert_eq!((key["key"].as_str(), key["waiters"].as_u64()), (Some("backup-a"), Some(0)));
    assert_eq!(key["holders"][0]["fence"], grant.fence.to_string());
    assert_eq!(rows(&printed(&daemon, &["ls", "o*r"])).len(), 2);
}

#[test]
fn no_keys_are_no_lines() {
    let daemon = Daemon::start(&[]);
    let output = output(&daemon, &["ls"]);
    assert!(output.status.success() && output.stdout.is_empty());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "tenure: no keys\n");
}

#[test]
fn a_key_cannot_give_a_terminal_commands() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    client.acquire("l", "k\x1b[2J", "0 600");
    let text = printed(&daemon, &["ls"]);
    assert!(!text.contains('\x1b') && text.contains("k\u{fffd}[2J"), "{text:?}");
}

#[test]
fn a_token_releases_from_outside_once() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let (lock, slot) = (client.acquire("l", "k", "0 600"), client.acquire("sl", "k", "0 2 600"));
    assert_eq!(refused(&daemon, &["release", "k", &slot.token]).0, Some(1));
    assert_eq!(printed(&daemon, &["release", "k", &lock.token]), "");
    let (code, text) = refused(&daemon, &["release", "k", &lock.token]);
    assert_eq!(code, Some(1));
    assert!(text.contains("nobody holds the key with that token"), "{text}");
    assert_eq!(printed(&daemon, &["release", "--semaphore", "k", &slot.token]), "");
    assert!(client.ask("l", "k", "0").starts_with("ok "));
}

#[test]
fn signals_are_printed_as_they_come() {
    let daemon = Daemon::start(&[]);
    let mut listener = Peer::start(&mut command(&daemon, &["listen", "alerts.>"]));
    until("it listens", || printed(&daemon, &["signal", "alerts.disk", "probe"]) == "1\n");
    while listener.line() != "alerts.disk probe" {}
    assert_eq!(printed(&daemon, &["signal", "alerts.disk.full", "host-7  is full"]), "1\n");
    assert_eq!(listener.line(), "alerts.disk.full host-7  is full");
    assert_eq!(printed(&daemon, &["signal", "elsewhere", "x"]), "0\n");
}

#[test]
fn a_listener_hears_a_daemon_that_was_started_again() {
    let state = tempfile::tempdir().unwrap();
    let daemon = Daemon::on(state.path(), &[]);
    let address = daemon.addr();
    let mut listener = Peer::start(&mut command(&daemon, &["listen", "alerts"]));
    until("it listens", || printed(&daemon, &["signal", "alerts", "before"]) == "1\n");
    daemon.kill();
    let daemon = Daemon::at(address, state.path());
    until("it listens again", || printed(&daemon, &["signal", "alerts", "after"]) == "1\n");
    while listener.line() != "alerts after" {}
}

#[test]
fn members_of_a_group_share_the_signals() {
    let daemon = Daemon::start(&[]);
    let start = || Peer::start(&mut command(&daemon, &["listen", "jobs", "--group", "workers"]));
    let mut members = [start(), start()];
    let mut client = daemon.connect();
    until("both listen", || client.stats()["signal_channels"][0]["listeners"] == 2);
    for job in ["a", "b"] {
        assert_eq!(printed(&daemon, &["signal", "jobs", job]), "1\n");
    }
    let mut heard: Vec<String> = members.iter_mut().map(Peer::line).collect();
    heard.sort();
    assert_eq!(heard, ["jobs a", "jobs b"]);
}

#[test]
fn a_listener_outlives_the_patience_of_the_daemon() {
    // Little more than the time between two pings.
    let daemon = Daemon::start(&["--read-timeout=17"]);
    let mut listener = Peer::start(&mut command(&daemon, &["listen", "late"]));
    let mut client = daemon.connect();
    until("it listens", || client.stats()["signal_channels"][0]["listeners"] == 1);
    // Hearing something does not show the daemon that anyone is there.
    for second in 0..18 {
        pause(Duration::from_secs(1));
        assert_eq!(client.ask("signal", "late", &second.to_string()), "ok 1");
        assert_eq!(listener.line(), format!("late {second}"));
    }
    assert_eq!(client.ask("signal", "late", "still here"), "ok 1");
    assert_eq!(listener.line(), "late still here");
}

#[test]
fn a_channel_nobody_can_hear_is_refused() {
    let daemon = Daemon::start(&[]);
    assert_eq!(refused(&daemon, &["signal", "alerts.*", "x"]).0, Some(2));
    assert_eq!(refused(&daemon, &["signal", "alerts", " "]).0, Some(2));
    assert_eq!(refused(&daemon, &["listen", "a.>.b"]).0, Some(2));
}

#[test]
fn figures_are_json_when_no_terminal_reads_them() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    client.acquire("l", "k", "0 600");
    for arguments in [&["stats"][..], &["stats", "--json"]] {
        let stats: Value = serde_json::from_str(&printed(&daemon, arguments)).unwrap();
        assert_eq!(stats["locks"][0]["key"], "k");
    }
}

#[test]
fn a_pipe_that_is_closed_early_ends_a_listing_quietly() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    for key in 0..3_000 {
        client.acquire("l", &format!("a-key-with-a-rather-long-name-{key}"), "0 600");
    }
    let mut child = command(&daemon, &["ls"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(141), &b""[..]));
}

#[test]
fn a_missing_service_is_told_by_every_command() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for arguments in [
        &["ls"][..],
        &["stats"],
        &["release", "k", TOKEN],
        &["listen", "a"],
        &["signal", "a", "b"],
        &["show", "k"],
        &["watch", "k"],
        &["steal", "k", "--reason", "x"],
    ] {
        let mut command = tenure();
        let output =
            command.args(arguments).env("TENURE_URL", format!("tenure://{unused}")).output().unwrap();
        assert_eq!(output.status.code(), Some(69), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("tenure serve"), "{arguments:?}");
    }
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = tenure().args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains("release"), "{shell}");
    }
}

#[test]
fn every_command_explains_itself_without_colours_in_a_pipe() {
    for name in [
        "serve",
        "run",
        "ls",
        "show",
        "watch",
        "steal",
        "release",
        "listen",
        "signal",
        "stats",
        "bench",
        "completions",
    ] {
        let output = tenure().args([name, "--help"]).output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && help.contains("Usage: tenure"), "{name}");
        assert!(!help.contains('\x1b'), "{name}");
    }
}

#[test]
fn a_service_that_says_nothing_is_not_waited_for() {
    let daemon = Daemon::start(&[]);
    daemon.signal(Signal::SIGSTOP);
    let asked = [
        &["ls"][..],
        &["stats"],
        &["release", "k", TOKEN],
        &["signal", "c", "p"],
        &["listen", "c"],
        &["show", "k"],
        &["watch", "k"],
        &["steal", "k", "--reason", "x"],
    ];
    let asking: Vec<Peer> =
        asked.iter().map(|arguments| Peer::start(&mut command(&daemon, arguments))).collect();
    for (arguments, mut peer) in asked.iter().zip(asking) {
        assert_eq!(peer.end().code(), Some(69), "{arguments:?}");
        assert!(peer.stderr().contains("does not answer"), "{arguments:?}: {}", peer.stderr());
    }
    daemon.signal(Signal::SIGCONT);
}

#[test]
fn a_listener_is_heard_often_enough_by_a_daemon_that_soon_takes_it_for_dead() {
    let daemon = Daemon::start(&["--read-timeout=2"]);
    let mut listener = Peer::start(&mut command(&daemon, &["listen", "quiet"]));
    pause(Duration::from_secs(5));
    assert_eq!(printed(&daemon, &["signal", "quiet", "at last"]), "1\n");
    assert_eq!(listener.line(), "quiet at last");
}

#[test]
fn an_empty_variable_is_one_that_is_not_set() {
    let daemon = Daemon::start(&[]);
    let mut asked = command(&daemon, &["ls"]);
    asked.env("TENURE_AUTH_TOKEN_FILE", "").env("TENURE_TLS_CA", "");
    assert!(asked.output().unwrap().status.success());
    let mut peer = Peer::start(tenure().args(["ls"]).env("TENURE_URL", ""));
    // Whether something runs at the usual address or not, it is that one.
    peer.end();
    assert!(!peer.stderr().contains("invalid value"), "{}", peer.stderr());
}

#[test]
fn a_missing_a_wrong_and_an_empty_token_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, token: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, token).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (right, wrong, empty) = (write("right", "a\n"), write("wrong", "b\n"), write("empty", " \n"));
    let daemon = Daemon::start(&["--auth-token-file", &right]);
    for (arguments, code, text) in [
        (&["ls"][..], 77, "wants a token"),
        (&["ls", "--auth-token-file", &wrong], 77, "does not accept the token"),
        (&["ls", "--auth-token-file", &empty], 2, "there is no token in it"),
    ] {
        let (found, said) = refused(&daemon, arguments);
        assert_eq!(found, Some(code), "{said}");
        assert!(said.contains(text), "{said}");
    }
}

#[test]
fn what_cannot_be_a_key_is_named() {
    let daemon = Daemon::start(&[]);
    let long = "k".repeat(600);
    for arguments in
        [&["release", &long, TOKEN][..], &["show", &long], &["watch", ""], &["steal", "", "--reason", "x"]]
    {
        let (code, said) = refused(&daemon, arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(said.contains("cannot be a key: a key "), "{said}");
    }
    let (code, said) = refused(&daemon, &["release", "k", "nonsense"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("32 lowercase hexadecimal digits"), "{said}");
}
