//! Elections.

use super::{Fault, Request};
use super::{KEY, TTL, client, faulty, settle};
use std::time::Duration;
use tenure::{Fence, Leader};

/// Who leads, and with which fence.
fn told(leader: Option<Option<Leader>>) -> (String, Fence) {
    let leader = leader.flatten().expect("somebody leads");
    (leader.value.into(), leader.fence)
}

#[tokio::test]
async fn leaders_follow_each_other_and_everyone_sees_who_leads() {
    let (tenure, _clock) = client().await;
    let election = tenure.election(KEY);
    assert_eq!(election.leader().await.expect("an answer"), None);
    let mut leaders = election.observe().await.expect("an answer");
    assert_eq!(leaders.next().await, Some(None));

    let first = election.campaign("first").await.expect("nobody leads");
    let (next, heir) = (election.clone(), election.clone());
    let next = tokio::spawn(async move { next.campaign("second").await });
    settle().await;
    assert_eq!(told(leaders.next().await), ("first".to_owned(), first.fence()));
    assert_eq!((first.value(), first.key()), ("first", KEY.as_bytes()));
    first.resign().await.expect("it led");
    let second = next.await.expect("no panic").expect("its turn");
    assert_eq!(leaders.next().await, Some(None));
    let leader = heir.leader().await.expect("an answer");
    assert_eq!(leaders.next().await, Some(leader.clone()));
    assert_eq!(told(Some(leader)), ("second".to_owned(), second.fence()));
    // It is the lock of that name and nothing else.
    assert!(tenure.lock(KEY).try_acquire().await.expect("an answer").is_none());
}

#[tokio::test]
async fn a_leader_that_dies_is_succeeded_when_its_lease_ends() {
    let (tenure, clock) = client().await;
    let election = tenure.election(KEY).ttl(Duration::from_secs(10));
    let mut leaders = election.observe().await.expect("an answer");
    assert_eq!(leaders.next().await, Some(None));
    let dead = election.campaign("dead").await.expect("nobody leads");
    assert_eq!(leaders.next().await.flatten().expect("it leads").value.as_ref(), "dead");
    let heir = election.clone();
    let heir = tokio::spawn(async move { heir.campaign("heir").await });
    settle().await;
    // Nothing runs for as long as the lease is, so nothing is renewed.
    clock.advance(Duration::from_secs(10));
    assert!(dead.is_lost());
    let heir = heir.await.expect("no panic").expect("its turn");
    assert!(heir.fence() > dead.fence());
    assert_eq!(leaders.next().await, Some(None));
    assert_eq!(leaders.next().await.flatten().expect("it leads").value.as_ref(), "heir");
}

#[tokio::test]
async fn whoever_comes_late_sees_the_leader_and_nobody_from_before() {
    let (tenure, coordinator, clock) = faulty();
    let election = tenure.election(KEY);
    let mut leaders = election.observe().await.expect("an answer");
    for name in ["one", "two", "three"] {
        election.campaign(name).await.expect("nobody leads").resign().await.expect("it led");
    }
    // It looks for the first time now; what happened before is told afterwards, and is not news.
    assert_eq!(leaders.next().await, Some(None));
    let four = election.campaign("four").await.expect("nobody leads");
    assert_eq!(told(leaders.next().await), ("four".to_owned(), four.fence()));

    coordinator.fail(Request::Inspect, &[Fault::Unavailable; 3]);
    let mut late = election.observe().await.expect("an answer");
    let late = tokio::spawn(async move { late.next().await });
    settle().await;
    assert!(!late.is_finished());
    clock.advance(Duration::from_secs(1));
    assert_eq!(late.await.expect("no panic").flatten().expect("it leads").fence, four.fence());
}

#[tokio::test]
async fn whoever_stands_no_more_is_not_elected() {
    let (tenure, clock) = client().await;
    let election = tenure.election(KEY);
    let leader = election.campaign("leader").await.expect("nobody leads");
    let mut standing = Box::pin(election.campaign("hesitant"));
    super::begin(&mut standing).await;
    drop(standing);
    drop(leader);
    assert_eq!(election.leader().await.expect("an answer"), None);
    let error = election.campaign("v".repeat(257)).await.expect_err("too long");
    assert_eq!(error.kind(), &tenure::ErrorKind::Invalid);
    clock.advance(TTL);
}
