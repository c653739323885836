//! Claims that outlive their connection.

use super::{NOW, TTL, acquire, at, claim, disconnect, engine, events, join, key, owner, request};
use std::sync::Arc;
use tenure_core::{
    Bond, Cancelled, Change, Engine, Enqueued, Event, Fence, Note, Patience, Refusal, Released, Renewed,
    Request, Waited,
};

/// One holds for long, two waits and has gone after a second, three waits behind it.
fn with_an_orphan() -> Engine {
    let mut engine = engine();
    acquire(&mut engine, NOW, &Request { ttl: TTL * 10, ..request(1, 1) });
    join(&mut engine, NOW, &request(2, 2));
    join(&mut engine, NOW, &request(3, 3));
    disconnect(&mut engine, at(1), 2);
    engine
}

#[test]
fn a_place_in_line_is_kept_for_one_lease_after_its_owner_went() {
    let mut engine = with_an_orphan();
    engine.handle_timeout(at(30));
    assert_eq!(engine.position(claim(2)), Some(0));
    engine.handle_timeout(at(31));
    assert_eq!(engine.position(claim(2)), None);
    assert_eq!(engine.position(claim(3)), Some(0));
    assert_eq!(events(&mut engine), [], "nobody is there to hear of it");
}

#[test]
fn a_place_in_line_is_not_kept_longer_than_its_patience() {
    let mut engine = engine();
    acquire(&mut engine, NOW, &request(1, 1));
    join(&mut engine, NOW, &Request { patience: Patience::Until(at(5)), ..request(2, 2) });
    disconnect(&mut engine, at(1), 2);
    engine.handle_timeout(at(5));
    assert!(!engine.knows(claim(2)));
}

#[test]
fn whoever_comes_back_has_the_place_and_waits_on() {
    let mut engine = with_an_orphan();
    join(&mut engine, at(30), &request(2, 4));
    engine.handle_timeout(at(200));
    assert_eq!((engine.position(claim(2)), engine.position(claim(3))), (Some(0), Some(1)));
    engine.release_claim(at(200), claim(1));
    let [turn] = &events(&mut engine)[..] else { panic!("one has its turn") };
    assert_eq!((turn.owner, turn.claim, &turn.change), (owner(4), claim(2), &Change::Ready));
}

#[test]
fn those_behind_a_dead_client_wait_for_one_lease_though_its_turn_comes() {
    let mut engine = with_an_orphan();
    engine.release_claim(at(20), claim(1));
    engine.handle_timeout(at(30));
    assert!(engine.knows(claim(2)), "it may come back still");
    engine.handle_timeout(at(31));
    assert!(!engine.knows(claim(2)));
    let turn = Event { owner: owner(3), claim: claim(3), fence: Some(Fence::new(3)), change: Change::Ready };
    assert_eq!(events(&mut engine), [turn]);
}

#[test]
fn a_grant_that_came_while_its_owner_was_away_is_taken_by_coming_back() {
    for by in [2, 4] {
        let mut engine = with_an_orphan();
        engine.release_claim(at(20), claim(1));
        let grant = acquire(&mut engine, at(30), &request(2, by));
        assert_eq!(grant.deadline, at(60), "its lease starts anew");
        assert_eq!(events(&mut engine), [], "nobody had it meanwhile");
    }
}

#[test]
fn nobody_waits_in_place_of_an_owner_that_has_gone() {
    let mut engine = with_an_orphan();
    assert!(matches!(engine.wait(at(2), claim(2), Patience::Endless), Waited::Pending));
    assert!(engine.take_offered(at(2), owner(2), claim(2)).is_none());
    assert!(matches!(engine.wait(at(31), claim(2), Patience::Endless), Waited::Unknown));
}

#[test]
fn nobody_ends_what_somebody_else_has_taken_over() {
    let mut engine = engine();
    acquire(&mut engine, NOW, &request(1, 1));
    join(&mut engine, NOW, &request(2, 1));
    acquire(&mut engine, NOW, &request(1, 2));
    join(&mut engine, NOW, &request(2, 2));
    assert_eq!(engine.release_own(NOW, owner(1), claim(1)), Released::NotHeld);
    assert_eq!(engine.cancel_own(NOW, owner(1), claim(1)), Cancelled::Unknown);
    assert_eq!(engine.cancel_own(NOW, owner(1), claim(2)), Cancelled::Unknown);
    assert_eq!(engine.cancel_own(NOW, owner(2), claim(2)), Cancelled::Left);
    assert_eq!(engine.release_own(NOW, owner(2), claim(1)), Released::Released);
}

#[test]
fn what_belongs_to_nobody_is_ended_by_whoever_knows_its_id() {
    let mut engine = with_an_orphan();
    disconnect(&mut engine, at(1), 1);
    assert_eq!(engine.cancel_own(at(2), owner(9), claim(2)), Cancelled::Left);
    assert_eq!(
        engine.renew_claim(at(2), owner(1), claim(1), TTL),
        Renewed::NotHeld,
        "it has to be resumed first"
    );
    assert_eq!(engine.release_own(at(2), owner(9), claim(1)), Released::Released);
    let turn = Event { owner: owner(3), claim: claim(3), fence: Some(Fence::new(2)), change: Change::Ready };
    assert_eq!(events(&mut engine), [turn], "only the next in line hears of it");
}

#[test]
fn an_offer_whose_owner_went_cannot_be_renewed_in_its_name() {
    let mut engine = with_an_orphan();
    engine.release_claim(at(20), claim(1));
    assert_eq!(engine.renew_claim(at(20), owner(2), claim(2), TTL), Renewed::NotHeld);
}

#[test]
fn the_owner_before_hears_of_a_takeover_and_has_no_part_in_the_claim_any_more() {
    for bond in [Bond::Resumable, Bond::Connection] {
        let mut engine = engine();
        acquire(&mut engine, NOW, &Request { bond, ..request(1, 1) });
        acquire(&mut engine, at(10), &Request { bond, ..request(1, 2) });
        let heard =
            Event { owner: owner(1), claim: claim(1), fence: Some(Fence::new(1)), change: Change::TakenOver };
        assert_eq!(events(&mut engine), [heard]);
        assert_eq!(engine.renew_claim(at(11), owner(1), claim(1), TTL), Renewed::NotHeld);
        assert_eq!(engine.renew_claim(at(11), owner(2), claim(1), TTL), Renewed::Until(at(41)));
        disconnect(&mut engine, at(12), 1);
        assert!(engine.knows(claim(1)));
        disconnect(&mut engine, at(12), 2);
        assert_eq!(engine.knows(claim(1)), bond == Bond::Resumable);
    }
}

#[test]
fn the_bond_the_lease_and_the_note_of_whoever_asked_last_count() {
    let mut engine = engine();
    let note = |pid| Some(Arc::new(Note { pid, ..Note::default() }));
    let (first, last) = (note(1), note(2));
    acquire(&mut engine, NOW, &Request { note: first.as_ref(), ..request(1, 1) });
    let again = Request { bond: Bond::Connection, ttl: TTL * 2, note: last.as_ref(), ..request(1, 1) };
    assert_eq!(acquire(&mut engine, NOW, &again).deadline, at(60));
    let seen = engine.inspect(NOW, key("k")).expect("it is held");
    assert_eq!(seen.holders[0].note, last);
    disconnect(&mut engine, NOW, 1);
    assert!(!engine.knows(claim(1)));
}

#[test]
fn a_grant_keeps_its_token_whoever_asks_again() {
    let mut engine = engine();
    let first = acquire(&mut engine, NOW, &request(1, 1));
    let again = Request { secret: tenure_core::Secret::new(99), ..request(1, 2) };
    assert_eq!(acquire(&mut engine, NOW, &again).token, first.token);
}

#[test]
fn asking_with_a_known_id_for_something_else_changes_nothing() {
    let mut engine = engine();
    acquire(&mut engine, NOW, &request(1, 1));
    for other in [Request { key: key("other"), ..request(1, 2) }, Request { permits: 2, ..request(1, 2) }] {
        assert!(matches!(engine.enqueue(NOW, &other), Enqueued::Refused(Refusal::Conflict)));
    }
    assert!(engine.resume(NOW, owner(2), key("other"), claim(1)).is_none());
    assert_eq!(events(&mut engine), []);
    assert_eq!(engine.renew_claim(NOW, owner(1), claim(1), TTL), Renewed::Until(at(30)));
}

#[test]
fn a_claim_in_line_has_nothing_to_resume() {
    let mut engine = with_an_orphan();
    assert!(engine.resume(at(2), owner(4), key("k"), claim(2)).is_none());
    assert!(engine.resume(at(2), owner(4), key("k"), claim(9)).is_none());
    assert_eq!(engine.resume(at(2), owner(4), key("k"), claim(1)).map(|grant| grant.deadline), Some(at(302)));
}

#[test]
fn an_owner_has_claims_as_long_as_one_waits_or_is_granted_and_is_its_own() {
    let mut engine = engine();
    assert!(!engine.has_claims(owner(1)));
    acquire(&mut engine, NOW, &request(1, 1));
    join(&mut engine, NOW, &request(2, 2));
    assert!(engine.has_claims(owner(1)) && engine.has_claims(owner(2)));
    engine.cancel_own(NOW, owner(2), claim(2));
    assert!(!engine.has_claims(owner(2)));
    acquire(&mut engine, NOW, &request(1, 3));
    assert!(engine.has_claims(owner(3)) && !engine.has_claims(owner(1)), "it was taken over");
    engine.handle_timeout(at(30));
    assert!(!engine.has_claims(owner(3)));
}
