//! What Tenure says beyond dflockd: `bind`, `inspect`, `info`.

use serde_json::json;

use crate::harness::{Daemon, until};

#[test]
fn a_grant_bound_to_its_lease_outlives_the_connection() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut watcher) = (daemon.connect(), daemon.connect());
    let before = holder.acquire("l", "before", "0");
    assert_eq!(holder.ask("bind", "", "lease"), "ok");
    let kept = holder.acquire("l", "kept", "0");
    assert_eq!(holder.ask("bind", "", "connection"), "ok");
    holder.acquire("l", "after", "0");
    drop(holder);
    until("the connection is gone", || watcher.stats()["connections"] == 1);
    until("what it took with it is free", || watcher.stats()["locks"].as_array().unwrap().len() == 1);
    assert_eq!(watcher.ask("l", "kept", "0"), "timeout");
    assert_eq!(watcher.ask("n", "kept", &kept.token), "ok 33");
    assert_eq!(watcher.ask("r", "kept", &kept.token), "ok");
    assert!(watcher.acquire("l", "before", "0").fence > before.fence);
}

#[test]
fn a_grant_bound_to_its_lease_still_ends_with_it() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut waiter) = (daemon.connect(), daemon.connect());
    assert_eq!(holder.ask("bind", "", "lease"), "ok");
    let grant = holder.acquire("l", "k", "0 1");
    drop(holder);
    assert!(waiter.acquire("l", "k", "20").fence > grant.fence);
}

#[test]
fn waiters_go_with_their_connection_however_it_is_bound() {
    let daemon = Daemon::start(&[]);
    let (mut holder, mut waiter) = (daemon.connect(), daemon.connect());
    holder.acquire("l", "k", "0");
    assert_eq!(waiter.ask("bind", "", "lease"), "ok");
    assert_eq!(waiter.ask("e", "k", ""), "queued");
    drop(waiter);
    until("it has left", || holder.stats()["locks"][0]["waiters"] == 0);
}

#[test]
fn binding_to_anything_else_is_an_error() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    for argument in ["", "leases", "LEASE", "lease connection"] {
        assert_eq!(client.ask("bind", "", argument), "error", "to {argument:?}");
    }
    assert_eq!(client.ask("ping", "", ""), "ok");
}

#[test]
fn inspect_shows_who_holds_what() {
    let daemon = Daemon::start(&[]);
    let (mut one, mut two) = (daemon.connect(), daemon.connect());
    let grant = one.acquire("l", "jobs/1", "0 20");
    assert_eq!(two.ask("e", "jobs/1", ""), "queued");
    let slot = two.acquire("sl", "pool", "0 3 20");
    let idle = two.acquire("l", "idle", "0");
    assert_eq!(two.ask("r", "idle", &idle.token), "ok");

    let lock = &mut one.json("inspect", "jobs/*")["keys"][0];
    let holder = lock["holders"][0].as_object_mut().unwrap();
    let left = holder.remove("expires_in_s").unwrap().as_f64().unwrap();
    assert!((10.0..=20.0).contains(&left), "{left}");
    assert!(holder.remove("owner_conn_id").unwrap().as_u64().unwrap() > 0);
    let expected = json!({
        "space": "lock", "key": "jobs/1", "limit": 1, "holders_len": 1,
        "waiters": 1, "idle_s": null,
        "holders": [{"fence": grant.fence.to_string(), "permits": 1}],
    });
    assert_eq!(*lock, expected);

    let semaphore = &one.json("inspect", "pool")["keys"][0];
    assert_eq!((&semaphore["space"], &semaphore["limit"]), (&json!("semaphore"), &json!(3)));
    assert_eq!(semaphore["holders"][0]["fence"], slot.fence.to_string());

    let idle = &one.json("inspect", "idle")["keys"][0];
    assert_eq!((&idle["holders"], &idle["waiters"]), (&json!([]), &json!(0)));
    assert!(idle["idle_s"].as_f64().unwrap() >= 0.0);
}

#[test]
fn inspect_takes_a_pattern() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    for key in ["a", "ab", "abc", "b", "a.b", "a?c"] {
        client.acquire("l", key, "0");
    }
    client.acquire("sl", "ab", "0 2");
    let mut matching = |pattern: &str| {
        let answer = client.json("inspect", pattern);
        let keys = answer["keys"].as_array().unwrap();
        let mut names: Vec<String> = keys.iter().map(|key| key["key"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(matching("").len(), 7);
    assert_eq!(matching("*").len(), 7);
    assert_eq!(matching("ab*"), ["ab", "ab", "abc"]);
    assert_eq!(matching("a*c"), ["a?c", "abc"]);
    assert_eq!(matching("*b"), ["a.b", "ab", "ab", "b"]);
    assert_eq!(matching("a?c"), ["a?c"]);
    assert_eq!(matching("nothing"), Vec::<String>::new());
}

#[test]
fn inspect_shows_names_that_are_no_text() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    client.send(b"l\nk\x80\n0\n");
    client.grant();
    let answer = client.json("inspect", "*");
    assert_eq!(answer["keys"][0]["key"], "k\u{fffd}");
    assert_eq!(answer["keys"][0]["key_hex"], "6b80");
}

#[test]
fn info_says_what_answers() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let info = client.json("info", "");
    assert_eq!(info["server"], "tenure");
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(info["pid"], daemon.pid());
    assert!(info["uptime_s"].as_f64().unwrap() >= 0.0);
    let before = info["cpu_us"].as_u64().unwrap();
    until("it has used processor time", || client.json("info", "")["cpu_us"].as_u64().unwrap() > before);
}
