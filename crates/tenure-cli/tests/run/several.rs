//! Several keys: in one order, all or none.

use nix::sys::signal::Signal;

use super::harness::{Daemon, Peer, tenure, until};
use super::{is_free, outcome, script, waiters};

#[test]
fn keys_are_held_together_and_told_in_order() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(
        &daemon,
        &["b", "a", "b"],
        "echo $TENURE_KEY; echo $TENURE_FENCE; echo $TENURE_TOKEN; read -r line",
    );
    assert_eq!(peer.line(), "a b");
    let fences: Vec<u64> = peer.line().split(' ').map(|fence| fence.parse().unwrap()).collect();
    assert!(fences.len() == 2 && fences[0] < fences[1], "{fences:?}");
    assert_eq!(peer.line().split(' ').count(), 2);
    assert!(!is_free(&daemon, "a") && !is_free(&daemon, "b"));
    peer.send("done\n");
    assert_eq!(peer.end().code(), Some(0));
    assert!(is_free(&daemon, "a") && is_free(&daemon, "b"));
}

#[test]
fn one_key_that_is_not_free_leaves_none_taken() {
    let daemon = Daemon::start(&[]);
    let mut holder = daemon.connect();
    holder.acquire("l", "b", "0 60");
    for patience in [&["-n"][..], &["-w", "1s"]] {
        let arguments = [patience, &["a", "b", "c", "--", "true"]].concat();
        let (code, text) = outcome(&daemon, &arguments);
        assert_eq!((code, text.as_str()), (Some(75), "tenure: \"b\" is not free\n"));
        assert!(is_free(&daemon, "a") && is_free(&daemon, "c"));
    }
}

#[test]
fn a_signal_while_one_key_is_awaited_gives_back_the_others() {
    let daemon = Daemon::start(&[]);
    let mut holder = daemon.connect();
    holder.acquire("l", "b", "0 60");
    let mut peer = script(&daemon, &["a", "b"], "true");
    until("it waits", || waiters(&daemon, "b") == 1);
    assert!(!is_free(&daemon, "a"));
    peer.signal(Signal::SIGTERM);
    assert_eq!(peer.end().code(), Some(143));
    assert!(is_free(&daemon, "a"));
}

#[test]
fn two_that_want_the_same_keys_in_other_orders_do_not_wait_for_each_other() {
    let daemon = Daemon::start(&[]);
    let mut peers: Vec<_> = (0..6)
        .map(|turn| script(&daemon, if turn % 2 == 0 { &["a", "b"] } else { &["b", "a"] }, "true"))
        .collect();
    for peer in &mut peers {
        assert_eq!(peer.end().code(), Some(0));
    }
}

#[test]
fn keys_are_spread_over_several_services() {
    let daemons = [Daemon::start(&[]), Daemon::start(&[])];
    let url = format!("tenure://{},{}", daemons[0].addr(), daemons[1].addr());
    // Their CRC-32 is even, even and odd.
    let keys = ["db", "my-resource", "foo"];
    let held = |daemon: &Daemon| keys.into_iter().filter(|key| !is_free(daemon, key)).collect::<Vec<_>>();
    let mut command = tenure();
    command.args(["run", "--url", &url]).args(keys).args(["--", "sh", "-c", "echo ready; read -r line"]);
    let mut peer = Peer::start(&mut command);
    assert_eq!(peer.line(), "ready");
    assert_eq!((held(&daemons[0]), held(&daemons[1])), (keys[..2].to_vec(), keys[2..].to_vec()));
    let listed = tenure().args(["ls", "--json", "--url", &url]).output().unwrap();
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let all = listed["keys"].as_array().unwrap();
    assert_eq!(all.iter().filter(|key| key["holders"] != serde_json::json!([])).count(), keys.len());
    peer.send("done\n");
    assert_eq!(peer.end().code(), Some(0), "{}", peer.stderr());
}
