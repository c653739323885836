//! Looking on.

use crate::bed::{Bed, Client, SHORT, key, lock, semaphore, soon};
use std::collections::BTreeSet;
use tenure::ErrorKind;
use tenure::coordinator::Seen;
use tenure_core::{Bond, Ending, Happened};
use tokio::sync::mpsc::Receiver;

super::cases! {
    a_key_shows_who_holds_it_who_waits_and_who_held_it: "inspect";
    a_key_that_nobody_ever_used_shows_nothing: "inspect of nothing";
    keys_are_listed_by_prefix_each_once: "list";
    a_watcher_sees_every_change_in_order: "watch";
    a_watcher_that_goes_does_not_hold_anything_up: "watching is free of duties";
    a_watcher_who_does_not_look_is_told_that_it_missed_something: "watch is bounded";
    a_waiter_hears_of_its_position: "follow";
    a_signal_reaches_who_listens: "signals";
    a_group_shares_its_signals: "signal groups";
    a_bad_channel_is_refused: "signal names";
    there_is_something_to_say_about_the_place: "info";
}

async fn a_key_shows_who_holds_it_who_waits_and_who_held_it(bed: Bed) {
    let client = bed.client().await;
    let first = lock("k").label("first").claim();
    client.acquire(&first).await;
    client.release(&first).await.expect("asked");
    let held = lock("k").label("second").claim();
    let fence = client.acquire(&held).await.token.fence;
    client.queue(&lock("k").label("third").claim()).await;
    let seen = client.inspect(key("k")).await.expect("asked").expect("it is used");
    assert_eq!((seen.limit.get(), seen.held, seen.holders_len, seen.queue_len), (1, 1, 1, 1));
    let label =
        |note: &Option<std::sync::Arc<tenure_core::Note>>| note.as_ref().map(|note| note.label.to_string());
    assert_eq!(label(&seen.holders[0].note).as_deref(), Some("second"));
    assert_eq!(seen.holders[0].fence, fence);
    assert!(seen.holders[0].remaining > SHORT);
    assert_eq!(label(&seen.waiters[0].note).as_deref(), Some("third"));
    assert_eq!(label(&seen.past[0].note).as_deref(), Some("first"));
    assert_eq!(seen.past[0].ending, Ending::Released);
}

async fn a_key_that_nobody_ever_used_shows_nothing(bed: Bed) {
    let client = bed.client().await;
    assert!(client.inspect(key("never")).await.expect("asked").is_none());
}

async fn keys_are_listed_by_prefix_each_once(bed: Bed) {
    let client = bed.client().await;
    let names: BTreeSet<String> = (0..400).map(|number| format!("a/{number}")).collect();
    for name in names.iter().map(String::as_str).chain(["b/1", "a"]) {
        client.acquire(&lock(name).claim()).await;
    }
    let (mut listed, mut cursor) = (Vec::new(), 0);
    loop {
        let page = client.list(b"a/", cursor).await.expect("asked");
        listed.extend(page.keys.into_iter().map(|summary| String::from_utf8(summary.name).expect("a text")));
        match page.next {
            Some(next) => cursor = next,
            None => break,
        }
    }
    assert_eq!(listed.len(), names.len());
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), names);
}

async fn next(watch: &mut Receiver<Seen>) -> (String, u32, u32) {
    match soon(watch.recv()).await.expect("it goes on") {
        Seen::Observed(observation) => {
            let happened = match observation.happened {
                Happened::Granted { .. } => "granted".to_owned(),
                Happened::Ended { ending, reason, .. } => format!("{ending:?} {reason}").trim().to_owned(),
                Happened::Queue => "queue".to_owned(),
            };
            (happened, observation.holders_len, observation.queue_len)
        }
        other => panic!("nothing was missed: {other:?}"),
    }
}

async fn a_watcher_sees_every_change_in_order(bed: Bed) {
    let (client, watcher) = (bed.client().await, bed.client().await);
    let mut watch = watcher.watch(key("k")).await.expect("asked");
    let (first, second, third) = (lock("k").claim(), lock("k").ttl(SHORT).claim(), lock("k").claim());
    client.acquire(&first).await;
    client.queue(&second).await;
    client.release(&first).await.expect("asked");
    client.turn(&second).await;
    soon(second.ended()).await;
    client.acquire(&third).await;
    client.steal(key("k"), None, "why").await.expect("asked");
    let fourth = bed.client().await;
    let bound = lock("k").bond(Bond::Connection).claim();
    fourth.acquire(&bound).await;
    drop(fourth);
    client.acquire_other().await;
    for expected in [
        ("granted", 1, 0),
        ("queue", 1, 1),
        ("Released", 0, 1),
        ("granted", 1, 0),
        ("Lapsed", 0, 0),
        ("granted", 1, 0),
        ("Stolen why", 0, 0),
        ("granted", 1, 0),
        ("Released", 0, 0),
    ] {
        let (happened, holders, queue) = next(&mut watch).await;
        assert_eq!((happened.as_str(), holders, queue), expected);
    }
}

impl Client {
    /// Something on another key, which no watcher of the first hears of.
    async fn acquire_other(&self) {
        self.acquire(&lock("other").claim()).await;
    }
}

async fn a_watcher_that_goes_does_not_hold_anything_up(bed: Bed) {
    let client = bed.client().await;
    for _ in 0..10 {
        drop(client.watch(key("k")).await.expect("asked"));
        let claim = lock("k").claim();
        client.acquire(&claim).await;
        client.release(&claim).await.expect("asked");
    }
    let mut watch = client.watch(key("k")).await.expect("asked");
    client.acquire(&lock("k").claim()).await;
    assert_eq!(next(&mut watch).await.0, "granted");
}

async fn a_watcher_who_does_not_look_is_told_that_it_missed_something(bed: Bed) {
    let (client, watcher) = (bed.client().await, bed.client().await);
    let mut watch = watcher.watch(key("k")).await.expect("asked");
    for _ in 0..1_000 {
        let claim = lock("k").claim();
        client.acquire(&claim).await;
        client.release(&claim).await.expect("asked");
    }
    while soon(watch.recv()).await.expect("it goes on") != Seen::Missed {}
}

async fn a_waiter_hears_of_its_position(bed: Bed) {
    let (client, waiter) = (bed.client().await, bed.client().await);
    let line = [lock("k").claim(), lock("k").claim(), lock("k").claim()];
    client.acquire(&line[0]).await;
    client.queue(&line[1]).await;
    client.queue(&line[2]).await;
    let last = lock("k").claim();
    let position = waiter.queue(&last).await;
    let mut positions = last.positions(Some(position));
    waiter.follow(&last).await.expect("asked");
    assert_eq!(*positions.borrow_and_update(), Some(2));
    client.cancel(&line[1]);
    soon(positions.wait_for(|position| *position == Some(1))).await.expect("it goes on");
    client.cancel(&line[2]);
    soon(positions.wait_for(|position| *position == Some(0))).await.expect("it goes on");
    client.release(&line[0]).await.expect("asked");
    waiter.turn(&last).await;
}

async fn a_signal_reaches_who_listens(bed: Bed) {
    let (client, listener) = (bed.client().await, bed.client().await);
    let mut all = listener.listen(b"orders.>", b"").await.expect("asked");
    let mut one = client.listen(b"orders.new", b"").await.expect("asked");
    assert_eq!(client.signal(b"orders.new", b"a b").await.expect("asked"), 2);
    assert_eq!(client.signal(b"other", b"x").await.expect("asked"), 0);
    for listening in [&mut all, &mut one] {
        let signal = soon(listening.recv()).await.expect("it goes on");
        assert_eq!((signal.channel.as_slice(), signal.payload.as_slice()), (&b"orders.new"[..], &b"a b"[..]));
    }
}

async fn a_group_shares_its_signals(bed: Bed) {
    let (client, other) = (bed.client().await, bed.client().await);
    let mut members = [
        client.listen(b"work", b"pool").await.expect("asked"),
        other.listen(b"work", b"pool").await.expect("asked"),
    ];
    for _ in 0..10 {
        assert_eq!(client.signal(b"work", b"x").await.expect("asked"), 1);
    }
    for member in &mut members {
        for _ in 0..5 {
            soon(member.recv()).await.expect("it goes on");
        }
    }
}

async fn a_bad_channel_is_refused(bed: Bed) {
    let client = bed.client().await;
    assert_eq!(crate::bed::kind(client.signal(b"a.*", b"x").await), ErrorKind::Invalid);
    assert_eq!(crate::bed::kind(client.listen(b"a.>.b", b"").await), ErrorKind::Invalid);
    for payload in [&b""[..], b" ", b"a\nb", b"a\r", &[b'x'; 65_527]] {
        assert_eq!(crate::bed::kind(client.signal(b"a", payload).await), ErrorKind::Invalid);
    }
}

async fn there_is_something_to_say_about_the_place(bed: Bed) {
    let client = bed.client().await;
    let info = client.info().await.expect("asked");
    assert!(info.starts_with('{') && info.contains("\"version\""), "{info}");
    client.acquire(&semaphore("s", 2).claim()).await;
}
