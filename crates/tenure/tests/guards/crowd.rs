//! Many at once, on several threads.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use tenure::{Enqueued, Error, Guard, Lock, RwLock, Semaphore, Tenure, Ticket};

/// Goes so many steps with a future at most; what it was ready with, if it got there.
async fn steps<T>(mut future: Pin<Box<dyn Future<Output = T> + Send + '_>>, most: u32) -> Option<T> {
    if most == u32::MAX {
        return Some(future.await);
    }
    let mut taken = 0;
    poll_fn(|cx| {
        if taken == most {
            return Poll::Ready(None);
        }
        taken += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    })
    .await
}

/// What is protected: who is in, and the highest fence that was seen.
#[derive(Default)]
struct Inside {
    permits: AtomicU32,
    fence: AtomicU64,
}

async fn visit(inside: &Inside, guard: Guard, limit: u32) {
    let before = inside.permits.fetch_add(guard.permits(), Ordering::SeqCst);
    assert!(before + guard.permits() <= limit, "more are in than may be");
    if limit == 1 {
        assert!(inside.fence.fetch_max(guard.fence().get(), Ordering::SeqCst) < guard.fence().get());
    }
    tokio::task::yield_now().await;
    assert!(!guard.is_lost());
    inside.permits.fetch_sub(guard.permits(), Ordering::SeqCst);
    if fastrand::bool() {
        drop(guard);
    } else {
        steps(Box::pin(guard.release()), fastrand::u32(0..3)).await;
    }
}

/// Asks in one way or another, and gives up at some point or does not.
async fn ask(semaphore: &Semaphore, permits: u32) -> Option<Guard> {
    let most = if fastrand::bool() { fastrand::u32(0..6) } else { u32::MAX };
    let asked = match fastrand::u8(0..4) {
        0 => steps(Box::pin(semaphore.acquire_many(permits)), most).await?,
        1 => steps(Box::pin(semaphore.acquire_timeout(Duration::from_millis(1))), most).await?,
        2 => return steps(Box::pin(semaphore.try_acquire_many(permits)), most).await?.expect("an answer"),
        _ => match steps(Box::pin(semaphore.enqueue()), most).await?.expect("an answer") {
            Enqueued::Acquired(guard) => Ok(guard),
            Enqueued::Queued(ticket) => steps(Box::pin(ticket.wait(None)), most).await?,
        },
    };
    asked.ok()
}

async fn crowd(limit: u32) {
    let tenure = Tenure::connect(&format!("memory:a crowd of {limit}")).await.expect("memory is there");
    let (semaphore, inside) = (tenure.semaphore("workers", limit), Arc::new(Inside::default()));
    let tasks = (0..16).map(|_| {
        let (semaphore, inside) = (semaphore.clone(), Arc::clone(&inside));
        tokio::spawn(async move {
            for _ in 0..200 {
                if let Some(guard) = ask(&semaphore, fastrand::u32(1..=limit)).await {
                    visit(&inside, guard, limit).await;
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
    let seen = semaphore.inspect().await.expect("an answer").expect("it was in use");
    assert_eq!((seen.held, seen.holders_len, seen.queue_len), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_gives_up_at_whatever_point_leaves_nothing_behind() {
    crowd(1).await;
    crowd(3).await;
}

#[test]
fn everything_can_be_sent_to_other_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    fn sent<T: Send>(_: impl Fn(&'static Lock) -> T) {}
    shared::<Tenure>();
    shared::<(Lock, Semaphore, RwLock, tenure::Election)>();
    shared::<(Guard, Ticket, Enqueued, tenure::Leadership, Error)>();
    sent(|lock| lock.acquire());
    sent(|lock| lock.acquire_timeout(Duration::ZERO));
    sent(|lock| lock.resume());
    sent(|lock| lock.enqueue());
    sent(|lock| lock.steal(""));
    sent(|lock| lock.with_lock(async |guard| guard.lost().await));
    sent(|lock| lock.with_lock(|guard: &Guard| std::future::ready(guard.fence())));
}
