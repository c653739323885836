//! Several claims with one id: the service has one of them, and its answers say which.

use crate::peer::{Asked, Peer, TTL, Talk, granted, token, within};
use crate::{claim, claim_with};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use tenure::coordinator::{
    Claim, Coordinator as _, Enqueued, Patience, Released, Remote, Renewal, Renewed, Standing,
};
use tenure::{Clock, Error, ErrorKind, Loss, Options};
use tenure_core::{Bond, Ending};
use tenure_wire::mux::{self, Push, Refused, RefusedCode, Response};

const ENDLESS: mux::Patience = mux::Patience::Endless;

const CONFLICT: Response<'static> =
    Response::Refused(Refused { code: RefusedCode::Conflict, detail: 0, message: "" });

const QUEUED: Response<'static> = Response::Queued { position: 0 };

/// A claim that the service has answered about like this, and a later one with its id.
async fn rivals(answer: Response<'static>) -> (Arc<Remote>, Peer, Talk, [Arc<Claim>; 2]) {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let [earlier, later] = [claim(7), claim(7)];
    let serve = talk.serve(Asked::Enqueue(earlier.id(), ENDLESS), answer);
    let (enqueued, ()) = tokio::join!(remote.enqueue(&earlier, Patience::Endless), serve);
    enqueued.expect("answered");
    (remote, peer, talk, [earlier, later])
}

/// Asks for the later claim, does something before that is answered, and answers.
async fn ask_again(
    remote: &Remote,
    talk: &mut Talk,
    later: &Arc<Claim>,
    meanwhile: impl AsyncFnOnce(&mut Talk),
    answer: Response<'_>,
) -> Result<Enqueued, Error> {
    let (enqueued, ()) = tokio::join!(remote.enqueue(later, Patience::Endless), async {
        let id = talk.expect(Asked::Enqueue(later.id(), ENDLESS)).await;
        meanwhile(talk).await;
        talk.answer(id, &answer).await;
    });
    enqueued
}

/// Nothing has been sent but what was expected, and everything that was is understood.
async fn says_no_more(remote: &Remote, talk: &mut Talk) {
    let (info, ()) = tokio::join!(remote.info(), talk.serve(Asked::Info, Response::Info("{}")));
    info.expect("answered");
}

/// Polls something once, which is not ready then.
async fn begin(mut future: Pin<&mut impl Future>) {
    let is_ready = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
    assert!(!is_ready, "there is nothing to answer it with");
}

#[tokio::test]
async fn whoever_lets_go_of_a_claim_that_is_asked_for_again_takes_nothing_from_the_later_one() {
    let (remote, _peer, mut talk, [earlier, later]) = rivals(granted(1)).await;
    let lets_go = async |_: &mut Talk| remote.cancel(&earlier);
    let enqueued = ask_again(&remote, &mut talk, &later, lets_go, granted(1)).await;
    assert!(matches!(enqueued, Ok(Enqueued::Acquired(_))), "{enqueued:?}");
    remote.cancel(&earlier);
    says_no_more(&remote, &mut talk).await;
    assert!(!later.is_lost());
    remote.cancel(&later);
    talk.expect(Asked::Cancel(later.id())).await;
}

#[tokio::test]
async fn whoever_releases_a_claim_that_somebody_else_has_by_now_hears_that_it_is_gone() {
    let (remote, _peer, mut talk, [earlier, later]) = rivals(granted(1)).await;
    let releases = async |_: &mut Talk| {
        assert_eq!(remote.release(&earlier).await.expect("known"), Released::Gone);
    };
    let enqueued = ask_again(&remote, &mut talk, &later, releases, granted(1)).await;
    assert!(matches!(enqueued, Ok(Enqueued::Acquired(_))), "{enqueued:?}");
    assert_eq!(remote.release(&earlier).await.expect("known"), Released::Gone);
    assert!(!later.is_lost());
    let (released, ()) =
        tokio::join!(remote.release(&later), talk.serve(Asked::Release(later.id()), Response::Released));
    assert_eq!(released.expect("answered"), Released::Released);
}

#[tokio::test]
async fn a_claim_that_is_taken_over_in_its_own_client_ends() {
    for answer in [granted(1), QUEUED] {
        let (remote, _peer, mut talk, [earlier, later]) = rivals(answer).await;
        ask_again(&remote, &mut talk, &later, async |_| (), granted(1)).await.expect("granted");
        assert_eq!(within("the loss", earlier.ended()).await, Loss::taken_over());
        assert!(!later.is_lost());
    }
}

#[tokio::test]
async fn a_refusal_changes_nothing_about_the_claim_whose_id_it_was() {
    let (remote, _peer, mut talk, [earlier, later]) = rivals(granted(1)).await;
    let error = ask_again(&remote, &mut talk, &later, async |_| (), CONFLICT).await.expect_err("refused");
    assert_eq!(error.kind(), &ErrorKind::Conflict);
    remote.cancel(&later);
    says_no_more(&remote, &mut talk).await;
    assert!(!earlier.is_lost());
    let fence = Some(token(1).fence);
    talk.push(&Push::Lost { claim: earlier.id(), ending: Ending::Stolen, reason: "now", fence }).await;
    assert_eq!(within("the loss", earlier.ended()).await, Loss::Stolen { reason: "now".into() });
}

#[tokio::test]
async fn a_claim_that_was_let_go_of_before_the_refusal_is_taken_back_then() {
    for lets_go_by in [Remote::cancel as fn(&Remote, &Arc<Claim>), |remote, claim| {
        let released =
            pin!(remote.release(claim)).poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        assert!(matches!(released, Poll::Ready(Ok(Released::Gone))));
    }] {
        let (remote, _peer, mut talk, [earlier, later]) = rivals(granted(1)).await;
        let lets_go = async |_: &mut Talk| lets_go_by(&remote, &earlier);
        let error = ask_again(&remote, &mut talk, &later, lets_go, CONFLICT).await.expect_err("refused");
        assert_eq!(error.kind(), &ErrorKind::Conflict);
        talk.expect(Asked::Cancel(earlier.id())).await;
    }
}

#[tokio::test]
async fn what_a_claim_is_told_before_a_refusal_it_hears() {
    let (remote, _peer, mut talk, [earlier, later]) = rivals(QUEUED).await;
    let its_turn = async |talk: &mut Talk| {
        talk.push(&Push::Granted { claim: earlier.id(), token: token(3), ttl: TTL }).await;
    };
    let waiting = async { within("its turn", remote.wait(&earlier)).await };
    let (grant, refused) = tokio::join!(waiting, ask_again(&remote, &mut talk, &later, its_turn, CONFLICT));
    refused.expect_err("refused");
    assert_eq!(grant.expect("granted").token, token(3));

    let (remote, _peer, mut talk, [earlier, later]) = rivals(granted(1)).await;
    let its_end = async |talk: &mut Talk| {
        let fence = Some(token(1).fence);
        talk.push(&Push::Lost { claim: earlier.id(), ending: Ending::Lapsed, reason: "", fence }).await;
    };
    ask_again(&remote, &mut talk, &later, its_end, CONFLICT).await.expect_err("refused");
    assert_eq!(within("the loss", earlier.ended()).await, Loss::Lapsed);
}

#[tokio::test]
async fn a_claim_in_line_is_over_when_somebody_without_patience_has_asked_with_its_id() {
    let (remote, _peer, mut talk, [earlier, later]) = rivals(QUEUED).await;
    let (waited, enqueued, ()) = tokio::join!(
        async { within("the end of the wait", remote.wait(&earlier)).await },
        remote.enqueue(&later, Patience::None),
        talk.serve(Asked::Enqueue(later.id(), mux::Patience::None), Response::Busy)
    );
    assert!(matches!(enqueued, Ok(Enqueued::Busy)), "{enqueued:?}");
    assert_eq!(waited.expect_err("out of line").kind(), &ErrorKind::Lost(Loss::taken_over()));
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_as_good_for_the_claim_before_it() {
    for before in [granted(1), QUEUED] {
        let (remote, _peer, mut talk, [earlier, later]) = rivals(before).await;
        begin(pin!(remote.enqueue(&later, Patience::Endless))).await;
        remote.cancel(&later);
        let id = talk.expect(Asked::Enqueue(later.id(), ENDLESS)).await;
        talk.answer(id, &granted(1)).await;
        assert_eq!(within("a grant", earlier.granted()).await.expect("held").token, token(1));
        says_no_more(&remote, &mut talk).await;
        remote.cancel(&earlier);
        talk.expect(Asked::Cancel(earlier.id())).await;
        assert!(matches!(later.standing(), Standing::Waiting), "nobody was told of it");
    }
}

#[tokio::test]
async fn what_nobody_wants_any_more_of_all_who_have_asked_is_taken_back() {
    let (remote, _peer, mut talk, [earlier, later]) = rivals(granted(1)).await;
    begin(pin!(remote.enqueue(&later, Patience::Endless))).await;
    remote.cancel(&later);
    remote.cancel(&earlier);
    let id = talk.expect(Asked::Enqueue(later.id(), ENDLESS)).await;
    talk.answer(id, &granted(1)).await;
    talk.expect(Asked::Cancel(later.id())).await;
    says_no_more(&remote, &mut talk).await;
}

#[tokio::test]
async fn both_claims_of_an_id_find_their_way_over_a_connection_that_breaks() {
    for refused in [false, true] {
        let (remote, peer, mut talk, [earlier, later]) = rivals(granted(1)).await;
        let (enqueued, _talk) = tokio::join!(remote.enqueue(&later, Patience::Endless), async {
            talk.expect(Asked::Enqueue(later.id(), ENDLESS)).await;
            drop(talk);
            let mut talk = peer.accept().await;
            talk.serve(Asked::Resume(earlier.id()), granted(1)).await;
            let answer = if refused { CONFLICT } else { granted(1) };
            talk.serve(Asked::Enqueue(later.id(), ENDLESS), answer).await;
            talk
        });
        assert_eq!(enqueued.is_err(), refused);
        if refused {
            assert!(!earlier.is_lost());
        } else {
            assert_eq!(within("the loss", earlier.ended()).await, Loss::taken_over());
        }
    }
}

#[tokio::test]
async fn a_claim_that_was_let_go_of_behind_a_request_that_is_lost_is_taken_back_on_the_next_connection() {
    let (remote, peer, mut talk, [earlier, later]) = rivals(granted(1)).await;
    begin(pin!(remote.enqueue(&later, Patience::Endless))).await;
    talk.expect(Asked::Enqueue(later.id(), ENDLESS)).await;
    remote.cancel(&earlier);
    remote.cancel(&later);
    drop(talk);
    let mut talk = peer.accept().await;
    talk.serve(Asked::Cancel(earlier.id()), Response::Released).await;
    says_no_more(&remote, &mut talk).await;
}

#[tokio::test]
async fn a_grant_that_was_taken_over_before_it_was_taken_is_not_handed_out() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let [earlier, later] = [claim(7), claim(7)];
    let mut first = pin!(remote.enqueue(&earlier, Patience::Endless));
    begin(first.as_mut()).await;
    let (second, ()) = tokio::join!(remote.enqueue(&later, Patience::Endless), async {
        for _ in 0..2 {
            talk.serve(Asked::Enqueue(later.id(), ENDLESS), granted(1)).await;
        }
    });
    assert!(matches!(second, Ok(Enqueued::Acquired(_))), "{second:?}");
    // Its answer has been there all the time.
    let error = first.await.expect_err("somebody else has it");
    assert_eq!(error.kind(), &ErrorKind::Lost(Loss::taken_over()));
}

#[tokio::test]
async fn a_claim_that_is_taken_back_while_somebody_waits_for_it_is_not_waited_for_any_more() {
    let (remote, _peer, mut talk, [earlier, _]) = rivals(QUEUED).await;
    let mut waiting = pin!(remote.wait(&earlier));
    begin(waiting.as_mut()).await;
    remote.cancel(&earlier);
    let error = within("the end of the wait", waiting).await.expect_err("taken back");
    assert_eq!(error.kind(), &ErrorKind::Lost(Loss::Released));
    talk.expect(Asked::Cancel(earlier.id())).await;
}

#[tokio::test]
async fn a_grant_that_was_resumed_for_nobody_is_left_to_its_lease() {
    for dropped_after_the_answer in [false, true] {
        let peer = Peer::start().await;
        let (remote, mut talk) = peer.meet(&Options::default()).await;
        let claim = claim(7);
        {
            let mut resume = pin!(remote.resume(&claim));
            begin(resume.as_mut()).await;
            let id = talk.expect(Asked::Resume(claim.id())).await;
            if dropped_after_the_answer {
                talk.answer(id, &granted(1)).await;
                says_no_more(&remote, &mut talk).await;
            }
        }
        drop(talk);
        let mut talk = peer.accept().await;
        says_no_more(&remote, &mut talk).await;
        remote.cancel(&claim);
        says_no_more(&remote, &mut talk).await;
    }
}

#[tokio::test]
async fn a_renewal_that_comes_too_late_says_nothing_of_a_later_claim() {
    let (remote, _peer, mut talk, [earlier, later]) = rivals(granted(1)).await;
    let mut renewals = [Renewal { claim: Arc::clone(&earlier), outcome: None }];
    let (renewed, enqueued, ()) =
        tokio::join!(remote.renew(&mut renewals), remote.enqueue(&later, Patience::Endless), async {
            let renewal = talk.expect(Asked::Renew(earlier.id())).await;
            let enqueue = talk.expect(Asked::Enqueue(later.id(), ENDLESS)).await;
            talk.answer(renewal, &Response::Gone).await;
            talk.answer(enqueue, &granted(2)).await;
        });
    renewed.expect("answered");
    assert!(matches!(renewals[0].outcome, Some(Ok(Renewed::Gone))));
    assert!(matches!(enqueued, Ok(Enqueued::Acquired(_))), "{enqueued:?}");
    remote.cancel(&later);
    talk.expect(Asked::Cancel(later.id())).await;
}

#[tokio::test]
async fn a_claim_that_is_bound_to_its_connection_ends_with_it_behind_another_one_too() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let bound = claim_with(7, Bond::Connection, &Clock::system());
    let serve = talk.serve(Asked::Enqueue(bound.id(), ENDLESS), granted(1));
    let (_, ()) = tokio::join!(remote.enqueue(&bound, Patience::Endless), serve);
    let later = claim(7);
    let (enqueued, _talk) = tokio::join!(remote.enqueue(&later, Patience::Endless), async {
        talk.expect(Asked::Enqueue(later.id(), ENDLESS)).await;
        drop(talk);
        assert_eq!(within("the loss", bound.ended()).await, Loss::Disconnected);
        let mut talk = peer.accept().await;
        talk.serve(Asked::Enqueue(later.id(), ENDLESS), granted(2)).await;
        talk
    });
    assert!(matches!(enqueued, Ok(Enqueued::Acquired(_))), "{enqueued:?}");
}
