//! What connections hear of a daemon that is about to stop, and what it still does for them.

use crate::client::{Mux, TTL, code, enqueue, id, lock};
use std::time::Duration;
use tenure_server::{Config, Server};
use tenure_wire::mux::{Push, RefusedCode, Request, Response};
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
    drop(stop);

    assert_eq!(client.push().await, Push::Draining);
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
    // What waits still has its turn.
    assert_eq!(client.ask(&Request::Release { claim: id(1) }).await, Response::Released);
    assert!(matches!(client.push().await, Push::Granted { claim, .. } if claim == id(2)));
    assert_eq!(client.ask(&Request::Cancel { claim: id(2) }).await, Response::Released);
    drop(client);
    timeout(Duration::from_secs(20), running)
        .await
        .expect("it stops when nobody is left")
        .expect("the daemon");
}
