//! What connections hear of a daemon that is about to stop, and what it still does for them.

use crate::client::{HELLO, Mux, TTL, code, connections, enqueue, id, lock};
use std::time::Duration;
use tenure_server::{Config, Server};
use tenure_wire::mux::{PREFACE, Push, RefusedCode, Request, Response};
use tokio::sync::oneshot;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_daemon_begins_nothing_and_ends_what_there_is() {
    let config = Config { listen: ([127, 0, 0, 1], 0).into(), shutdown_timeout: None, ..Config::default() };
    let server = Server::bind(config).expect("a free port");
    let address = server.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
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
    timeout(Duration::from_secs(20), running)
        .await
        .expect("it stops when nobody is left")
        .expect("the daemon");
}
