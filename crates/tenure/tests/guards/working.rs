//! Work that is done while holding a lock.

use super::{BELIEVED, Fault, KEY, Request, begin, client, faulty, loss, settle};
use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;
use tenure::{Lock, Loss};

/// Says that it was dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

async fn is_free(lock: &Lock) -> bool {
    lock.try_acquire().await.expect("an answer").is_some()
}

#[tokio::test]
async fn the_result_comes_back_and_the_lock_is_free_whatever_the_result() {
    let (tenure, _clock) = client().await;
    let lock = tenure.lock(KEY);
    let fence = lock.with_lock(async |guard| {
        assert!(!is_free(&lock).await, "it is held meanwhile");
        guard.fence()
    });
    assert!(fence.await.expect("it is free").get() > 0);
    assert!(is_free(&lock).await);

    let failed: Result<(), &str> = lock.with_lock(async |_| Err("out of paper")).await.expect("it is free");
    assert_eq!(failed, Err("out of paper"));
    assert!(is_free(&lock).await);
}

#[tokio::test]
async fn work_that_panics_releases() {
    let (tenure, _clock) = client().await;
    let lock = tenure.lock(KEY);
    let working = lock.clone();
    let panicked = tokio::spawn(async move {
        let work = working.with_lock(async |_| {
            tokio::task::yield_now().await;
            panic!("on purpose")
        });
        work.await.map(|(): ()| ())
    });
    assert!(panicked.await.expect_err("it panics").is_panic());
    assert!(is_free(&lock).await);
}

#[tokio::test]
async fn work_that_is_cancelled_releases() {
    let (tenure, _clock) = client().await;
    let lock = tenure.lock(KEY);
    let dropped = Arc::new(AtomicBool::new(false));
    let seen = Dropped(Arc::clone(&dropped));
    let mut work = Box::pin(lock.with_lock(async move |_| {
        let _seen = seen;
        pending::<()>().await;
    }));
    begin(&mut work).await;
    assert!(!is_free(&lock).await);
    drop(work);
    assert!(dropped.load(Ordering::SeqCst));
    assert!(is_free(&lock).await);
}

#[tokio::test]
async fn work_is_dropped_where_it_stands_when_the_lock_is_stolen() {
    let (tenure, _clock) = client().await;
    let lock = tenure.lock(KEY);
    let dropped = Arc::new(AtomicBool::new(false));
    let (working, seen) = (lock.clone(), Dropped(Arc::clone(&dropped)));
    let work = tokio::spawn(async move {
        let work = working.with_lock(async move |_| {
            let _seen = seen;
            pending::<()>().await;
        });
        work.await
    });
    settle().await;
    assert_eq!(lock.steal("maintenance").await.expect("an answer"), 1);
    let error = work.await.expect("no panic").expect_err("it was lost");
    assert_eq!(loss(&error), Some(&Loss::Stolen { reason: "maintenance".into() }));
    assert!(dropped.load(Ordering::SeqCst));
    assert!(is_free(&lock).await);
}

#[tokio::test]
async fn work_takes_no_step_after_the_lease_is_over_even_when_nobody_else_has_noticed() {
    let (tenure, clock) = client().await;
    let lock = tenure.lock(KEY);
    let mut work = Box::pin(lock.with_lock(async |_| {
        let mut polled = false;
        poll_fn::<(), _>(|_| {
            assert!(!polled, "a step after the lease was over");
            polled = true;
            Poll::Pending
        })
        .await;
    }));
    // Nobody else runs between the two steps.
    let steps = poll_fn(|cx| {
        assert!(work.as_mut().poll(cx).is_pending());
        clock.advance(BELIEVED);
        work.as_mut().poll(cx)
    });
    assert_eq!(loss(&steps.await.expect_err("it was lost")), Some(&Loss::Expired));
    assert!(is_free(&lock).await);
}

#[tokio::test]
async fn work_that_was_done_is_done_though_the_release_fails() {
    let (tenure, coordinator, _clock) = faulty();
    let lock = tenure.lock(KEY);
    coordinator.fail(Request::Release, &[Fault::Unavailable]);
    assert_eq!(lock.with_lock(async |_| 7).await.expect("it was done"), 7);
    assert_eq!((coordinator.count(Request::Release), coordinator.cancelled()), (1, 1));
    assert!(is_free(&lock).await);
}

#[tokio::test]
async fn work_that_waits_for_nobody_is_done_only_if_the_lock_is_free() {
    let (tenure, _clock) = client().await;
    let lock = tenure.lock(KEY);
    assert_eq!(lock.with_lock_if_available(async |_| 7).await.expect("an answer"), Some(7));
    let guard = lock.acquire().await.expect("it is free");
    let done = lock.with_lock_if_available(async |_| panic!("it is held")).await.expect("an answer");
    assert_eq!(done.map(|(): ()| ()), None);
    guard.release().await.expect("it is there");
}

#[tokio::test]
async fn who_asks_twice_waits_behind_itself() {
    let (tenure, _clock) = client().await;
    let lock = tenure.lock(KEY);
    let again = lock.with_lock(async |_| {
        let error =
            lock.clone().wait(Duration::ZERO).acquire().await.expect_err("it is held, by this very work");
        error.kind().clone()
    });
    assert_eq!(again.await.expect("it was done"), tenure::ErrorKind::Contended);
}
