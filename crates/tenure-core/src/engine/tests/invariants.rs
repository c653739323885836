//! What must hold whatever the model says.

use super::model::Name;
use crate::{Bond, Change, ClaimId, Engine, Event, Fence, Holder, Instant, OwnerId, QueueView};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use std::collections::{BTreeMap, BTreeSet};

/// What a step did, as far as it bears on what must hold after it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    /// Time passed, and nobody told the engine.
    Unseen,
    /// This claim asked to be made.
    Asked(ClaimId),
    /// This claim was taken back.
    TakenBack(ClaimId),
    /// This owner went.
    Went(OwnerId),
    Other,
}

/// Watches an engine from step to step.
#[derive(Default)]
pub(super) struct Watch {
    /// The lines, as they were after the last step.
    lines: BTreeMap<Name, Vec<ClaimId>>,
    /// The grants, as they were after the last step.
    grants: BTreeMap<ClaimId, Holder>,
    /// The highest fence of each key.
    highest: BTreeMap<Name, Fence>,
    used: BTreeSet<Fence>,
}

impl Watch {
    pub(super) fn check(
        &mut self,
        engine: &Engine,
        now: Instant,
        deed: Deed,
        events: &[Event],
    ) -> TestCaseResult {
        self.check_leases(engine, now, deed, events)?;
        check_claims(engine)?;
        check_departure(engine, deed)?;
        for (_, view) in engine.queues(0) {
            check_permits(engine, &view)?;
            self.check_order(&view, deed)?;
            self.check_fences(&view)?;
        }
        self.remember(engine);
        Ok(())
    }

    /// No lease ends before its deadline, and none stands behind it.
    fn check_leases(&self, engine: &Engine, now: Instant, deed: Deed, events: &[Event]) -> TestCaseResult {
        for event in events.iter().filter(|event| event.change == Change::Lapsed) {
            let ended = self.grants.get(&event.claim).is_none_or(|grant| grant.deadline <= now);
            prop_assert!(ended, "a lease ended early: {:?}", event);
        }
        if matches!(deed, Deed::Unseen) {
            return Ok(());
        }
        for holder in holders(engine) {
            let before = self.grants.get(&holder.claim).filter(|before| before.fence == holder.fence);
            prop_assert!(
                before.is_none_or(|before| before.deadline > now),
                "a lease was revived: {:?}",
                holder
            );
        }
        Ok(())
    }

    /// Nobody is granted past those who came before.
    fn check_order(&self, view: &QueueView<'_>, deed: Deed) -> TestCaseResult {
        let none = vec![];
        let line = self.lines.get(&name(view)).unwrap_or(&none);
        let waiting: BTreeSet<ClaimId> = view.waiters().map(|(claim, _)| claim).collect();
        let fences: BTreeMap<ClaimId, Fence> =
            view.holders().map(|holder| (holder.claim, holder.fence)).collect();
        for holder in view.holders().filter(|holder| self.is_new(holder)) {
            let ahead = line.iter().take_while(|claim| **claim != holder.claim);
            // A claim that ended and asked again has lost its place.
            let mut ahead = ahead.filter(|claim| !matches!(deed, Deed::Asked(asked) if asked == **claim));
            let passed = ahead.find(|claim| {
                waiting.contains(claim) || fences.get(claim).is_some_and(|fence| *fence > holder.fence)
            });
            prop_assert_eq!(passed, None, "a waiter was overtaken by {:?}", holder.claim);
        }
        Ok(())
    }

    /// The fences of a key rise, and none is used twice.
    fn check_fences(&mut self, view: &QueueView<'_>) -> TestCaseResult {
        let fresh: Vec<Holder> = view.holders().filter(|holder| self.is_new(holder)).collect();
        for holder in fresh {
            let before = self.highest.insert(name(view), holder.fence);
            prop_assert!(before.is_none_or(|before| holder.fence > before), "a fence fell: {:?}", holder);
            prop_assert!(self.used.insert(holder.fence), "a fence was used twice: {:?}", holder);
        }
        Ok(())
    }

    fn is_new(&self, holder: &Holder) -> bool {
        self.grants.get(&holder.claim).is_none_or(|before| before.fence != holder.fence)
    }

    fn remember(&mut self, engine: &Engine) {
        self.lines = engine
            .queues(0)
            .map(|(_, view)| (name(&view), view.waiters().map(|(claim, _)| claim).collect()))
            .collect();
        self.grants = holders(engine).into_iter().map(|holder| (holder.claim, holder)).collect();
    }
}

/// The permits that are out are no more than there are, and those that are free are of no use to the next in line.
fn check_permits(engine: &Engine, view: &QueueView<'_>) -> TestCaseResult {
    let held: u32 = view.holders().map(|holder| holder.permits).sum();
    prop_assert!(held <= view.limit().get(), "more permits out than there are");
    if let Some((claim, permits)) = view.waiters().next() {
        let fits = permits <= view.limit().get() - held;
        prop_assert!(!fits || engine.fences_left() == 0, "the head fits and was not granted: {:?}", claim);
    }
    Ok(())
}

/// Every claim stands in one place.
fn check_claims(engine: &Engine) -> TestCaseResult {
    let mut standing = BTreeSet::new();
    for (_, view) in engine.queues(0) {
        let holders = view.holders().map(|holder| holder.claim);
        for claim in holders.chain(view.waiters().map(|(claim, _)| claim)) {
            prop_assert!(standing.insert(claim), "a claim stands twice: {:?}", claim);
        }
    }
    prop_assert_eq!(standing.len(), engine.sizes().1, "a claim that is in no queue");
    Ok(())
}

/// Whoever goes leaves nothing behind but the grants that are bound to their lease.
fn check_departure(engine: &Engine, deed: Deed) -> TestCaseResult {
    if let Deed::TakenBack(claim) = deed {
        prop_assert!(!engine.knows(claim), "a claim that was taken back stands: {:?}", claim);
    }
    let Deed::Went(owner) = deed else { return Ok(()) };
    let claim = |id| engine.claims.at(engine.claims.find(id).expect("a claim that stands"));
    for (_, view) in engine.queues(0) {
        let waiter = view.waiters().find(|(id, _)| claim(*id).owner == owner);
        prop_assert_eq!(waiter, None, "a waiter stayed when its owner went");
        let mut holders = view.holders().filter(|holder| holder.owner == owner);
        let stays = holders.find(|holder| holder.offered || claim(holder.claim).bond == Bond::Connection);
        prop_assert_eq!(stays, None, "a grant stayed when its owner went");
    }
    Ok(())
}

fn holders(engine: &Engine) -> Vec<Holder> {
    engine.queues(0).flat_map(|(_, view)| view.holders().collect::<Vec<_>>()).collect()
}

fn name(view: &QueueView<'_>) -> Name {
    (view.key().space(), view.key().name()[0])
}
