//! Looking at keys, and hearing of what happens to them.

use crate::client::{HELLO, Mux, bound, claim, code, enqueue, id, lock, token};
use crate::line::{Client, start};
use std::collections::BTreeSet;
use tenure_core::{Ending, Happened, NAME_LEN_MAX, Observation};
use tenure_server::Config;
use tenure_wire::mux::{Enqueue, Hello, Push, RefusedCode, Request, Response};

#[tokio::test(flavor = "multi_thread")]
async fn an_inspection_shows_who_holds_who_waits_and_who_held() {
    let address = start(Config::default());
    let hello = Hello { label: "worker", host: "blue", pid: 7, ..HELLO };
    let mut client = Mux::connect_as(address, &hello).await;
    client.ask(&enqueue(1, lock("k"))).await;
    client.ask(&Request::Release { claim: id(1) }).await;
    let held =
        token(&client.ask(&Request::Enqueue(Enqueue { label: "nightly", ..claim(2, lock("k")) })).await);
    client.ask(&enqueue(3, lock("k"))).await;
    let Response::Inspection(seen) = client.ask(&Request::Inspect { key: lock("k") }).await else {
        panic!("no inspection")
    };
    assert_eq!((seen.held, seen.holders_len, seen.queue_len), (1, 1, 1));
    let note = |note: &Option<std::sync::Arc<tenure_core::Note>>| {
        let note = note.clone().expect("a note");
        (note.label.to_string(), note.host.to_string(), note.pid)
    };
    assert_eq!(seen.holders[0].fence, held.fence);
    assert_eq!(note(&seen.holders[0].note), ("nightly".to_owned(), "blue".to_owned(), 7));
    assert_eq!(note(&seen.waiters[0].note), ("worker".to_owned(), "blue".to_owned(), 7));
    assert_eq!((seen.past.len(), seen.past[0].ending), (1, Ending::Released));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_is_listed_once_on_pages_that_fit_a_frame() {
    const KEYS: u128 = 150;
    let address = start(Config::default());
    let (label, host) = ("l".repeat(256), "h".repeat(64));
    let mut client = Mux::connect_as(address, &Hello { label: &label, host: &host, pid: 1, ..HELLO }).await;
    let names: Vec<String> = (0..KEYS).map(|number| format!("{number:0>NAME_LEN_MAX$}")).collect();
    for (number, name) in (0..).zip(&names) {
        assert!(matches!(client.ask(&enqueue(number, lock(name))).await, Response::Granted { .. }));
    }
    client.ask(&enqueue(KEYS, lock("another"))).await;
    let (mut seen, mut cursor) = (BTreeSet::new(), Some(0));
    while let Some(at) = cursor {
        let page = client.ask(&Request::List { prefix: b"0", cursor: at }).await;
        let Response::Page { keys, next } = page else { panic!("no page: {page:?}") };
        for key in keys {
            assert!(seen.insert(key.name), "told twice");
        }
        cursor = next;
    }
    assert!(seen.into_iter().eq(names.into_iter().map(String::into_bytes)));
}

async fn observed(client: &mut Mux) -> Observation {
    match client.push().await {
        Push::Changed { key, observation } if key == lock("k") => observation,
        other => panic!("nothing about the key: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_hears_of_what_happens_to_its_key_and_to_no_other() {
    let address = start(Config::default());
    let (mut watcher, mut other) = (Mux::connect(address).await, Mux::connect(address).await);
    assert_eq!(watcher.ask(&Request::Watch { key: lock("k") }).await, Response::Done);
    assert_eq!(watcher.ask(&Request::Watch { key: lock("k") }).await, Response::Done, "twice is once");
    other.ask(&enqueue(9, lock("unwatched"))).await;
    let held = token(&other.ask(&Request::Enqueue(Enqueue { label: "x", ..claim(1, lock("k")) })).await);
    other.ask(&enqueue(2, lock("k"))).await;
    let steal = Request::Steal { key: lock("k"), fence: Some(held.fence), reason: "because" };
    other.ask(&steal).await;
    let mut line = Client::connect(address).await;
    assert_eq!(line.ask("e\nk\n\n").await, "queued");

    let seen = observed(&mut watcher).await;
    let Happened::Granted { fence, note: Some(note) } = seen.happened else { panic!("no grant: {seen:?}") };
    assert_eq!((fence, &*note.label, seen.holders_len, seen.queue_len), (held.fence, "x", 1, 0));
    let seen = observed(&mut watcher).await;
    assert_eq!((seen.happened, seen.queue_len), (Happened::Queue, 1));
    let seen = observed(&mut watcher).await;
    let ended = Happened::Ended { fence: held.fence, ending: Ending::Stolen, reason: "because".into() };
    assert_eq!((seen.happened, seen.holders_len), (ended, 0));
    let seen = observed(&mut watcher).await;
    assert!(matches!(seen.happened, Happened::Granted { fence, .. } if fence > held.fence));
    assert_eq!(observed(&mut watcher).await.happened, Happened::Queue);

    assert_eq!(watcher.ask(&Request::Unwatch { key: lock("k") }).await, Response::Done);
    other.ask(&Request::Release { claim: id(2) }).await;
    // Whatever there is to hear would come before this answer.
    watcher.ask(&Request::Watch { key: lock("k") }).await;
    other.ask(&enqueue(3, lock("k"))).await;
    assert_eq!(
        observed(&mut watcher).await.happened,
        Happened::Queue,
        "the third joins, and nothing before it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_does_not_read_is_told_that_it_missed_something() {
    let address = start(Config { write_timeout: None, ..Config::default() });
    let (mut watcher, mut other) = (Mux::connect(address).await, Mux::connect(address).await);
    watcher.ask(&Request::Watch { key: lock("k") }).await;
    // Its label goes out with every grant: a few thousand of them are more than the system keeps for a reader that does not.
    let label = "l".repeat(256);
    let grant = Enqueue { label: &label, ..claim(1, lock("k")) };
    for _ in 0..500 {
        let mut bytes = Vec::new();
        let mut last = 0;
        for _ in 0..100 {
            bytes.extend(other.frame(&Request::Enqueue(grant)).1);
            let (number, release) = other.frame(&Request::Release { claim: id(1) });
            bytes.extend(release);
            last = number;
        }
        other.write(&bytes).await;
        for number in last - 199..=last {
            other.answer(number).await;
        }
    }
    let mut seen = 0;
    while watcher.push().await != Push::Missed {
        seen += 1;
    }
    assert!(seen < 100_000, "all of them came");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_a_claim_hears_of_its_position_until_its_turn_comes() {
    let address = start(Config::default());
    let (mut ahead, mut client) = (Mux::connect(address).await, Mux::connect(address).await);
    for number in 1..=4 {
        ahead.ask(&bound(number, lock("k"))).await;
    }
    assert_eq!(client.ask(&enqueue(5, lock("k"))).await, Response::Queued { position: 3 });
    assert_eq!(client.ask(&enqueue(6, lock("k"))).await, Response::Queued { position: 4 });
    assert_eq!(client.ask(&Request::Follow { claim: id(5), on: true }).await, Response::Done);
    assert_eq!(client.push().await, Push::Position { claim: id(5), position: 3 });
    for (number, position) in [(3, 2), (1, 1), (2, 0)] {
        ahead.ask(&Request::Cancel { claim: id(number) }).await;
        assert_eq!(client.push().await, Push::Position { claim: id(5), position });
    }
    // Several moves at once may be told as one, and the last is told.
    assert_eq!(client.ask(&Request::Follow { claim: id(6), on: true }).await, Response::Done);
    assert_eq!(client.push().await, Push::Position { claim: id(6), position: 1 });
    drop(ahead);
    let mut pushes = vec![client.push().await, client.push().await];
    pushes.sort_by_key(|push| matches!(push, Push::Position { .. }));
    assert!(matches!(pushes[0], Push::Granted { claim, .. } if claim == id(5)), "{pushes:?}");
    assert_eq!(pushes[1], Push::Position { claim: id(6), position: 0 });
    assert_eq!(client.ask(&Request::Follow { claim: id(5), on: false }).await, Response::Gone, "it is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_watches_follows_and_listens_to_so_much_in_all() {
    let mut client = Mux::connect(start(Config { max_subscriptions: Some(3), ..Config::default() })).await;
    client.ask(&enqueue(1, lock("k"))).await;
    client.ask(&enqueue(2, lock("k"))).await;
    let watch = |name| Request::Watch { key: lock(name) };
    let listen = |pattern| Request::Listen { pattern, group: b"" };
    let follow = Request::Follow { claim: id(2), on: true };
    assert_eq!(client.ask(&watch("a")).await, Response::Done);
    assert_eq!(client.ask(&listen(b"a")).await, Response::Done);
    assert_eq!(client.ask(&follow).await, Response::Done);
    for more in [watch("b"), listen(b"b")] {
        assert_eq!(code(&client.ask(&more).await), RefusedCode::SubscriptionsFull);
    }
    for again in [watch("a"), follow] {
        assert_eq!(client.ask(&again).await, Response::Done, "what is there already is no more");
    }
    assert_eq!(client.ask(&Request::Unwatch { key: lock("a") }).await, Response::Done);
    assert_eq!(client.ask(&listen(b"b")).await, Response::Done);
    client.ask(&enqueue(3, lock("k"))).await;
    let follow = Request::Follow { claim: id(3), on: true };
    assert_eq!(code(&client.ask(&follow).await), RefusedCode::SubscriptionsFull);
}
