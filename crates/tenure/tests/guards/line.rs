//! Places in line.

use super::{Fault, KEY, Request, TTL, client, faulty, settle};
use std::time::Duration;
use tenure::{Enqueued, ErrorKind, Lock, Ticket};

async fn ticket(lock: &Lock) -> Ticket {
    match lock.enqueue().await.expect("an answer") {
        Enqueued::Queued(ticket) => ticket,
        Enqueued::Acquired(guard) => unreachable!("{guard:?} is not a place in line"),
    }
}

#[tokio::test]
async fn what_is_free_is_held_and_what_is_not_is_a_place_in_line() {
    let (tenure, _clock) = client().await;
    let lock = tenure.lock(KEY);
    let Enqueued::Acquired(guard) = lock.enqueue().await.expect("an answer") else { panic!("it is free") };
    let (first, second) = (ticket(&lock).await, ticket(&lock).await);
    assert_eq!((first.key(), first.position().await.expect("an answer")), (KEY.as_bytes(), Some(0)));
    assert_eq!(second.position().await.expect("an answer"), Some(1));
    drop(first);
    assert_eq!(second.position().await.expect("an answer"), Some(0));
    drop(guard);
    assert_eq!(second.position().await.expect("an answer"), None);
    second.wait(None).await.expect("its turn").release().await.expect("it is there");
    assert!(!lock.is_locked().await.expect("an answer"));
}

#[tokio::test]
async fn a_place_in_line_is_waited_for_as_long_as_was_said_and_then_left() {
    let (tenure, clock) = client().await;
    let lock = tenure.lock(KEY);
    let guard = lock.acquire().await.expect("it is free");
    let waiting = ticket(&lock).await;
    let wait = tokio::spawn(waiting.wait(Duration::from_secs(5)));
    settle().await;
    clock.advance(Duration::from_secs(5));
    let error = wait.await.expect("no panic").expect_err("it is held");
    assert_eq!(error.kind(), &ErrorKind::TimedOut);
    assert_eq!(lock.inspect().await.expect("an answer").expect("in use").queue_len, 0);
    drop(guard);
}

#[tokio::test]
async fn whoever_wants_hears_of_every_step_forward() {
    let (tenure, _clock) = client().await;
    let lock = tenure.lock(KEY);
    let guard = lock.acquire().await.expect("it is free");
    let (first, second, third) = (ticket(&lock).await, ticket(&lock).await, ticket(&lock).await);
    let mut positions = third.positions().await.expect("an answer");
    assert_eq!(positions.next().await, Some(2));
    drop(second);
    assert_eq!(positions.next().await, Some(1));
    drop(guard);
    assert_eq!(positions.next().await, Some(0));
    drop(first);
    assert_eq!(positions.next().await, None, "its turn has come");
    third.wait(None).await.expect("its turn").release().await.expect("it is there");
}

#[tokio::test]
async fn whoever_hears_of_a_place_that_is_given_up_hears_the_end() {
    let (tenure, _clock) = client().await;
    let lock = tenure.lock(KEY);
    let guard = lock.acquire().await.expect("it is free");
    let waiting = ticket(&lock).await;
    let mut positions = waiting.positions().await.expect("an answer");
    assert_eq!(positions.next().await, Some(0));
    let end = tokio::spawn(async move { positions.next().await });
    settle().await;
    drop(waiting);
    assert_eq!(end.await.expect("no panic"), None);
    drop(guard);
}

#[tokio::test]
async fn a_turn_that_nobody_takes_goes_to_the_next() {
    let (tenure, clock) = client().await;
    let lock = tenure.lock(KEY);
    let guard = lock.acquire().await.expect("it is free");
    let (slow, next) = (ticket(&lock).await, ticket(&lock).await);
    drop(guard);
    clock.advance(TTL);
    settle().await;
    let next = next.wait(None).await.expect("its turn");
    let error = slow.wait(None).await.expect_err("it came too late");
    assert!(matches!(error.kind(), ErrorKind::Lost(_)), "{error}");
    assert!(!next.is_lost());
}

#[tokio::test]
async fn a_turn_that_is_taken_late_starts_its_lease_anew() {
    let (tenure, coordinator, clock) = faulty();
    let lock = tenure.lock(KEY);
    let guard = lock.acquire().await.expect("it is free");
    let waiting = ticket(&lock).await;
    drop(guard);
    clock.advance(TTL / 2);
    let guard = waiting.wait(None).await.expect("its turn");
    assert_eq!((coordinator.count(Request::Renew), guard.remaining()), (1, super::BELIEVED));
}

#[tokio::test]
async fn a_wait_whose_answer_is_lost_is_asked_for_again() {
    let (tenure, coordinator, _clock) = faulty();
    let lock = tenure.lock(KEY);
    let guard = lock.acquire().await.expect("it is free");
    let waiting = ticket(&lock).await;
    coordinator.fail(Request::Wait, &[Fault::Unavailable, Fault::Indeterminate]);
    drop(guard);
    assert!(!waiting.wait(None).await.expect("its turn").is_lost());
}

#[tokio::test]
async fn to_try_with_the_id_of_a_ticket_is_to_leave_the_line_and_the_ticket_hears_of_it() {
    let (tenure, _clock) = client().await;
    let holder = tenure.lock(KEY).acquire().await.expect("it is free");
    let lock = tenure.lock(KEY).claim_id(tenure::entropy::claim_id());
    let waiting = tokio::spawn(ticket(&lock).await.wait(None));
    settle().await;
    assert!(lock.try_acquire().await.expect("an answer").is_none());
    let error = waiting.await.expect("no panic").expect_err("its place is lost");
    assert!(matches!(error.kind(), ErrorKind::Lost(_)), "{error}");
    assert_eq!(lock.inspect().await.expect("an answer").expect("in use").queue_len, 0);
    // Whoever asks once more with the id has a place again.
    let again = ticket(&lock).await;
    drop(holder);
    assert!(!again.wait(None).await.expect("its turn").is_lost());
}
