//! Grants, and what is believed of them.

use crate::peer::{Asked, Peer, TTL, granted, token, within};
use crate::{claim, claim_with};
use std::time::Duration;
use tenure::coordinator::{Coordinator as _, Enqueued, Patience, Released, Standing};
use tenure::{Clock, ErrorKind, Loss, Options};
use tenure_core::{Bond, Ending};
use tenure_wire::mux::{self, Push, Response};

const ENDLESS: mux::Patience = mux::Patience::Endless;

#[tokio::test]
async fn what_is_free_is_granted_held_and_released() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let claim = claim(7);
    let (enqueued, ()) = tokio::join!(
        remote.enqueue(&claim, Patience::Endless),
        talk.serve(Asked::Enqueue(claim.id(), ENDLESS), granted(1))
    );
    let Ok(Enqueued::Acquired(grant)) = enqueued else { panic!("{enqueued:?}") };
    assert_eq!((grant.token, grant.ttl), (token(1), TTL));
    assert!(!claim.is_lost());
    let (released, ()) =
        tokio::join!(remote.release(&claim), talk.serve(Asked::Release(claim.id()), Response::Released));
    assert_eq!(released.expect("answered"), Released::Released);
}

#[tokio::test]
async fn a_grant_is_believed_in_from_when_it_was_asked_for() {
    let (peer, clock) = (Peer::start().await, Clock::manual());
    let options = Options { clock: clock.clone(), ..Options::default() };
    let (remote, mut talk) = peer.meet(&options).await;
    let claim = claim_with(7, Bond::Resumable, &clock);
    clock.advance(Duration::from_secs(100));
    let asked = clock.now();
    let (enqueued, ()) = tokio::join!(remote.enqueue(&claim, Patience::Endless), async {
        let id = talk.expect(Asked::Enqueue(claim.id(), ENDLESS)).await;
        clock.advance(Duration::from_secs(3));
        talk.answer(id, &granted(1)).await;
    });
    let Ok(Enqueued::Acquired(grant)) = enqueued else { panic!("{enqueued:?}") };
    assert_eq!(grant.base, asked);
}

#[tokio::test]
async fn a_turn_that_comes_is_believed_in_from_the_latest_request_that_was_answered_before() {
    let (peer, clock) = (Peer::start().await, Clock::manual());
    let options = Options { clock: clock.clone(), ..Options::default() };
    let (remote, mut talk) = peer.meet(&options).await;
    let claim = claim_with(7, Bond::Resumable, &clock);
    let queue = async { remote.enqueue(&claim, Patience::Endless).await };
    let serve = talk.serve(Asked::Enqueue(claim.id(), ENDLESS), Response::Queued { position: 2 });
    let (enqueued, ()) = tokio::join!(queue, serve);
    assert!(matches!(enqueued, Ok(Enqueued::Queued { position: 2 })), "{enqueued:?}");

    clock.advance(Duration::from_secs(5));
    let answered = clock.now();
    let (position, ()) = tokio::join!(
        remote.position(&claim),
        talk.serve(Asked::Position(claim.id()), Response::Queued { position: 0 })
    );
    assert_eq!(position.expect("answered"), Some(0));

    clock.advance(Duration::from_secs(5));
    // Sent, and not answered before the push: it says nothing about when that was made.
    let (_, grant) = tokio::join!(within("an answer", remote.info()), async {
        let id = talk.expect(Asked::Info).await;
        talk.push(&Push::Granted { claim: claim.id(), token: token(3), ttl: TTL }).await;
        let grant = within("its turn", remote.wait(&claim)).await.expect("granted");
        talk.answer(id, &Response::Info("{}")).await;
        grant
    });
    assert_eq!((grant.token, grant.base), (token(3), answered));
}

#[tokio::test]
async fn a_renewal_counts_from_when_it_was_sent_and_what_is_gone_is_gone() {
    use tenure::coordinator::{Renewal, Renewed};
    let (peer, clock) = (Peer::start().await, Clock::manual());
    let options = Options { clock: clock.clone(), ..Options::default() };
    let (remote, mut talk) = peer.meet(&options).await;
    let claims = [1, 2, 3].map(|number| claim_with(number, Bond::Resumable, &clock));
    let mut renewals = claims.clone().map(|claim| Renewal { claim, outcome: None });
    clock.advance(Duration::from_secs(1));
    let sent = clock.now();
    let (done, ()) = tokio::join!(remote.renew(&mut renewals), async {
        let mut ids = Vec::new();
        for claim in &claims {
            ids.push(talk.expect(Asked::Renew(claim.id())).await);
        }
        clock.advance(Duration::from_secs(1));
        talk.answer(ids[0], &Response::Renewed { ttl: TTL }).await;
        talk.answer(ids[1], &Response::Gone).await;
        talk.answer(ids[2], &Response::Renewed { ttl: TTL }).await;
    });
    done.expect("answered");
    let outcomes = renewals.map(|renewal| renewal.outcome.expect("answered").expect("not refused"));
    let renewed = Renewed::From { base: sent, ttl: TTL };
    assert_eq!(outcomes, [renewed, Renewed::Gone, renewed]);
}

#[tokio::test]
async fn whoever_takes_a_grant_away_is_heard_with_the_reason() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let claim = claim(7);
    let enqueue = async { remote.enqueue(&claim, Patience::Endless).await };
    let serve = talk.serve(Asked::Enqueue(claim.id(), ENDLESS), granted(1));
    let _ = tokio::join!(enqueue, serve);
    let fence = Some(token(1).fence);
    talk.push(&Push::Lost { claim: claim.id(), ending: Ending::Stolen, reason: "maintenance", fence }).await;
    let loss = within("the loss", claim.ended()).await;
    assert_eq!(loss, Loss::Stolen { reason: "maintenance".into() });
}

#[tokio::test]
async fn a_turn_that_comes_for_nobody_is_taken_back() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let claim = claim(7);
    let enqueue = async { remote.enqueue(&claim, Patience::Endless).await };
    let serve = talk.serve(Asked::Enqueue(claim.id(), ENDLESS), Response::Queued { position: 0 });
    let _ = tokio::join!(enqueue, serve);
    remote.cancel(&claim);
    let id = talk.expect(Asked::Cancel(claim.id())).await;
    talk.push(&Push::Granted { claim: claim.id(), token: token(1), ttl: TTL }).await;
    talk.answer(id, &Response::Released).await;
    talk.serve(Asked::Cancel(claim.id()), Response::Gone).await;
    assert!(matches!(claim.standing(), Standing::Waiting), "nobody was told of it");
}

#[tokio::test]
async fn what_waits_at_a_service_that_is_about_to_stop_hears_so_and_may_ask_again() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let claim = claim(7);
    let enqueue = async { remote.enqueue(&claim, Patience::Endless).await };
    let serve = talk.serve(Asked::Enqueue(claim.id(), ENDLESS), Response::Queued { position: 0 });
    let _ = tokio::join!(enqueue, serve);
    let (waited, ()) =
        tokio::join!(within("the end of the wait", remote.wait(&claim)), talk.push(&Push::Draining));
    let error = waited.expect_err("it stops");
    assert_eq!(error.kind(), &ErrorKind::Draining);
    assert!(error.is_transient());
    drop(talk);

    let mut talk = peer.accept().await;
    let (waited, ()) =
        tokio::join!(remote.wait(&claim), talk.serve(Asked::Enqueue(claim.id(), ENDLESS), granted(1)));
    assert_eq!(waited.expect("granted").token, token(1));
}

#[tokio::test]
async fn news_of_an_earlier_claim_is_not_taken_for_news_of_a_later_one_with_its_id() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let (earlier, later) = (claim(7), claim(7));
    let enqueue = async { remote.enqueue(&earlier, Patience::Endless).await };
    let serve = talk.serve(Asked::Enqueue(earlier.id(), ENDLESS), Response::Queued { position: 0 });
    let _ = tokio::join!(enqueue, serve);
    remote.cancel(&earlier);
    let (enqueued, ()) = tokio::join!(remote.enqueue(&later, Patience::Endless), async {
        let cancel = talk.expect(Asked::Cancel(earlier.id())).await;
        let enqueue = talk.expect(Asked::Enqueue(later.id(), ENDLESS)).await;
        talk.push(&Push::Granted { claim: earlier.id(), token: token(1), ttl: TTL }).await;
        talk.push(&Push::Lost { claim: earlier.id(), ending: Ending::Lapsed, reason: "", fence: None }).await;
        talk.answer(cancel, &Response::Gone).await;
        talk.answer(enqueue, &Response::Queued { position: 0 }).await;
    });
    assert!(matches!(enqueued, Ok(Enqueued::Queued { .. })), "{enqueued:?}");
    assert!(matches!(later.standing(), Standing::Waiting), "{:?}", later.standing());
    talk.push(&Push::Granted { claim: later.id(), token: token(2), ttl: TTL }).await;
    assert_eq!(within("its turn", remote.wait(&later)).await.expect("granted").token, token(2));
}

#[tokio::test]
async fn the_end_of_an_earlier_grant_is_not_taken_for_that_of_a_later_one() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let claim = claim(7);
    let lost = |fence| Push::Lost {
        claim: claim.id(),
        ending: Ending::Lapsed,
        reason: "",
        fence: Some(token(fence).fence),
    };
    let (enqueued, ()) = tokio::join!(remote.enqueue(&claim, Patience::Endless), async {
        let enqueue = talk.expect(Asked::Enqueue(claim.id(), ENDLESS)).await;
        talk.answer(enqueue, &granted(2)).await;
        talk.push(&lost(1)).await;
    });
    assert!(matches!(enqueued, Ok(Enqueued::Acquired(_))), "{enqueued:?}");
    // What comes behind it is of another claim, so it has been heard.
    let other = crate::claim(8);
    let serve = talk.serve(Asked::Enqueue(other.id(), ENDLESS), Response::Queued { position: 0 });
    let _ = tokio::join!(remote.enqueue(&other, Patience::Endless), serve);
    assert!(!claim.has_ended(), "{:?}", claim.standing());
    talk.push(&lost(2)).await;
    assert_eq!(within("the loss", claim.ended()).await, Loss::Lapsed);
}

#[tokio::test]
async fn a_claim_in_line_that_ends_is_lost_to_whoever_waits() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let claim = claim(7);
    let enqueue = async { remote.enqueue(&claim, Patience::Endless).await };
    let serve = talk.serve(Asked::Enqueue(claim.id(), ENDLESS), Response::Queued { position: 0 });
    let _ = tokio::join!(enqueue, serve);
    talk.push(&Push::Lost { claim: claim.id(), ending: Ending::Lapsed, reason: "", fence: None }).await;
    let error = within("the loss", remote.wait(&claim)).await.expect_err("lost");
    assert_eq!(error.kind(), &ErrorKind::Lost(Loss::Lapsed));
    let again = within("the loss", remote.wait(&claim)).await.expect_err("lost");
    assert_eq!(again.kind(), &ErrorKind::Lost(Loss::Lapsed));
}

#[tokio::test]
async fn a_position_that_changes_is_heard_by_whoever_follows_it() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let claim = claim(7);
    let enqueue = async { remote.enqueue(&claim, Patience::Endless).await };
    let serve = talk.serve(Asked::Enqueue(claim.id(), ENDLESS), Response::Queued { position: 2 });
    let _ = tokio::join!(enqueue, serve);
    let mut positions = claim.positions(Some(2));
    let (followed, ()) =
        tokio::join!(remote.follow(&claim), talk.serve(Asked::Follow(claim.id()), Response::Done));
    followed.expect("answered");
    talk.push(&Push::Position { claim: claim.id(), position: 1 }).await;
    within("a position", positions.wait_for(|position| *position == Some(1))).await.expect("told");
    talk.push(&Push::Granted { claim: claim.id(), token: token(1), ttl: TTL }).await;
    within("its turn", positions.wait_for(Option::is_none)).await.expect("told");
}
