//! The service by hand: `printf` into `nc`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod harness;

use std::process::{Command, Stdio};

use harness::{Daemon, Grant};

/// What `nc` prints when a shell pipes `printf FORMAT` into it.
fn printf(daemon: &Daemon, format: &str) -> String {
    let addr = daemon.addr();
    let script = format!("printf '{format}' | nc -N {} {}", addr.ip(), addr.port());
    let output = Command::new("sh").args(["-c", &script]).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "nc is missing or failed; run `cargo xtask test`");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn one_request_gets_one_line() {
    let daemon = Daemon::start(&[]);
    assert_eq!(printf(&daemon, r"ping\n_\n_\n"), "ok\n");
    assert_eq!(printf(&daemon, r"nonsense\n_\n_\n"), "error\n");
    let answer = printf(&daemon, r"l\nbackup\n10\n");
    assert_eq!(Grant::read(answer.trim_end()).lease, 33);
}

#[test]
fn a_lock_goes_when_netcat_goes() {
    let daemon = Daemon::start(&[]);
    let first = Grant::read(printf(&daemon, r"l\nbackup\n10\n").trim_end());
    let second = Grant::read(printf(&daemon, r"l\nbackup\n10\n").trim_end());
    assert!(second.fence > first.fence);
}

#[test]
fn several_requests_get_their_lines_in_order() {
    let daemon = Daemon::start(&[]);
    let answers = printf(&daemon, r"l\nk\n0\nl\nk\n0\nstats\n\n\nping\n\n\n");
    let lines: Vec<&str> = answers.lines().collect();
    let [first, "timeout", stats, "ok"] = lines.as_slice() else { panic!("{answers}") };
    Grant::read(first);
    assert!(stats.starts_with(r#"ok {"connections":1,"#), "{stats}");
}

#[test]
fn a_terminal_that_sends_carriage_returns_is_understood() {
    let daemon = Daemon::start(&[]);
    assert_eq!(printf(&daemon, r"ping\r\n\r\n\r\n"), "ok\n");
}
