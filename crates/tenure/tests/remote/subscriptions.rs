//! Watching keys and listening to signals.

use crate::peer::{Asked, Peer, within};
use std::time::Duration;
use tenure::coordinator::{Coordinator as _, Seen, Signal};
use tenure::{ErrorKind, Options};
use tenure_core::{Happened, Key, Observation, Space};
use tenure_wire::mux::{Patience, Push, Refused, RefusedCode, Response};

const CHANGE: Observation = Observation { happened: Happened::Queue, holders_len: 1, queue_len: 2 };

fn key() -> Key<'static> {
    Key::new(Space::Lock, b"k").expect("a key")
}

fn watch() -> Asked {
    Asked::Watch(b"k".to_vec())
}

fn listen(pattern: &str, group: &str) -> Asked {
    Asked::Listen(pattern.into(), group.into())
}

#[tokio::test]
async fn a_watcher_sees_what_happens_and_that_it_missed_something_while_there_was_no_connection() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let (seen, ()) = tokio::join!(remote.watch(key()), talk.serve(watch(), Response::Done));
    let mut seen = seen.expect("watched");
    talk.push(&Push::Changed { key: key(), observation: CHANGE }).await;
    assert_eq!(within("news", seen.recv()).await, Some(Seen::Observed(CHANGE)));
    talk.push(&Push::Missed).await;
    assert_eq!(within("news", seen.recv()).await, Some(Seen::Missed));
    drop(talk);
    let mut talk = peer.accept().await;
    talk.serve(watch(), Response::Done).await;
    assert_eq!(within("news", seen.recv()).await, Some(Seen::Missed));
    talk.push(&Push::Changed { key: key(), observation: CHANGE }).await;
    assert_eq!(within("news", seen.recv()).await, Some(Seen::Observed(CHANGE)));
}

#[tokio::test]
async fn a_key_that_nobody_watches_any_more_is_watched_no_more() {
    let peer = Peer::start().await;
    let silence_max = Duration::from_millis(240);
    let (remote, mut talk) = peer.meet_patiently(silence_max).await;
    let (seen, ()) = tokio::join!(remote.watch(key()), talk.serve(watch(), Response::Done));
    drop(seen);
    loop {
        let (id, asked) = talk.next().await;
        if asked == Asked::Ping {
            talk.answer(id, &Response::Pong).await;
            continue;
        }
        break assert_eq!(asked, Asked::Unwatch(b"k".to_vec()));
    }
}

#[tokio::test]
async fn what_nobody_watches_any_more_makes_room_for_what_somebody_wants_to() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let (seen, ()) = tokio::join!(remote.watch(key()), talk.serve(watch(), Response::Done));
    drop(seen);
    let full = Refused { code: RefusedCode::SubscriptionsFull, detail: 0, message: "" };
    let other = Key::new(Space::Lock, b"other").expect("a key");
    let other_asked = || Asked::Watch(b"other".to_vec());
    let (watched, ()) = tokio::join!(remote.watch(other), async {
        talk.serve(other_asked(), Response::Refused(full)).await;
        talk.serve(Asked::Unwatch(b"k".to_vec()), Response::Done).await;
        talk.serve(other_asked(), Response::Done).await;
    });
    let _watched = watched.expect("there is room now");
    // Where nothing makes room, whoever asks hears so.
    let (refused, ()) = tokio::join!(remote.watch(key()), talk.serve(watch(), Response::Refused(full)));
    assert_eq!(refused.expect_err("full").kind(), &ErrorKind::Full);
}

#[tokio::test]
async fn whoever_watches_ever_new_keys_watches_few_at_a_time() {
    const KEYS: usize = 200;
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let service = tokio::spawn(async move {
        let (mut watched, mut most, mut asked) = (0_usize, 0, 0);
        while asked < KEYS {
            let (id, request) = talk.next().await;
            if let Asked::Watch(_) = request {
                (watched, asked) = (watched + 1, asked + 1);
            } else {
                assert!(matches!(request, Asked::Unwatch(_)), "{request:?}");
                watched -= 1;
            }
            most = most.max(watched);
            talk.answer(id, &Response::Done).await;
        }
        (most, talk)
    });
    for number in 0..KEYS {
        let name = number.to_string();
        let key = Key::new(Space::Lock, name.as_bytes()).expect("a key");
        drop(within("an answer", remote.watch(key)).await.expect("watched"));
    }
    let (most, _talk) = service.await.expect("no panic");
    assert!(most <= 20, "{most} at a time");
}

#[tokio::test]
async fn a_position_that_nobody_hears_of_any_more_is_followed_no_more() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet_patiently(Duration::from_millis(240)).await;
    let claim = crate::claim(7);
    let enqueued =
        talk.serve(Asked::Enqueue(claim.id(), Patience::Endless), Response::Queued { position: 1 });
    let _ = tokio::join!(remote.enqueue(&claim, tenure::coordinator::Patience::Endless), enqueued);
    let positions = claim.positions(Some(1));
    let (followed, ()) =
        tokio::join!(remote.follow(&claim), talk.serve(Asked::Follow(claim.id()), Response::Done));
    followed.expect("answered");
    drop(positions);
    loop {
        let (id, asked) = talk.next().await;
        talk.answer(id, &Response::Done).await;
        if asked != Asked::Ping {
            break assert_eq!(asked, Asked::Unfollow(claim.id()));
        }
    }
}

/// A waker that looks at the client when it is woken.
struct Curious(std::sync::Arc<tenure::coordinator::Remote>);

impl std::task::Wake for Curious {
    fn wake(self: std::sync::Arc<Self>) {
        let mut watching = std::pin::pin!(self.0.watch(key()));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(watching.as_mut().poll(&mut cx).is_pending());
    }
}

#[tokio::test]
async fn whoever_is_woken_by_news_may_watch_more() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let (seen, ()) = tokio::join!(remote.watch(key()), talk.serve(watch(), Response::Done));
    let mut seen = seen.expect("watched");
    let waker = std::sync::Arc::new(Curious(std::sync::Arc::clone(&remote))).into();
    assert!(seen.poll_recv(&mut std::task::Context::from_waker(&waker)).is_pending());
    talk.push(&Push::Changed { key: key(), observation: CHANGE }).await;
    talk.expect(watch()).await;
}

#[tokio::test]
async fn listeners_hear_what_matches_on_every_connection() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let (first, ()) = tokio::join!(remote.listen(b"a.*", b""), talk.serve(listen("a.*", ""), Response::Done));
    let (second, ()) =
        tokio::join!(remote.listen(b"a.b", b""), talk.serve(listen("a.b", ""), Response::Done));
    let (mut first, mut second) = (first.expect("heard"), second.expect("heard"));
    drop(talk);
    let mut talk = peer.accept().await;
    talk.serve(listen("a.*", ""), Response::Done).await;
    talk.serve(listen("a.b", ""), Response::Done).await;
    // Once for the connection, whatever matches.
    talk.push(&Push::Signal { channel: b"a.b", payload: b"1" }).await;
    talk.push(&Push::Signal { channel: b"a.c", payload: b"2" }).await;
    talk.push(&Push::Signal { channel: b"a.b", payload: b"3" }).await;
    let signal = |channel: &[u8], payload: &[u8]| Signal::new(channel.into(), payload.into());
    for (channel, payload) in [(b"a.b", b"1"), (b"a.c", b"2"), (b"a.b", b"3")] {
        assert_eq!(within("a signal", first.recv()).await, Some(signal(channel, payload)));
    }
    for payload in [b"1", b"3"] {
        assert_eq!(within("a signal", second.recv()).await, Some(signal(b"a.b", payload)));
    }
}

#[tokio::test]
async fn a_member_of_a_group_listens_on_a_connection_of_its_own_and_leaves_with_its_receiver() {
    let peer = Peer::start().await;
    let (remote, mut talk) = peer.meet(&Options::default()).await;
    let (all, ()) = tokio::join!(remote.listen(b"jobs", b""), talk.serve(listen("jobs", ""), Response::Done));
    let (member, mut own) = tokio::join!(remote.listen(b"jobs", b"workers"), async {
        let mut own = peer.accept().await;
        own.serve(listen("jobs", "workers"), Response::Done).await;
        own
    });
    let (mut all, mut member) = (all.expect("heard"), member.expect("heard"));
    assert_ne!(own.session, talk.session);
    talk.push(&Push::Signal { channel: b"jobs", payload: b"for all" }).await;
    own.push(&Push::Signal { channel: b"jobs", payload: b"for one" }).await;
    assert_eq!(within("a signal", all.recv()).await.map(|signal| signal.payload), Some(b"for all".to_vec()));
    assert_eq!(
        within("a signal", member.recv()).await.map(|signal| signal.payload),
        Some(b"for one".to_vec())
    );
    drop(member);
    own.end().await;
}

#[tokio::test]
async fn what_is_no_pattern_is_not_asked_for() {
    let peer = Peer::start().await;
    let (remote, _talk) = peer.meet(&Options::default()).await;
    let error = remote.listen(b"a.b*", b"").await.expect_err("no pattern");
    assert_eq!(error.kind(), &tenure::ErrorKind::Invalid);
}
