//! Requests are three lines, answers are one, in order, whatever way the bytes arrive.

use std::time::Duration;

use crate::harness::{Daemon, Grant, Stopwatch, until};

#[test]
fn requests_in_one_write_are_answered_in_order() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let mut burst = String::new();
    for n in 0..500 {
        burst += &format!("l\nkey-{n}\n0 {}\nping\n\n\nr\nkey-{n}\nnot-a-token\nnonsense\n\n\n", n + 1);
    }
    client.send(burst);
    for n in 0..500 {
        assert_eq!(client.grant().lease, n + 1);
        assert_eq!([client.line(), client.line(), client.line()], ["ok", "error", "error"]);
    }
    assert!(client.is_silent());
}

#[test]
fn a_request_behind_a_waiting_one_has_its_turn_after_it() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut client) = (daemon.connect(), daemon.connect());
    let grant = holder.acquire("l", "k", "0");
    client.send("l\nk\n60\nping\n_\n_\n");
    until("the request waits", || holder.stats()["locks"][0]["waiters"] == 1);
    assert!(client.is_silent());
    assert_eq!(holder.ask("r", "k", &grant.token), "ok");
    assert!(client.grant().fence > grant.fence);
    assert_eq!(client.line(), "ok");
}

#[test]
fn a_request_may_arrive_byte_by_byte() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    for byte in b"l\nkey\n0 7\n" {
        client.send([*byte]);
    }
    assert_eq!(client.grant().lease, 7);
}

#[test]
fn carriage_returns_at_the_end_of_a_line_do_not_count() {
    let daemon = Daemon::start(&[]);
    let (mut windows, mut unix) = (daemon.connect(), daemon.connect());
    windows.send("l\r\nkey\r\r\r\n0 5\r\n");
    let grant = windows.grant();
    assert_eq!(unix.ask("r", "key", &grant.token), "ok");
}

#[test]
fn a_line_of_256_bytes_is_taken() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let key = "k".repeat(256);
    let grant = client.acquire("l", &key, "0");
    assert_eq!(client.ask("r", &key, &grant.token), "ok");
    let padded = format!("0{}", " ".repeat(255));
    assert_eq!(client.acquire("l", "k", &padded).lease, 33);
    assert_eq!(client.ask(&"x".repeat(256), "k", "0"), "error");
    assert_eq!(client.ask("ping", "", ""), "ok");
}

#[test]
fn a_line_of_257_bytes_ends_the_connection() {
    let daemon = Daemon::start(&[]);
    for (before, length) in
        [("", 257), ("l\n", 257), ("l\nk\n", 257), ("l\n", 1_000_000), ("signal\nc\n", 65_537)]
    {
        let mut client = daemon.connect();
        client.send(format!("{before}{}\n", "x".repeat(length)));
        assert_eq!(client.line(), "error", "behind {before:?}");
        client.assert_closed();
    }
}

#[test]
fn what_was_asked_before_an_overlong_line_is_answered_first() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    client.send(format!("ping\n\n\nl\n{}\n", "k".repeat(300)));
    assert_eq!([client.line(), client.line()], ["ok", "error"]);
    client.assert_closed();
}

#[test]
fn a_payload_may_have_64_kib() {
    let daemon = Daemon::start(&[]);
    let (mut listener, mut sender) = (daemon.connect(), daemon.connect());
    assert_eq!(listener.ask("listen", "c", ""), "ok");
    let payload = "p".repeat(65_536);
    assert_eq!(sender.ask("signal", "c", &payload), "ok 1");
    assert_eq!(listener.line(), format!("sig c {payload}"));
}

#[test]
fn half_a_request_and_then_the_end_gets_no_answer() {
    let daemon = Daemon::start(&[]);
    let request = "l\nkey\n0\n";
    for length in 0..request.len() {
        let mut client = daemon.connect();
        client.send(&request[..length]);
        client.finish();
        client.assert_closed();
    }
    let mut watcher = daemon.connect();
    until("the connections are gone", || watcher.stats()["connections"] == 1);
    assert_eq!(watcher.stats()["locks"], serde_json::json!([]));
}

#[test]
fn whole_requests_before_the_end_are_answered() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    client.send("l\nkey\n0 9\nping\n\n\nl\nhalf");
    client.finish();
    assert_eq!(client.grant().lease, 9);
    assert_eq!(client.line(), "ok");
    client.assert_closed();
}

#[test]
fn a_silent_connection_is_ended_with_an_error() {
    let daemon = Daemon::start(&["--read-timeout", "1"]);
    let started = Stopwatch::start();
    let mut client = daemon.connect();
    assert_eq!(client.line(), "error");
    client.assert_closed();
    assert!(started.elapsed() >= Duration::from_millis(950), "after {:?}", started.elapsed());
}

#[test]
fn a_connection_that_was_busy_and_falls_silent_is_ended_too() {
    let daemon = Daemon::start(&["--read-timeout", "1"]);
    let mut clients: Vec<_> = (0..20).map(|_| daemon.connect()).collect();
    for client in &mut clients {
        client.send("ping\n\n\nstats\n\n\n".repeat(1000));
        for _ in 0..1000 {
            assert_eq!(client.line(), "ok");
            assert!(client.line().starts_with("ok {"));
        }
    }
    for client in &mut clients {
        assert_eq!(client.line(), "error");
        client.assert_closed();
    }
}

#[test]
fn a_request_that_never_gets_whole_is_ended_however_lively_it_is() {
    let daemon = Daemon::start(&["--read-timeout", "1"]);
    let mut client = daemon.connect();
    client.send("l\n");
    let started = Stopwatch::start();
    let mut sent = 0;
    until("the connection is ended", || {
        if sent < 200 && client.try_send("k") {
            sent += 1;
        }
        client.has_ended()
    });
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(950), "after {took:?}");
    assert!(took < Duration::from_secs(5), "after {took:?}");
}

#[test]
fn no_read_deadline_runs_while_a_request_waits() {
    let daemon = Daemon::start(&["--read-timeout", "1"]);
    let (mut holder, mut waiter) = (daemon.connect(), daemon.connect());
    let grant = holder.acquire("l", "k", "0");
    waiter.request("l", "k", "60");
    let started = Stopwatch::start();
    until("three read timeouts have passed", || {
        assert_eq!(holder.ask("ping", "", ""), "ok");
        started.elapsed() > Duration::from_secs(3)
    });
    assert_eq!(holder.ask("r", "k", &grant.token), "ok");
    let next: Grant = waiter.grant();
    assert_eq!(waiter.ask("r", "k", &next.token), "ok");
}

#[test]
fn a_client_that_does_not_read_its_answers_is_cut() {
    let daemon = Daemon::start(&["--write-timeout", "1"]);
    let (mut deaf, mut neighbour) = (daemon.connect(), daemon.connect());
    let burst = "stats\n\n\n".repeat(1000);
    until("the connection is cut", || !deaf.try_send(&burst));
    until("it is gone", || neighbour.stats()["connections"] == 1);
}
