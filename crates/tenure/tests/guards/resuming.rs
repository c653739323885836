//! Going on after a crash.

use super::{Fault, KEY, Request, TTL, faulty};
use std::time::Duration;
use tenure::{Guard, Loss, Retry, Tenure, entropy};

/// Ends a program where it stands: its guard is never dropped, and never renewed again.
fn crash(guard: Guard, tenure: Tenure) {
    std::mem::forget((guard, tenure));
}

#[tokio::test]
async fn the_next_run_goes_on_with_what_the_last_one_held() {
    let world = "memory:the next run goes on";
    let id = entropy::claim_id();
    let first = Tenure::connect(world).await.expect("memory is there");
    let guard = first.lock(KEY).claim_id(id).acquire().await.expect("it is free");
    let fence = guard.fence();
    assert_eq!(guard.claim_id(), id);

    let next = Tenure::connect(world).await.expect("memory is there");
    assert!(next.lock(KEY).try_acquire().await.expect("an answer").is_none());
    let resumed = next.lock(KEY).claim_id(id).resume().await.expect("an answer").expect("it is there");
    assert_eq!(resumed.fence(), fence);
    // The first is not dead after all, and knows that it has it no more; its end is not that of the grant.
    assert_eq!(guard.lost().await, Loss::taken_over());
    drop(guard);
    assert!(!resumed.is_lost() && next.lock(KEY).is_locked().await.expect("an answer"));
    crash(resumed, first);
}

#[tokio::test]
async fn what_is_gone_is_none_and_nobody_waits() {
    let (tenure, _coordinator, clock) = faulty();
    let lock = tenure.lock(KEY).claim_id(entropy::claim_id()).ttl(Duration::from_secs(10));
    assert!(lock.resume().await.expect("an answer").is_none(), "it was never there");
    lock.acquire().await.expect("it is free").release().await.expect("it is there");
    assert!(lock.resume().await.expect("an answer").is_none(), "it was released");

    let (other, _, _) = faulty();
    crash(lock.acquire().await.expect("it is free"), other);
    clock.advance(Duration::from_secs(10));
    assert!(lock.resume().await.expect("an answer").is_none(), "its lease is over");
    let holder = tenure.lock(KEY).acquire().await.expect("it is free");
    assert!(lock.resume().await.expect("an answer").is_none(), "somebody else has it");
    drop(holder);
}

#[tokio::test]
async fn resuming_is_asked_for_again_and_leaves_to_the_lease_what_it_cannot_have() {
    let (tenure, coordinator, clock) = faulty();
    let lock = tenure.lock(KEY).claim_id(entropy::claim_id());
    let (other, _, _) = faulty();
    crash(lock.acquire().await.expect("it is free"), other);
    coordinator.fail(Request::Resume, &[Fault::Unavailable; 4]);
    assert!(lock.clone().retry(Retry::none()).resume().await.is_err());
    assert!(lock.resume().await.is_err());
    assert_eq!(coordinator.cancelled(), 0);
    let guard = lock.resume().await.expect("an answer").expect("it is there");
    assert_eq!(guard.remaining(), super::BELIEVED);
    super::pass(&clock, TTL * 2).await;
    assert!(!guard.is_lost());
}

#[tokio::test]
async fn who_asks_again_with_an_id_in_one_program_has_it_and_the_other_has_it_no_more() {
    let (tenure, _coordinator, _clock) = faulty();
    let lock = tenure.lock(KEY).claim_id(entropy::claim_id());
    let first = lock.acquire().await.expect("it is free");
    let second = lock.acquire().await.expect("it is its own");
    assert_eq!(first.fence(), second.fence());
    assert!(first.is_lost() && !second.is_lost());
    drop(first);
    assert!(!second.is_lost() && lock.is_locked().await.expect("an answer"));
    drop(second);
    assert!(!lock.is_locked().await.expect("an answer"));
}
