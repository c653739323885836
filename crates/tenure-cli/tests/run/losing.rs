//! The lock is lost, or seems to be: the command ends before anyone else can have it.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::harness::{Daemon, Peer, Relay, Stopwatch, pause, tenure, until};
use super::{is_free, is_gone, script, stop, until_gone};

/// The lease of these tests. Long enough for a busy machine to renew it in time, short enough to wait for its end.
const TTL: Duration = Duration::from_secs(3);
const TTL_FLAG: &str = "--ttl=3s";

/// Tells its process and ends when it is asked to.
const OBEDIENT: &str = "echo $$; exec sleep 1000";
/// Tells its process and does not hear a polite word, nor do those that it starts.
const STUBBORN: &str = "trap '' TERM; sleep 1000 & echo $$ $!; wait";

#[test]
fn a_lock_is_renewed_for_as_long_as_the_command_runs() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(&daemon, &[TTL_FLAG, "k"], "echo ready; read -r line");
    assert_eq!(peer.line(), "ready");
    let mut other = daemon.connect();
    assert_eq!(other.ask("l", "k", "7"), "timeout");
    peer.send("done\n");
    assert_eq!(peer.end().code(), Some(0), "{}", peer.stderr());
    assert!(is_free(&daemon, "k"));
}

#[test]
fn a_daemon_that_soon_takes_a_connection_for_dead_hears_often_enough() {
    let daemon = Daemon::start(&["--read-timeout=2"]);
    let mut peer = script(&daemon, &["k"], "echo ready; read -r line");
    assert_eq!(peer.line(), "ready");
    pause(Duration::from_secs(5));
    peer.send("done\n");
    assert_eq!((peer.end().code(), peer.stderr().as_str()), (Some(0), ""));
}

#[test]
fn a_daemon_that_stops_ends_the_command_before_its_lease_is_over() {
    let daemon = Daemon::start(&[]);
    for stubbornness in [OBEDIENT, STUBBORN] {
        let mut peer = script(&daemon, &[TTL_FLAG, "k"], stubbornness);
        let pids = peer.line();
        let stopped = Stopwatch::start();
        stop(daemon.pid());
        for pid in pids.split(' ') {
            until_gone(pid);
        }
        let lived = stopped.elapsed();
        assert_eq!(peer.end().code(), Some(76));
        daemon.signal(Signal::SIGCONT);
        assert!(lived < TTL, "it lived for {lived:?}");
        assert!(peer.stderr().contains("lost \"k\": it could not be renewed in time"), "{}", peer.stderr());
        until("the lease is over or given back", || is_free(&daemon, "k"));
    }
}

#[test]
fn a_daemon_that_dies_ends_the_command_before_its_lease_is_over() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(&daemon, &[TTL_FLAG, "k"], OBEDIENT);
    let pid = peer.line();
    let killed = Stopwatch::start();
    daemon.kill();
    until_gone(&pid);
    assert!(killed.elapsed() < TTL, "after {:?}", killed.elapsed());
    assert_eq!(peer.end().code(), Some(76));
    assert!(
        peer.stderr().starts_with("tenure: lost \"k\": it could not be renewed in time"),
        "{}",
        peer.stderr()
    );
}

#[test]
fn a_daemon_that_is_started_again_has_forgotten_the_lock() {
    let state = tempfile::tempdir().unwrap();
    let daemon = Daemon::on(state.path(), &[]);
    let address = daemon.addr();
    let mut peer = script(&daemon, &["k"], OBEDIENT);
    let pid = peer.line();
    daemon.kill();
    let _again = Daemon::at(address, state.path());
    assert_eq!(peer.end().code(), Some(76));
    assert!(is_gone(&pid));
    assert!(
        peer.stderr().contains("lost \"k\": the service knows nothing of it any more"),
        "{}",
        peer.stderr()
    );
}

#[test]
fn a_command_that_is_told_to_end_can_tidy_up() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(
        &daemon,
        &[TTL_FLAG, "k"],
        "trap 'echo tidy; exit 3' TERM; echo ready; while :; do sleep 0.05; done",
    );
    assert_eq!(peer.line(), "ready");
    daemon.kill();
    assert_eq!(peer.line(), "tidy");
    assert_eq!(peer.end().code(), Some(76), "not the code of a command that was made to end");
}

#[test]
fn what_the_command_has_started_ends_with_it() {
    let daemon = Daemon::start(&[]);
    let mut peer =
        script(&daemon, &[TTL_FLAG, "k"], "(trap '' TERM; exec sleep 1000) & echo $!; exec sleep 1000");
    let left_behind = peer.line();
    daemon.kill();
    assert_eq!(peer.end().code(), Some(76));
    until_gone(&left_behind);
}

#[test]
fn a_lock_released_from_outside_ends_the_command_at_once() {
    let daemon = Daemon::start(&[]);
    // A lease that is not renewed while this test is patient.
    let mut peer = script(&daemon, &["--ttl=10m", "k"], "echo $TENURE_TOKEN; exec sleep 1000");
    let token = peer.line();
    let url = format!("tenure://{}", daemon.addr());
    assert!(tenure().args(["release", "--url", &url, "k", &token]).status().unwrap().success());
    let mut next = daemon.connect();
    next.acquire("l", "k", "0 60");
    assert_eq!(peer.end().code(), Some(76));
    assert!(peer.stderr().contains("lost \"k\": it was released from outside"), "{}", peer.stderr());
    assert!(!is_free(&daemon, "k"), "the other's lock is left alone");
}

#[test]
fn a_killed_run_takes_its_command_along_and_its_lock_ends_with_its_lease() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(&daemon, &[TTL_FLAG, "k"], OBEDIENT);
    let pid = peer.line();
    let mut next = daemon.connect();
    next.request("l", "k", "30");
    let killed = Stopwatch::start();
    peer.kill();
    until_gone(&pid);
    next.grant();
    // Some allowance for a machine that is busy with other tests.
    assert!(killed.elapsed() < TTL + Duration::from_secs(2), "after {:?}", killed.elapsed());
}

#[test]
fn a_killed_run_takes_along_what_its_command_has_started() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(&daemon, &["k"], "trap '' TERM; sleep 1000 & sleep 1001 & echo $$ $!; wait");
    let pids = peer.line();
    peer.kill();
    for pid in pids.split(' ') {
        until_gone(pid);
    }
}

#[test]
fn a_lost_connection_does_not_hand_the_lock_on_while_the_command_lives() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(&daemon, &[TTL_FLAG, "k"], OBEDIENT);
    let pid = peer.line();
    let mut next = daemon.connect();
    next.request("l", "k", "30");
    stop(peer.pid());
    // Its lease runs out now: the command lives on, for nobody is there to end it. That is what fences are for.
    next.grant();
    assert!(!is_gone(&pid));
    peer.signal(Signal::SIGCONT);
    assert_eq!(peer.end().code(), Some(76));
    assert!(is_gone(&pid));
    assert!(peer.stderr().starts_with("tenure: lost \"k\": "), "{}", peer.stderr());
}

#[test]
fn a_release_that_nobody_answers_keeps_the_commands_code() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(&daemon, &["k"], "echo ready; read -r line; exit 5");
    assert_eq!(peer.line(), "ready");
    stop(daemon.pid());
    peer.send("done\n");
    let code = peer.end().code();
    daemon.signal(Signal::SIGCONT);
    assert_eq!(code, Some(5));
    assert!(peer.stderr().contains("may stay locked until its lease ends"), "{}", peer.stderr());
}

#[test]
fn a_lease_that_ended_under_a_command_that_ended_too_is_told() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(&daemon, &[TTL_FLAG, "k"], "echo ready; read -r line; exit 0");
    assert_eq!(peer.line(), "ready");
    stop(peer.pid());
    let mut next = daemon.connect();
    next.acquire("l", "k", "30 60");
    peer.send("done\n");
    pause(Duration::from_millis(100));
    peer.signal(Signal::SIGCONT);
    assert_eq!(peer.end().code(), Some(76), "{}", peer.stderr());
}

#[test]
fn a_lock_that_is_stolen_ends_the_command_at_once_with_the_reason() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(&daemon, &["--ttl=10m", "k"], OBEDIENT);
    let pid = peer.line();
    let url = format!("tenure://{}", daemon.addr());
    let stolen =
        tenure().args(["steal", "--url", &url, "k", "--reason", "host-3 is on fire"]).output().unwrap();
    assert_eq!(String::from_utf8(stolen.stdout).unwrap(), "1\n");
    assert_eq!(peer.end().code(), Some(76));
    assert!(is_gone(&pid));
    assert!(peer.stderr().contains("lost \"k\": it was taken away: host-3 is on fire"), "{}", peer.stderr());
    assert!(is_free(&daemon, "k"));
}

#[test]
fn a_connection_that_breaks_loses_nothing() {
    let daemon = Daemon::start(&[]);
    let relay = Relay::to(daemon.addr());
    let mut command = tenure();
    command.args(["run", "--url", &format!("tenure://{}", relay.addr()), TTL_FLAG, "k", "--"]);
    let mut peer = Peer::start(command.args(["sh", "-c", "echo ready; read -r line"]));
    assert_eq!(peer.line(), "ready");
    for _ in 0..3 {
        relay.cut();
        // Longer than a lease would last that is not renewed over another connection.
        pause(TTL / 2);
    }
    pause(TTL / 2);
    assert!(!is_free(&daemon, "k"));
    peer.send("done\n");
    assert_eq!((peer.end().code(), peer.stderr().as_str()), (Some(0), ""));
    assert!(is_free(&daemon, "k"));
}
