//! What others see.

use super::{KEY, TTL, client, settle};
use std::time::Duration;
use tenure::coordinator::{NoOp, Seen};
use tenure::{Ending, Happened, Space, Tenure};

async fn next(watch: &mut tenure::Watch) -> Happened {
    let Seen::Observed(seen) = watch.next().await.expect("there is more") else {
        unreachable!("nothing was missed")
    };
    seen.happened
}

#[tokio::test]
async fn holders_are_seen_with_their_labels_and_how_long_they_have() {
    let clock = tenure::Clock::manual();
    let builder = Tenure::builder().clock(clock.clone()).label("the client");
    let tenure = builder.connect("memory:").await.expect("memory is there");
    let plain = tenure.semaphore("workers", 3).acquire().await.expect("free");
    let named = tenure.semaphore("workers", 3).label("the second").acquire_many(2).await.expect("free");
    clock.advance(Duration::from_secs(4));
    let holders = tenure.semaphore("workers", 3).holders().await.expect("an answer");
    let seen: Vec<_> = holders
        .iter()
        .map(|holder| {
            let note = holder.note.as_ref().expect("a note");
            assert_eq!(note.pid, std::process::id());
            assert!(!note.host.is_empty());
            (&*note.label, holder.fence, holder.permits, holder.since, holder.remaining)
        })
        .collect();
    let (since, left) = (Duration::from_secs(4), TTL - Duration::from_secs(4));
    assert_eq!(
        seen,
        [("the client", plain.fence(), 1, since, left), ("the second", named.fence(), 2, since, left),]
    );
    let found = tenure.inspect("workers").await.expect("an answer");
    assert_eq!(found.iter().map(|(space, _)| *space).collect::<Vec<_>>(), [Space::Semaphore]);
    assert_eq!(tenure.lock("workers").inspect().await.expect("an answer"), None);
}

#[tokio::test]
async fn a_watcher_sees_everything_in_its_order() {
    let (tenure, clock) = client().await;
    let lock = tenure.lock(KEY);
    let mut watch = lock.watch().await.expect("an answer");
    let first = lock.acquire().await.expect("it is free");
    let granted = |fence| Happened::Granted { fence, note: None };
    assert!(matches!(next(&mut watch).await, Happened::Granted { fence, .. } if fence == first.fence()));
    let mut waiting = Box::pin(lock.acquire());
    super::begin(&mut waiting).await;
    assert_eq!(next(&mut watch).await, Happened::Queue);
    let fence = first.fence();
    lock.steal("maintenance").await.expect("an answer");
    let ended = Happened::Ended { fence, ending: Ending::Stolen, reason: "maintenance".into() };
    assert_eq!(next(&mut watch).await, ended);
    let second = waiting.await.expect("its turn");
    assert_ne!(granted(second.fence()), granted(fence));
    assert!(matches!(next(&mut watch).await, Happened::Granted { fence, .. } if fence == second.fence()));
    clock.advance(TTL);
    settle().await;
    assert!(matches!(next(&mut watch).await, Happened::Ended { ending: Ending::Lapsed, .. }));
}

#[tokio::test]
async fn signals_reach_one_of_a_group_and_everyone_without() {
    let (tenure, _clock) = client().await;
    let mut alone = tenure.listen("orders.>", None).await.expect("a pattern");
    let mut first = tenure.listen("orders.*", Some(b"workers")).await.expect("a pattern");
    let mut second = tenure.listen("orders.*", Some(b"workers")).await.expect("a pattern");
    for number in 0..4 {
        assert_eq!(tenure.signal("orders.new", format!("{number}")).await.expect("an answer"), 2);
    }
    for _ in 0..2 {
        assert_eq!(first.next().await.expect("a signal").channel, b"orders.new");
        assert_eq!(second.next().await.expect("a signal").channel, b"orders.new");
    }
    for number in 0..4 {
        assert_eq!(alone.next().await.expect("a signal").payload, format!("{number}").into_bytes());
    }
    assert!(tenure.signal("no channel", "").await.is_err());
    assert!(tenure.listen("", None).await.is_err());
}

#[tokio::test]
async fn streams_of_a_coordinator_that_ends_end() {
    let tenure = Tenure::with_coordinator(NoOp::locked());
    assert!(tenure.lock(KEY).watch().await.expect("an answer").next().await.is_none());
    assert!(tenure.listen("a", None).await.expect("an answer").next().await.is_none());
    assert!(tenure.list("").next().await.is_none());
}

#[tokio::test]
async fn a_url_that_is_not_known_says_what_is() {
    let error = Tenure::connect("redis://localhost").await.expect_err("it is not known");
    assert_eq!(error.kind(), &tenure::ErrorKind::Invalid);
    assert!(error.to_string().contains("memory:") && error.to_string().contains("tenures://"), "{error}");
    let error = Tenure::builder().label("l".repeat(257)).connect("memory:").await.expect_err("too long");
    assert_eq!(error.kind(), &tenure::ErrorKind::Invalid);
}

#[tokio::test]
async fn nothing_secret_is_printed() {
    let (tenure, _clock) = client().await;
    let id = tenure::ClaimId::new(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    let lock = tenure.lock(KEY).claim_id(id);
    let guard = lock.acquire().await.expect("it is free");
    for printed in [format!("{lock:?}"), format!("{guard:?}")] {
        assert!(!printed.contains("89abcdef") && !printed.contains(&id.get().to_string()), "{printed}");
        assert!(printed.contains("Lock") && printed.contains(KEY), "{printed}");
    }
}
