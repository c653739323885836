//! Requests that mean nothing are answered `error`, and the connection stays.

use crate::harness::Daemon;

/// Asks all of these on one connection that must survive them.
fn assert_errors(requests: &[(&str, &str, &str)]) {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    for (command, key, argument) in requests {
        assert_eq!(client.ask(command, key, argument), "error", "to {command:?} {key:?} {argument:?}");
    }
    assert_eq!(client.ask("ping", "", ""), "ok");
    let stats = client.stats();
    for what in ["locks", "semaphores", "idle_locks", "idle_semaphores"] {
        assert_eq!(stats[what], serde_json::json!([]), "{what} after nothing but errors");
    }
}

#[test]
fn unknown_commands() {
    assert_errors(&[
        ("", "", ""),
        ("x", "k", "0"),
        ("L", "k", "0"),
        ("lock", "k", "0"),
        (" l", "k", "0"),
        ("l ", "k", "0"),
    ]);
}

#[test]
fn keys_that_are_empty_or_hold_blanks() {
    let commands = [
        ("l", "0"),
        ("sl", "0 1"),
        ("e", ""),
        ("se", "1"),
        ("w", "0"),
        ("sw", "0"),
        ("r", "t"),
        ("sr", "t"),
        ("n", "t"),
        ("sn", "t"),
        ("signal", "payload"),
        ("listen", ""),
        ("unlisten", ""),
    ];
    for key in ["", " ", "a b", "a\tb", " a", "a ", "a\rb"] {
        assert_errors(&commands.map(|(command, argument)| (command, key, argument)));
    }
}

#[test]
fn acquire_arguments() {
    let bad = [
        "",
        " ",
        "a",
        "1.0",
        "1e3",
        "0x1",
        "-1",
        "--1",
        "+",
        "0 0",
        "0 -1",
        "0 x",
        "0 1.5",
        "0 1 1",
        "9223372036854775808",
        "9223372037",
        "0 9223372037",
        "0 9223372036854775808",
    ];
    assert_errors(&bad.map(|argument| ("l", "k", argument)));
}

#[test]
fn semaphore_acquire_arguments() {
    let bad = [
        "",
        "0",
        "x",
        "0 0",
        "0 -1",
        "0 x",
        "-1 1",
        "0 1 0",
        "0 1 -1",
        "0 1 x",
        "0 1 1 1",
        "9223372037 1",
        "0 1 9223372037",
    ];
    assert_errors(&bad.map(|argument| ("sl", "k", argument)));
}

#[test]
fn enqueue_arguments() {
    assert_errors(&["0", "-1", "x", "1 1", "9223372037"].map(|argument| ("e", "k", argument)));
    let bad = ["", "0", "-1", "x", "1 0", "1 -1", "1 x", "1 1 1", "1 9223372037"];
    assert_errors(&bad.map(|argument| ("se", "k", argument)));
}

#[test]
fn wait_arguments() {
    for command in ["w", "sw"] {
        assert_errors(&["", " ", "x", "-1", "1 1", "9223372037"].map(|argument| (command, "k", argument)));
    }
}

#[test]
fn release_and_renew_arguments() {
    for command in ["r", "sr"] {
        assert_errors(&["", " ", "unknown"].map(|argument| (command, "k", argument)));
    }
    for command in ["n", "sn"] {
        let bad = ["", " ", "unknown", "token 0", "token -1", "token x", "token 1 1", "token 9223372037"];
        assert_errors(&bad.map(|argument| (command, "k", argument)));
    }
}

#[test]
fn a_token_of_the_right_shape_that_nobody_got() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let grant = client.acquire("l", "k", "0");
    let (head, last) = grant.token.split_at(31);
    let other = format!("{head}{}", if last == "0" { "1" } else { "0" });
    for wrong in [
        other.as_str(),
        &grant.token[..31],
        &grant.token.to_uppercase().replace(|c: char| c.is_ascii_digit(), "A"),
    ] {
        assert_eq!(client.ask("r", "k", wrong), "error", "to {wrong}");
        assert_eq!(client.ask("n", "k", wrong), "error", "to {wrong}");
    }
    assert_eq!(client.ask("r", "k", &grant.token), "ok");
}

#[test]
fn signals_and_subscriptions() {
    assert_errors(&[
        ("signal", "a.*", "payload"),
        ("signal", "a.>", "payload"),
        ("signal", "*", "payload"),
        ("signal", "c", ""),
        ("signal", "c", "   "),
        ("listen", "a.>.b", ""),
        ("listen", ">.a", ""),
        ("listen", "a*.b", ""),
        ("listen", "a.b>", ""),
        ("unlisten", "a.>.b", ""),
        ("unlisten", "a*", ""),
    ]);
}

#[test]
fn auth_where_nothing_is_asked_for() {
    assert_errors(&[("auth", "", "secret"), ("auth", "_", "")]);
}

#[test]
fn integers_may_carry_a_sign_zeros_and_blanks() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let taken = [
        ("+0", 33),
        ("00 +5", 5),
        (" 0  07 ", 7),
        ("\t0\t8\t", 8),
        ("-0 9", 9),
        ("9223372036 9223372036", 9_223_372_036),
    ];
    for (n, (argument, lease)) in taken.into_iter().enumerate() {
        assert_eq!(client.acquire("l", &format!("key-{n}"), argument).lease, lease, "to {argument:?}");
    }
}

#[test]
fn requests_without_a_key_take_anything_in_its_place() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    for key in ["", "_", "a b"] {
        assert_eq!(client.ask("ping", key, "whatever"), "ok");
        assert!(client.ask("stats", key, "whatever").starts_with("ok {"));
    }
}
