//! Whether all that can be seen of the engine is what the model says.

use super::model::{Model, Name};
use super::steps::key;
use crate::{Engine, Event, Observation, SharedKey, Summary};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestCaseResult};

pub(super) fn compare(
    engine: &mut Engine,
    model: &mut Model,
    events: &[Event],
    observations: &[(SharedKey, Observation)],
) -> TestCaseResult {
    let events: Vec<_> =
        events.iter().map(|event| (event.owner, event.claim, event.change.clone())).collect();
    prop_assert_eq!(events, std::mem::take(&mut model.events), "events");
    let observations: Vec<(Name, Observation)> =
        observations.iter().map(|((space, name), seen)| ((*space, name[0]), seen.clone())).collect();
    prop_assert_eq!(observations, std::mem::take(&mut model.observations), "observations");
    prop_assert_eq!(engine.sizes().0, model.queues.len(), "keys");
    prop_assert_eq!(engine.fences_left(), model.fences, "fences");
    for name in model.queues.keys() {
        compare_queue(engine, model, *name)?;
        prop_assert_eq!(engine.inspect(model.now, key(name)), model.inspect(*name), "an inspection");
    }
    for prefix in [&b""[..], b"a", b"ab"] {
        let (mut keys, next) = engine.list(model.now, prefix, 0);
        keys.sort_by_key(|summary: &Summary| (summary.space, summary.name.clone()));
        prop_assert_eq!((keys, next), (model.list(prefix), None), "the list of {:?}", prefix);
    }
    Ok(())
}

fn compare_queue(engine: &Engine, model: &Model, name: Name) -> TestCaseResult {
    let queue = &model.queues[&name];
    let Some(view) = engine.queue(key(&name)) else { return Err(TestCaseError::fail("a key is gone")) };
    let holders: Vec<_> = view
        .holders()
        .map(|h| (h.claim, h.owner, h.permits, h.fence.get(), Some(h.deadline), h.offered))
        .collect();
    let expected = queue.holders.iter();
    let expected: Vec<_> =
        expected.map(|c| (c.id, c.owner, c.permits, c.fence, c.deadline, c.offered)).collect();
    prop_assert_eq!(holders, expected, "holders of {:?}", name);
    let until = |claim| engine.deadlines.get(engine.claims.find(claim).expect("a claim that waits"));
    let waiters: Vec<_> = view.waiters().map(|(claim, permits)| (claim, permits, until(claim))).collect();
    let expected: Vec<_> =
        queue.waiters.iter().map(|claim| (claim.id, claim.permits, claim.deadline)).collect();
    prop_assert_eq!(waiters, expected, "waiters of {:?}", name);
    for claim in queue.waiters.iter().chain(&queue.holders) {
        prop_assert_eq!(
            engine.position(claim.id),
            model.position(claim.id),
            "the position of {:?}",
            claim.id
        );
        prop_assert_eq!(engine.key_of(claim.id), Some(key(&name)));
    }
    prop_assert_eq!(view.queue_len(), queue.waiters.len());
    prop_assert_eq!((view.limit().get(), view.idle_since()), (queue.limit, queue.idle_since));
    Ok(())
}
