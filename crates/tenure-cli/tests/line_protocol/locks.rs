//! Locks and semaphores: who gets what, and in which order.

use std::time::Duration;

use crate::harness::{Client, Daemon, Stopwatch, until};

/// The waiters of the only lock that is held.
fn waiters(watcher: &mut Client) -> u64 {
    watcher.stats()["locks"][0]["waiters"].as_u64().unwrap()
}

/// Lets clients wait for `k` with `request`, one behind the other.
fn queue(daemon: &Daemon, watcher: &mut Client, count: u64) -> Vec<Client> {
    (1..=count)
        .map(|n| {
            let mut client = daemon.connect();
            client.request("l", "k", "60");
            until("it waits", || waiters(watcher) == n);
            client
        })
        .collect()
}

#[test]
fn a_free_lock_is_granted_with_the_default_lease() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    assert_eq!(client.acquire("l", "k", "0").lease, 33);
    assert_eq!(client.acquire("sl", "k", "0 1").lease, 33);
    assert_eq!(client.acquire("e", "other", "").lease, 33);
    assert_eq!(client.acquire("se", "other", "2").lease, 33);
}

#[test]
fn the_default_lease_can_be_set() {
    let daemon = Daemon::start(&["--default-lease-ttl", "7"]);
    let mut client = daemon.connect();
    let grant = client.acquire("l", "k", "0 3");
    assert_eq!(grant.lease, 3);
    assert_eq!(client.ask("n", "k", &grant.token), "ok 7");
    assert_eq!(client.acquire("l", "other", "0").lease, 7);
}

#[test]
fn fences_of_a_key_rise_and_tokens_never_repeat() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let mut last = client.acquire("l", "k", "0");
    for _ in 0..200 {
        assert_eq!(client.ask("r", "k", &last.token), "ok");
        let grant = client.acquire("l", "k", "0");
        assert!(grant.fence > last.fence, "{} behind {}", grant.fence, last.fence);
        assert_ne!(grant.token[16..], last.token[16..], "the secret half repeats");
        last = grant;
    }
}

#[test]
fn a_held_lock_times_out() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut other) = (daemon.connect(), daemon.connect());
    holder.acquire("l", "k", "0");
    assert_eq!(other.ask("l", "k", "0"), "timeout");
    let started = Stopwatch::start();
    assert_eq!(other.ask("l", "k", "1"), "timeout");
    assert!(started.elapsed() >= Duration::from_secs(1), "after {:?}", started.elapsed());
    assert_eq!(waiters(&mut holder), 0);
}

#[test]
fn who_holds_a_lock_waits_for_it_like_everyone() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    client.acquire("l", "k", "0");
    assert_eq!(client.ask("l", "k", "0"), "timeout");
}

#[test]
fn waiters_are_served_in_the_order_that_they_came() {
    let daemon = Daemon::start(&[]);
    let mut holder = daemon.connect();
    let mut grant = holder.acquire("l", "k", "0");
    let mut queued = queue(&daemon, &mut holder, 5);
    while !queued.is_empty() {
        assert_eq!(holder.ask("r", "k", &grant.token), "ok");
        let mut next = queued.remove(0);
        let granted = next.grant();
        assert!(granted.fence > grant.fence);
        (holder, grant) = (next, granted);
        assert!(queued.iter_mut().all(Client::is_silent), "one release woke more than one waiter");
    }
}

#[test]
fn a_token_is_enough_to_release_from_anywhere_but_only_once() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut other) = (daemon.connect(), daemon.connect());
    let grant = holder.acquire("l", "k", "0");
    assert_eq!(other.ask("r", "unknown", &grant.token), "error");
    assert_eq!(other.ask("sr", "k", &grant.token), "error");
    assert_eq!(other.ask("r", "k", &grant.token), "ok");
    assert_eq!(other.ask("r", "k", &grant.token), "error");
    assert_eq!(holder.ask("r", "k", &grant.token), "error");
    assert_eq!(holder.ask("n", "k", &grant.token), "error");
}

#[test]
fn a_semaphore_has_as_many_slots_as_its_limit() {
    let daemon = Daemon::start(&[]);
    let (mut one, mut other) = (daemon.connect(), daemon.connect());
    let first = one.acquire("sl", "s", "0 3 10");
    assert_eq!(first.lease, 10);
    one.acquire("sl", "s", "0 3");
    let third = other.acquire("sl", "s", "0 3");
    assert!(third.fence > first.fence);
    assert_eq!(other.ask("sl", "s", "0 3"), "timeout");
    other.request("sl", "s", "60 3");
    until("it waits", || one.stats()["semaphores"][0]["waiters"] == 1);
    assert_eq!(one.ask("sr", "s", &first.token), "ok");
    assert!(other.grant().fence > third.fence);
    assert_eq!(one.ask("sn", "s", &third.token), "ok 33");
    assert_eq!(one.ask("sn", "s", &format!("{} 12", third.token)), "ok 12");
}

#[test]
fn the_first_user_of_a_semaphore_fixes_its_limit() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let grant = client.acquire("sl", "s", "0 3");
    assert_eq!(client.ask("sl", "s", "0 2"), "error_limit_mismatch");
    assert_eq!(client.ask("se", "s", "4"), "error_limit_mismatch");
    assert_eq!(client.ask("sr", "s", &grant.token), "ok");
    assert_eq!(client.ask("sl", "s", "0 2"), "error_limit_mismatch");
}

#[test]
fn a_lock_and_a_semaphore_of_one_name_never_meet() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let lock = client.acquire("l", "k", "0");
    let slot = client.acquire("sl", "k", "0 1");
    assert_eq!(client.ask("r", "k", &slot.token), "error");
    assert_eq!(client.ask("sr", "k", &lock.token), "error");
    assert_eq!(client.ask("sl", "k", "0 2"), "error_limit_mismatch");
    assert_eq!(client.ask("r", "k", &lock.token), "ok");
    assert_eq!(client.ask("sr", "k", &slot.token), "ok");
}

#[test]
fn a_connection_that_ends_releases_all_that_it_held() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut waiter) = (daemon.connect(), daemon.connect());
    let first = holder.acquire("l", "k", "0");
    for n in 0..50 {
        holder.acquire("l", &format!("key-{n}"), "0");
        holder.acquire("sl", "s", "0 50");
    }
    waiter.request("l", "k", "60");
    drop(holder);
    assert!(waiter.grant().fence > first.fence);
    let mut watcher = daemon.connect();
    until("all is released", || watcher.stats()["locks"].as_array().unwrap().len() == 1);
    assert_eq!(watcher.stats()["semaphores"], serde_json::json!([]));
}

#[test]
fn a_connection_that_ends_while_it_waits_leaves_the_queue_at_once() {
    let daemon = Daemon::start(&[]);
    let mut holder = daemon.connect();
    let grant = holder.acquire("l", "k", "0");
    let mut queued = queue(&daemon, &mut holder, 3);
    drop(queued.remove(0));
    until("it has left the queue", || waiters(&mut holder) == 2);
    assert_eq!(holder.ask("r", "k", &grant.token), "ok");
    assert!(queued[0].grant().fence > grant.fence);
    assert!(queued[1].is_silent());
}

#[test]
fn without_auto_release_slots_stay_and_waiters_go() {
    for flag in ["--auto-release-on-disconnect=false", "-auto-release-on-disconnect=false"] {
        let daemon = Daemon::start(&[flag]);
        let (mut holder, mut watcher) = (daemon.connect(), daemon.connect());
        let started = Stopwatch::start();
        let grant = holder.acquire("l", "k", "0 2");
        let mut waiter = daemon.connect();
        waiter.request("l", "k", "60");
        until("it waits", || waiters(&mut watcher) == 1);
        let mut enqueued = daemon.connect();
        assert_eq!(enqueued.ask("e", "k", ""), "queued");
        drop((holder, waiter, enqueued));
        until("the waiters have gone", || waiters(&mut watcher) == 0);
        until("the connections are gone", || watcher.stats()["connections"] == 1);
        assert!(watcher.acquire("l", "k", "10").fence > grant.fence);
        assert!(started.elapsed() >= Duration::from_secs(2), "after {:?}", started.elapsed());
    }
}
