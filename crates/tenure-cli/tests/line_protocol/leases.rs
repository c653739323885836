//! A lease is a promise with an end: it may be kept a little longer, never shorter, and nobody lives on after it.

use std::time::Duration;

use crate::harness::{Daemon, Stopwatch, pause, until};

/// How late a hand-over may be on a machine that does other things as well. A sweep every second would show.
const LATE: Duration = Duration::from_millis(700);

#[test]
fn a_lapsed_lease_hands_over_at_its_deadline() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut waiter) = (daemon.connect(), daemon.connect());
    let started = Stopwatch::start();
    let grant = holder.acquire("l", "k", "0 1");
    waiter.request("l", "k", "60");
    assert!(waiter.grant().fence > grant.fence);
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(1), "after {took:?}, which is early");
    assert!(took < Duration::from_secs(1) + LATE, "after {took:?}, which is late");
}

#[test]
fn a_lapsed_lease_cannot_be_renewed_or_released() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let lock = client.acquire("l", "k", "0 1");
    let slot = client.acquire("sl", "s", "0 2 1");
    pause(Duration::from_millis(1100));
    assert_eq!(client.ask("n", "k", &lock.token), "error");
    assert_eq!(client.ask("r", "k", &lock.token), "error");
    assert_eq!(client.ask("sn", "s", &slot.token), "error");
    assert_eq!(client.ask("sr", "s", &slot.token), "error");
    assert!(client.acquire("l", "k", "0").fence > lock.fence);
}

#[test]
fn a_lapsed_lease_frees_the_key_without_anyone_waiting() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut other) = (daemon.connect(), daemon.connect());
    let started = Stopwatch::start();
    holder.acquire("l", "k", "0 1");
    until("the lock is free", || other.ask("l", "k", "0") != "timeout");
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(1) + LATE, "after {took:?}");
}

#[test]
fn a_renewed_lease_lives_on() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut other) = (daemon.connect(), daemon.connect());
    let grant = holder.acquire("l", "k", "0 1");
    for _ in 0..5 {
        pause(Duration::from_millis(400));
        let renewal = Stopwatch::start();
        assert_eq!(holder.ask("n", "k", &format!("{} 1", grant.token)), "ok 1");
        assert_eq!(other.ask("l", "k", "0"), "timeout");
        assert!(renewal.elapsed() < Duration::from_secs(1), "this machine is too slow to tell");
    }
    assert_eq!(other.ask("n", "k", &grant.token), "ok 33");
    let stats = other.stats();
    let left = stats["locks"][0]["lease_expires_in_s"].as_f64().unwrap();
    assert!((30.0..=33.0).contains(&left), "{left}");
    assert_eq!(holder.ask("r", "k", &grant.token), "ok");
}

#[test]
fn a_renewal_may_shorten_a_lease() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut waiter) = (daemon.connect(), daemon.connect());
    let grant = holder.acquire("l", "k", "0 3600");
    waiter.request("l", "k", "60");
    let started = Stopwatch::start();
    assert_eq!(holder.ask("n", "k", &format!("{} 1", grant.token)), "ok 1");
    assert!(waiter.grant().fence > grant.fence);
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(1) + LATE, "after {took:?}");
}

#[test]
fn every_slot_of_a_semaphore_has_its_own_end() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut waiter) = (daemon.connect(), daemon.connect());
    let short = holder.acquire("sl", "s", "0 2 1");
    let long = holder.acquire("sl", "s", "0 2 3600");
    waiter.request("sl", "s", "60 2");
    assert!(waiter.grant().fence > long.fence);
    assert_eq!(holder.ask("sr", "s", &short.token), "error");
    assert_eq!(holder.ask("sr", "s", &long.token), "ok");
}

#[test]
fn a_lease_ends_behind_a_request_that_waits_on_the_same_connection() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let first = client.acquire("l", "k", "0 1");
    assert!(client.acquire("l", "k", "60").fence > first.fence);
}
