//! Long random histories against a small obvious model, and bugs planted to show that the histories find them.

mod compare;
mod history;
mod invariants;
mod model;
mod steps;

use crate::planted::{Bug, plant};
use history::run;
use proptest::test_runner::{Config, FileFailurePersistence, RngAlgorithm, TestError, TestRng, TestRunner};
use steps::{Step, steps};

const HISTORIES: u32 = 1_500;

#[test]
fn every_history_agrees_with_the_model() {
    // The seed of a history that goes wrong is kept in a file beside this one, and played first from then on.
    let mut runner = TestRunner::new(Config {
        cases: HISTORIES,
        source_file: Some(file!()),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("proptest-regressions"))),
        max_shrink_iters: 20_000,
        ..Config::default()
    });
    if let Err(error) = runner.run(&steps(), |history| run(&history)) {
        panic!("{error}");
    }
}

/// Whether a bug makes histories go wrong, and one of the first of them about this property. Some bugs show in several ways.
fn is_caught(bug: Bug, property: &str) -> Result<(), String> {
    let config =
        Config { cases: HISTORIES, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let mut complaint = "no history went wrong".to_owned();
    for _ in 0..20 {
        complaint = match runner.run(&steps(), |history| plant(Some(bug), || run(&history))) {
            Ok(()) => break,
            Err(TestError::Fail(why, _) | TestError::Abort(why)) => why.message().to_owned(),
        };
        if complaint.contains(property) {
            return Ok(());
        }
    }
    Err(complaint)
}

#[test]
fn the_same_history_twice_gives_the_same_trace() {
    let history: Vec<Step> = Step::sample(400);
    assert_eq!(history::trace(&history), history::trace(&history));
}

macro_rules! caught {
    ($($name:ident: $bug:expr, because $property:expr;)*) => {$(
        #[test]
        fn $name() {
            assert_eq!(is_caught($bug, $property), Ok(()));
        }
    )*};
}

caught! {
    barging_is_caught: Bug::Barging, because "a waiter was overtaken";
    a_wrong_hand_over_order_is_caught: Bug::WrongOrder, because "a waiter was overtaken";
    a_grant_to_a_cancelled_waiter_is_caught: Bug::GrantToCancelled, because "a claim that has gone stands";
    a_fence_that_starts_again_after_collection_is_caught: Bug::FenceReset, because "a fence was used twice";
    a_lease_revived_after_its_death_is_caught: Bug::LeaseRevived, because "a lease was revived";
    a_permit_leaked_on_disconnect_is_caught: Bug::PermitLeaked, because "a grant stayed when its owner went";
    a_waiter_kept_after_disconnect_is_caught: Bug::WaiterKept, because "a waiter stayed when its owner went";
    a_renewal_of_another_ones_grant_is_caught: Bug::RenewAnother, because "a token worked for another grant";
    a_lost_wake_up_is_caught: Bug::LostWakeUp, because "the head fits and was not granted";
    a_head_that_leaves_unseen_is_caught: Bug::HeadLeftUnseen, because "the head fits and was not granted";
    a_claim_made_twice_is_caught: Bug::ClaimForgotten, because "a claim stands twice";
    a_lease_that_ends_early_is_caught: Bug::LapsedEarly, because "a lease ended early";
    a_take_over_in_vain_is_caught: Bug::TakenOverInVain, because "a claim that was taken over still goes with the owner before";
    an_orphan_that_never_ends_is_caught: Bug::OrphanEndless, because "an orphan waits longer than its lease";
    an_orphan_whose_lease_starts_again_is_caught: Bug::OrphanRevived, because "the lease of an orphan started again";
    a_renewal_by_the_owner_before_is_caught: Bug::StaleRenewal, because "somebody renewed what is not his own";
    an_end_by_the_owner_before_is_caught: Bug::StaleEnd, because "somebody ended what is not his own";
    a_theft_that_wakes_nobody_is_caught: Bug::StealWakesNobody, because "the head fits and was not granted";
    an_observation_lost_is_caught: Bug::ObservationLost, because "a change of a watched key was not told";
}
