//! Who is next.

use crate::bed::{Bed, lock, rw_lock, semaphore, soon};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tenure::ErrorKind;
use tenure::coordinator::{Claim, Enqueued, Patience, Released};

super::cases! {
    a_free_lock_is_granted_at_once: "who comes first has it";
    a_held_lock_is_busy_for_who_does_not_wait_and_nothing_is_left_of_the_asking: "trying leaves no trace";
    claims_are_served_in_the_order_in_which_they_came: "first come, first served";
    a_newcomer_waits_behind_those_who_wait_though_permits_are_free: "nobody barges in";
    a_big_claim_is_not_starved_by_small_ones: "the head of the line holds up the rest";
    a_semaphore_has_as_many_holders_as_its_limit: "never more than the limit";
    readers_share_and_a_writer_has_it_alone_and_nobody_overtakes: "read-write locks are fair";
    locks_semaphores_and_read_write_locks_of_one_name_never_meet: "name spaces";
    fences_rise_with_every_grant: "fences rise";
    many_clients_on_one_key_are_never_two_at_once: "mutual exclusion";
    the_same_program_asking_twice_waits_behind_itself: "no reentrancy";
}

async fn a_free_lock_is_granted_at_once(bed: Bed) {
    let client = bed.client().await;
    let claim = lock("k").claim();
    let grant = client.acquire(&claim).await;
    assert_eq!(grant.ttl, claim.wanted().ttl);
    assert!(!claim.is_lost());
    assert_eq!(client.release(&claim).await.expect("asked"), Released::Released);
}

async fn a_held_lock_is_busy_for_who_does_not_wait_and_nothing_is_left_of_the_asking(bed: Bed) {
    let (holder, other) = (bed.client().await, bed.client().await);
    let (held, tried) = (lock("k").claim(), lock("k").claim());
    holder.acquire(&held).await;
    assert!(other.is_busy(&tried).await);
    assert_eq!(other.position(&tried).await.expect("asked"), None);
    holder.release(&held).await.expect("asked");
    assert!(!other.is_busy(&lock("k").claim()).await);
}

async fn claims_are_served_in_the_order_in_which_they_came(bed: Bed) {
    let clients = [bed.client().await, bed.client().await, bed.client().await];
    let holder = lock("k").claim();
    clients[0].acquire(&holder).await;
    let line: Vec<Arc<Claim>> = (0..30).map(|_| lock("k").claim()).collect();
    for (place, claim) in line.iter().enumerate() {
        assert_eq!(clients[place % 3].queue(claim).await as usize, place);
    }
    let mut last = clients[0].acquire(&holder).await.token.fence;
    clients[0].release(&holder).await.expect("asked");
    for (place, claim) in line.iter().enumerate() {
        let client = &clients[place % 3];
        let fence = client.turn(claim).await.token.fence;
        assert!(fence > last, "{fence} after {last}");
        last = fence;
        if let Some(next) = line.get(place + 1) {
            assert_eq!(clients[(place + 1) % 3].position(next).await.expect("asked"), Some(0));
        }
        client.release(claim).await.expect("asked");
    }
}

async fn a_newcomer_waits_behind_those_who_wait_though_permits_are_free(bed: Bed) {
    let client = bed.client().await;
    let (one, three, newcomer) =
        (semaphore("s", 3).claim(), semaphore("s", 3).permits(3).claim(), semaphore("s", 3).claim());
    client.acquire(&one).await;
    client.queue(&three).await;
    assert_eq!(client.queue(&newcomer).await, 1);
    assert!(client.is_busy(&semaphore("s", 3).claim()).await);
    client.cancel(&three);
    client.turn(&newcomer).await;
}

async fn a_big_claim_is_not_starved_by_small_ones(bed: Bed) {
    let client = bed.client().await;
    let small: Vec<_> = (0..3).map(|_| semaphore("s", 3).claim()).collect();
    for claim in &small {
        client.acquire(claim).await;
    }
    let big = semaphore("s", 3).permits(2).claim();
    client.queue(&big).await;
    let later = semaphore("s", 3).claim();
    client.queue(&later).await;
    client.release(&small[0]).await.expect("asked");
    assert_eq!(client.position(&big).await.expect("asked"), Some(0));
    client.release(&small[1]).await.expect("asked");
    client.turn(&big).await;
    assert_eq!(client.position(&later).await.expect("asked"), Some(0));
    client.release(&small[2]).await.expect("asked");
    client.turn(&later).await;
}

async fn a_semaphore_has_as_many_holders_as_its_limit(bed: Bed) {
    let client = bed.client().await;
    for _ in 0..5 {
        client.acquire(&semaphore("s", 5).claim()).await;
    }
    assert!(client.is_busy(&semaphore("s", 5).claim()).await);
    let mismatch = client.enqueue(&semaphore("s", 6).claim(), Patience::None).await;
    assert_eq!(crate::bed::kind(mismatch), ErrorKind::LimitMismatch { limit: 5 });
    for permits in [0, 6] {
        let wrong = semaphore("s", 5).permits(permits).claim();
        assert_eq!(crate::bed::kind(client.enqueue(&wrong, Patience::None).await), ErrorKind::Invalid);
    }
}

async fn readers_share_and_a_writer_has_it_alone_and_nobody_overtakes(bed: Bed) {
    let (client, other) = (bed.client().await, bed.client().await);
    let readers = [rw_lock("rw").claim(), rw_lock("rw").claim()];
    for reader in &readers {
        client.acquire(reader).await;
    }
    let writer = rw_lock("rw").permits(u32::MAX).claim();
    other.queue(&writer).await;
    let late = rw_lock("rw").claim();
    assert_eq!(client.queue(&late).await, 1);
    client.release(&readers[0]).await.expect("asked");
    assert_eq!(other.position(&writer).await.expect("asked"), Some(0));
    client.release(&readers[1]).await.expect("asked");
    other.turn(&writer).await;
    assert!(client.is_busy(&rw_lock("rw").claim()).await);
    other.release(&writer).await.expect("asked");
    client.turn(&late).await;
}

async fn locks_semaphores_and_read_write_locks_of_one_name_never_meet(bed: Bed) {
    let client = bed.client().await;
    client.acquire(&lock("same").claim()).await;
    client.acquire(&semaphore("same", 1).claim()).await;
    client.acquire(&rw_lock("same").permits(u32::MAX).claim()).await;
}

async fn fences_rise_with_every_grant(bed: Bed) {
    let (first, second) = (bed.client().await, bed.client().await);
    let mut last = None;
    for turn in 0..20 {
        let client = if turn % 2 == 0 { &first } else { &second };
        let claim = lock("k").claim();
        let fence = client.acquire(&claim).await.token.fence;
        assert!(Some(fence) > last);
        last = Some(fence);
        client.release(&claim).await.expect("asked");
    }
}

async fn many_clients_on_one_key_are_never_two_at_once(bed: Bed) {
    let inside = Arc::new(AtomicU32::new(0));
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let (client, inside) = (bed.client().await, Arc::clone(&inside));
        tasks.push(tokio::spawn(async move {
            for _ in 0..50 {
                let claim = lock("k").claim();
                if let Enqueued::Queued { .. } =
                    client.enqueue(&claim, Patience::Endless).await.expect("asked")
                {
                    client.turn(&claim).await;
                }
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two at once");
                tokio::task::yield_now().await;
                inside.fetch_sub(1, Ordering::SeqCst);
                assert_eq!(client.release(&claim).await.expect("asked"), Released::Released);
            }
        }));
    }
    for task in tasks {
        soon(task).await.expect("nobody was inside with another");
    }
}

async fn the_same_program_asking_twice_waits_behind_itself(bed: Bed) {
    let client = bed.client().await;
    let (first, second) = (lock("k").claim(), lock("k").claim());
    client.acquire(&first).await;
    assert_eq!(client.queue(&second).await, 0);
    client.release(&first).await.expect("asked");
    client.turn(&second).await;
}
