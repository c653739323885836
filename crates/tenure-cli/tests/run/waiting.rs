//! Waiting for a lock, or not.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::harness::{Daemon, Peer, Stopwatch, pause, until};
use super::terminal::Screen;
use super::{is_free, outcome, script, stop, tenure_run, waiters};

#[test]
fn one_try_fails_at_once_with_75_or_the_code_of_choice() {
    let daemon = Daemon::start(&[]);
    let mut holder = daemon.connect();
    holder.acquire("l", "k", "0 60");
    let (code, text) = outcome(&daemon, &["-n", "k", "--", "echo", "ran"]);
    assert_eq!((code, text.as_str()), (Some(75), "tenure: \"k\" is not free\n"));
    assert_eq!(outcome(&daemon, &["-n", "-E", "9", "k", "--", "true"]).0, Some(9));
    assert_eq!(waiters(&daemon, "k"), 0);
}

#[test]
fn a_wait_ends_after_its_time() {
    let daemon = Daemon::start(&[]);
    let mut holder = daemon.connect();
    holder.acquire("l", "k", "0 60");
    for wait in ["1s", "1200ms"] {
        let started = Stopwatch::start();
        assert_eq!(outcome(&daemon, &["-w", wait, "k", "--", "true"]).0, Some(75), "{wait}");
        assert!(started.elapsed() >= Duration::from_secs(1), "{wait}: {:?}", started.elapsed());
    }
    until("nobody waits", || waiters(&daemon, "k") == 0);
}

#[test]
fn a_service_that_says_nothing_is_told_from_a_lock_that_is_taken() {
    let daemon = Daemon::start(&[]);
    let mut patient = script(&daemon, &["k"], "true");
    assert_eq!(patient.end().code(), Some(0));
    stop(daemon.pid());
    for flag in ["-n", "-w1s"] {
        let (code, text) = outcome(&daemon, &[flag, "k", "--", "true"]);
        assert_eq!(code, Some(69), "{flag}");
        let silent = format!("tenure: the service at tenure://{} does not answer\n", daemon.addr());
        assert_eq!(text, silent, "{flag}");
    }
    let terminal = nix::pty::openpty(None, None).unwrap();
    let mut run = tenure_run(&daemon, &["k", "--", "true"]);
    let mut child = run.stderr(Stdio::from(terminal.slave)).spawn().unwrap();
    drop(run);
    Screen::new(terminal.master.into()).shows("tenure: waiting for the service at");
    daemon.signal(Signal::SIGCONT);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_wait_ends_with_the_lock_when_it_is_released() {
    let daemon = Daemon::start(&[]);
    let mut holder = daemon.connect();
    let grant = holder.acquire("l", "k", "0 60");
    let mut endless = script(&daemon, &["k"], "echo $TENURE_FENCE");
    until("it waits", || waiters(&daemon, "k") == 1);
    let mut bounded = script(&daemon, &["-w", "60", "k"], "echo $TENURE_FENCE");
    until("both wait", || waiters(&daemon, "k") == 2);
    holder.ask("r", "k", &grant.token);
    let fences: Vec<u64> = [&mut endless, &mut bounded].map(|peer| peer.line().parse().unwrap()).into();
    assert!(grant.fence < fences[0] && fences[0] < fences[1], "{fences:?} after {}", grant.fence);
    assert_eq!((endless.end().code(), bounded.end().code()), (Some(0), Some(0)));
}

#[test]
fn a_lock_that_was_long_waited_for_is_as_fresh_as_any() {
    let daemon = Daemon::start(&[]);
    let mut holder = daemon.connect();
    let grant = holder.acquire("l", "k", "0 60");
    // Granted only after more than the lease that the request asked for.
    let mut peer = script(&daemon, &["--ttl", "3s", "k"], "echo ready; read -r line");
    until("it waits", || waiters(&daemon, "k") == 1);
    pause(Duration::from_millis(3500));
    holder.ask("r", "k", &grant.token);
    assert_eq!(peer.line(), "ready");
    peer.send("done\n");
    assert_eq!(peer.end().code(), Some(0), "{}", peer.stderr());
}

#[test]
fn a_signal_ends_the_wait_and_leaves_the_queue() {
    let daemon = Daemon::start(&[]);
    let mut holder = daemon.connect();
    holder.acquire("l", "k", "0 60");
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130), (Signal::SIGUSR1, 138)] {
        let mut peer = script(&daemon, &["k"], "echo ran");
        until("it waits", || waiters(&daemon, "k") == 1);
        peer.signal(signal);
        assert_eq!(peer.end().code(), Some(code));
        assert_eq!(waiters(&daemon, "k"), 0);
    }
}

#[test]
fn what_is_waited_for_is_told_on_a_terminal_only() {
    let daemon = Daemon::start(&[]);
    let mut holder = daemon.connect();
    let grant = holder.acquire("l", "k", "0 60");
    let mut quiet = script(&daemon, &["k"], "true");
    let terminal = nix::pty::openpty(None, None).unwrap();
    let mut run = tenure_run(&daemon, &["k", "--", "true"]);
    let mut child = run.stderr(Stdio::from(terminal.slave)).spawn().unwrap();
    drop(run);
    Screen::new(terminal.master.into()).shows("tenure: waiting for \"k\"");
    holder.ask("r", "k", &grant.token);
    assert!(child.wait().unwrap().success());
    assert_eq!((quiet.end().code(), quiet.stderr().as_str()), (Some(0), ""));
}

#[test]
fn a_semaphore_lets_so_many_run_at_a_time() {
    let daemon = Daemon::start(&[]);
    let slots = || script(&daemon, &["-n", "--limit", "2", "k"], "echo in; read -r line");
    let mut both = [slots(), slots()];
    for peer in &mut both {
        assert_eq!(peer.line(), "in");
    }
    assert_eq!(slots().end().code(), Some(75));
    assert!(is_free(&daemon, "k"), "a lock of the same name is another key");
    both[0].send("done\n");
    assert_eq!(both[0].end().code(), Some(0));
    assert_eq!(slots().line(), "in");
}

#[test]
fn several_permits_are_taken_together_or_not_at_all() {
    let daemon = Daemon::start(&[]);
    let mut two = script(&daemon, &["--limit", "3", "--permits", "2", "k"], "echo in; read -r line");
    assert_eq!(two.line(), "in");
    let permits =
        |number| outcome(&daemon, &["-n", "--limit", "3", "--permits", number, "k", "--", "true"]).0;
    assert_eq!((permits("1"), permits("2")), (Some(0), Some(75)));
    assert_eq!(permits("4"), Some(2), "more than there are");
    two.send("done\n");
    assert_eq!(two.end().code(), Some(0));
    assert_eq!(permits("2"), Some(0));
    assert_eq!(outcome(&daemon, &["--permits", "2", "k", "--", "true"]).0, Some(2), "of a lock");
}

#[test]
fn a_semaphore_of_another_limit_is_refused_with_a_reason() {
    let daemon = Daemon::start(&[]);
    let mut two = script(&daemon, &["--limit", "2", "k"], "echo in; read -r line");
    assert_eq!(two.line(), "in");
    let (code, text) = outcome(&daemon, &["--limit", "3", "k", "--", "true"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("with a limit of 2"), "{text}");
}

#[test]
fn a_wait_that_its_service_abandons_says_so() {
    let daemon = Daemon::start(&[]);
    let mut holder = daemon.connect();
    holder.acquire("l", "k", "0 60");
    let mut peer = Peer::start(&mut tenure_run(&daemon, &["k", "--", "true"]));
    until("it waits", || waiters(&daemon, "k") == 1);
    daemon.kill();
    assert_eq!(peer.end().code(), Some(69));
    assert!(peer.stderr().starts_with("tenure: no service at"), "{}", peer.stderr());
}

#[test]
fn a_wait_goes_on_with_a_service_that_is_started_again() {
    let state = tempfile::tempdir().unwrap();
    let daemon = Daemon::on(state.path(), &[]);
    let address = daemon.addr();
    let mut holder = daemon.connect();
    holder.acquire("l", "k", "0 60");
    let mut peer = script(&daemon, &["k"], "echo mine");
    until("it waits", || waiters(&daemon, "k") == 1);
    daemon.kill();
    let _again = Daemon::at(address, state.path());
    assert_eq!(peer.line(), "mine");
    assert_eq!((peer.end().code(), peer.stderr().as_str()), (Some(0), ""));
}

#[test]
fn a_wait_that_a_stopping_service_ends_says_so() {
    let daemon = Daemon::start(&[]);
    let mut holder = daemon.connect();
    holder.acquire("l", "k", "0 60");
    let mut peer = Peer::start(&mut tenure_run(&daemon, &["k", "--", "true"]));
    until("it waits", || waiters(&daemon, "k") == 1);
    daemon.signal(Signal::SIGTERM);
    assert_eq!(peer.end().code(), Some(69));
    assert!(peer.stderr().contains("about to stop"), "{}", peer.stderr());
}
