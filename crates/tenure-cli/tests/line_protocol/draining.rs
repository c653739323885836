//! A daemon that is told to stop.

use std::net::TcpStream;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::{Client, Daemon, Stopwatch, until};

fn until_it_drains(daemon: &Daemon) {
    until("the listener is closed", || TcpStream::connect(daemon.addr()).is_err());
}

/// A holder, and a client that waits for what it holds.
fn holder_and_waiter(daemon: &Daemon) -> (Client, Client) {
    let (mut holder, mut waiter) = (daemon.connect(), daemon.connect());
    holder.acquire("l", "k", "0");
    waiter.request("l", "k", "60");
    until("it waits", || holder.stats()["locks"][0]["waiters"] == 1);
    (holder, waiter)
}

#[test]
fn waiting_requests_are_answered_at_once_and_new_ones_refused() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut daemon = Daemon::start(&[]);
        let (mut holder, mut waiter) = holder_and_waiter(&daemon);
        let mut enqueued = daemon.connect();
        assert_eq!(enqueued.ask("e", "k", ""), "queued");
        enqueued.request("w", "k", "60");
        assert_eq!(holder.ask("ping", "", ""), "ok");
        daemon.signal(signal);
        assert_eq!([waiter.line(), enqueued.line()], ["error", "error"]);
        until_it_drains(&daemon);
        assert_eq!(holder.ask("l", "other", "0"), "error_draining");
        holder.assert_closed();
        drop((holder, waiter, enqueued));
        assert_eq!(daemon.end().code(), Some(0));
    }
}

#[test]
fn a_daemon_without_connections_stops_at_once() {
    let mut daemon = Daemon::start(&[]);
    let started = Stopwatch::start();
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.end().code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(10), "after {:?}", started.elapsed());
}

#[test]
fn connections_that_stay_are_ended_after_the_shutdown_timeout() {
    let mut daemon = Daemon::start(&["--shutdown-timeout", "1"]);
    let mut idle = daemon.connect();
    assert_eq!(idle.ask("ping", "", ""), "ok");
    let started = Stopwatch::start();
    daemon.signal(Signal::SIGTERM);
    idle.rest();
    assert_eq!(daemon.end().code(), Some(0));
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(950) && took < Duration::from_secs(10), "after {took:?}");
}
