//! What must hold whatever the model says.

mod ownership;
mod watching;

use super::model::Name;
use crate::{
    Change, ClaimId, Engine, Event, Fence, Holder, Instant, Observation, OwnerId, QueueView, SharedKey,
};
use ownership::Ownership;
pub(super) use ownership::check_departure;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use std::collections::{BTreeMap, BTreeSet};
use watching::Watching;

/// What a step did, as far as it bears on what must hold after it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    /// Time passed, and nobody told the engine.
    Unseen,
    /// This claim was asked for, for the first time or again, by this owner, and stands.
    Asked(ClaimId, OwnerId),
    /// Somebody wanted to take the grant of this claim, if there is one.
    Taken(ClaimId),
    /// This claim was taken back, or was not to wait and would have had to.
    Gone(ClaimId),
    /// A token was shown; it is good for this grant, if for any.
    Shown(Option<Fence>),
    /// This owner renewed this claim.
    RenewedBy(ClaimId, OwnerId),
    /// This owner ended this claim, if that was its own or nobody's.
    EndedBy(ClaimId, OwnerId),
    /// This owner went.
    Went(OwnerId),
    /// Somebody began to watch this key, or stopped. That tells the engine no time.
    Watched(Name, bool),
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
    ownership: Ownership,
    watching: Watching,
}

impl Watch {
    pub(super) fn check(
        &mut self,
        engine: &Engine,
        now: Instant,
        deed: Deed,
        events: &[Event],
        observations: &[(SharedKey, Observation)],
    ) -> TestCaseResult {
        self.check_leases(engine, now, deed, events)?;
        self.check_tokens(engine, now, deed)?;
        self.check_renewals(engine, deed)?;
        check_claims(engine)?;
        check_gone(engine, deed)?;
        self.ownership.check(engine, now, deed, events, &self.grants)?;
        for (_, view) in engine.queues(0) {
            check_permits(engine, &view)?;
            self.check_order(&view, deed)?;
            self.check_fences(&view)?;
        }
        self.watching.check(engine, deed, observations)?;
        self.remember(engine);
        Ok(())
    }

    /// No lease ends before its deadline, and none stands behind it.
    fn check_leases(&self, engine: &Engine, now: Instant, deed: Deed, events: &[Event]) -> TestCaseResult {
        for event in events.iter().filter(|event| event.change == Change::Lapsed) {
            let ended = self.grants.get(&event.claim).is_none_or(|grant| grant.deadline <= now);
            prop_assert!(ended, "a lease ended early: {:?}", event);
        }
        if matches!(deed, Deed::Unseen | Deed::Watched(..)) {
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

    /// A token is good for its own grant alone.
    fn check_tokens(&self, engine: &Engine, now: Instant, deed: Deed) -> TestCaseResult {
        let Deed::Shown(good_for) = deed else { return Ok(()) };
        let after: BTreeMap<Fence, Instant> =
            holders(engine).into_iter().map(|holder| (holder.fence, holder.deadline)).collect();
        let others = self.grants.values().filter(|holder| good_for != Some(holder.fence));
        for holder in others.filter(|holder| holder.deadline > now) {
            let deadline = after.get(&holder.fence);
            prop_assert_eq!(deadline, Some(&holder.deadline), "a token worked for another grant");
        }
        Ok(())
    }

    /// Only its owner renews a claim by its id.
    fn check_renewals(&self, engine: &Engine, deed: Deed) -> TestCaseResult {
        let Deed::RenewedBy(claim, by) = deed else { return Ok(()) };
        let before = self.grants.get(&claim).filter(|_| !self.ownership.is_of(claim, by));
        let after = holders(engine).into_iter().find(|holder| holder.claim == claim);
        if let (Some(before), Some(after)) = (before, after) {
            prop_assert_eq!(before.deadline, after.deadline, "somebody renewed what is not his own");
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
            let mut ahead = ahead.filter(|claim| !matches!(deed, Deed::Asked(asked, _) if asked == **claim));
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
            prop_assert!(self.used.insert(holder.fence), "a fence was used twice: {:?}", holder);
            let before = self.highest.insert(name(view), holder.fence);
            prop_assert!(before.is_none_or(|before| holder.fence > before), "a fence fell: {:?}", holder);
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
    let held: u64 = view.holders().map(|holder| u64::from(holder.permits)).sum();
    let limit = u64::from(view.limit().get());
    prop_assert!(held <= limit, "more permits out than there are");
    if let Some((claim, permits)) = view.waiters().next() {
        let fits = u64::from(permits) <= limit - held;
        prop_assert!(!fits || engine.fences_left() == 0, "the head fits and was not granted: {:?}", claim);
    }
    Ok(())
}

/// Every claim stands in one place.
fn check_claims(engine: &Engine) -> TestCaseResult {
    let mut standing = BTreeSet::new();
    for claim in claims(engine) {
        prop_assert!(standing.insert(claim), "a claim stands twice: {:?}", claim);
    }
    prop_assert_eq!(standing.len(), engine.sizes().1, "a claim that is in no queue");
    Ok(())
}

fn check_gone(engine: &Engine, deed: Deed) -> TestCaseResult {
    if let Deed::Gone(claim) = deed {
        prop_assert!(!engine.knows(claim), "a claim that has gone stands: {:?}", claim);
    }
    Ok(())
}

fn holders(engine: &Engine) -> Vec<Holder> {
    engine.queues(0).flat_map(|(_, view)| view.holders().collect::<Vec<_>>()).collect()
}

/// All claims that stand in queues.
fn claims(engine: &Engine) -> Vec<ClaimId> {
    let waiters = engine.queues(0).flat_map(|(_, view)| view.waiters().collect::<Vec<_>>());
    let holders = holders(engine).into_iter().map(|holder| holder.claim);
    holders.chain(waiters.map(|(claim, _)| claim)).collect()
}

fn name(view: &QueueView<'_>) -> Name {
    (view.key().space(), view.key().name()[0])
}
