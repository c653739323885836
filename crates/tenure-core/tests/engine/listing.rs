//! Listing keys, a page at a time, while they come and go.

use super::{LIMITS, NOW, acquire, at, claim, engine, key, request};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tenure_core::{Engine, Fence, FenceRange, Limits, Request};

/// An engine that forgets a key as soon as nobody holds it, so that its slot is free for those that come.
fn forgetful() -> Engine {
    let limits = Limits { idle_max: Duration::ZERO, ..LIMITS };
    Engine::new(limits, FenceRange::new(Fence::new(1), Fence::new(1_000_000)), 7)
}

/// All pages; what happens between two of them is `between`.
fn pages(engine: &mut Engine, prefix: &[u8], mut between: impl FnMut(&mut Engine)) -> Vec<Vec<u8>> {
    let (mut names, mut from) = (vec![], Some(0));
    while let Some(slot) = from {
        let (page, next) = engine.list(NOW, prefix, slot);
        names.extend(page.into_iter().map(|summary| summary.name));
        from = next;
        between(engine);
    }
    names
}

fn hold(engine: &mut Engine, number: u128) {
    let name = format!("{}/{number}", if number.is_multiple_of(3) { "third" } else { "other" });
    acquire(engine, NOW, &Request { key: key(&name), ..request(number, 1) });
}

#[test]
fn only_the_last_page_says_that_there_is_no_more() {
    for keys in [0, 1, 63, 64, 65, 128, 129, 500] {
        let mut engine = engine();
        (1..=keys).for_each(|number| hold(&mut engine, number));
        let mut calls = 0;
        let names = pages(&mut engine, b"", |_| calls += 1);
        assert_eq!(names.len() as u128, keys);
        assert_eq!(calls, keys.div_ceil(64).max(1), "pages of {keys} keys");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_key_that_stays_is_seen_once_and_no_key_twice(
        first in 1_u128..400,
        comings in prop::collection::vec((0_u128..40, prop::collection::vec(any::<prop::sample::Index>(), 0..40)), 1..12),
    ) {
        let mut engine = forgetful();
        (1..=first).for_each(|number| hold(&mut engine, number));
        let mut number = first;
        let mut staying: BTreeSet<u128> = (1..=first).filter(|number| number.is_multiple_of(3)).collect();
        let mut comings = comings.into_iter();
        let names = pages(&mut engine, b"third/", |engine| {
            let Some((more, going)) = comings.next() else { return };
            for pick in going {
                let goes = 1 + pick.index(number as usize) as u128;
                engine.release_claim(NOW, claim(goes));
                staying.remove(&goes);
            }
            for _ in 0..more {
                number += 1;
                hold(engine, number);
            }
        });
        let mut seen: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        names.into_iter().for_each(|name| *seen.entry(name).or_default() += 1);
        for (name, times) in &seen {
            prop_assert!(name.starts_with(b"third/"));
            prop_assert_eq!(*times, 1, "a key was seen twice: {:?}", name.escape_ascii().to_string());
        }
        for number in staying {
            prop_assert!(seen.contains_key(format!("third/{number}").as_bytes()), "a key was missed: {}", number);
        }
    }
}

#[test]
fn a_key_that_nobody_uses_is_listed_until_it_is_forgotten() {
    let mut engine = engine();
    hold(&mut engine, 3);
    engine.release_claim(NOW, claim(3));
    let (keys, _) = engine.list(at(59), b"third", 0);
    assert_eq!((keys.len(), keys[0].holders_len, &keys[0].holder), (1, 0, &None));
    assert_eq!(engine.list(at(60), b"third", 0).0, []);
}
