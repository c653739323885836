//! Many at once.

use crate::claim;
use crate::peer::{Asked, Peer, granted, token, within};
use std::sync::Arc;
use tenure::Options;
use tenure::coordinator::{Coordinator as _, Enqueued, Patience, Released};
use tenure_wire::mux::{Request, Response};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_gets_its_own_answer_and_no_other() {
    const CLAIMS: u128 = 100;
    const ROUNDS: u64 = 50;
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let service = tokio::spawn(async move {
        for _ in 0..CLAIMS as u64 * ROUNDS * 2 {
            let (id, number) = talk
                .hear(|id, request| {
                    let Request::Enqueue(enqueue) = request else { return (id, None) };
                    (id, Some(enqueue.claim.get()))
                })
                .await;
            match number {
                Some(number) => talk.answer(id, &granted(number as u64)).await,
                None => talk.answer(id, &Response::Released).await,
            }
        }
        talk
    });
    let users = (0..CLAIMS).map(|number| {
        let remote = Arc::clone(&remote);
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                let claim = claim(number);
                let enqueued = within("a grant", remote.enqueue(&claim, Patience::Endless)).await;
                let Ok(Enqueued::Acquired(grant)) = enqueued else { panic!("{enqueued:?}") };
                assert_eq!(grant.token, token(number as u64));
                assert_eq!(remote.release(&claim).await.expect("answered"), Released::Released);
            }
        })
    });
    for user in users.collect::<Vec<_>>() {
        user.await.expect("no panic");
    }
    service.await.expect("no panic");
}

#[tokio::test]
async fn answers_that_nobody_waits_for_any_more_harm_nobody() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        let mut info = std::pin::pin!(remote.info());
        tokio::select! {
            biased;
            answer = &mut info => panic!("nobody answered: {answer:?}"),
            id = talk.expect(Asked::Info) => ids.push(id),
        }
    }
    for id in ids {
        talk.answer(id, &Response::Info("old")).await;
    }
    let (info, ()) = tokio::join!(remote.info(), talk.serve(Asked::Info, Response::Info("new")));
    assert_eq!(info.expect("answered"), "new");
}
