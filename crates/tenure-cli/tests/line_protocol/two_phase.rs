//! Taking a place in line first, and waiting for the turn later.

use std::time::Duration;

use crate::harness::{Daemon, Grant, Stopwatch, pause, until};

#[test]
fn a_free_key_is_acquired_at_once_and_waiting_for_it_returns_the_same_grant() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let answer = client.ask("e", "k", "5");
    assert!(answer.starts_with("acquired "), "{answer}");
    let grant = Grant::read(&answer);
    assert_eq!(grant.lease, 5);
    let answer = client.ask("w", "k", "0");
    assert_eq!(answer, format!("ok {} 5", grant.token));
    assert_eq!(client.ask("w", "k", "0"), "error_not_enqueued");
    assert_eq!(client.ask("r", "k", &grant.token), "ok");
}

#[test]
fn waiting_starts_the_lease_anew() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let grant = client.acquire("e", "k", "3");
    pause(Duration::from_millis(1500));
    assert_eq!(client.acquire("w", "k", "0"), grant);
    let stats = client.stats();
    let left = stats["locks"][0]["lease_expires_in_s"].as_f64().unwrap();
    assert!(left > 1.6, "only {left} s are left");
}

#[test]
fn a_queued_claim_is_granted_in_its_turn() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut first, mut second) = (daemon.connect(), daemon.connect(), daemon.connect());
    let grant = holder.acquire("l", "k", "0");
    assert_eq!(first.ask("e", "k", "9"), "queued");
    assert_eq!(second.ask("e", "k", ""), "queued");
    second.request("w", "k", "60");
    first.request("w", "k", "60");
    assert_eq!(holder.ask("r", "k", &grant.token), "ok");
    let next = first.grant();
    assert_eq!(next.lease, 9);
    assert!(next.fence > grant.fence);
    assert!(second.is_silent());
    assert_eq!(first.ask("r", "k", &next.token), "ok");
    assert!(second.grant().fence > next.fence);
}

#[test]
fn a_grant_that_comes_before_the_wait_is_kept_for_it() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut queued) = (daemon.connect(), daemon.connect());
    let grant = holder.acquire("l", "k", "0");
    assert_eq!(queued.ask("e", "k", ""), "queued");
    assert_eq!(holder.ask("r", "k", &grant.token), "ok");
    assert_eq!(holder.ask("l", "k", "0"), "timeout");
    assert!(queued.acquire("w", "k", "0").fence > grant.fence);
}

#[test]
fn enqueueing_twice_is_refused() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut other) = (daemon.connect(), daemon.connect());
    holder.acquire("e", "k", "");
    assert_eq!(holder.ask("e", "k", ""), "error_already_enqueued");
    assert_eq!(other.ask("e", "k", ""), "queued");
    assert_eq!(other.ask("e", "k", ""), "error_already_enqueued");
    assert_eq!(holder.stats()["locks"][0]["waiters"], 1);
}

#[test]
fn waiting_without_a_place_is_refused() {
    let daemon = Daemon::start(&[]);
    let (mut client, mut other) = (daemon.connect(), daemon.connect());
    assert_eq!(client.ask("w", "k", "0"), "error_not_enqueued");
    assert_eq!(client.ask("sw", "k", "0"), "error_not_enqueued");
    client.acquire("l", "k", "0");
    assert_eq!(client.ask("w", "k", "0"), "error_not_enqueued");
    assert_eq!(other.ask("e", "k", ""), "queued");
    assert_eq!(client.ask("w", "k", "0"), "error_not_enqueued");
}

#[test]
fn a_wait_that_times_out_gives_the_place_up() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut queued) = (daemon.connect(), daemon.connect());
    holder.acquire("l", "k", "0");
    assert_eq!(queued.ask("e", "k", ""), "queued");
    let started = Stopwatch::start();
    assert_eq!(queued.ask("w", "k", "1"), "timeout");
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(queued.ask("w", "k", "0"), "error_not_enqueued");
    assert_eq!(holder.stats()["locks"][0]["waiters"], 0);
    assert_eq!(queued.ask("e", "k", ""), "queued");
    assert_eq!(queued.ask("w", "k", "0"), "timeout");
}

#[test]
fn releasing_gives_the_place_up() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let grant = client.acquire("e", "k", "");
    assert_eq!(client.ask("r", "k", &grant.token), "ok");
    assert_eq!(client.ask("w", "k", "0"), "error_not_enqueued");
    assert!(client.acquire("e", "k", "").fence > grant.fence);
}

#[test]
fn who_holds_a_key_may_queue_behind_itself() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let grant = client.acquire("e", "k", "");
    assert_eq!(client.acquire("w", "k", "0").token, grant.token);
    assert_eq!(client.ask("e", "k", ""), "queued");
    assert_eq!(client.ask("r", "k", &grant.token), "ok");
    assert!(client.acquire("w", "k", "0").fence > grant.fence);
}

#[test]
fn a_grant_that_lapsed_before_the_wait_is_never_answered_ok() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut queued, mut third) = (daemon.connect(), daemon.connect(), daemon.connect());
    let grant = holder.acquire("l", "k", "0");
    assert_eq!(queued.ask("e", "k", "1"), "queued");
    third.request("l", "k", "60");
    until("it waits", || holder.stats()["locks"][0]["waiters"] == 2);
    assert_eq!(holder.ask("r", "k", &grant.token), "ok");
    assert!(third.grant().fence > grant.fence + 1, "the one in between was passed over");
    assert_eq!(queued.ask("w", "k", "0"), "error_lease_expired");
    assert_eq!(queued.ask("w", "k", "0"), "error_not_enqueued");
}

#[test]
fn an_immediate_grant_that_lapsed_before_the_wait_is_never_answered_ok() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    client.acquire("e", "k", "1");
    client.acquire("se", "k", "2 1");
    pause(Duration::from_millis(1100));
    for command in ["w", "sw"] {
        let answer = client.ask(command, "k", "0");
        assert!(["error_lease_expired", "error_not_enqueued"].contains(&answer.as_str()), "{answer}");
        assert_eq!(client.ask(command, "k", "0"), "error_not_enqueued");
    }
    client.acquire("e", "k", "");
}

#[test]
fn a_connection_that_ends_leaves_its_place() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut gone, mut next) = (daemon.connect(), daemon.connect(), daemon.connect());
    let grant = holder.acquire("l", "k", "0");
    assert_eq!(gone.ask("e", "k", ""), "queued");
    assert_eq!(next.ask("e", "k", ""), "queued");
    drop(gone);
    until("it has left", || holder.stats()["locks"][0]["waiters"] == 1);
    assert_eq!(holder.ask("r", "k", &grant.token), "ok");
    next.acquire("w", "k", "10");
}

#[test]
fn a_granted_place_goes_to_the_next_when_its_connection_ends() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut gone, mut next) = (daemon.connect(), daemon.connect(), daemon.connect());
    let grant = holder.acquire("l", "k", "0");
    assert_eq!(gone.ask("e", "k", "3600"), "queued");
    assert_eq!(holder.ask("r", "k", &grant.token), "ok");
    next.request("l", "k", "60");
    drop(gone);
    next.grant();
}

#[test]
fn semaphores_queue_the_same_way() {
    let daemon = Daemon::start(&[]);
    let (mut one, mut other) = (daemon.connect(), daemon.connect());
    let first = one.acquire("se", "s", "2 9");
    assert_eq!(first.lease, 9);
    assert_eq!(one.ask("se", "s", "2"), "error_already_enqueued");
    assert_eq!(one.acquire("sw", "s", "0"), first);
    other.acquire("sl", "s", "0 2");
    assert_eq!(other.ask("se", "s", "2"), "queued");
    assert_eq!(one.ask("sr", "s", &first.token), "ok");
    assert!(other.acquire("sw", "s", "0").fence > first.fence);
}

#[test]
fn places_in_locks_and_semaphores_of_one_name_are_apart() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    client.acquire("e", "k", "");
    assert_eq!(client.ask("sw", "k", "0"), "error_not_enqueued");
    client.acquire("se", "k", "1");
    client.acquire("w", "k", "0");
    client.acquire("sw", "k", "0");
}
