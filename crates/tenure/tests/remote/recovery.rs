//! Connections that break, at every step of a claim's life.

use crate::peer::{Asked, Peer, TTL, Talk, granted, token, within};
use crate::{claim, claim_with, hasty};
use std::sync::Arc;
use std::time::Duration;
use tenure::coordinator::{
    Claim, Coordinator as _, Enqueued, Patience, Released, Remote, Renewal, Renewed, Standing,
};
use tenure::{Clock, ErrorKind, Loss, Options};
use tenure_core::{Bond, Ending, Fence, Inspection, Key, Limit, OwnerId, PastInfo, Space};
use tenure_wire::mux::{self, Push, Refused, RefusedCode, Response, encode_response};

const ENDLESS: mux::Patience = mux::Patience::Endless;

/// Makes a claim that holds its lock.
async fn hold(remote: &Remote, talk: &mut Talk, claim: &Arc<Claim>, fence: u64) {
    let (enqueued, ()) = tokio::join!(
        remote.enqueue(claim, Patience::Endless),
        talk.serve(Asked::Enqueue(claim.id(), ENDLESS), granted(fence))
    );
    assert!(matches!(enqueued, Ok(Enqueued::Acquired(_))), "{enqueued:?}");
}

/// Makes a claim that stands in line.
async fn queue(remote: &Remote, talk: &mut Talk, claim: &Arc<Claim>) {
    let (enqueued, ()) = tokio::join!(
        remote.enqueue(claim, Patience::Endless),
        talk.serve(Asked::Enqueue(claim.id(), ENDLESS), Response::Queued { position: 0 })
    );
    assert!(matches!(enqueued, Ok(Enqueued::Queued { .. })), "{enqueued:?}");
}

#[tokio::test]
async fn a_claim_whose_answer_is_cut_off_at_any_byte_is_asked_for_again() {
    let mut answer = Vec::new();
    encode_response(&mut answer, 1, &granted(1)).expect("encoded");
    for cut in 0..answer.len() {
        let peer = Peer::start().await;
        let (remote, mut talk) = peer.meet(&Options::default()).await;
        let claim = claim(7);
        let (enqueued, _talk) = tokio::join!(remote.enqueue(&claim, Patience::Endless), async {
            let id = talk.expect(Asked::Enqueue(claim.id(), ENDLESS)).await;
            let mut answer = Vec::new();
            encode_response(&mut answer, id, &granted(1)).expect("encoded");
            talk.write(&answer[..cut]).await;
            drop(talk);
            let mut talk = peer.accept().await;
            talk.serve(Asked::Enqueue(claim.id(), ENDLESS), granted(2)).await;
            talk
        });
        let Ok(Enqueued::Acquired(grant)) = enqueued else { panic!("{enqueued:?}") };
        assert_eq!(grant.token, token(2));
    }
}

#[tokio::test]
async fn all_connections_of_a_client_are_of_one_session() {
    let peer = Peer::start().await;
    let (_remote, talk) = peer.meet(&Options::default()).await;
    let session = talk.session;
    drop(talk);
    assert_eq!(peer.accept().await.session, session);
}

#[tokio::test]
async fn a_client_that_another_one_has_taken_the_session_from_takes_a_new_one() {
    let peer = Peer::start().await;
    let (_remote, mut talk) = peer.meet(&Options::default()).await;
    let session = talk.session;
    let superseded = Refused { code: RefusedCode::Superseded, detail: 0, message: "" };
    talk.answer(0, &Response::Refused(superseded)).await;
    assert_ne!(peer.accept().await.session, session);
}

#[tokio::test]
async fn claims_in_line_are_asked_for_again_in_their_order_and_may_be_granted_by_that() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let claims: Vec<_> = (1..=20).map(claim).collect();
    for claim in &claims {
        queue(&remote, &mut talk, claim).await;
    }
    // The push that is lost here is the news that the first has its turn.
    drop(talk);
    let mut talk = peer.accept().await;
    for (place, claim) in claims.iter().enumerate() {
        let answer = if place == 0 { granted(9) } else { Response::Queued { position: place as u32 - 1 } };
        talk.serve(Asked::Enqueue(claim.id(), ENDLESS), answer).await;
    }
    let grant = within("its turn", remote.wait(&claims[0])).await.expect("granted");
    assert_eq!(grant.token, token(9));
    talk.push(&Push::Granted { claim: claims[1].id(), token: token(10), ttl: TTL }).await;
    within("its turn", remote.wait(&claims[1])).await.expect("granted");
}

#[tokio::test]
async fn a_claim_in_line_that_is_refused_when_it_comes_back_fails_for_that_reason() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let claim = claim(7);
    queue(&remote, &mut talk, &claim).await;
    drop(talk);
    let (waited, _talk) = tokio::join!(within("the end of the wait", remote.wait(&claim)), async {
        let refused = Refused { code: RefusedCode::LimitMismatch, detail: 3, message: "" };
        let mut talk = peer.accept().await;
        talk.serve(Asked::Enqueue(claim.id(), ENDLESS), Response::Refused(refused)).await;
        talk
    });
    assert_eq!(waited.expect_err("refused").kind(), &ErrorKind::LimitMismatch { limit: 3 });
}

#[tokio::test]
async fn whoever_follows_a_position_does_so_on_the_next_connection_too() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let claim = claim(7);
    queue(&remote, &mut talk, &claim).await;
    let mut positions = claim.positions(None);
    let (followed, ()) =
        tokio::join!(remote.follow(&claim), talk.serve(Asked::Follow(claim.id()), Response::Done));
    followed.expect("answered");
    drop(talk);
    let mut talk = peer.accept().await;
    talk.serve(Asked::Enqueue(claim.id(), ENDLESS), Response::Queued { position: 4 }).await;
    within("a position", positions.wait_for(|position| *position == Some(4))).await.expect("told");
    talk.expect(Asked::Follow(claim.id())).await;
}

#[tokio::test]
async fn a_grant_that_outlives_its_connection_is_resumed_and_counts_from_then() {
    let (peer, clock) = (Peer::start().await, Clock::manual());
    let options = Options { clock: clock.clone(), ..Options::default() };
    let (remote, mut talk) = peer.meet(&options).await;
    let claim = claim_with(7, Bond::Resumable, &clock);
    hold(&remote, &mut talk, &claim, 1).await;
    clock.advance(Duration::from_secs(10));
    drop(talk);
    let mut talk = peer.accept().await;
    let id = talk.expect(Asked::Resume(claim.id())).await;
    let (resumed, before) = (clock.now(), claim.deadline());
    clock.advance(Duration::from_secs(1));
    talk.answer(id, &granted(1)).await;
    // Its answer comes behind the one that counts.
    let (info, ()) = tokio::join!(remote.info(), talk.serve(Asked::Info, Response::Info("{}")));
    info.expect("answered");
    assert_eq!(claim.deadline().since(before), resumed.since(tenure::Instant::ORIGIN));
    assert!(!claim.is_lost());
}

#[tokio::test]
async fn a_grant_that_the_service_knows_nothing_of_any_more_is_lost_as_forgotten() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let claim = claim(7);
    hold(&remote, &mut talk, &claim, 1).await;
    drop(talk);
    let mut talk = peer.accept().await;
    talk.serve(Asked::Resume(claim.id()), Response::Gone).await;
    assert_eq!(within("the loss", claim.ended()).await, Loss::Forgotten);
}

#[tokio::test]
async fn a_grant_whose_holder_has_stopped_believing_meanwhile_is_taken_back_not_resumed() {
    let (peer, clock) = (Peer::start().await, Clock::manual());
    let options = Options { clock: clock.clone(), ..Options::default() };
    let (remote, mut talk) = peer.meet(&options).await;
    let claim = claim_with(7, Bond::Resumable, &clock);
    hold(&remote, &mut talk, &claim, 1).await;
    clock.advance(TTL);
    assert!(claim.is_lost());
    drop(talk);
    let mut talk = peer.accept().await;
    talk.serve(Asked::Cancel(claim.id()), Response::Released).await;
    assert_eq!(within("the loss", claim.ended()).await, Loss::Expired);
    assert!(claim.is_lost());
}

#[tokio::test]
async fn a_grant_whose_holder_stops_believing_while_it_is_resumed_is_taken_back() {
    let (peer, clock) = (Peer::start().await, Clock::manual());
    let options = Options { clock: clock.clone(), ..Options::default() };
    let (remote, mut talk) = peer.meet(&options).await;
    let claim = claim_with(7, Bond::Resumable, &clock);
    hold(&remote, &mut talk, &claim, 1).await;
    drop(talk);
    let mut talk = peer.accept().await;
    let id = talk.expect(Asked::Resume(claim.id())).await;
    clock.advance(TTL);
    assert!(claim.is_lost());
    talk.answer(id, &granted(1)).await;
    talk.expect(Asked::Cancel(claim.id())).await;
    assert_eq!(within("the loss", claim.ended()).await, Loss::Expired);
}

#[tokio::test]
async fn a_grant_that_is_bound_to_its_connection_ends_with_it() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let bound = claim_with(7, Bond::Connection, &Clock::system());
    hold(&remote, &mut talk, &bound, 1).await;
    drop(talk);
    assert_eq!(within("the loss", bound.ended()).await, Loss::Disconnected);
    let mut talk = peer.accept().await;
    let (info, ()) = tokio::join!(remote.info(), talk.serve(Asked::Info, Response::Info("{}")));
    assert_eq!(info.expect("answered"), "{}", "nothing is asked about it");
}

#[tokio::test]
async fn renewals_whose_answers_are_lost_are_asked_for_again_behind_what_is_resumed() {
    let (peer, clock) = (Peer::start().await, Clock::manual());
    let options = Options { clock: clock.clone(), ..Options::default() };
    let (remote, mut talk) = peer.meet(&options).await;
    let claims = [1, 2].map(|number| claim_with(number, Bond::Resumable, &clock));
    for claim in &claims {
        hold(&remote, &mut talk, claim, 1).await;
    }
    let mut renewals = claims.clone().map(|claim| Renewal { claim, outcome: None });
    let (done, again) = tokio::join!(remote.renew(&mut renewals), async {
        talk.serve(Asked::Renew(claims[0].id()), Response::Renewed { ttl: TTL }).await;
        talk.expect(Asked::Renew(claims[1].id())).await;
        drop(talk);
        clock.advance(Duration::from_secs(2));
        let again = clock.now();
        let mut talk = peer.accept().await;
        for claim in &claims {
            talk.serve(Asked::Resume(claim.id()), granted(1)).await;
        }
        // Whether the first answer has arrived is up to chance: what was cut off is lost.
        let (mut id, mut asked) = talk.next().await;
        if asked == Asked::Renew(claims[0].id()) {
            talk.answer(id, &Response::Renewed { ttl: TTL }).await;
            (id, asked) = talk.next().await;
        }
        assert_eq!(asked, Asked::Renew(claims[1].id()));
        talk.answer(id, &Response::Renewed { ttl: TTL }).await;
        again
    });
    done.expect("answered");
    let outcome = renewals[1].outcome.as_ref().expect("answered").as_ref().expect("not refused");
    assert_eq!(outcome, &Renewed::From { base: again, ttl: TTL });
    assert!(matches!(renewals[0].outcome, Some(Ok(Renewed::From { .. }))), "{:?}", renewals[0].outcome);
}

fn key_with_past(ending: Option<Ending>) -> Response<'static> {
    let past = ending.map(|ending| PastInfo {
        fence: Fence::new(1),
        held_for: Duration::ZERO,
        ago: Duration::ZERO,
        ending,
        owner: OwnerId::new(1),
        note: None,
    });
    Response::Inspection(Inspection {
        limit: Limit::ONE,
        held: 0,
        holders_len: 0,
        queue_len: 0,
        holders: vec![],
        waiters: vec![],
        past: past.into_iter().collect(),
    })
}

#[tokio::test]
async fn a_release_whose_answer_is_lost_is_asked_for_again_and_then_what_became_of_the_grant() {
    for (ending, expected) in [
        (Some(Ending::Released), Released::Released),
        (Some(Ending::Lapsed), Released::Gone),
        (Some(Ending::Stolen), Released::Gone),
        (None, Released::Gone),
    ] {
        let peer = Peer::start().await;
        let (remote, mut talk) = peer.meet(&Options::default()).await;
        let claim = claim(7);
        hold(&remote, &mut talk, &claim, 1).await;
        let (released, ()) = tokio::join!(remote.release(&claim), async {
            talk.expect(Asked::Release(claim.id())).await;
            drop(talk);
            let mut talk = peer.accept().await;
            talk.serve(Asked::Release(claim.id()), Response::Gone).await;
            talk.serve(Asked::Inspect(b"k".to_vec()), key_with_past(ending)).await;
        });
        assert_eq!(released.expect("answered"), expected, "{ending:?}");
    }
}

#[tokio::test]
async fn a_release_that_was_not_done_is_done_on_the_next_connection() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let claim = claim(7);
    hold(&remote, &mut talk, &claim, 1).await;
    let (released, ()) = tokio::join!(remote.release(&claim), async {
        talk.expect(Asked::Release(claim.id())).await;
        drop(talk);
        let mut talk = peer.accept().await;
        talk.serve(Asked::Release(claim.id()), Response::Released).await;
    });
    assert_eq!(released.expect("answered"), Released::Released);
}

#[tokio::test]
async fn a_release_that_nobody_waits_for_any_more_is_done_all_the_same() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let claim = claim(7);
    hold(&remote, &mut talk, &claim, 1).await;
    {
        let mut release = std::pin::pin!(remote.release(&claim));
        tokio::select! {
            biased;
            released = &mut release => panic!("nobody answered: {released:?}"),
            _ = talk.expect(Asked::Release(claim.id())) => {}
        }
    }
    drop(talk);
    let mut talk = peer.accept().await;
    talk.serve(Asked::Cancel(claim.id()), Response::Released).await;
}

#[tokio::test]
async fn a_claim_that_is_taken_back_while_its_answer_is_on_its_way_is_never_asked_for_again() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let (dropped, waited_for, other) = (claim(7), claim(8), claim(9));
    {
        let mut enqueue = std::pin::pin!(remote.enqueue(&dropped, Patience::Endless));
        tokio::select! {
            biased;
            enqueued = &mut enqueue => panic!("nobody answered: {enqueued:?}"),
            _ = talk.expect(Asked::Enqueue(dropped.id(), ENDLESS)) => {}
        }
    }
    remote.cancel(&dropped);
    talk.expect(Asked::Cancel(dropped.id())).await;
    let (enqueued, ()) = tokio::join!(remote.enqueue(&waited_for, Patience::Endless), async {
        talk.expect(Asked::Enqueue(waited_for.id(), ENDLESS)).await;
        remote.cancel(&waited_for);
        talk.expect(Asked::Cancel(waited_for.id())).await;
        drop(talk);
        let mut talk = peer.accept().await;
        talk.serve(Asked::Cancel(dropped.id()), Response::Gone).await;
        talk.serve(Asked::Cancel(waited_for.id()), Response::Released).await;
        hold(&remote, &mut talk, &other, 1).await;
    });
    assert_eq!(enqueued.expect_err("taken back").kind(), &ErrorKind::Lost(Loss::Released));
}

#[tokio::test]
async fn a_claim_that_is_taken_back_without_a_connection_is_told_on_the_next_one() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let (granted, waiting) = (claim(7), claim(8));
    let bound = claim_with(9, Bond::Connection, &Clock::system());
    hold(&remote, &mut talk, &granted, 1).await;
    queue(&remote, &mut talk, &waiting).await;
    hold(&remote, &mut talk, &bound, 2).await;
    drop(talk);
    // Its end is how a client without a runtime notices.
    within("the loss", bound.ended()).await;
    std::thread::scope(|scope| {
        scope.spawn(|| [&granted, &waiting].map(|claim| remote.cancel(claim)));
    });
    let mut talk = peer.accept().await;
    talk.expect(Asked::Cancel(granted.id())).await;
    talk.expect(Asked::Cancel(waiting.id())).await;
    drop(talk);
    // Nobody has answered: it is told again.
    let mut talk = peer.accept().await;
    talk.expect(Asked::Cancel(granted.id())).await;
    talk.expect(Asked::Cancel(waiting.id())).await;
}

#[tokio::test]
async fn what_must_not_be_done_twice_is_not_asked_twice() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let key = Key::new(Space::Lock, b"k").expect("a key");
    let (stolen, signalled, ()) =
        tokio::join!(remote.steal(key, None, "why not"), remote.signal(b"c", b"p"), async {
            talk.expect(Asked::Steal).await;
            talk.expect(Asked::Signal).await;
            drop(talk);
        });
    for answer in [stolen, signalled] {
        assert_eq!(answer.expect_err("lost").kind(), &ErrorKind::Indeterminate);
    }
    let mut talk = peer.accept().await;
    let (info, ()) = tokio::join!(remote.info(), talk.serve(Asked::Info, Response::Info("{}")));
    info.expect("answered");
}

#[tokio::test]
async fn nobody_waits_for_a_connection_for_ever_and_what_was_in_line_finds_its_place_all_the_same() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&hasty()).await;
    let (waiting, asked, unasked) = (claim(7), claim(8), claim(9));
    queue(&remote, &mut talk, &waiting).await;
    let address = peer.address();
    let (indeterminate, ()) = tokio::join!(remote.enqueue(&asked, Patience::Endless), async {
        talk.expect(Asked::Enqueue(asked.id(), ENDLESS)).await;
        drop(peer);
        drop(talk);
    });
    assert_eq!(indeterminate.expect_err("no answer").kind(), &ErrorKind::Indeterminate);
    let waited = within("the end of the wait", remote.wait(&waiting)).await.expect_err("no service");
    assert_eq!(waited.kind(), &ErrorKind::Unavailable);
    assert!(waited.to_string().contains("start one with `tenure serve`"), "{waited}");
    let enqueued = within("an answer", remote.enqueue(&unasked, Patience::Endless)).await;
    assert_eq!(enqueued.expect_err("no service").kind(), &ErrorKind::Unavailable);
    assert!(matches!(waiting.standing(), Standing::Waiting));

    let peer = Peer::at(&address).await;
    let mut talk = peer.accept().await;
    talk.serve(Asked::Enqueue(waiting.id(), ENDLESS), granted(3)).await;
    within("its turn", remote.wait(&waiting)).await.expect("granted");
    // What may have been done and was given up is taken back when its owner says so.
    remote.cancel(&asked);
    talk.expect(Asked::Cancel(asked.id())).await;
}

#[tokio::test]
async fn a_service_that_talks_nonsense_is_left_for_another_connection() {
    let nonsense: [&[u8]; 4] = [
        b"ok 1\n",
        &[0, 0, 0, 1, 0],
        // An answer to nobody, and one of a kind that no answer has.
        &[0, 0, 0, 5, 0x83, 0, 0, 1, 0],
        &[0, 0, 0, 5, 0x01, 0, 0, 0, 0],
    ];
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let claim = claim(7);
    hold(&remote, &mut talk, &claim, 1).await;
    for bytes in nonsense {
        talk.write(bytes).await;
        talk = peer.accept().await;
        talk.serve(Asked::Resume(claim.id()), granted(1)).await;
    }
    assert!(!claim.is_lost());
}

#[tokio::test]
async fn a_client_that_is_dropped_takes_back_everything_and_closes() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let (left, taken_back) = (claim(7), claim(8));
    hold(&remote, &mut talk, &left, 1).await;
    hold(&remote, &mut talk, &taken_back, 2).await;
    remote.cancel(&taken_back);
    drop(remote);
    assert_eq!(within("the end", left.ended()).await, Loss::Closed);
    talk.expect(Asked::Cancel(taken_back.id())).await;
    talk.expect(Asked::Cancel(left.id())).await;
    assert_eq!(talk.rest().await, b"");
}

#[test]
fn a_client_whose_runtime_has_ended_says_so() {
    let first = tokio::runtime::Runtime::new().expect("a runtime");
    let peer = first.block_on(Peer::start());
    let (remote, _talk) = first.block_on(peer.meet(&Options::default()));
    first.shutdown_background();
    let second = tokio::runtime::Runtime::new().expect("another runtime");
    let error = second.block_on(async { within("an answer", remote.info()).await }).expect_err("nobody asks");
    assert_eq!(error.kind(), &ErrorKind::Unavailable);
    assert!(error.to_string().contains("runtime"), "{error}");
}

#[tokio::test]
async fn a_service_that_closes_once_without_a_word_may_let_one_in_the_next_time() {
    let peer = Peer::start().await;
    let (remote, talk) = peer.meet(&Options::default()).await;
    drop(talk);
    let claim = claim(7);
    let (enqueued, _talk) = tokio::join!(remote.enqueue(&claim, Patience::Endless), async {
        // As one does that has no room, or a proxy whose daemon is about to start.
        let (talk, _) = peer.accept_unanswered().await;
        drop(talk);
        let mut talk = peer.accept().await;
        talk.serve(Asked::Enqueue(claim.id(), ENDLESS), granted(1)).await;
        talk
    });
    assert!(matches!(enqueued, Ok(Enqueued::Acquired(_))), "{enqueued:?}");
}
