//! What connections hear of a daemon that is about to stop, and what it still does for them.

use crate::client::{HELLO, Mux, TTL, code, connections, enqueue, id, lock};
use std::net::SocketAddr;
use std::time::Duration;
use tenure_server::{Config, Server};
use tenure_wire::mux::{PREFACE, Push, RefusedCode, Request, Response};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A daemon that waits for its connections for ever once the sender is dropped.
fn start() -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let config = Config { listen: ([127, 0, 0, 1], 0).into(), shutdown_timeout: None, ..Config::default() };
    let server = Server::bind(config).expect("a free port");
    let address = server.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    (address, stop, tokio::spawn(server.run(async move { drop(stopped.await) })))
}

async fn stopped(running: JoinHandle<()>) {
    timeout(Duration::from_secs(20), running)
        .await
        .expect("it stops when nobody is left")
        .expect("the daemon");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_without_claims_keep_no_daemon_from_stopping() {
    let (address, stop, running) = start();
    let (mut idle, mut holder) = (Mux::connect(address).await, Mux::connect(address).await);
    let mut waiter = Mux::connect(address).await;
    assert_eq!(idle.ask(&Request::Watch { key: lock("other") }).await, Response::Done);
    assert_eq!(idle.ask(&Request::Listen { pattern: b"a", group: b"" }).await, Response::Done);
    holder.ask(&enqueue(1, lock("k"))).await;
    waiter.ask(&enqueue(2, lock("k"))).await;
    drop(stop);

    for client in [&mut idle, &mut holder, &mut waiter] {
        assert_eq!(client.push().await, Push::Draining);
    }
    assert_eq!(idle.turned_away().await, RefusedCode::Draining);
    // Both were looked at before the end of that one, and are there still.
    assert_eq!(holder.ask(&Request::Renew { claim: id(1), ttl: TTL }).await, Response::Renewed { ttl: TTL });
    assert_eq!(waiter.ask(&Request::Position { claim: id(2) }).await, Response::Queued { position: 0 });
    assert_eq!(waiter.ask(&Request::Cancel { claim: id(2) }).await, Response::Released);
    assert_eq!(waiter.turned_away().await, RefusedCode::Draining);
    assert_eq!(holder.ask(&Request::Release { claim: id(1) }).await, Response::Released);
    assert_eq!(holder.turned_away().await, RefusedCode::Draining);
    stopped(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_daemon_begins_nothing_and_ends_what_there_is() {
    let (address, stop, running) = start();
    let mut client = Mux::connect(address).await;
    client.ask(&enqueue(1, lock("k"))).await;
    client.ask(&enqueue(2, lock("k"))).await;
    let mut late = Mux::silent(address).await;
    late.write(&PREFACE[..1]).await;
    client.ask_until(&Request::Info, |info| connections(info) == 2).await;
    drop(stop);

    assert_eq!(client.push().await, Push::Draining);
    late.write(&PREFACE[1..]).await;
    assert!(matches!(late.ask(&Request::Hello(HELLO)).await, Response::Welcome(_)));
    assert_eq!(late.push().await, Push::Draining);
    for new in [
        enqueue(3, lock("other")),
        enqueue(1, lock("k")),
        Request::Signal { channel: b"a", payload: b"x" },
        Request::Listen { pattern: b"a", group: b"" },
    ] {
        assert_eq!(code(&client.ask(&new).await), RefusedCode::Draining);
    }
    assert_eq!(client.ask(&Request::Renew { claim: id(1), ttl: TTL }).await, Response::Renewed { ttl: TTL });
    assert_eq!(client.ask(&Request::Position { claim: id(2) }).await, Response::Queued { position: 0 });
    assert!(matches!(client.ask(&Request::Inspect { key: lock("k") }).await, Response::Inspection(_)));
    // What waits is not granted any more.
    assert_eq!(client.ask(&Request::Release { claim: id(1) }).await, Response::Released);
    let free = |seen: &Response<'_>| matches!(seen, Response::Inspection(seen) if seen.held == 0 && seen.queue_len == 0);
    client.ask_until(&Request::Inspect { key: lock("k") }, free).await;
    assert_eq!(client.ask(&Request::Cancel { claim: id(2) }).await, Response::Gone);
    drop((client, late));
    stopped(running).await;
}
