//! Things that die, and things that stop and come back.

mod harness;

use std::process::Command;
use std::time::Duration;

use harness::{Daemon, Grant, Peer, Stopwatch, until};
use nix::sys::signal::Signal;

/// A program of its own that talks to the daemon, so that it can be killed and stopped.
fn netcat(daemon: &Daemon) -> Peer {
    let addr = daemon.addr();
    Peer::start(Command::new("nc").args([addr.ip().to_string(), addr.port().to_string()]))
}

#[test]
fn a_killed_holder_hands_over_at_once() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut waiter) = (netcat(&daemon), daemon.connect());
    holder.send("l\nk\n0 3600\n");
    let grant = Grant::read(&holder.line());
    waiter.request("l", "k", "60");
    holder.kill();
    assert!(waiter.grant().fence > grant.fence);
}

#[test]
fn a_killed_waiter_leaves_the_queue_at_once() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut killed, mut next) = (daemon.connect(), netcat(&daemon), daemon.connect());
    let grant = holder.acquire("l", "k", "0");
    killed.send("l\nk\n3600\n");
    until("it waits", || holder.stats()["locks"][0]["waiters"] == 1);
    assert_eq!(next.ask("e", "k", ""), "queued");
    killed.kill();
    until("it has left", || holder.stats()["locks"][0]["waiters"] == 1);
    assert_eq!(holder.ask("r", "k", &grant.token), "ok");
    assert!(next.acquire("w", "k", "20").fence > grant.fence);
}

#[test]
fn a_killed_holder_keeps_its_slot_when_auto_release_is_off() {
    let daemon = Daemon::start(&["--auto-release-on-disconnect=false"]);
    let (mut holder, mut waiter) = (netcat(&daemon), daemon.connect());
    let started = Stopwatch::start();
    holder.send("l\nk\n0 2\n");
    let grant = Grant::read(&holder.line());
    holder.kill();
    assert!(waiter.acquire("l", "k", "60").fence > grant.fence);
    assert!(started.elapsed() >= Duration::from_secs(2), "after {:?}", started.elapsed());
}

#[test]
fn a_holder_that_is_stopped_past_its_lease_comes_back_to_nothing() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut waiter) = (netcat(&daemon), daemon.connect());
    holder.send("l\nk\n0 1\n");
    let stale = Grant::read(&holder.line());
    holder.signal(Signal::SIGSTOP);
    let fresh = waiter.acquire("l", "k", "60");
    assert!(fresh.fence > stale.fence);
    // What it wants to do with the lock is already on its way when it comes back.
    holder.send(&format!("n\nk\n{0}\nr\nk\n{0}\nl\nk\n0\n", stale.token));
    holder.signal(Signal::SIGCONT);
    assert_eq!([holder.line(), holder.line(), holder.line()], ["error", "error", "timeout"]);
    assert_eq!(waiter.ask("r", "k", &fresh.token), "ok");
}

#[test]
fn fences_rise_across_a_killed_daemon() {
    let state = tempfile::tempdir().unwrap();
    let mut last = 0;
    for _ in 0..6 {
        let daemon = Daemon::on(state.path(), &[]);
        let mut client = daemon.connect();
        for _ in 0..100 {
            let grant = client.acquire("l", "k", "0");
            assert!(grant.fence > last, "{} behind {last}", grant.fence);
            last = grant.fence;
            assert_eq!(client.ask("r", "k", &grant.token), "ok");
        }
        client.acquire("l", "k", "0 3600");
        daemon.kill();
        client.assert_closed();
    }
}

#[test]
fn fences_rise_across_a_daemon_that_was_told_to_stop() {
    let state = tempfile::tempdir().unwrap();
    let mut last = 0;
    for _ in 0..3 {
        let mut daemon = Daemon::on(state.path(), &[]);
        let mut client = daemon.connect();
        let grant = client.acquire("l", "k", "0");
        assert!(grant.fence > last);
        last = grant.fence;
        drop(client);
        daemon.signal(Signal::SIGTERM);
        assert_eq!(daemon.end().code(), Some(0));
    }
}

#[test]
fn fences_of_a_daemon_without_state_rise_with_the_clock() {
    let mut last = 0;
    for _ in 0..3 {
        let daemon = Daemon::in_memory(&[]);
        let grant = daemon.connect().acquire("l", "k", "0");
        assert!(grant.fence > last);
        last = grant.fence;
        daemon.kill();
    }
}

#[test]
fn a_daemon_that_is_stopped_does_not_end_leases_early() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut waiter) = (daemon.connect(), daemon.connect());
    let started = Stopwatch::start();
    let grant = holder.acquire("l", "k", "0 2");
    waiter.request("l", "k", "60");
    daemon.signal(Signal::SIGSTOP);
    harness::pause(Duration::from_millis(1200));
    daemon.signal(Signal::SIGCONT);
    assert!(waiter.grant().fence > grant.fence);
    assert!(started.elapsed() >= Duration::from_secs(2), "after {:?}", started.elapsed());
}
