//! Grants that wait for their owner to take them.

use super::{NOW, TTL, engine, key, request};
use std::time::Duration;
use tenure_core::{ClaimId, Engine, Enqueued, OwnerId};

/// An engine in which the second owner's claim has been offered its grant, at the first instant.
fn with_an_offer() -> Engine {
    let mut engine = engine();
    assert!(matches!(engine.enqueue(NOW, &request(1, 1)), Enqueued::Acquired(_)));
    assert!(matches!(engine.enqueue(NOW, &request(2, 2)), Enqueued::Queued));
    engine.release_claim(NOW, ClaimId::new(1));
    engine
}

#[test]
fn an_offer_is_taken_once_and_its_lease_starts_then() {
    let mut engine = with_an_offer();
    let later = NOW.after(Duration::from_secs(5));
    let taken = engine.take_offered(later, OwnerId::new(2), ClaimId::new(2)).expect("its turn has come");
    assert_eq!(taken.deadline, later.after(TTL));
    assert!(engine.take_offered(later, OwnerId::new(2), ClaimId::new(2)).is_none());
}

#[test]
fn an_offer_is_not_for_those_who_had_the_claim_before() {
    let mut engine = with_an_offer();
    assert!(matches!(engine.enqueue(NOW, &request(2, 3)), Enqueued::Acquired(_)));
    assert!(engine.take_offered(NOW, OwnerId::new(2), ClaimId::new(2)).is_none());
    assert!(engine.take_offered(NOW, OwnerId::new(3), ClaimId::new(4)).is_none(), "there is no such claim");
}

#[test]
fn a_claim_in_line_has_no_offer_and_still_says_what_it_is_for() {
    let mut engine = engine();
    engine.enqueue(NOW, &request(1, 1));
    engine.enqueue(NOW, &request(2, 2));
    assert!(engine.take_offered(NOW, OwnerId::new(2), ClaimId::new(2)).is_none());
    for claim in [1, 2] {
        assert_eq!(engine.key_of(ClaimId::new(claim)), Some(key("k")));
    }
    assert_eq!(engine.key_of(ClaimId::new(3)), None);
}
