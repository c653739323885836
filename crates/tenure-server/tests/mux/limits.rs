//! Peers that are silent, or slow, or greedy.

use crate::client::{HELLO, Mux, enqueue, id, lock};
use crate::line::{Client, SOON, start};
use std::time::Duration;
use tenure_server::Config;
use tenure_wire::mux::{Message, PREFACE, Push, RefusedCode, Request, Response};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

const SILENCE_MAX: Duration = Duration::from_millis(400);

fn impatient() -> Config {
    Config { read_timeout: SILENCE_MAX, ..Config::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_peer_is_asked_once_and_then_cut_whatever_it_waits_for() {
    let address = start(impatient());
    let mut holder = Mux::connect(address).await;
    holder.ask(&enqueue(1, lock("k"))).await;
    let mut client = Mux::silent(address).await;
    assert_eq!(client.welcome(&HELLO).await.silence_max, SILENCE_MAX);
    client.ask(&enqueue(2, lock("k"))).await;
    assert_eq!(client.next().await, Some(Message::Push(Push::Ping)));
    assert_eq!(client.turned_away().await, RefusedCode::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_answers_pings_stays() {
    let mut client = Mux::connect(start(impatient())).await;
    // Five halves are more than twice the whole.
    for _ in 0..5 {
        assert_eq!(client.next().await, Some(Message::Push(Push::Ping)));
        assert_eq!(client.ask(&Request::Ping).await, Response::Pong);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_that_says_nothing_is_turned_away_unasked() {
    let address = start(impatient());
    let mut client = Mux::silent(address).await;
    client.write(&PREFACE).await;
    let Some(Message::Response(0, Response::Refused(refused))) = client.next().await else {
        panic!("no refusal")
    };
    assert_eq!(refused.code, RefusedCode::Invalid);
    assert_eq!(client.next().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_frame_does_not_keep_a_connection() {
    let mut client = Mux::connect(start(impatient())).await;
    let (_, frame) = client.frame(&Request::Ping);
    client.write(&frame[..frame.len() - 1]).await;
    assert_eq!(client.turned_away().await, RefusedCode::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_reads_nothing_is_not_read_and_then_cut() {
    // The most that the system keeps of what is on its way, in both directions, and then some.
    const KEPT_MAX: usize = 64 << 20;
    let address = start(Config { write_timeout: Some(Duration::from_millis(500)), ..Config::default() });
    let mut greedy = Mux::connect(address).await;
    let label = "l".repeat(256);
    for number in 0..65 {
        let claim = tenure_wire::mux::Enqueue { label: &label, ..crate::client::claim(number, lock("k")) };
        greedy.ask(&Request::Enqueue(claim)).await;
    }
    // Each of these few bytes asks for some twenty kilobytes.
    let inspections = greedy.frame(&Request::Inspect { key: lock("k") }).1.repeat(1_000);
    let mut sent = 0;
    let flooding = async {
        while greedy.stream.write_all(&inspections).await.is_ok() {
            sent += inspections.len();
            assert!(sent < KEPT_MAX, "it goes on being read");
        }
    };
    timeout(SOON, flooding).await.expect("it is cut");
    let mut other = Mux::connect(address).await;
    assert!(matches!(
        other.ask(&Request::Resume { claim: id(0), key: lock("k") }).await,
        Response::Granted { .. }
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_turns_at_once_reach_a_connection_that_reads() {
    const TURNS: u128 = 5_000;
    let address = start(Config::default());
    let (mut holder, mut client) = (Mux::connect(address).await, Mux::connect(address).await);
    let names: Vec<String> = (0..TURNS).map(|number| format!("k{number}")).collect();
    let (mut held, mut waiting) = (Vec::new(), Vec::new());
    for (number, name) in (0..).zip(&names) {
        held.extend(holder.frame(&crate::client::bound(number, lock(name))).1);
        waiting.extend(client.frame(&enqueue(TURNS + number, lock(name))).1);
    }
    holder.write(&held).await;
    for number in 2..2 + u32::try_from(TURNS).expect("a small number") {
        assert!(matches!(holder.answer(number).await, Response::Granted { .. }));
    }
    client.write(&waiting).await;
    for number in 2..2 + u32::try_from(TURNS).expect("a small number") {
        assert_eq!(client.answer(number).await, Response::Queued { position: 0 });
    }
    drop(holder);
    let mut granted = std::collections::BTreeSet::new();
    for _ in 0..TURNS {
        let Push::Granted { claim, .. } = client.push().await else { panic!("no grant") };
        assert!(granted.insert(claim));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_thousands_watch_leaves_others_their_turn() {
    const WATCHERS: usize = 2_000;
    const PAIRS: usize = 50;
    let address = start(Config::default());
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS {
        let mut watcher = Mux::connect(address).await;
        assert_eq!(watcher.ask(&Request::Watch { key: lock("hot") }).await, Response::Done);
        // It is there to the end, and reads nothing.
        watchers.push(watcher);
    }
    let (mut busy, mut other) = (Mux::connect(address).await, Client::connect(address).await);
    let mut pairs = Vec::new();
    for _ in 0..PAIRS {
        pairs.extend(busy.frame(&enqueue(1, lock("hot"))).1);
        pairs.extend(busy.frame(&Request::Release { claim: id(1) }).1);
    }
    let hammering = tokio::spawn(async move {
        busy.write(&pairs).await;
        for _ in 0..2 * PAIRS {
            assert!(matches!(busy.next().await, Some(Message::Response(..))));
        }
    });
    let mut turns = 0;
    while !hammering.is_finished() {
        let granted = other.ask("l\ncold\n0\n").await;
        let token = crate::line::token(&granted);
        assert_eq!(other.ask(&format!("r\ncold\n{token}\n")).await, "ok");
        turns += 1;
    }
    hammering.await.expect("everything is answered");
    assert!(
        turns >= PAIRS / 2,
        "{turns} turns, while {PAIRS} pairs of requests were done on the watched key"
    );
    drop(watchers);
}
