//! Whether the other side is there.

use crate::claim;
use crate::peer::{Asked, Peer, granted, within};
use std::time::Duration;
use tenure::Options;
use tenure::coordinator::{Coordinator as _, Enqueued, Patience};
use tenure_wire::mux::{self, Push, Response};

/// What a service allows that is in a hurry.
const SILENCE_MAX: Duration = Duration::from_millis(240);

#[tokio::test]
async fn a_client_with_nothing_to_say_says_that_it_is_there() {
    let peer = Peer::start().await;
    let (_remote, mut talk) = peer.meet_patiently(SILENCE_MAX).await;
    for _ in 0..5 {
        talk.serve(Asked::Ping, Response::Pong).await;
    }
}

#[tokio::test]
async fn a_client_answers_whoever_asks_whether_it_is_there() {
    let peer = Peer::start().await;
    let (_remote, mut talk) = peer.meet(&Options::default()).await;
    talk.push(&Push::Ping).await;
    talk.serve(Asked::Ping, Response::Pong).await;
}

#[tokio::test]
async fn a_service_that_answers_no_more_is_left_for_another_connection() {
    let peer = Peer::start().await;
    let (remote, mut silent) = peer.meet_patiently(SILENCE_MAX).await;
    let claim = claim(7);
    let (enqueued, _silent) =
        tokio::join!(within("a grant", remote.enqueue(&claim, Patience::Endless)), async {
            silent.expect(Asked::Enqueue(claim.id(), mux::Patience::Endless)).await;
            // It is open still, and says nothing.
            let mut talk = peer.accept().await;
            talk.serve(Asked::Enqueue(claim.id(), mux::Patience::Endless), granted(1)).await;
            (silent, talk)
        });
    assert!(matches!(enqueued, Ok(Enqueued::Acquired(_))), "{enqueued:?}");
}
