//! `tenure show`, `watch` and `steal`, against a real daemon.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod harness;

use std::process::{Command, Stdio};

use harness::{Daemon, Peer, tenure, until};
use serde_json::Value;

/// A sub-command against a daemon.
fn command(daemon: &Daemon, arguments: &[&str]) -> Command {
    let mut command = tenure();
    command.args(arguments).args(["--url", &format!("tenure://{}", daemon.addr())]);
    command
}

/// What a sub-command that succeeds prints.
fn printed(daemon: &Daemon, arguments: &[&str]) -> String {
    let output = command(daemon, arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// `tenure run` that tells when it has what it wants.
fn run(daemon: &Daemon, flags: &[&str]) -> Peer {
    let mut command = command(daemon, &[&["run"], flags].concat());
    Peer::start(command.args(["--", "sh", "-c", "echo $TENURE_FENCE; read -r line"]))
}

fn finish(mut peer: Peer) {
    peer.send("done\n");
    assert_eq!(peer.end().code(), Some(0), "{}", peer.stderr());
}

/// How many wait for a lock.
fn waiters(daemon: &Daemon, key: &str) -> u64 {
    let shown = json(&printed(daemon, &["show", "--json", key]));
    shown["keys"][0]["waiters_len"].as_u64().unwrap_or(0)
}

#[test]
fn a_key_is_shown_with_who_holds_it_who_waits_and_who_held_it() {
    let daemon = Daemon::start(&[]);
    let mut former = run(&daemon, &["--label", "first", "db"]);
    let former_fence = former.line();
    finish(former);
    let mut holder = run(&daemon, &["--label", "second", "db"]);
    let fence = holder.line();
    let waiting: Vec<Peer> = (1..=2)
        .map(|place| {
            let waiter = run(&daemon, &["--label", &format!("waiter {place}"), "db"]);
            until("it waits", || waiters(&daemon, "db") == place);
            waiter
        })
        .collect();
    let text = printed(&daemon, &["show", "db"]);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("lock \"db\": held, 2 waiting"));
    let mut starts = |start: &[&str]| {
        let line = lines
            .by_ref()
            .find(|line| line.starts_with(start[0]))
            .unwrap_or_else(|| panic!("{start:?}: {text}"));
        assert!(start.iter().all(|part| line.contains(part)), "{start:?}: {text}");
    };
    starts(&["second", &holder.pid().to_string(), &fence]);
    starts(&["waiter 1", &waiting[0].pid().to_string()]);
    starts(&["waiter 2", &waiting[1].pid().to_string()]);
    starts(&["first", &former_fence, "ago, released"]);
    let shown = json(&printed(&daemon, &["show", "--json", "db"]));
    let key = &shown["keys"][0];
    assert_eq!((&key["space"], &key["key"], &key["limit"]), (&"lock".into(), &"db".into(), &1.into()));
    assert_eq!((&key["holders"][0]["fence"], &key["past"][0]["ending"]), (&fence.into(), &"released".into()));
    assert!(key["holders"][0]["expires_in_s"].as_f64().is_some_and(|left| left > 0.0 && left <= 30.0));
    assert_eq!(key["waiters"][1]["label"], "waiter 2");
}

#[test]
fn a_listing_names_who_holds_a_key() {
    let daemon = Daemon::start(&[]);
    let mut named = run(&daemon, &["--label", "nightly", "a"]);
    let mut unnamed = run(&daemon, &["b"]);
    named.line();
    unnamed.line();
    let text = printed(&daemon, &["ls"]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].starts_with("a    lock  nightly "), "{text}");
    assert!(lines[2].starts_with(&format!("b    lock  process {} on ", unnamed.pid())), "{text}");
    let holder = &json(&printed(&daemon, &["ls", "--json", "a"]))["keys"][0]["holders"][0];
    assert_eq!((&holder["label"], &holder["pid"]), (&"nightly".into(), &named.pid().into()));
}

#[test]
fn all_name_spaces_are_shown_unless_one_is_chosen() {
    let daemon = Daemon::start(&[]);
    let mut lock = run(&daemon, &["k"]);
    let mut slots = run(&daemon, &["--limit", "5", "--permits", "3", "k"]);
    lock.line();
    slots.line();
    let titles = |arguments: &[&str]| -> Vec<String> {
        let text = printed(&daemon, arguments);
        text.lines().filter(|line| line.contains("\"k\"")).map(str::to_owned).collect()
    };
    let (lock_title, semaphore_title) = ("lock \"k\": held", "semaphore \"k\": 3 of 5 permits held by 1");
    assert_eq!(titles(&["show", "k"]), [lock_title, semaphore_title]);
    assert_eq!(titles(&["show", "--semaphore", "k"]), [semaphore_title]);
    let output = command(&daemon, &["show", "--rwlock", "k"]).output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "tenure: nobody uses \"k\", or has lately\n");
    assert_eq!(printed(&daemon, &["show", "--json", "--rwlock", "k"]), "{\"keys\":[]}\n");
}

#[test]
fn what_happens_to_a_key_is_printed_as_it_happens() {
    let daemon = Daemon::start(&[]);
    let mut text = Peer::start(&mut command(&daemon, &["watch", "--lock", "k"]));
    let mut events = Peer::start(&mut command(&daemon, &["watch", "--json", "k"]));
    // Until both watch, something happens again and again.
    let mut seen = [None, None];
    until("both watch", || {
        let mut probe = run(&daemon, &["k"]);
        probe.line();
        finish(probe);
        for (seen, watch) in seen.iter_mut().zip([&mut text, &mut events]) {
            *seen = seen.take().or_else(|| watch.line_within(std::time::Duration::from_millis(100)));
        }
        seen.iter().all(Option::is_some)
    });
    let mut holder = run(&daemon, &["--label", "nightly", "k"]);
    let fence = holder.line();
    let granted = format!("lock granted {fence} to nightly on ");
    let line = loop {
        let line = text.line();
        if line.starts_with(&granted) {
            break line;
        }
    };
    assert!(line.ends_with(&format!("(process {}): 1 holding, 0 waiting", holder.pid())), "{line}");
    assert_eq!(printed(&daemon, &["steal", "k", "--reason", "host-3 is on fire"]), "1\n");
    assert_eq!(text.line(), format!("lock stolen {fence} (host-3 is on fire): 0 holding, 0 waiting"));
    let stolen = loop {
        let event = json(&events.line());
        if event["event"] == "stolen" {
            break event;
        }
    };
    let expected = [("space", "lock"), ("fence", &fence), ("reason", "host-3 is on fire")];
    assert!(expected.iter().all(|(name, value)| stolen[*name] == *value), "{stolen}");
    assert_eq!((&stolen["holders_len"], &stolen["waiters_len"]), (&0.into(), &0.into()));
}

#[test]
fn a_grant_is_stolen_by_its_fence_and_all_of_them_without() {
    let daemon = Daemon::start(&[]);
    let mut slots: Vec<Peer> = (0..3).map(|_| run(&daemon, &["--limit", "3", "k"])).collect();
    let fences: Vec<String> = slots.iter_mut().map(Peer::line).collect();
    let steal =
        |flags: &[&str]| printed(&daemon, &[&["steal", "--semaphore", "k", "--reason", "x"], flags].concat());
    assert_eq!(steal(&["--fence", &fences[1]]), "1\n");
    assert_eq!(slots.remove(1).end().code(), Some(76));
    assert_eq!(steal(&["--fence", &fences[1]]), "0\n");
    assert_eq!(steal(&[]), "2\n");
    for slot in &mut slots {
        assert_eq!(slot.end().code(), Some(76));
    }
    assert_eq!(
        printed(&daemon, &["steal", "k", "--reason", "x"]),
        "0\n",
        "a lock of the same name is another key"
    );
}
