//! Taking away.

use crate::bed::{Bed, key, lock, semaphore, soon};
use tenure::Loss;
use tenure::coordinator::Released;

super::cases! {
    a_stolen_grant_is_lost_at_once_and_its_owner_reads_why: "steal";
    the_line_goes_on_after_a_theft: "steal does not barge";
    one_grant_of_many_can_be_stolen: "steal by fence";
    a_turn_that_is_stolen_before_it_is_taken_is_told: "no waiter waits for what is over";
    stealing_what_nobody_holds_takes_nothing: "steal of nothing";
}

async fn a_stolen_grant_is_lost_at_once_and_its_owner_reads_why(bed: Bed) {
    let (holder, thief) = (bed.client().await, bed.client().await);
    let claim = lock("k").claim();
    holder.acquire(&claim).await;
    assert_eq!(thief.steal(key("k"), None, "it hangs").await.expect("asked"), 1);
    assert_eq!(soon(claim.ended()).await, Loss::Stolen { reason: "it hangs".into() });
    assert_eq!(holder.release(&claim).await.expect("asked"), Released::Gone);
}

async fn the_line_goes_on_after_a_theft(bed: Bed) {
    let (holder, waiter, thief) = (bed.client().await, bed.client().await, bed.client().await);
    let (held, first, second) = (lock("k").claim(), lock("k").claim(), lock("k").claim());
    holder.acquire(&held).await;
    waiter.queue(&first).await;
    thief.queue(&second).await;
    thief.steal(key("k"), None, "").await.expect("asked");
    waiter.turn(&first).await;
    assert_eq!(thief.position(&second).await.expect("asked"), Some(0));
}

async fn one_grant_of_many_can_be_stolen(bed: Bed) {
    let client = bed.client().await;
    let claims = [semaphore("s", 3).claim(), semaphore("s", 3).claim(), semaphore("s", 3).claim()];
    let mut fences = Vec::new();
    for claim in &claims {
        fences.push(client.acquire(claim).await.token.fence);
    }
    assert_eq!(client.steal(claims[1].key(), Some(fences[1]), "one").await.expect("asked"), 1);
    soon(claims[1].ended()).await;
    assert!(!claims[0].is_lost() && !claims[2].is_lost());
    assert_eq!(client.steal(claims[1].key(), None, "all").await.expect("asked"), 2);
}

async fn a_turn_that_is_stolen_before_it_is_taken_is_told(bed: Bed) {
    let (client, thief) = (bed.client().await, bed.client().await);
    for _ in 0..20 {
        let (held, behind) = (lock("k").claim(), lock("k").claim());
        client.acquire(&held).await;
        client.queue(&behind).await;
        let (_, stolen) = tokio::join!(client.release(&held), thief.steal(key("k"), None, "now"));
        stolen.expect("asked");
        // It has its turn and loses it, or is next in line; whichever it is, it hears.
        if let Ok(grant) = soon(client.wait(&behind)).await {
            thief.steal(key("k"), Some(grant.token.fence), "then").await.expect("asked");
        }
        assert!(matches!(soon(behind.ended()).await, Loss::Stolen { .. }));
    }
}

async fn stealing_what_nobody_holds_takes_nothing(bed: Bed) {
    let client = bed.client().await;
    assert_eq!(client.steal(key("k"), None, "why").await.expect("asked"), 0);
    let claim = lock("k").claim();
    let fence = client.acquire(&claim).await.token.fence;
    let other = tenure::Fence::new(fence.get() + 1);
    assert_eq!(client.steal(key("k"), Some(other), "why").await.expect("asked"), 0);
    assert!(!claim.is_lost());
}
