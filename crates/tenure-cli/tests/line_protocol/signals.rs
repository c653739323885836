//! Signals: who hears what, how often, and what becomes of those who do not listen.

use crate::harness::{Client, Daemon, until};

/// A connection that listens to these patterns, each with its group.
fn listener(daemon: &Daemon, patterns: &[(&str, &str)]) -> Client {
    let mut client = daemon.connect();
    for (pattern, group) in patterns {
        assert_eq!(client.ask("listen", pattern, group), "ok");
    }
    client
}

/// Fails when anything but the answer to a ping comes next.
fn assert_nothing_came(client: &mut Client) {
    assert_eq!(client.ask("ping", "", ""), "ok");
}

#[test]
fn a_listener_hears_its_channel_and_no_other() {
    let daemon = Daemon::start(&[]);
    let mut listener = listener(&daemon, &[("news", "")]);
    let mut sender = daemon.connect();
    assert_eq!(sender.ask("signal", "news", "first"), "ok 1");
    assert_eq!(sender.ask("signal", "weather", "rain"), "ok 0");
    assert_eq!(sender.ask("signal", "news", "with blanks  inside "), "ok 1");
    assert_eq!(listener.line(), "sig news first");
    assert_eq!(listener.line(), "sig news with blanks  inside ");
    assert_nothing_came(&mut listener);
}

#[test]
fn patterns_match_whole_tokens() {
    let cases = [
        ("a.b", "a.b", true),
        ("a.b", "a", false),
        ("a.*", "a.b", true),
        ("a.*", "a.b.c", false),
        ("a.*", "a", false),
        ("*", "a", true),
        ("*.b", "a.b", true),
        ("a.*.c", "a.x.c", true),
        ("a.*.c", "a.x.d", false),
        ("alerts.>", "alerts.fire", true),
        ("alerts.>", "alerts.fire.hall", true),
        ("alerts.>", "alerts", false),
        (">", "anything.at.all", true),
        ("a..b", "a..b", true),
        ("a.*.b", "a..b", true),
        ("a.b", "a..b", false),
    ];
    let daemon = Daemon::start(&[]);
    let mut sender = daemon.connect();
    for (pattern, channel, matches) in cases {
        let mut listener = listener(&daemon, &[(pattern, "")]);
        let count = if matches { "ok 1" } else { "ok 0" };
        assert_eq!(sender.ask("signal", channel, "x"), count, "{pattern} and {channel}");
        if matches {
            assert_eq!(listener.line(), format!("sig {channel} x"));
        }
        assert_nothing_came(&mut listener);
        drop(listener);
        until("the listener is gone", || sender.stats()["signal_channels"] == serde_json::json!([]));
    }
}

#[test]
fn a_connection_hears_a_signal_once_however_many_of_its_patterns_match() {
    let daemon = Daemon::start(&[]);
    let patterns = [("a.b", ""), ("a.b", ""), ("a.*", ""), ("a.>", ""), (">", "")];
    let mut listener = listener(&daemon, &patterns);
    let mut sender = daemon.connect();
    assert_eq!(sender.ask("signal", "a.b", "x"), "ok 1");
    assert_eq!(listener.line(), "sig a.b x");
    assert_nothing_came(&mut listener);
}

#[test]
fn a_group_shares_its_signals_evenly() {
    let daemon = Daemon::start(&[]);
    let mut members: Vec<Client> = (0..3).map(|_| listener(&daemon, &[("jobs.*", "workers")])).collect();
    let mut sender = daemon.connect();
    for n in 0..99 {
        assert_eq!(sender.ask("signal", "jobs.new", &n.to_string()), "ok 1");
    }
    let mut seen = [false; 99];
    for member in &mut members {
        for _ in 0..33 {
            let line = member.line();
            let n: usize = line.strip_prefix("sig jobs.new ").unwrap().parse().unwrap();
            assert!(!std::mem::replace(&mut seen[n], true), "{n} came twice");
        }
        assert_nothing_came(member);
    }
}

#[test]
fn groups_and_single_listeners_are_independent() {
    let daemon = Daemon::start(&[]);
    let mut both = listener(&daemon, &[("c", "one"), ("c", "two"), ("c", "")]);
    let mut single = listener(&daemon, &[("c", "")]);
    let mut sender = daemon.connect();
    assert_eq!(sender.ask("signal", "c", "x"), "ok 4");
    assert_eq!([both.line(), both.line(), both.line()], ["sig c x", "sig c x", "sig c x"]);
    assert_eq!(single.line(), "sig c x");
    assert_nothing_came(&mut both);
    assert_nothing_came(&mut single);
}

#[test]
fn the_name_of_a_group_is_trimmed() {
    let daemon = Daemon::start(&[]);
    let mut one = listener(&daemon, &[("c", "group")]);
    let mut other = listener(&daemon, &[("c", "  group ")]);
    let mut sender = daemon.connect();
    assert_eq!([sender.ask("signal", "c", "1"), sender.ask("signal", "c", "2")], ["ok 1", "ok 1"]);
    one.line();
    other.line();
}

#[test]
fn unlisten_ends_exactly_one_subscription() {
    let daemon = Daemon::start(&[]);
    let mut listener = listener(&daemon, &[("c", ""), ("c", "group"), ("d", "")]);
    let mut sender = daemon.connect();
    assert_eq!(listener.ask("unlisten", "c", ""), "ok");
    assert_eq!(listener.ask("unlisten", "c", ""), "ok", "what is not there is gone already");
    assert_eq!(listener.ask("unlisten", "never.heard.of", "x"), "ok");
    assert_eq!(sender.ask("signal", "c", "x"), "ok 1");
    assert_eq!(listener.line(), "sig c x");
    assert_eq!(listener.ask("unlisten", "c", "group"), "ok");
    assert_eq!(sender.ask("signal", "c", "x"), "ok 0");
    assert_eq!(sender.ask("signal", "d", "x"), "ok 1");
}

#[test]
fn whoever_sends_hears_itself() {
    let daemon = Daemon::start(&[]);
    let mut client = listener(&daemon, &[("c", "")]);
    client.request("signal", "c", "x");
    let mut lines = [client.line(), client.line()];
    lines.sort();
    assert_eq!(lines, ["ok 1", "sig c x"]);
}

#[test]
fn signals_reach_a_connection_whose_request_waits() {
    let daemon = Daemon::start(&[]);
    let mut sender = daemon.connect();
    let mut listener = listener(&daemon, &[("c", "")]);
    let grant = sender.acquire("l", "k", "0");
    listener.request("l", "k", "60");
    until("it waits", || sender.stats()["locks"][0]["waiters"] == 1);
    assert_eq!(sender.ask("signal", "c", "meanwhile"), "ok 1");
    assert_eq!(listener.line(), "sig c meanwhile");
    assert_eq!(sender.ask("r", "k", &grant.token), "ok");
    listener.grant();
}

#[test]
fn a_connection_that_ends_hears_nothing_more() {
    let daemon = Daemon::start(&[]);
    let mut sender = daemon.connect();
    drop(listener(&daemon, &[("c", ""), ("c", "group"), (">", "")]));
    until("its subscriptions are gone", || sender.ask("signal", "c", "x") == "ok 0");
    assert_eq!(sender.stats()["signal_channels"], serde_json::json!([]));
}

/// Sends until it reaches nobody any more.
fn flood(sender: &mut Client, channel: &str) {
    let payload = "p".repeat(60_000);
    until("the slow listener is cut", || (0..20).any(|_| sender.ask("signal", channel, &payload) == "ok 0"));
}

#[test]
fn a_listener_that_does_not_read_is_cut() {
    let daemon = Daemon::start(&["--write-timeout", "0"]);
    let mut slow = listener(&daemon, &[("c", "")]);
    let mut sender = daemon.connect();
    flood(&mut sender, "c");
    until("its connection is closed", || sender.stats()["connections"] == 1);
    let heard = slow.rest();
    assert!(heard.starts_with(b"sig c ppp"), "it still gets what was sent before the cut");
}

#[test]
fn a_slow_member_does_not_hold_up_its_group() {
    let daemon = Daemon::start(&["--write-timeout", "0"]);
    let _slow = listener(&daemon, &[("c", "group")]);
    let mut lively = listener(&daemon, &[("c", "group")]);
    let mut sender = daemon.connect();
    let payload = "p".repeat(60_000);
    let mut heard = 0;
    for _ in 0..600 {
        assert_eq!(sender.ask("signal", "c", &payload), "ok 1");
        while !lively.is_silent() {
            lively.line();
            heard += 1;
        }
    }
    assert!(heard > 300, "only {heard} of 600 came to the one who reads");
}
