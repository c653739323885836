//! Watched keys, and grants that are taken away.

use super::{NOW, acquire, claim, engine, events, join, key, owner, request};
use std::sync::Arc;
use tenure_core::{Change, Ending, Engine, Fence, Happened, Limit, Observation, Request};

fn seen(engine: &mut Engine) -> Vec<Observation> {
    let observations = std::iter::from_fn(|| engine.poll_observation());
    observations
        .inspect(|((_, name), _)| assert_eq!(**name, *b"k"))
        .map(|(_, observation)| observation)
        .collect()
}

fn granted(fence: u64, holders_len: u32, queue_len: u32) -> Observation {
    let happened = Happened::Granted { fence: Fence::new(fence), note: None };
    Observation { happened, holders_len, queue_len }
}

fn ended(fence: u64, ending: Ending, reason: &str, queue_len: u32) -> Observation {
    let happened = Happened::Ended { fence: Fence::new(fence), ending, reason: reason.into() };
    Observation { happened, holders_len: 0, queue_len }
}

#[test]
fn a_key_can_be_watched_before_anyone_uses_it() {
    let mut engine = engine();
    engine.watch(key("k"));
    acquire(&mut engine, NOW, &request(1, 1));
    acquire(&mut engine, NOW, &Request { key: key("other"), ..request(2, 1) });
    join(&mut engine, NOW, &request(3, 2));
    engine.release_claim(NOW, claim(1));
    let line = Observation { happened: Happened::Queue, holders_len: 1, queue_len: 1 };
    let handed_on = [ended(1, Ending::Released, "", 1), granted(3, 1, 0)];
    assert_eq!(seen(&mut engine), [vec![granted(1, 1, 0), line], handed_on.to_vec()].concat());
}

#[test]
fn a_key_that_was_forgotten_is_watched_still() {
    let mut engine = engine();
    engine.watch(key("k"));
    acquire(&mut engine, NOW, &request(1, 1));
    engine.release_claim(NOW, claim(1));
    seen(&mut engine);
    let later = super::at(1_000);
    engine.handle_timeout(later);
    assert!(engine.queue(key("k")).is_none());
    acquire(&mut engine, later, &request(2, 1));
    assert_eq!(seen(&mut engine), [granted(2, 1, 0)]);
}

#[test]
fn nobody_hears_of_a_key_that_is_watched_no_longer() {
    let mut engine = engine();
    engine.watch(key("k"));
    engine.watch(key("other"));
    engine.unwatch(key("k"));
    acquire(&mut engine, NOW, &request(1, 1));
    engine.release_claim(NOW, claim(1));
    assert_eq!(seen(&mut engine), []);
}

#[test]
fn a_theft_tells_the_victim_and_those_who_watch_why_and_the_next_in_line_is_granted() {
    let mut engine = engine();
    acquire(&mut engine, NOW, &request(1, 1));
    join(&mut engine, NOW, &request(2, 2));
    engine.watch(key("k"));
    let reason = Arc::from("it hangs");
    assert_eq!(engine.steal(NOW, key("k"), None, &reason), 1);
    let told = events(&mut engine).into_iter().map(|event| (event.owner, event.change));
    assert!(told.eq([(owner(1), Change::Stolen(reason)), (owner(2), Change::Ready)]));
    assert_eq!(seen(&mut engine), [ended(1, Ending::Stolen, "it hangs", 1), granted(2, 1, 0)]);
    let past = engine.inspect(NOW, key("k")).expect("it is held").past;
    assert_eq!(
        past.iter().map(|past| (past.fence.get(), past.ending)).collect::<Vec<_>>(),
        [(1, Ending::Stolen)]
    );
}

#[test]
fn of_several_grants_the_one_that_is_meant_is_taken_away() {
    let mut engine = engine();
    let limit = Limit::new(3).expect("three");
    let fences: Vec<Fence> = (1..=3)
        .map(|number| acquire(&mut engine, NOW, &Request { limit, ..request(number, 1) }).token.fence)
        .collect();
    let reason = Arc::from("");
    assert_eq!(engine.steal(NOW, key("k"), Some(fences[1]), &reason), 1);
    assert_eq!(engine.steal(NOW, key("k"), Some(fences[1]), &reason), 0, "it is gone");
    assert_eq!([1, 2, 3].map(|number| engine.knows(claim(number))), [true, false, true]);
    assert_eq!(engine.steal(NOW, key("k"), None, &reason), 2);
    assert_eq!(engine.steal(NOW, key("nobody's"), None, &reason), 0);
}
