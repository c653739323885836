//! Leases that end once.

use crate::bed::{Bed, SHORT, lock, soon};
use std::sync::Arc;
use tenure::Loss;
use tenure::coordinator::Claim;
use tenure::coordinator::{Coordinator, Released, Renewal, Renewed};

super::cases! {
    a_lease_that_nobody_renews_ends_and_the_next_has_the_key: "a lease ends by itself";
    the_holder_stops_believing_before_the_next_is_granted: "belief ends first";
    a_renewed_lease_lasts: "renewal";
    a_lease_that_ended_is_not_renewed: "a lease never comes back";
    a_lease_that_ended_does_not_end_a_later_claim_of_the_same_id: "news is about one grant";
    many_leases_are_renewed_at_once: "batches";
    a_grant_that_came_in_line_counts_its_lease_from_its_turn: "a wait does not use up the lease";
}

async fn renew(client: &dyn Coordinator, claims: &[&Arc<Claim>]) -> Vec<Renewed> {
    let mut renewals: Vec<Renewal> =
        claims.iter().map(|claim| Renewal { claim: Arc::clone(claim), outcome: None }).collect();
    client.renew(&mut renewals).await.expect("asked");
    renewals.into_iter().map(|renewal| renewal.outcome.expect("an answer").expect("no failure")).collect()
}

async fn a_lease_that_nobody_renews_ends_and_the_next_has_the_key(bed: Bed) {
    let (client, other) = (bed.client().await, bed.client().await);
    let (held, behind) = (lock("k").ttl(SHORT).claim(), lock("k").claim());
    client.acquire(&held).await;
    other.queue(&behind).await;
    other.turn(&behind).await;
    assert!(matches!(soon(held.ended()).await, Loss::Lapsed));
    assert_eq!(client.release(&held).await.expect("asked"), Released::Gone);
    assert!(!behind.is_lost(), "the release of the dead hurts nobody");
}

async fn the_holder_stops_believing_before_the_next_is_granted(bed: Bed) {
    let (client, other) = (bed.client().await, bed.client().await);
    for _ in 0..5 {
        let (held, behind) = (lock("k").ttl(SHORT).claim(), lock("k").claim());
        let grant = client.acquire(&held).await;
        other.queue(&behind).await;
        other.turn(&behind).await;
        let granted = other_now(&behind);
        assert!(held.is_lost());
        assert!(granted > grant.deadline(), "two believed");
        other.release(&behind).await.expect("asked");
    }
}

fn other_now(claim: &Claim) -> tenure::Instant {
    claim.clock().now()
}

async fn a_renewed_lease_lasts(bed: Bed) {
    let client = bed.client().await;
    let ttl = SHORT * 4;
    let claim = lock("k").ttl(ttl).claim();
    let grant = client.acquire(&claim).await;
    let clock = claim.clock().clone();
    while clock.now() < grant.base.after(ttl * 2) {
        let renewed = renew(&*client, &[&claim]).await;
        let [Renewed::From { base, ttl: renewed_for }] = renewed[..] else {
            panic!("it was held: {renewed:?}")
        };
        assert_eq!(renewed_for, ttl);
        claim.renewed(base, ttl);
        assert!(!claim.is_lost());
        clock.sleep(ttl / 8).await;
    }
    assert_eq!(client.release(&claim).await.expect("asked"), Released::Released);
}

async fn a_lease_that_ended_is_not_renewed(bed: Bed) {
    let client = bed.client().await;
    let claim = lock("k").ttl(SHORT).claim();
    client.acquire(&claim).await;
    soon(claim.ended()).await;
    assert_eq!(renew(&*client, &[&claim]).await, [Renewed::Gone]);
}

async fn a_lease_that_ended_does_not_end_a_later_claim_of_the_same_id(bed: Bed) {
    let (client, other) = (bed.client().await, bed.client().await);
    for _ in 0..10 {
        let earlier = lock("k").ttl(SHORT / 8).claim();
        let grant = client.acquire(&earlier).await;
        // As near to the end of the lease as can be: the news of it and the later claim meet.
        earlier.clock().sleep_until(grant.base.after(SHORT / 8)).await;
        let later = lock("k").id(earlier.id()).claim();
        client.acquire(&later).await;
        assert!(other.is_busy(&lock("k").claim()).await);
        assert!(!later.has_ended(), "it was told of the end of another");
        assert_eq!(client.release(&later).await.expect("asked"), Released::Released);
    }
}

async fn many_leases_are_renewed_at_once(bed: Bed) {
    let client = bed.client().await;
    let claims: Vec<Arc<Claim>> = (0..500).map(|number| lock(&format!("k{number}")).claim()).collect();
    for claim in &claims {
        client.acquire(claim).await;
    }
    client.release(&claims[3]).await.expect("asked");
    let renewed = renew(&*client, &claims.iter().collect::<Vec<_>>()).await;
    let gone: Vec<usize> = renewed
        .iter()
        .enumerate()
        .filter(|(_, renewed)| **renewed == Renewed::Gone)
        .map(|(at, _)| at)
        .collect();
    assert_eq!(gone, [3]);
}

async fn a_grant_that_came_in_line_counts_its_lease_from_its_turn(bed: Bed) {
    let (client, other) = (bed.client().await, bed.client().await);
    let (held, behind) = (lock("k").claim(), lock("k").ttl(SHORT * 3).claim());
    client.acquire(&held).await;
    other.queue(&behind).await;
    held.clock().sleep(SHORT * 4).await;
    client.release(&held).await.expect("asked");
    other.turn(&behind).await;
    assert_eq!(renew(&*other, &[&behind]).await.len(), 1);
    assert_eq!(other.release(&behind).await.expect("asked"), Released::Released);
}
