//! What happens at every limit.

use crate::harness::{Daemon, until};

#[test]
fn a_key_beyond_the_limit_is_refused() {
    let daemon = Daemon::start(&["--max-locks", "2"]);
    let mut client = daemon.connect();
    let first = client.acquire("l", "a", "0");
    client.acquire("sl", "b", "0 3");
    for (command, argument) in [("l", "0"), ("l", "1"), ("e", ""), ("sl", "0 1"), ("se", "1")] {
        assert_eq!(client.ask(command, "c", argument), "error_max_locks", "to {command}");
    }
    client.acquire("sl", "b", "0 3");
    assert_eq!(client.ask("r", "a", &first.token), "ok");
    assert_eq!(client.ask("l", "c", "0"), "error_max_locks", "an idle key counts until it is collected");
    client.acquire("l", "a", "0");
}

#[test]
fn an_idle_key_is_collected_and_makes_room() {
    let daemon = Daemon::start(&["--max-locks", "1", "--gc-max-idle", "1", "--gc-interval", "1"]);
    let mut client = daemon.connect();
    let first = client.acquire("l", "a", "0");
    assert_eq!(client.ask("r", "a", &first.token), "ok");
    let mut answer = String::new();
    until("there is room", || {
        answer = client.ask("l", "b", "0");
        answer != "error_max_locks"
    });
    assert!(answer.starts_with("ok "), "{answer}");
    assert_eq!(client.stats()["idle_locks"], serde_json::json!([]));
}

#[test]
fn a_collected_key_forgets_its_limit_but_its_fences_go_on_rising() {
    let daemon = Daemon::start(&["--gc-max-idle", "1"]);
    let mut client = daemon.connect();
    let first = client.acquire("sl", "s", "0 3");
    assert_eq!(client.ask("sr", "s", &first.token), "ok");
    until("the key is collected", || client.stats()["idle_semaphores"] == serde_json::json!([]));
    assert!(client.acquire("sl", "s", "0 5").fence > first.fence);
}

#[test]
fn refused_requests_do_not_keep_an_idle_key() {
    let daemon = Daemon::start(&["--gc-max-idle", "1"]);
    let mut client = daemon.connect();
    let grant = client.acquire("l", "k", "0");
    assert_eq!(client.ask("r", "k", &grant.token), "ok");
    until("the key is collected", || {
        assert_eq!(client.ask("r", "k", &grant.token), "error");
        assert_eq!(client.ask("n", "k", &grant.token), "error");
        client.stats()["idle_locks"] == serde_json::json!([])
    });
}

#[test]
fn a_waiter_beyond_the_limit_is_refused() {
    let daemon = Daemon::start(&["--max-waiters", "1"]);
    let (mut holder, mut waiter, mut other) = (daemon.connect(), daemon.connect(), daemon.connect());
    let grant = holder.acquire("l", "k", "0");
    assert_eq!(waiter.ask("e", "k", ""), "queued");
    assert_eq!(other.ask("l", "k", "1"), "error_max_waiters");
    assert_eq!(other.ask("e", "k", ""), "error_max_waiters");
    assert_eq!(other.ask("w", "k", "0"), "error_not_enqueued");
    assert_eq!(holder.ask("r", "k", &grant.token), "ok");
    waiter.acquire("w", "k", "10");
    assert_eq!(other.ask("e", "k", ""), "queued");
}

#[test]
fn a_connection_beyond_the_limit_is_closed_without_a_byte() {
    let daemon = Daemon::start(&["--max-connections", "2"]);
    let (mut one, mut two) = (daemon.connect(), daemon.connect());
    assert_eq!([one.ask("ping", "", ""), two.ask("ping", "", "")], ["ok", "ok"]);
    daemon.connect().assert_closed();
    assert_eq!(one.ask("ping", "", ""), "ok");
    drop(two);
    until("there is room", || {
        let mut next = daemon.connect();
        next.try_send("ping\n\n\n") && next.answers("ok")
    });
}

#[test]
fn a_subscription_beyond_the_limit_is_refused() {
    let daemon = Daemon::start(&["--max-subscriptions", "2"]);
    let mut client = daemon.connect();
    assert_eq!(client.ask("listen", "a", ""), "ok");
    assert_eq!(client.ask("listen", "b", "group"), "ok");
    assert_eq!(client.ask("listen", "c", ""), "error");
    assert_eq!(client.ask("listen", "a", ""), "ok", "what is there already needs no room");
    assert_eq!(client.ask("unlisten", "a", ""), "ok");
    assert_eq!(client.ask("listen", "c", ""), "ok");
}

#[test]
fn limits_of_zero_are_none() {
    let flags = ["--max-waiters", "0", "--max-connections", "0", "--max-subscriptions", "0"];
    let daemon = Daemon::start(&flags);
    let (mut holder, mut waiter) = (daemon.connect(), daemon.connect());
    holder.acquire("l", "k", "0");
    assert_eq!(waiter.ask("e", "k", ""), "queued");
    assert_eq!(waiter.ask("listen", "a", ""), "ok");
}
