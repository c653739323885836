//! What one connection does, however much of it, leaves the others their turn and the daemon its bounds.

mod client;

use client::{Client, SOON, start, token};
use std::collections::BTreeSet;
use std::time::Duration;
use tenure_server::{Config, Error, Server, State};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Shorter than a connection that was refused is kept to hear why.
const AT_ONCE: Duration = Duration::from_millis(900);

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_sends_too_much_is_told_and_keeps_nobody_waiting() {
    // The largest is more than the system takes off its hands: it is still being sent when the answer comes.
    for flood in [140 * 1024, 400 * 1024, 16 * 1024 * 1024] {
        let address = start(Config::default());
        let mut holder = Client::connect(address).await;
        let held = holder.ask("l\nk\n0\n").await;
        let (mut flooding, mut next) = (Client::connect(address).await, Client::connect(address).await);
        flooding.send("l\nk\n600\n").await;
        holder.ask_until("stats\n\n\n", |stats| stats.contains("\"waiters\":1")).await;
        next.send("l\nk\n600\n").await;
        holder.ask_until("stats\n\n\n", |stats| stats.contains("\"waiters\":2")).await;
        let request = "ping\n\n\n";
        flooding.send(&request.repeat(flood / request.len())).await;
        assert_eq!(flooding.answer().await, "error", "{flood} bytes");
        assert_eq!(holder.ask(&format!("r\nk\n{}\n", token(&held))).await, "ok");
        let granted = timeout(AT_ONCE, next.answer()).await.expect("the one behind it is granted at once");
        assert!(granted.starts_with("ok "), "{granted}");
        let mut rest = Vec::new();
        let end = timeout(SOON, flooding.0.read_to_end(&mut rest)).await.expect("it ends");
        assert_eq!((end.ok(), rest), (Some(0), vec![]), "{flood} bytes: the end, and not a reset");
    }
}

/// Sends pings as fast as they are taken, until the task is aborted.
async fn ping_without_pause(mut sender: impl AsyncWriteExt + Unpin) {
    let pings = "ping\n\n\n".repeat(10_000);
    while sender.write_all(pings.as_bytes()).await.is_ok() {}
}

/// Reads everything, as fast as it comes, until that many signals have come.
async fn hear(mut receiver: impl AsyncReadExt + Unpin, signals: usize) -> Vec<String> {
    let (mut heard, mut text) = (Vec::new(), String::new());
    let mut chunk = vec![0; 1 << 20];
    while heard.len() < signals {
        let read = timeout(SOON, receiver.read(&mut chunk)).await.expect("something in time").expect("bytes");
        assert_ne!(read, 0, "it was cut after {} signals", heard.len());
        text.push_str(str::from_utf8(&chunk[..read]).expect("text"));
        let rest = text.split_off(text.rfind('\n').map_or(0, |end| end + 1));
        heard.extend(text.split_inclusive('\n').filter(|line| *line != "ok\n").map(str::to_owned));
        text = rest;
    }
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_pings_without_pause_hears_every_signal() {
    const SIGNALS: usize = 1_000;
    let address = start(Config::default());
    let (mut listener, mut publisher) = (Client::connect(address).await, Client::connect(address).await);
    assert_eq!(listener.ask("listen\nnews.*\n\n").await, "ok");
    let (receiver, sender) = listener.0.into_inner().into_split();
    let pinging = tokio::spawn(ping_without_pause(sender));
    receiver.readable().await.expect("the pings are being answered");
    let hearing = tokio::spawn(hear(receiver, SIGNALS));
    for number in 0..SIGNALS {
        assert_eq!(publisher.ask(&format!("signal\nnews.now\n{number}\n")).await, "ok 1", "signal {number}");
    }
    let sent: Vec<String> = (0..SIGNALS).map(|number| format!("sig news.now {number}\n")).collect();
    assert_eq!(hearing.await.expect("it heard them"), sent);
    pinging.abort();
}

/// A client of a daemon that knows three claims at most, and the answers to the three that it made.
async fn three_claims(requests: [&str; 3]) -> (Client, Vec<String>) {
    let mut client = Client::connect(start(Config { max_claims: 3, ..Config::default() })).await;
    let mut answers = Vec::new();
    for request in requests {
        let answer = client.ask(request).await;
        assert!(answer.starts_with("ok "), "{answer}");
        answers.push(answer);
    }
    (client, answers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_too_many_is_refused_whatever_it_is_for_and_a_release_makes_room() {
    let locks = ["l\na\n0\n", "l\nb\n0\n", "l\nc\n0\n"];
    for (held, fourth) in [
        (locks, "l\nnew\n5\n"),
        (locks, "e\nnew\n\n"),
        (locks, "l\na\n5\n"),
        (locks, "e\na\n\n"),
        (["sl\nc\n0 9\n"; 3], "sl\nc\n5 9\n"),
        (["sl\nc\n0 9\n"; 3], "se\nc\n9\n"),
    ] {
        let (mut client, answers) = three_claims(held).await;
        assert_eq!(client.ask(fourth).await, "error_max_locks", "{fourth:?}");
        let release = if held == locks { "r" } else { "sr" };
        assert_eq!(client.ask(&format!("{release}\nc\n{}\n", token(&answers[2]))).await, "ok");
        client.send(fourth).await;
        if fourth.starts_with("l\na\n") {
            // It waits now; the holder gives way through another connection, because this one is blocked.
            let mut other = Client::connect(client.0.get_ref().peer_addr().expect("an address")).await;
            assert_eq!(other.ask(&format!("r\na\n{}\n", token(&answers[0]))).await, "ok");
        }
        let answer = client.answer().await;
        let taken = ["ok ", "acquired ", "queued"].iter().any(|taken| answer.starts_with(taken));
        assert!(taken, "{fourth:?} with room: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_does_not_change_the_lease_that_a_wait_gives() {
    let mut client = Client::connect(start(Config::default())).await;
    let answer = client.ask("e\nk\n10\n").await;
    let token = token(&answer);
    assert_eq!(answer, format!("acquired {token} 10"));
    assert_eq!(client.ask(&format!("n\nk\n{token} 100\n")).await, "ok 100");
    assert_eq!(client.ask("w\nk\n0\n").await, format!("ok {token} 10"));
}

/// The names of the locks that are held.
fn held(stats: &str) -> BTreeSet<String> {
    let json = stats.strip_prefix("ok ").expect("figures");
    let stats: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let locks = stats["locks"].as_array().expect("locks");
    locks.iter().map(|lock| lock["key"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_goes_leaves_exactly_what_was_bound_to_a_lease() {
    const EACH: usize = 20_000;
    const AT_A_TIME: usize = 100;
    let address = start(Config::default());
    let mut going = Client::connect(address).await;
    for first in (0..EACH).step_by(AT_A_TIME) {
        let requests: String = (first..first + AT_A_TIME)
            .map(|n| format!("bind\n\nlease\nl\nstays{n}\n0 600\nbind\n\nconnection\nl\ngoes{n}\n0 600\n"))
            .collect();
        going.send(&requests).await;
        for _ in 0..2 * AT_A_TIME {
            assert_eq!(going.answer().await, "ok");
            let granted = going.answer().await;
            assert!(granted.starts_with("ok "), "{granted}");
        }
    }
    drop(going);
    let mut watcher = Client::connect(address).await;
    let stats = watcher.ask_until("stats\n\n\n", |stats| stats.contains("\"connections\":1,")).await;
    let expected: BTreeSet<String> = (0..EACH).map(|number| format!("stays{number}")).collect();
    let held = held(&stats);
    let wrong: Vec<&String> = held.symmetric_difference(&expected).take(5).collect();
    assert!(wrong.is_empty(), "{} are held; wrong among them or missing: {wrong:?}", held.len());
}

#[tokio::test]
async fn a_state_file_that_was_cut_short_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = || Config {
        listen: ([127, 0, 0, 1], 0).into(),
        state: State::Dir(folder.path().to_owned()),
        ..Config::default()
    };
    drop(Server::bind(config()).expect("a new state"));
    let file = folder.path().join("fences");
    let whole = std::fs::read(&file).expect("the state");
    // A copy is padded: its mark, its number and their checksum are the first twenty bytes.
    for kept in [0, 1, 8, 16, 19] {
        std::fs::write(&file, &whole[..kept]).expect("a disk");
        assert!(matches!(Server::bind(config()), Err(Error::StateDamaged { .. })), "{kept} bytes");
    }
    std::fs::write(&file, &whole).expect("a disk");
    assert!(Server::bind(config()).is_ok(), "the whole file is taken again");
}
