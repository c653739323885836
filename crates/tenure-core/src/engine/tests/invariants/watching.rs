//! Those who watch a key hear of every change of it, once and in order.

use super::super::model::Name;
use super::{Deed, name};
use crate::{Engine, Happened, Observation, SharedKey};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use std::collections::{BTreeMap, BTreeSet};

/// How many hold a key, and how many wait for it.
type Counts = (u32, u32);

#[derive(Default)]
pub(super) struct Watching {
    watched: BTreeSet<Name>,
    before: BTreeMap<Name, Counts>,
}

impl Watching {
    pub(super) fn check(
        &mut self,
        engine: &Engine,
        deed: Deed,
        observations: &[(SharedKey, Observation)],
    ) -> TestCaseResult {
        let views = engine.queues(0).map(|(_, view)| view);
        let after: BTreeMap<Name, Counts> =
            views.map(|view| (name(&view), (view.holders_len() as u32, view.queue_len() as u32))).collect();
        let mut told: BTreeMap<Name, Counts> =
            self.watched.iter().map(|name| (*name, counts(&self.before, *name))).collect();
        for ((space, name), observation) in observations {
            let name = (*space, name[0]);
            let Some(before) = told.get_mut(&name) else {
                return Err(TestCaseError::fail("what nobody watches was told of"));
            };
            let next = (observation.holders_len, observation.queue_len);
            prop_assert!(
                follows(*before, next, &observation.happened),
                "a change of a watched key was not told: before {:?} {:?}",
                before,
                observation
            );
            *before = next;
        }
        for (name, told) in told {
            prop_assert_eq!(told, counts(&after, name), "a change of a watched key was not told: {:?}", name);
        }
        self.before = after;
        if let Deed::Watched(name, stop) = deed {
            self.watched.remove(&name);
            self.watched.extend((!stop).then_some(name));
        }
        Ok(())
    }
}

/// Whether one thing that happened makes the one out of the other.
fn follows((holders, waiters): Counts, next: Counts, happened: &Happened) -> bool {
    match happened {
        Happened::Granted { .. } => {
            next == (holders + 1, waiters) || waiters > 0 && next == (holders + 1, waiters - 1)
        }
        Happened::Ended { .. } => holders > 0 && next == (holders - 1, waiters),
        Happened::Queue => next == (holders, waiters + 1) || waiters > 0 && next == (holders, waiters - 1),
    }
}

fn counts(all: &BTreeMap<Name, Counts>, name: Name) -> Counts {
    all.get(&name).copied().unwrap_or_default()
}
