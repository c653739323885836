//! Readers and writers: a reader takes one permit, a writer all.

use super::{NOW, acquire, at, claim, engine, events, join, request};
use proptest::prelude::*;
use std::collections::BTreeSet;
use tenure_core::{ClaimId, Engine, Enqueued, Fence, Key, Limit, Patience, Request, Space, Waited};

const ALL: u32 = u32::MAX;

fn asks(number: u128, permits: u32) -> Request<'static> {
    let key = Key::new(Space::RwLock, b"table").expect("a short name");
    let limit = Limit::new(ALL).expect("more than none");
    Request { key, permits, limit, ..request(number, 1) }
}

fn reads(number: u128) -> Request<'static> {
    asks(number, 1)
}

fn writes(number: u128) -> Request<'static> {
    asks(number, ALL)
}

/// Whose turn has come since the last time.
fn turns(engine: &mut Engine) -> Vec<ClaimId> {
    events(engine).into_iter().map(|event| event.claim).collect()
}

#[test]
fn readers_share_and_a_writer_is_alone() {
    let mut engine = engine();
    acquire(&mut engine, NOW, &reads(1));
    acquire(&mut engine, NOW, &reads(2));
    join(&mut engine, NOW, &writes(3));
    engine.release_claim(NOW, claim(1));
    assert_eq!(turns(&mut engine), []);
    engine.release_claim(NOW, claim(2));
    assert_eq!(turns(&mut engine), [claim(3)]);
    let more = Request { patience: Patience::None, ..reads(4) };
    assert!(matches!(engine.enqueue(NOW, &more), Enqueued::Busy));
}

#[test]
fn a_reader_that_comes_after_a_writer_waits_behind_it_though_others_read() {
    let mut engine = engine();
    acquire(&mut engine, NOW, &reads(1));
    join(&mut engine, NOW, &writes(2));
    join(&mut engine, NOW, &reads(3));
    engine.release_claim(NOW, claim(1));
    assert_eq!(turns(&mut engine), [claim(2)]);
    engine.release_claim(NOW, claim(2));
    assert_eq!(turns(&mut engine), [claim(3)]);
}

#[test]
fn readers_come_in_together_as_far_as_the_next_writer() {
    let mut engine = engine();
    acquire(&mut engine, NOW, &writes(1));
    for request in [reads(2), reads(3), writes(4), reads(5)] {
        join(&mut engine, NOW, &request);
    }
    engine.release_claim(NOW, claim(1));
    assert_eq!(turns(&mut engine), [claim(2), claim(3)]);
}

#[test]
fn a_writer_that_gives_up_lets_the_readers_behind_it_in() {
    let mut engine = engine();
    acquire(&mut engine, NOW, &reads(1));
    join(&mut engine, NOW, &Request { patience: Patience::Until(at(5)), ..writes(2) });
    join(&mut engine, NOW, &reads(3));
    engine.handle_timeout(at(5));
    assert_eq!(turns(&mut engine), [claim(2), claim(3)]);
    assert!(matches!(engine.wait(at(5), claim(2), Patience::None), Waited::Unknown));
    assert!(matches!(engine.wait(at(5), claim(3), Patience::None), Waited::Acquired(_)));
}

proptest! {
    #[test]
    fn whoever_comes_and_goes_the_turns_are_in_the_order_of_arrival(
        arrivals in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), any::<bool>()), 1..60),
    ) {
        let (mut engine, mut reading, mut writing) = (engine(), BTreeSet::new(), BTreeSet::new());
        let (mut granted, mut number): (Vec<(ClaimId, Fence)>, _) = (vec![], 0);
        for (writes_next, pick, goes) in arrivals {
            number += 1;
            engine.enqueue(NOW, &if writes_next { writes(number) } else { reads(number) });
            (if writes_next { &mut writing } else { &mut reading }).insert(claim(number));
            let holders = |engine: &Engine| -> Vec<_> {
                let view = engine.queue(reads(1).key).expect("it is used");
                view.holders().map(|holder| (holder.claim, holder.fence)).collect()
            };
            if goes {
                let leaves = pick.get(&holders(&engine)).0;
                engine.release_claim(NOW, leaves);
            }
            let holding = holders(&engine);
            let alone = holding.iter().any(|(claim, _)| writing.contains(claim));
            prop_assert!(!alone || holding.len() == 1, "a writer is not alone: {:?}", holding);
            granted.extend(holding);
        }
        granted.sort_by_key(|(_, fence)| *fence);
        granted.dedup();
        prop_assert!(granted.is_sorted_by_key(|(claim, _)| *claim), "somebody was overtaken: {:?}", granted);
    }
}
