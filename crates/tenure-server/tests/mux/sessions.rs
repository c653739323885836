//! A client that comes back before its old connection is known to be gone.

use crate::client::{HELLO, Mux, bound, enqueue, id, lock, token};
use crate::line::start;
use std::net::SocketAddr;
use tenure_server::Config;
use tenure_wire::mux::{Hello, Message, PREFACE, Push, Refused, RefusedCode, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const fn session(session: u128) -> Hello<'static> {
    Hello { session, ..HELLO }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_connection_of_a_session_ends_the_earlier_one_first() {
    let address = start(Config::default());
    let mut before = Mux::connect_as(address, &session(7)).await;
    before.ask(&bound(1, lock("bound"))).await;
    let held = token(&before.ask(&enqueue(2, lock("kept"))).await);
    before.ask(&Request::Listen { pattern: b"news", group: b"" }).await;
    before.ask(&Request::Watch { key: lock("kept") }).await;

    let mut after = Mux::connect_as(address, &session(7)).await;
    assert!(
        matches!(after.ask(&enqueue(3, lock("bound"))).await, Response::Granted { .. }),
        "it is free at once"
    );
    let resumed = after.ask(&Request::Resume { claim: id(2), key: lock("kept") }).await;
    assert_eq!(token(&resumed).to_text(), held.to_text());
    assert_eq!(after.ask(&Request::Signal { channel: b"news", payload: b"x" }).await, Response::Count(0));
    assert_eq!(before.turned_away().await, RefusedCode::Superseded);
    // The end of the earlier one takes nothing from the later one.
    assert_eq!(after.ask(&Request::Release { claim: id(2) }).await, Response::Released);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_the_earlier_one_is_free_before_the_first_request_of_the_later_one() {
    const HELD: u128 = 5_000;
    let address = start(Config::default());
    let names: Vec<String> = (0..HELD).map(|number| format!("k{number}")).collect();
    let (mut before, mut after) = (Mux::connect_as(address, &session(7)).await, Mux::silent(address).await);
    let (_, mut held) = before.frame(&bound(0, lock(&names[0])));
    let mut wanted = PREFACE.to_vec();
    wanted.extend(after.frame(&Request::Hello(session(7))).1);
    for (number, name) in (0..).zip(&names) {
        held.extend(before.frame(&bound(number, lock(name))).1);
        wanted.extend(after.frame(&bound(HELD + number, lock(name))).1);
    }
    before.write(&held).await;
    for number in 2..=2 + u32::try_from(HELD).expect("a small number") {
        assert!(matches!(before.answer(number).await, Response::Granted { .. }));
    }
    after.write(&wanted).await;
    assert!(matches!(after.answer(1).await, Response::Welcome(_)));
    for number in 2..2 + u32::try_from(HELD).expect("a small number") {
        assert!(matches!(after.answer(number).await, Response::Granted { .. }), "request {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sessions_and_none_at_all_are_left_alone() {
    let address = start(Config::default());
    let mut others = [
        Mux::connect_as(address, &session(1)).await,
        Mux::connect_as(address, &session(2)).await,
        Mux::connect(address).await,
        Mux::connect(address).await,
    ];
    for other in &mut others {
        assert_eq!(other.ask(&Request::Ping).await, Response::Pong);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_can_be_taken_over_again_and_again() {
    let address = start(Config::default());
    let mut held = Vec::new();
    for _ in 0..20 {
        let mut client = Mux::connect_as(address, &session(7)).await;
        let claim = token(&client.ask(&enqueue(1, lock("k"))).await);
        held.push((client, claim.to_text()));
    }
    assert!(held.iter().all(|(_, token)| *token == held[0].1), "one claim all the time");
    let (mut last, _) = held.pop().expect("the last");
    for (mut client, _) in held {
        loop {
            match client.next().await {
                Some(Message::Push(Push::Lost { .. })) => {}
                Some(Message::Response(
                    0,
                    Response::Refused(Refused { code: RefusedCode::Superseded, .. }),
                )) => break,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(client.next().await, None);
    }
    assert_eq!(last.ask(&Request::Release { claim: id(1) }).await, Response::Released);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_connection_that_reads_nothing_is_superseded_all_the_same() {
    let address = start(Config { write_timeout: None, ..Config::default() });
    let mut before = Mux::connect_as(address, &session(7)).await;
    before.ask(&bound(1, lock("k"))).await;
    let (_, info) = before.frame(&Request::Info);
    let flood = info.repeat(10_000);
    let (receiver, mut sender) = before.stream.into_split();
    // It is full when the daemon reads no more.
    let flooding = tokio::spawn(async move { while sender.write_all(&flood).await.is_ok() {} });
    let mut after = Mux::connect_as(address, &session(7)).await;
    assert!(matches!(after.ask(&enqueue(2, lock("k"))).await, Response::Granted { .. }));
    flooding.await.expect("it is cut");
    drop(receiver);
}

/// How many claims a connection makes that is to be interrupted at that.
const CLAIMS: u128 = 10_000;

/// A connection that enqueues as fast as it can, until it is cut.
async fn enqueue_until_cut(address: SocketAddr, hello: Hello<'static>, key: &str) {
    let mut client = Mux::connect_as(address, &hello).await;
    let first = hello.session * CLAIMS;
    let bytes: Vec<u8> =
        (first..first + CLAIMS).flat_map(|number| client.frame(&enqueue(number, lock(key))).1).collect();
    let (mut receiver, mut sender) = client.stream.into_split();
    let reading = async {
        let mut rest = Vec::new();
        let _ = receiver.read_to_end(&mut rest).await;
    };
    let writing = async { while sender.write_all(&bytes).await.is_ok() {} };
    tokio::select! {
        () = reading => {}
        () = writing => {}
    }
}

async fn queue_len(client: &mut Mux, key: &str) -> u32 {
    match client.ask(&Request::Inspect { key: lock(key) }).await {
        Response::Inspection(seen) => seen.queue_len,
        other => panic!("no inspection: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_earlier_connection_is_done_once_the_later_one_is_let_in() {
    let address = start(Config { max_waiters: None, ..Config::default() });
    let mut probe = Mux::connect(address).await;
    let mut interrupted = 0;
    for round in 1..=30 {
        // Each time a longer line, so that not all are interrupted at the same place.
        let (name, used) = (format!("k{round}"), round * 5);
        let key = name.clone();
        let racing = tokio::spawn(async move { enqueue_until_cut(address, session(round), &key).await });
        let line = |seen: &Response<'_>| matches!(seen, Response::Inspection(seen) if u128::from(seen.queue_len) > used);
        probe.ask_until(&Request::Inspect { key: lock(&name) }, line).await;
        let _later = Mux::connect_as(address, &session(round)).await;
        let first = queue_len(&mut probe, &name).await;
        racing.await.expect("it is cut");
        assert_eq!(queue_len(&mut probe, &name).await, first, "round {round}");
        interrupted += usize::from(u128::from(first) + 1 < CLAIMS);
    }
    assert!(interrupted > 0, "every one of them was done before");
}
