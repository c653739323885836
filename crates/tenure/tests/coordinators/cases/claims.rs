//! Claims that find themselves.

use crate::bed::{Bed, SHORT, kind, lock, semaphore, soon};
use tenure::coordinator::{Enqueued, Patience, Released, Standing};
use tenure::{ErrorKind, Loss};
use tenure_core::Bond;

super::cases! {
    asking_twice_with_one_id_is_asking_once: "a claim finds itself";
    a_claim_in_line_asked_for_again_keeps_its_place: "a claim finds its place";
    one_id_for_two_things_is_a_conflict: "an id is one claim's";
    a_cancelled_claim_leaves_the_line: "leaving the line";
    cancelling_a_grant_hands_it_on: "no grant is stranded";
    cancelling_what_was_never_asked_does_nothing: "cancelling is always safe";
    releasing_twice_says_so: "a release is the owner's, once";
    a_released_grant_of_another_claim_stays: "owner-checked release";
    another_client_takes_a_grant_over_with_its_id_and_the_first_hears_of_it: "resume";
    there_is_nothing_to_resume_where_nothing_was_granted: "resume does not wait";
    a_client_that_is_closed_gives_back_everything: "nothing is left behind";
    what_is_bound_to_a_connection_goes_with_it: "bound to a connection", mortal;
    a_client_that_dies_keeps_its_resumable_grant_until_the_lease_ends: "bound to a lease", mortal;
    a_place_in_line_is_found_again_by_another_client: "bound to a lease, in line", mortal;
    a_place_in_line_that_nobody_comes_back_to_is_given_up: "a dead waiter is passed over", mortal;
    a_dead_waiter_whose_turn_has_come_delays_the_line_by_one_lease_at_most: "one lease, not two", mortal;
    an_earlier_claim_of_the_same_id_takes_nothing_from_a_later_one: "an id has one claim at a time";
    a_token_from_outside_ends_a_grant_and_its_owner_hears_of_it: "release by token";
    whoever_ends_its_own_grant_by_its_token_hears_of_it: "release by token, of one's own";
}

async fn asking_twice_with_one_id_is_asking_once(bed: Bed) {
    let client = bed.client().await;
    let claim = semaphore("s", 2).claim();
    let first = client.acquire(&claim).await;
    let second = client.acquire(&claim).await;
    assert_eq!(first.token, second.token);
    client.acquire(&semaphore("s", 2).claim()).await;
    assert!(client.is_busy(&semaphore("s", 2).claim()).await);
}

async fn a_claim_in_line_asked_for_again_keeps_its_place(bed: Bed) {
    let client = bed.client().await;
    let (holder, waiter, behind) = (lock("k").claim(), lock("k").claim(), lock("k").claim());
    client.acquire(&holder).await;
    client.queue(&waiter).await;
    client.queue(&behind).await;
    assert_eq!(client.queue(&waiter).await, 0);
    assert_eq!(client.position(&behind).await.expect("asked"), Some(1));
}

async fn one_id_for_two_things_is_a_conflict(bed: Bed) {
    let client = bed.client().await;
    let claim = semaphore("s", 3).claim();
    client.acquire(&claim).await;
    for other in [semaphore("t", 3), semaphore("s", 3).permits(2), lock("s")] {
        let other = other.id(claim.id()).claim();
        assert_eq!(kind(client.enqueue(&other, Patience::Endless).await), ErrorKind::Conflict);
    }
}

async fn a_cancelled_claim_leaves_the_line(bed: Bed) {
    let client = bed.client().await;
    let (holder, waiter, behind) = (lock("k").claim(), lock("k").claim(), lock("k").claim());
    client.acquire(&holder).await;
    client.queue(&waiter).await;
    client.queue(&behind).await;
    client.cancel(&waiter);
    assert_eq!(client.position(&behind).await.expect("asked"), Some(0));
    client.release(&holder).await.expect("asked");
    client.turn(&behind).await;
    assert!(matches!(waiter.standing(), Standing::Waiting), "nothing came of it");
}

async fn cancelling_a_grant_hands_it_on(bed: Bed) {
    let (client, other) = (bed.client().await, bed.client().await);
    let (holder, waiter) = (lock("k").claim(), lock("k").claim());
    client.acquire(&holder).await;
    other.queue(&waiter).await;
    client.cancel(&holder);
    other.turn(&waiter).await;
}

async fn cancelling_what_was_never_asked_does_nothing(bed: Bed) {
    let client = bed.client().await;
    let held = lock("k").claim();
    client.acquire(&held).await;
    client.cancel(&lock("k").claim());
    assert!(client.is_busy(&lock("k").claim()).await);
}

async fn releasing_twice_says_so(bed: Bed) {
    let client = bed.client().await;
    let claim = lock("k").claim();
    client.acquire(&claim).await;
    assert_eq!(client.release(&claim).await.expect("asked"), Released::Released);
    assert_eq!(client.release(&claim).await.expect("asked"), Released::Gone);
}

async fn a_released_grant_of_another_claim_stays(bed: Bed) {
    let (client, other) = (bed.client().await, bed.client().await);
    let (gone, held) = (lock("k").claim(), lock("k").claim());
    client.acquire(&gone).await;
    client.release(&gone).await.expect("asked");
    other.acquire(&held).await;
    assert_eq!(client.release(&gone).await.expect("asked"), Released::Gone);
    assert!(client.is_busy(&lock("k").claim()).await);
    assert!(!held.is_lost());
}

async fn another_client_takes_a_grant_over_with_its_id_and_the_first_hears_of_it(bed: Bed) {
    let (first, second) = (bed.client().await, bed.client().await);
    let claim = lock("k").claim();
    let before = first.acquire(&claim).await;
    let again = lock("k").id(claim.id()).claim();
    let after = second.resume(&again).await.expect("asked").expect("it is there");
    assert_eq!(before.token, after.token);
    assert!(matches!(soon(claim.ended()).await, Loss::Stolen { .. }));
    assert_eq!(first.release(&claim).await.expect("asked"), Released::Gone);
    first.cancel(&claim);
    assert!(first.is_busy(&lock("k").claim()).await, "the one before ends nothing any more");
    assert_eq!(second.release(&again).await.expect("asked"), Released::Released);
}

async fn there_is_nothing_to_resume_where_nothing_was_granted(bed: Bed) {
    let (first, second) = (bed.client().await, bed.client().await);
    assert!(second.resume(&lock("k").claim()).await.expect("asked").is_none());
    let (held, waiting) = (lock("k").claim(), lock("k").claim());
    first.acquire(&held).await;
    first.queue(&waiting).await;
    assert!(second.resume(&lock("k").id(waiting.id()).claim()).await.expect("asked").is_none());
    assert!(second.resume(&lock("other").id(held.id()).claim()).await.expect("asked").is_none());
    first.release(&held).await.expect("asked");
    first.turn(&waiting).await;
    first.release(&waiting).await.expect("asked");
    assert!(second.resume(&lock("k").id(waiting.id()).claim()).await.expect("asked").is_none());
}

async fn a_client_that_is_closed_gives_back_everything(bed: Bed) {
    let (going, staying) = (bed.client().await, bed.client().await);
    let (held, bound) = (lock("k").claim(), lock("l").bond(Bond::Connection).claim());
    going.acquire(&held).await;
    going.acquire(&bound).await;
    going.queue(&lock("k").claim()).await;
    let (behind, after) = (lock("k").claim(), lock("l").claim());
    staying.queue(&behind).await;
    staying.queue(&after).await;
    drop(going);
    staying.turn(&behind).await;
    staying.turn(&after).await;
    assert_eq!(soon(held.ended()).await, Loss::Closed);
}

async fn what_is_bound_to_a_connection_goes_with_it(bed: Bed) {
    let (dying, staying) = (bed.mortal().await, bed.client().await);
    let (held, behind) = (lock("k").bond(Bond::Connection).claim(), lock("k").claim());
    dying.acquire(&held).await;
    dying.queue(&lock("k").bond(Bond::Connection).claim()).await;
    staying.queue(&behind).await;
    dying.die();
    staying.turn(&behind).await;
}

async fn a_client_that_dies_keeps_its_resumable_grant_until_the_lease_ends(bed: Bed) {
    let (dying, staying) = (bed.mortal().await, bed.client().await);
    let (held, lasting) = (lock("k").ttl(SHORT).claim(), lock("l").claim());
    dying.acquire(&held).await;
    dying.acquire(&lasting).await;
    dying.die();
    assert!(staying.is_busy(&lock("l").claim()).await);
    let behind = lock("k").claim();
    if let Enqueued::Queued { .. } = staying.enqueue(&behind, Patience::Endless).await.expect("asked") {
        staying.turn(&behind).await;
    }
    let again = lock("l").id(lasting.id()).claim();
    assert!(staying.resume(&again).await.expect("asked").is_some());
}

async fn a_place_in_line_is_found_again_by_another_client(bed: Bed) {
    let (holder, dying, other) = (bed.client().await, bed.mortal().await, bed.client().await);
    let (held, place, behind) = (lock("k").claim(), lock("k").claim(), lock("k").claim());
    holder.acquire(&held).await;
    dying.queue(&place).await;
    other.queue(&behind).await;
    dying.die();
    let again = lock("k").id(place.id()).claim();
    assert_eq!(other.queue(&again).await, 0);
    holder.release(&held).await.expect("asked");
    other.turn(&again).await;
}

async fn a_place_in_line_that_nobody_comes_back_to_is_given_up(bed: Bed) {
    let (holder, dying, other) = (bed.client().await, bed.mortal().await, bed.client().await);
    let (held, place, behind) = (lock("k").claim(), lock("k").ttl(SHORT).claim(), lock("k").claim());
    holder.acquire(&held).await;
    dying.queue(&place).await;
    other.queue(&behind).await;
    dying.die();
    let clock = held.clock();
    while other.position(&behind).await.expect("asked") != Some(0) {
        clock.sleep(SHORT / 20).await;
    }
    holder.release(&held).await.expect("asked");
    other.turn(&behind).await;
}

async fn a_dead_waiter_whose_turn_has_come_delays_the_line_by_one_lease_at_most(bed: Bed) {
    let (holder, dying, other) = (bed.client().await, bed.mortal().await, bed.client().await);
    let ttl = SHORT * 5;
    let (held, place, behind) = (lock("k").claim(), lock("k").ttl(ttl).claim(), lock("k").claim());
    holder.acquire(&held).await;
    dying.queue(&place).await;
    other.queue(&behind).await;
    dying.die();
    let (clock, died) = (held.clock(), held.clock().now());
    clock.sleep(ttl * 3 / 4).await;
    holder.release(&held).await.expect("asked");
    other.turn(&behind).await;
    // Another lease from its turn on would have been 1.75 of them.
    assert!(clock.now().since(died) < ttl * 3 / 2, "the lease was started again for nobody");
}

async fn an_earlier_claim_of_the_same_id_takes_nothing_from_a_later_one(bed: Bed) {
    let (client, other) = (bed.client().await, bed.client().await);
    let earlier = lock("k").claim();
    client.acquire(&earlier).await;
    let later = lock("k").id(earlier.id()).claim();
    client.acquire(&later).await;
    client.cancel(&earlier);
    assert!(other.is_busy(&lock("k").claim()).await);
    assert_eq!(client.release(&earlier).await.expect("asked"), Released::Gone);
    assert!(other.is_busy(&lock("k").claim()).await);
    assert_eq!(client.release(&later).await.expect("asked"), Released::Released);
    assert!(!other.is_busy(&lock("k").claim()).await);
}

async fn a_token_from_outside_ends_a_grant_and_its_owner_hears_of_it(bed: Bed) {
    let (holder, other) = (bed.client().await, bed.client().await);
    let claim = lock("k").claim();
    let grant = holder.acquire(&claim).await;
    let mut forged = grant.token;
    forged.secret = tenure_core::Secret::new(1);
    assert_eq!(other.release_token(claim.key(), forged).await.expect("asked"), Released::Gone);
    assert_eq!(other.release_token(claim.key(), grant.token).await.expect("asked"), Released::Released);
    assert_eq!(soon(claim.ended()).await, Loss::Released);
    assert!(claim.is_lost());
}

async fn whoever_ends_its_own_grant_by_its_token_hears_of_it(bed: Bed) {
    let client = bed.client().await;
    let (claim, next) = (lock("k").claim(), lock("k").claim());
    let grant = client.acquire(&claim).await;
    client.queue(&next).await;
    assert_eq!(client.release_token(claim.key(), grant.token).await.expect("asked"), Released::Released);
    assert_eq!(soon(claim.ended()).await, Loss::Released);
    client.turn(&next).await;
}
