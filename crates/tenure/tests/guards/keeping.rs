//! Renewal, and what a guard believes.

use super::{BELIEVED, Fault, KEY, Request, TTL, client, faulty, pass, settle};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;
use tenure::coordinator::NoOp;
use tenure::{Clock, Guard, Loss, Released, Tenure};
use tokio::runtime::Builder;

#[tokio::test]
async fn a_guard_is_held_for_as_long_as_it_is_there() {
    let (tenure, clock) = client().await;
    let guard = tenure.lock(KEY).acquire().await.expect("it is free");
    assert_eq!(guard.remaining(), BELIEVED);
    pass(&clock, TTL * 5).await;
    assert!(!guard.is_lost() && guard.deadline() > clock.now());
    assert_eq!(guard.release().await.expect("it is there"), Released::Released);
}

#[tokio::test]
async fn a_lease_is_renewed_at_a_third_of_its_ttl_or_when_told() {
    let (tenure, coordinator, clock) = faulty();
    let guard = tenure.lock(KEY).acquire().await.expect("it is free");
    clock.advance(TTL / 3 - Duration::from_millis(1));
    settle().await;
    assert_eq!(coordinator.count(Request::Renew), 0);
    clock.advance(Duration::from_millis(1));
    settle().await;
    assert_eq!((coordinator.count(Request::Renew), guard.remaining()), (1, BELIEVED));
    drop(guard);

    let often = tenure.lock(KEY).renew_every(Duration::from_secs(1)).acquire().await.expect("it is free");
    for renewals in 2..5 {
        clock.advance(Duration::from_secs(1));
        settle().await;
        assert_eq!(coordinator.count(Request::Renew), renewals);
    }
    assert!(!often.is_lost());
}

#[tokio::test]
async fn nothing_is_renewed_after_the_guard_is_gone() {
    let (tenure, coordinator, clock) = faulty();
    let lock = tenure.lock(KEY);
    drop(lock.acquire().await.expect("it is free"));
    lock.acquire().await.expect("it is free again").release().await.expect("it is there");
    pass(&clock, TTL * 3).await;
    assert_eq!(coordinator.count(Request::Renew), 0);
}

#[tokio::test]
async fn what_is_due_soon_is_renewed_in_one_batch() {
    let (tenure, coordinator, clock) = faulty();
    let mut guards: Vec<Guard> = Vec::new();
    for number in 0..100 {
        guards.push(tenure.lock(format!("{KEY}-{number}")).acquire().await.expect("it is free"));
        clock.advance(Duration::from_millis(10));
    }
    // All came within a second, and a tenth of the lease is three.
    clock.advance(TTL / 3 - Duration::from_secs(1));
    settle().await;
    assert_eq!(coordinator.batches(), [100]);
    // One of them less.
    guards.pop();
    clock.advance(TTL / 3);
    settle().await;
    assert_eq!(coordinator.batches(), [100, 99]);
    assert!(guards.iter().all(|guard| !guard.is_lost()));
}

#[tokio::test]
async fn a_guard_is_lost_by_its_own_clock_though_nothing_else_has_run() {
    let (tenure, clock) = client().await;
    let guard = tenure.lock(KEY).acquire().await.expect("it is free");
    clock.advance(BELIEVED - Duration::from_nanos(1));
    assert!(!guard.is_lost());
    clock.advance(Duration::from_nanos(1));
    assert!(guard.is_lost());
    assert_eq!((guard.remaining(), guard.lost().await), (Duration::ZERO, Loss::Expired));
    // Time that was lost does not come back with a late renewal.
    settle().await;
    assert!(guard.is_lost());
}

#[tokio::test]
async fn a_renewal_without_an_answer_is_waited_for_no_longer_than_the_lease() {
    let (tenure, coordinator, clock) = faulty();
    coordinator.fail(Request::Renew, &[Fault::Late]);
    let guard = tenure.lock(KEY).acquire().await.expect("it is free");
    clock.advance(TTL / 3);
    settle().await;
    assert_eq!(coordinator.count(Request::Renew), 1);
    let lost = tokio::spawn(async move { (guard.lost().await, guard) });
    clock.advance(BELIEVED - TTL / 3 - Duration::from_nanos(1));
    settle().await;
    assert!(!lost.is_finished());
    clock.advance(Duration::from_nanos(1));
    let (loss, guard) = lost.await.expect("no panic");
    assert_eq!(loss, Loss::Expired);
    // The answer comes too late to be believed, and the grant is given back all the same.
    coordinator.answer();
    settle().await;
    assert!(guard.is_lost());
    drop(guard);
    assert!(!tenure.lock(KEY).is_locked().await.expect("an answer"));
}

#[tokio::test]
async fn while_one_batch_has_no_answer_another_guard_is_lost_in_time() {
    let (tenure, coordinator, clock) = faulty();
    coordinator.fail(Request::Renew, &[Fault::Late]);
    let first = tenure.lock("first").acquire().await.expect("it is free");
    clock.advance(TTL / 3);
    settle().await;
    let short = tenure.lock("short").ttl(Duration::from_secs(5)).acquire().await.expect("it is free");
    let lost = tokio::spawn(async move { short.lost().await });
    clock.advance(Duration::from_millis(4_500));
    assert_eq!(lost.await.expect("no panic"), Loss::Expired);
    coordinator.answer();
    settle().await;
    assert!(!first.is_lost() && first.remaining() > Duration::from_secs(20));
}

#[tokio::test]
async fn a_renewal_that_fails_is_tried_again_before_the_lease_ends() {
    let (tenure, coordinator, clock) = faulty();
    let faults = [Fault::Unavailable, Fault::Indeterminate, Fault::Denied, Fault::Unavailable];
    coordinator.fail(Request::Renew, &faults);
    let guard = tenure.lock(KEY).acquire().await.expect("it is free");
    pass(&clock, TTL - Duration::from_secs(2)).await;
    assert!(coordinator.count(Request::Renew) > faults.len());
    assert!(!guard.is_lost() && guard.remaining() > TTL / 2);
}

#[tokio::test]
async fn a_lease_that_whoever_grants_has_ended_is_lost() {
    let (tenure, clock) = client().await;
    let lock = tenure.lock(KEY);
    let guard = lock.acquire().await.expect("it is free");
    assert_eq!(lock.release_token(guard.token()).await.expect("an answer"), Released::Released);
    assert_eq!(guard.lost().await, Loss::Released);
    assert!(guard.is_lost());
    // Somebody else has it, and the end of the old guard is not the end of that.
    let next = lock.acquire().await.expect("it is free");
    assert_eq!(guard.release().await.expect("known without asking"), Released::Gone);
    pass(&clock, TTL).await;
    assert!(!next.is_lost() && lock.is_locked().await.expect("an answer"));
}

#[tokio::test]
async fn a_stolen_guard_hears_why_at_once() {
    let (tenure, _clock) = client().await;
    let lock = tenure.lock(KEY);
    let guard = lock.acquire().await.expect("it is free");
    assert!(!lock.steal_one(tenure::Fence::new(guard.fence().get() + 1), "").await.expect("an answer"));
    assert!(!guard.is_lost());
    assert_eq!(lock.steal("maintenance").await.expect("an answer"), 1);
    assert!(guard.is_lost());
    assert_eq!(guard.lost().await, Loss::Stolen { reason: "maintenance".into() });
    let next = lock.try_acquire().await.expect("an answer").expect("it is free");
    assert!(next.fence() > guard.fence());
}

#[tokio::test]
async fn a_renewal_in_flight_has_no_effect_after_the_release() {
    for done_before in [true, false] {
        let (tenure, coordinator, clock) = faulty();
        let fault = if done_before { Fault::AnsweredLate } else { Fault::Late };
        coordinator.fail(Request::Renew, &[fault]);
        let lock = tenure.lock(KEY);
        let guard = lock.acquire().await.expect("it is free");
        clock.advance(TTL / 3);
        settle().await;
        assert_eq!(coordinator.count(Request::Renew), 1);
        assert_eq!(guard.release().await.expect("it is there"), Released::Released);
        let next = lock.acquire().await.expect("it is free");
        coordinator.answer();
        settle().await;
        assert!(!next.is_lost());
        // The next is renewed when its own time has come.
        clock.advance(TTL / 3);
        settle().await;
        assert_eq!(coordinator.batches(), [1, 1]);
        assert_eq!(next.remaining(), BELIEVED);
    }
}

#[tokio::test]
async fn nothing_is_renewed_while_a_release_is_under_way() {
    let (tenure, coordinator, clock) = faulty();
    coordinator.fail(Request::Release, &[Fault::Late]);
    let guard = tenure.lock(KEY).acquire().await.expect("it is free");
    let release = tokio::spawn(guard.release());
    settle().await;
    clock.advance(TTL / 3);
    settle().await;
    assert_eq!((coordinator.count(Request::Release), coordinator.count(Request::Renew)), (1, 0));
    coordinator.answer();
    assert_eq!(release.await.expect("no panic").expect("it is there"), Released::Released);
}

#[tokio::test]
async fn a_release_that_fails_is_tried_again_and_then_left_to_the_background() {
    let (tenure, coordinator, _clock) = faulty();
    let lock = tenure.lock(KEY);
    coordinator.fail(Request::Release, &[Fault::Unavailable, Fault::Unavailable]);
    let guard = lock.acquire().await.expect("it is free");
    assert_eq!(guard.release().await.expect("the third time"), Released::Released);
    assert_eq!((coordinator.count(Request::Release), coordinator.cancelled()), (3, 0));

    coordinator.fail(Request::Release, &[Fault::Unavailable; 3]);
    let error = lock.acquire().await.expect("it is free").release().await.expect_err("three times in vain");
    assert_eq!(error.kind(), &tenure::ErrorKind::Unavailable);
    assert_eq!(coordinator.cancelled(), 1);
    assert!(!lock.is_locked().await.expect("an answer"));
}

#[tokio::test]
async fn ten_thousand_guards_are_renewed_together_and_let_go_of_one_by_one() {
    let (tenure, coordinator, clock) = faulty();
    let mut guards = Vec::new();
    for number in 0..10_000 {
        guards.push(tenure.lock(format!("{number}")).acquire().await.expect("it is free"));
    }
    clock.advance(TTL / 3);
    settle().await;
    assert_eq!(coordinator.batches(), [10_000]);
    guards.drain(..).for_each(drop);
    pass(&clock, TTL).await;
    assert_eq!(coordinator.batches(), [10_000]);
    assert_eq!(coordinator.cancelled(), 10_000);
}

#[tokio::test]
async fn a_guard_that_was_seen_to_be_lost_stays_lost_whatever_is_answered_later() {
    let (tenure, coordinator, clock) = faulty();
    coordinator.fail(Request::Renew, &[Fault::AnsweredLate]);
    let guard = tenure.lock(KEY).acquire().await.expect("it is free");
    clock.advance(TTL / 3);
    settle().await;
    assert_eq!(coordinator.count(Request::Renew), 1);
    // The process stands still, and the answer comes before anything else does.
    clock.advance(BELIEVED - TTL / 3);
    coordinator.answer();
    assert!(guard.is_lost());
    settle().await;
    assert!(guard.is_lost() && guard.remaining().is_zero());
    assert_eq!(guard.lost().await, Loss::Expired);
}

#[tokio::test]
async fn a_renewal_that_is_answered_after_the_deadline_brings_nothing_back_though_nobody_has_looked() {
    let (tenure, coordinator, clock) = faulty();
    coordinator.fail(Request::Renew, &[Fault::AnsweredLate, Fault::AnsweredLate]);
    for looks in [false, true] {
        let guard = tenure.lock(KEY).acquire().await.expect("it is free");
        clock.advance(TTL / 3);
        settle().await;
        clock.advance(BELIEVED - TTL / 3);
        assert!(!looks || guard.remaining().is_zero());
        // The answer is there when the keeper looks for the first time after the deadline.
        coordinator.answer();
        settle().await;
        assert!(guard.is_lost() && guard.remaining().is_zero());
        assert_eq!(guard.lost().await, Loss::Expired);
        // It is not renewed for others to wait for.
        let renewals = coordinator.batches().len();
        pass(&clock, TTL).await;
        assert_eq!(coordinator.batches().len(), renewals);
    }
}

/// Counts nothing; who keeps it is counted.
struct Idle;

impl Wake for Idle {
    fn wake(self: Arc<Self>) {}
}

#[tokio::test]
async fn whoever_waits_for_the_loss_no_more_is_forgotten() {
    let (tenure, _clock) = client().await;
    let guard = tenure.lock(KEY).acquire().await.expect("it is free");
    let waiting: Vec<_> = (0..3).map(|_| Arc::new(Idle)).collect();
    let mut losses: Vec<_> = waiting.iter().map(|_| Box::pin(guard.lost())).collect();
    for _ in 0..2 {
        for (loss, idle) in losses.iter_mut().zip(&waiting) {
            let waker = Waker::from(Arc::clone(idle));
            assert!(loss.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
    }
    assert!(waiting.iter().all(|idle| Arc::strong_count(idle) > 1), "it is kept to be woken");
    drop(losses.remove(1));
    let kept: Vec<_> = waiting.iter().map(|idle| Arc::strong_count(idle) > 1).collect();
    assert_eq!(kept, [true, false, true]);
    // Those who are left hear of it.
    tenure.lock(KEY).steal("").await.expect("an answer");
    for loss in losses {
        assert_eq!(loss.await, Loss::Stolen { reason: "".into() });
    }
    assert!(waiting.iter().all(|idle| Arc::strong_count(idle) == 1));
}

#[test]
fn a_guard_whose_renewals_have_stopped_with_another_runtime_is_lost_in_time() {
    for ends in [true, false] {
        let [other, own] = [(); 2].map(|()| Builder::new_current_thread().build().expect("a runtime"));
        let clock = Clock::manual();
        let tenure = Tenure::builder().clock(clock.clone()).with_coordinator(NoOp::unlocked());
        // Renewals go on where the first was held. That ends, or stands still.
        let first = other.block_on(tenure.lock(KEY).acquire()).expect("it is free");
        let guard = own.block_on(tenure.lock(KEY).acquire()).expect("it is free");
        let other = Some(other).filter(|_| !ends);
        own.block_on(async {
            let lost = tokio::spawn(async move { guard.lost().await });
            settle().await;
            clock.advance(BELIEVED);
            assert_eq!(lost.await.expect("no panic"), Loss::Expired);
            if ends {
                let next = tenure.lock(KEY).acquire().await.expect("it is free");
                pass(&clock, TTL * 2).await;
                assert!(!next.is_lost(), "who holds next is renewed here");
            }
        });
        drop((first, other));
    }
}
