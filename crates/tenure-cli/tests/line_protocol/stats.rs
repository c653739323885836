//! The exact shape of `stats`.

use serde_json::{Value, json};

use crate::harness::Daemon;

/// Takes a number out of an object, so that the rest can be compared as a whole.
fn take(value: &mut Value, name: &str) -> f64 {
    value.as_object_mut().unwrap().remove(name).unwrap().as_f64().unwrap()
}

#[test]
fn a_daemon_without_work_has_only_empty_lists() {
    let daemon = Daemon::start(&[]);
    let expected = json!({
        "connections": 1,
        "locks": [],
        "semaphores": [],
        "idle_locks": [],
        "idle_semaphores": [],
        "signal_channels": [],
    });
    assert_eq!(daemon.connect().stats(), expected);
}

#[test]
fn every_kind_of_entry_has_its_fields_and_no_others() {
    let daemon = Daemon::start(&[]);
    let (mut one, mut two, mut three) = (daemon.connect(), daemon.connect(), daemon.connect());
    one.acquire("l", "lock", "0 20");
    assert_eq!(two.ask("e", "lock", ""), "queued");
    for _ in 0..2 {
        one.acquire("sl", "sem", "0 3");
    }
    let token = one.acquire("l", "idle", "0").token;
    assert_eq!(one.ask("r", "idle", &token), "ok");
    let token = one.acquire("sl", "idle", "0 4").token;
    assert_eq!(one.ask("sr", "idle", &token), "ok");
    for client in [&mut one, &mut two] {
        assert_eq!(client.ask("listen", "a.*", ""), "ok");
        assert_eq!(client.ask("listen", "b", "group"), "ok");
    }

    let mut stats = three.stats();
    let left = take(&mut stats["locks"][0], "lease_expires_in_s");
    assert!((10.0..=20.0).contains(&left), "{left}");
    assert!(take(&mut stats["locks"][0], "owner_conn_id") >= 1.0);
    for idle in ["idle_locks", "idle_semaphores"] {
        assert!((0.0..10.0).contains(&take(&mut stats[idle][0], "idle_s")));
    }
    let channels = stats["signal_channels"].as_array_mut().unwrap();
    channels.sort_by_key(|channel| channel["pattern"].as_str().map(str::to_owned));
    let expected = json!({
        "connections": 3,
        "locks": [{"key": "lock", "waiters": 1}],
        "semaphores": [{"key": "sem", "limit": 3, "holders": 2, "waiters": 0}],
        "idle_locks": [{"key": "idle"}],
        "idle_semaphores": [{"key": "idle"}],
        "signal_channels": [
            {"pattern": "a.*", "listeners": 2},
            {"pattern": "b", "group": "group", "listeners": 2},
        ],
    });
    assert_eq!(stats, expected);
}

#[test]
fn each_connection_owns_under_its_own_number() {
    let daemon = Daemon::start(&[]);
    let (mut one, mut two) = (daemon.connect(), daemon.connect());
    one.acquire("l", "a", "0");
    one.acquire("l", "b", "0");
    two.acquire("l", "c", "0");
    let stats = one.stats();
    let owner = |key: &str| {
        let locks = stats["locks"].as_array().unwrap();
        locks.iter().find(|lock| lock["key"] == key).unwrap()["owner_conn_id"].as_u64().unwrap()
    };
    assert_eq!(owner("a"), owner("b"));
    assert_ne!(owner("a"), owner("c"));
}

#[test]
fn a_semaphore_of_limit_one_is_a_semaphore() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    client.acquire("sl", "s", "0 1");
    let stats = client.stats();
    assert_eq!(stats["semaphores"], json!([{"key": "s", "limit": 1, "holders": 1, "waiters": 0}]));
    assert_eq!(stats["locks"], json!([]));
}

#[test]
fn names_are_escaped_and_answers_may_be_long() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    for n in 0..1000 {
        client.acquire("l", &format!("\"quoted\\{}\"-{n}", "x".repeat(80)), "0");
    }
    let stats = client.stats();
    let locks = stats["locks"].as_array().unwrap();
    assert_eq!(locks.len(), 1000);
    assert!(locks.iter().all(|lock| lock["key"].as_str().unwrap().starts_with("\"quoted\\xxx")));
}
