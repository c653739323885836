//! Long random histories against a small obvious model, and bugs planted to show that the histories find them.

mod history;
mod model;

use crate::planted::{Bug, plant};
use history::{Step, run, steps};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Runs histories until one goes wrong, and says what went wrong.
fn try_histories(cases: u32, bug: Option<Bug>) -> Result<(), String> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: if bug.is_some() { 0 } else { 20_000 },
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner =
        if bug.is_some() { TestRunner::new_with_rng(config, rng) } else { TestRunner::new(config) };
    runner.run(&steps(), |history| plant(bug, || run(&history))).map_err(|error| error.to_string())
}

#[test]
fn every_history_agrees_with_the_model() {
    if let Err(error) = try_histories(1_500, None) {
        panic!("{error}");
    }
}

#[test]
fn the_same_history_twice_gives_the_same_trace() {
    let history: Vec<Step> = Step::sample(400);
    assert_eq!(history::trace(&history), history::trace(&history));
}

macro_rules! caught {
    ($($name:ident: $bug:expr;)*) => {$(
        #[test]
        fn $name() {
            assert!(try_histories(1_500, Some($bug)).is_err(), "{:?} was not caught", $bug);
        }
    )*};
}

caught! {
    barging_is_caught: Bug::Barging;
    a_wrong_hand_over_order_is_caught: Bug::WrongOrder;
    a_grant_to_a_cancelled_waiter_is_caught: Bug::GrantToCancelled;
    a_fence_that_starts_again_after_collection_is_caught: Bug::FenceReset;
    a_lease_revived_after_its_death_is_caught: Bug::LeaseRevived;
    a_permit_leaked_on_disconnect_is_caught: Bug::PermitLeaked;
    a_waiter_kept_after_disconnect_is_caught: Bug::WaiterKept;
    a_renewal_of_another_ones_grant_is_caught: Bug::RenewAnother;
    a_lost_wake_up_is_caught: Bug::LostWakeUp;
    a_head_that_leaves_unseen_is_caught: Bug::HeadLeftUnseen;
    a_claim_made_twice_is_caught: Bug::ClaimForgotten;
    a_lease_that_ends_early_is_caught: Bug::LapsedEarly;
}
