//! Connections that go at the worst moment: nothing they leave behind may keep anyone else from the key.

mod client;

use client::{Client, SOON, start, token};
use std::time::Duration;
use tenure_server::Config;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn waiters_that_go_while_they_are_granted_leave_the_key_free() {
    for auto_release in [true, false] {
        let address = start(Config { auto_release, ..Config::default() });
        let mut holders = JoinSet::new();
        for number in 0..200_u32 {
            holders.spawn(async move {
                let mut client = Client::connect(address).await;
                client.send("l\nk\n30\n").await;
                if number % 3 == 0 {
                    return;
                }
                if let Ok(answer) =
                    timeout(Duration::from_millis(u64::from(number % 7)), client.answer()).await
                {
                    let release = format!("r\nk\n{}\n", token(&answer));
                    assert_eq!(client.ask(&release).await, "ok");
                }
            });
        }
        while let Some(ended) = holders.join_next().await {
            ended.expect("a client");
        }
        // With auto-release off, what was answered to a connection that did not read it is held until its lease ends; the
        // grants that were never answered must not be.
        let mut last = Client::connect(address).await;
        if auto_release {
            let answer = last.ask_until("l\nk\n5\n", |answer| answer.starts_with("ok ")).await;
            assert_eq!(last.ask(&format!("r\nk\n{}\n", token(&answer))).await, "ok");
        }
        last.ask_until("stats\n\n\n", |answer| answer.contains("\"connections\":1,")).await;
        let stats = last.ask("stats\n\n\n").await;
        assert!(!stats.contains("\"waiters\":1"), "{stats}");
        assert!(!auto_release || stats.contains("\"locks\":[]"), "{stats}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_was_never_answered_goes_on_even_with_auto_release_off() {
    let address = start(Config { auto_release: false, ..Config::default() });
    let (mut holder, mut two_phase, mut next) =
        (Client::connect(address).await, Client::connect(address).await, Client::connect(address).await);
    let held = holder.ask("l\nk\n0\n").await;
    assert_eq!(two_phase.ask("e\nk\n\n").await, "queued");
    next.send("l\nk\n15\n").await;
    holder.ask_until("stats\n\n\n", |stats| stats.contains("\"waiters\":2")).await;
    // The one that enqueued is granted, and goes before it waits for the grant.
    assert_eq!(holder.ask(&format!("r\nk\n{}\n", token(&held))).await, "ok");
    drop(two_phase);
    assert!(next.answer().await.starts_with("ok "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_goes_behind_a_heap_of_further_requests_leaves_the_queue() {
    let address = start(Config::default());
    let (mut holder, mut blocked) = (Client::connect(address).await, Client::connect(address).await);
    holder.ask("l\nk\n0\n").await;
    blocked.send("l\nk\n600\n").await;
    holder.ask_until("stats\n\n\n", |stats| stats.contains("\"waiters\":1")).await;
    for _ in 0..100 {
        blocked.send(&"ping\n\n\n".repeat(100)).await;
    }
    drop(blocked);
    holder.ask_until("stats\n\n\n", |stats| stats.contains("\"waiters\":0")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_sends_too_much_behind_a_blocked_request_is_cut() {
    let address = start(Config::default());
    let (mut holder, mut blocked) = (Client::connect(address).await, Client::connect(address).await);
    holder.ask("l\nk\n0\n").await;
    blocked.send("l\nk\n600\n").await;
    let flood = "ping\n\n\n".repeat(40_000);
    // The daemon may close before all of it is written.
    let _ =
        timeout(SOON, blocked.0.get_mut().write_all(flood.as_bytes())).await.expect("it is read or refused");
    holder.ask_until("stats\n\n\n", |stats| stats.contains("\"waiters\":0")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_signals_reaches_a_listener_that_reads() {
    const BURST: usize = 1_000;
    let address = start(Config::default());
    let (mut listener, mut publisher) = (Client::connect(address).await, Client::connect(address).await);
    assert_eq!(listener.ask("listen\nnews\n\n").await, "ok");
    publisher.send(&"signal\nnews\nx\n".repeat(BURST)).await;
    for _ in 0..BURST {
        assert_eq!(listener.answer().await, "sig news x");
        assert_eq!(publisher.answer().await, "ok 1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_signals_to_oneself_is_heard_between_the_answers() {
    const BURST: usize = 300;
    let address = start(Config::default());
    let mut client = Client::connect(address).await;
    assert_eq!(client.ask("listen\nnews\n\n").await, "ok");
    client.send(&"signal\nnews\nx\n".repeat(BURST)).await;
    let mut lines = Vec::new();
    for _ in 0..2 * BURST {
        lines.push(client.answer().await);
    }
    assert_eq!(lines.iter().filter(|line| *line == "ok 1").count(), BURST);
    assert_eq!(lines.iter().filter(|line| *line == "sig news x").count(), BURST);
}
