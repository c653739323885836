//! Asking for permits, and what may come of it.

use super::{Fault, KEY, Request, TTL, begin, client, faulty, settle};
use std::time::Duration;
use tenure::coordinator::NoOp;
use tenure::{Bond, Clock, Enqueued, Error, ErrorKind, Guard, Lock, Retry, Tenure};

const SECOND: Duration = Duration::from_secs(1);

fn kind<T: std::fmt::Debug>(answer: Result<T, Error>) -> ErrorKind {
    answer.expect_err("it cannot be had").kind().clone()
}

#[tokio::test]
async fn fences_rise_and_waiters_are_served_in_their_order() {
    let (tenure, _clock) = client().await;
    let lock = tenure.lock(KEY);
    let first = lock.acquire().await.expect("it is free");
    let (mut second, mut third) = (Box::pin(lock.acquire()), Box::pin(lock.acquire()));
    begin(&mut second).await;
    begin(&mut third).await;
    let fence = first.fence();
    drop(first);
    begin(&mut third).await;
    let second = second.await.expect("its turn");
    assert!(second.fence() > fence);
    drop(second);
    assert!(third.await.expect("its turn").fence() > fence);
}

#[tokio::test]
async fn what_is_not_free_is_none_or_contended_or_timed_out_as_was_asked() {
    let (tenure, clock) = client().await;
    let lock = tenure.lock(KEY);
    let guard = lock.acquire().await.expect("it is free");
    assert!(lock.try_acquire().await.expect("an answer").is_none());
    assert_eq!(kind(lock.clone().wait(Duration::ZERO).acquire().await), ErrorKind::Contended);
    assert_eq!(kind(lock.acquire_timeout(Duration::ZERO).await), ErrorKind::TimedOut);

    // What the lock says, or what is said at the time.
    for wait in [SECOND, TTL] {
        let waiting = lock.clone().wait(wait);
        let wait = tokio::spawn(async move {
            if wait == SECOND { waiting.acquire().await } else { waiting.acquire_timeout(SECOND).await }
        });
        settle().await;
        clock.advance(SECOND - Duration::from_nanos(1));
        settle().await;
        assert!(!wait.is_finished());
        clock.advance(Duration::from_nanos(1));
        let error = wait.await.expect("no panic").expect_err("it is held");
        assert_eq!(error.kind(), &ErrorKind::TimedOut);
        assert!(error.to_string().contains(KEY) && error.to_string().contains("1s"), "{error}");
    }
    let seen = lock.inspect().await.expect("an answer").expect("it is in use");
    assert_eq!((seen.queue_len, seen.holders_len), (0, 1));
    drop(guard);
}

#[tokio::test]
async fn what_makes_no_sense_is_invalid_and_nobody_is_asked() {
    let (tenure, coordinator, _clock) = faulty();
    let lock = || tenure.lock(KEY);
    let semaphore = |limit| tenure.semaphore(KEY, limit);
    let locks: Vec<(Lock, &str)> = vec![
        (tenure.lock(""), "at least one byte"),
        (tenure.lock("k".repeat(513)), "at most 512 bytes"),
        (lock().ttl(Duration::ZERO), "the ttl is 0ns"),
        (lock().ttl(Duration::from_secs(86_401)), "the ttl is 86401s"),
        (lock().renew_every(TTL), "renewing every 30s does not keep a lease of 30s"),
        (lock().renew_every(Duration::from_secs(29)), "more often than every 29s"),
        (lock().renew_every(Duration::ZERO), "renewing every 0ns"),
        (lock().label("l".repeat(257)), "at most 256 bytes"),
        (lock().bond(Bond::Lease), "Bond::Lease is for the line protocol"),
        (lock().claim_id(tenure::entropy::claim_id()).ttl(Duration::MAX), "the ttl"),
    ];
    for (lock, why) in locks {
        for answer in [
            lock.acquire().await.map(drop),
            lock.try_acquire().await.map(drop),
            lock.enqueue().await.map(drop),
        ] {
            let error = answer.expect_err(why);
            assert_eq!(error.kind(), &ErrorKind::Invalid, "{error}");
            assert!(error.to_string().contains(why), "{error}");
        }
    }
    assert_eq!(kind(semaphore(0).acquire().await), ErrorKind::Invalid);
    assert_eq!(kind(semaphore(2).permits(0).acquire().await), ErrorKind::Invalid);
    assert_eq!(kind(semaphore(2).acquire_many(3).await), ErrorKind::Invalid);
    assert_eq!(kind(lock().resume().await), ErrorKind::Invalid);
    assert_eq!(kind(lock().steal(&"r".repeat(257)).await), ErrorKind::Invalid);
    assert_eq!(kind(tenure.lock("").is_locked().await), ErrorKind::Invalid);
    assert_eq!((coordinator.count(Request::Enqueue), coordinator.cancelled()), (0, 0));
}

#[tokio::test]
async fn a_semaphore_gives_out_its_permits_and_no_more() {
    let (tenure, _clock) = client().await;
    let workers = tenure.semaphore("workers", 5);
    let two = workers.clone().permits(2).acquire().await.expect("they are free");
    let three = workers.acquire_many(3).await.expect("they are free");
    assert_eq!((two.permits(), three.permits()), (2, 3));
    assert_eq!(
        (workers.count().await.expect("an answer"), workers.available().await.expect("an answer")),
        (5, 0)
    );
    assert!(workers.is_locked().await.expect("an answer"));
    drop(three);
    assert!(!workers.is_locked().await.expect("an answer"));
    assert!(workers.try_acquire_many(4).await.expect("an answer").is_none());

    // While one waits for many, those who want few wait too.
    let mut many = Box::pin(workers.acquire_many(4));
    begin(&mut many).await;
    assert!(workers.is_locked().await.expect("an answer"));
    assert!(workers.try_acquire().await.expect("an answer").is_none());
    drop(two);
    assert_eq!(many.await.expect("its turn").permits(), 4);

    let limit = kind(tenure.semaphore("workers", 6).try_acquire().await);
    assert_eq!(limit, ErrorKind::LimitMismatch { limit: 5 });
}

#[tokio::test]
async fn readers_share_and_a_writer_is_alone_and_does_not_starve() {
    let (tenure, _clock) = client().await;
    let index = tenure.rw_lock("index");
    let (one, other) = (index.read().await.expect("free"), index.read().await.expect("shared"));
    assert!(index.try_write().await.expect("an answer").is_none());
    let mut writer = Box::pin(index.write());
    begin(&mut writer).await;
    assert!(
        index.try_read().await.expect("an answer").is_none(),
        "a reader who comes later waits for the writer"
    );
    drop((one, other));
    let writer = writer.await.expect("its turn");
    assert!(index.try_read().await.expect("an answer").is_none());
    assert!(index.reader().is_locked().await.expect("an answer"));
    assert_eq!(index.holders().await.expect("an answer").len(), 1);
    drop(writer);
    assert!(index.try_read().await.expect("an answer").is_some());
}

#[tokio::test]
async fn names_of_locks_semaphores_and_read_write_locks_never_meet() {
    let (tenure, _clock) = client().await;
    let held = (
        tenure.lock(KEY).try_acquire().await.expect("an answer").expect("free"),
        tenure.semaphore(KEY, 1).try_acquire().await.expect("an answer").expect("free"),
        tenure.rw_lock(KEY).try_write().await.expect("an answer").expect("free"),
    );
    assert_eq!(tenure.inspect(KEY).await.expect("an answer").len(), 3);
    drop(held);
}

#[tokio::test]
async fn asking_again_is_asking_once() {
    let (tenure, coordinator, _clock) = faulty();
    let lock = tenure.lock(KEY);
    for faults in
        [[Fault::Unavailable; 2], [Fault::Indeterminate; 2], [Fault::Unavailable, Fault::Indeterminate]]
    {
        coordinator.fail(Request::Enqueue, &faults);
        let guard =
            lock.try_acquire().await.expect("the third time").expect("it is its own claim that holds it");
        assert_eq!(lock.count().await.expect("an answer"), 1);
        drop(guard);
        assert!(!lock.is_locked().await.expect("an answer"));
    }
}

#[tokio::test]
async fn what_may_have_been_granted_to_whoever_gives_up_is_taken_back() {
    let (tenure, coordinator, _clock) = faulty();
    let lock = tenure.lock(KEY).retry(Retry::none());
    coordinator.fail(Request::Enqueue, &[Fault::Indeterminate]);
    assert_eq!(kind(lock.acquire().await), ErrorKind::Indeterminate);
    assert_eq!(coordinator.cancelled(), 1);
    assert!(!lock.is_locked().await.expect("an answer"));
    // What was refused was not done.
    coordinator.fail(Request::Enqueue, &[Fault::Denied]);
    assert_eq!(kind(lock.acquire().await), ErrorKind::Denied);
    assert_eq!(coordinator.cancelled(), 1);
}

#[tokio::test]
async fn a_future_that_is_dropped_leaves_nothing_behind() {
    let (tenure, coordinator, clock) = faulty();
    let lock = tenure.lock(KEY);
    let nobody = async || {
        let seen = lock.inspect().await.expect("an answer");
        seen.is_none_or(|seen| (seen.holders_len, seen.queue_len) == (0, 0))
    };
    for fault in [Fault::Late, Fault::AnsweredLate] {
        for request in [Request::Enqueue, Request::Renew, Request::Release] {
            coordinator.fail(request, &[fault]);
            // So that the lease is renewed before it is handed out.
            if request == Request::Renew {
                coordinator.fail(Request::Enqueue, &[Fault::Slow(TTL / 2)]);
            }
            let mut asking = Box::pin(async { lock.acquire().await.expect("it is free").release().await });
            begin(&mut asking).await;
            drop(asking);
            assert!(nobody().await, "{request:?} {fault:?}");
        }
    }
    // In line, and granted while nobody looks.
    let guard = lock.acquire().await.expect("it is free");
    let (mut waiting, mut granted) = (Box::pin(lock.acquire()), Box::pin(lock.acquire_timeout(TTL)));
    begin(&mut granted).await;
    begin(&mut waiting).await;
    drop(guard);
    drop((waiting, granted));
    assert!(nobody().await);
    clock.advance(TTL * 2);
    settle().await;
    assert!(nobody().await);
}

#[tokio::test]
async fn a_ttl_that_is_too_short_for_the_way_is_refused_with_the_numbers() {
    let (tenure, coordinator, _clock) = faulty();
    let lock = tenure.lock(KEY);
    let slow = Fault::Slow(Duration::from_secs(11));
    coordinator.fail(Request::Enqueue, &[slow]);
    coordinator.fail(Request::Renew, &[slow]);
    let error = lock.acquire().await.expect_err("it takes too long");
    assert_eq!(error.kind(), &ErrorKind::Invalid);
    assert!(error.to_string().contains("30s") && error.to_string().contains("11s"), "{error}");
    assert!(!lock.is_locked().await.expect("an answer"));
    // Once is an accident: the lease is renewed before it is handed out.
    coordinator.fail(Request::Enqueue, &[slow]);
    let guard = lock.acquire().await.expect("it is free");
    assert_eq!(guard.remaining(), super::BELIEVED);
}

#[tokio::test]
async fn a_turn_that_was_over_before_it_was_taken_is_waited_for_again() {
    let (tenure, coordinator, clock) = faulty();
    let lock = tenure.lock(KEY).retry(Retry::times(1).first(Duration::ZERO));
    let guard = lock.acquire().await.expect("it is free");
    let mut waiting = Box::pin(lock.acquire());
    begin(&mut waiting).await;
    drop(guard);
    // Its turn came while the program was stopped for longer than the lease.
    clock.advance(TTL);
    settle().await;
    let guard = waiting.await.expect("it is free again");
    assert!(!guard.is_lost());
    assert_eq!(coordinator.count(Request::Enqueue), 3);
}

#[tokio::test]
async fn keys_are_spread_over_all_coordinators_and_listed_together() {
    let clock = Clock::manual();
    let each = || tenure::coordinator::Local::open("", &clock, None).expect("a runtime") as _;
    let tenure = Tenure::builder().clock(clock.clone()).with_coordinators([each(), each(), each()]);
    let mut guards: Vec<Guard> = Vec::new();
    for number in 0..30 {
        guards.push(tenure.lock(format!("spread-{number}")).acquire().await.expect("it is free"));
    }
    let mut keys = tenure.list("spread-");
    let mut names = Vec::new();
    while let Some(key) = keys.next().await {
        names.push(key.expect("an answer").name);
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 30);
    assert_eq!(tenure.info().await.expect("an answer").len(), 3);

    let all_in_one =
        Tenure::builder().clock(clock.clone()).shard(|_, _| 1).with_coordinators([each(), each()]);
    let guard = all_in_one.lock(KEY).acquire().await.expect("it is free");
    drop(guard);
    let nowhere = Tenure::builder().shard(|_, addresses| addresses).with_coordinator(NoOp::unlocked());
    let error = nowhere.lock(KEY).acquire().await.expect_err("there is no such address");
    assert_eq!(error.kind(), &ErrorKind::Invalid);
    assert!(error.to_string().contains("address 1"), "{error}");
}

#[tokio::test]
async fn without_a_runtime_that_can_renew_nothing_is_held() {
    let tenure = Tenure::with_coordinator(NoOp::unlocked());
    let lock = tenure.lock(KEY);
    let answer = std::thread::spawn(move || {
        let mut asking = std::pin::pin!(lock.acquire());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        asking.as_mut().poll(&mut cx).map(|answer| answer.map(drop))
    });
    let std::task::Poll::Ready(answer) = answer.join().expect("no panic") else { panic!("nobody waits") };
    assert_eq!(kind(answer), ErrorKind::Invalid);
}

#[test]
fn a_client_is_renewed_in_the_runtime_that_uses_it_after_the_first_has_ended() {
    let (clock, runtime) = (Clock::manual(), || tokio::runtime::Builder::new_current_thread().build());
    let tenure = Tenure::builder().clock(clock.clone()).with_coordinator(NoOp::unlocked());
    for _ in 0..2 {
        runtime().expect("a runtime").block_on(async {
            let guard = tenure.lock(KEY).acquire().await.expect("it is free");
            super::pass(&clock, TTL * 2).await;
            assert!(!guard.is_lost());
        });
    }
}

#[tokio::test]
async fn a_coordinator_of_nothing_is_free_or_taken_for_everyone() {
    let free = Tenure::with_coordinator(NoOp::unlocked()).lock(KEY);
    let (one, other) = (free.acquire().await.expect("free"), free.acquire().await.expect("free"));
    assert!(other.fence() > one.fence() && one.token() != other.token());
    assert!(matches!(free.enqueue().await.expect("free"), Enqueued::Acquired(_)));
    assert!(!free.is_locked().await.expect("an answer"));
    assert!(one.release().await.is_ok());

    let taken = Tenure::with_coordinator(NoOp::locked()).lock(KEY);
    assert!(taken.is_locked().await.expect("an answer"));
    assert!(taken.try_acquire().await.expect("an answer").is_none());
    assert!(matches!(taken.enqueue().await.expect("an answer"), Enqueued::Queued(_)));
    assert_eq!(kind(taken.acquire_timeout(Duration::from_millis(1)).await), ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_client_of_no_coordinator_says_so_whatever_is_asked_for() {
    let tenure = Tenure::builder().shard(|key, addresses| key.len() % addresses).with_coordinators([]);
    assert_eq!(kind(tenure.lock(KEY).acquire().await), ErrorKind::Invalid);
    assert_eq!(kind(tenure.semaphore(KEY, 2).inspect().await), ErrorKind::Invalid);
    assert_eq!(kind(tenure.signal("a", "").await), ErrorKind::Invalid);
    assert_eq!(kind(tenure.listen("a", None).await), ErrorKind::Invalid);
    assert_eq!(kind(tenure.info().await), ErrorKind::Invalid);
    assert!(tenure.list("").next().await.is_none());
}

#[tokio::test]
async fn to_close_is_to_wait_until_all_have_heard_of_what_was_given_back() {
    let (tenure, coordinator, _clock) = faulty();
    drop(tenure.lock(KEY).acquire().await.expect("it is free"));
    coordinator.fail(Request::Info, &[Fault::Late, Fault::Unavailable]);
    let mut closing = Box::pin(tenure.clone().close());
    super::begin(&mut closing).await;
    assert_eq!((coordinator.cancelled(), coordinator.count(Request::Info)), (1, 1));
    coordinator.answer();
    closing.await.expect("an answer");
    assert_eq!(kind(tenure.close().await), ErrorKind::Unavailable);
    assert_eq!(coordinator.count(Request::Info), 2, "it is asked once");
}
