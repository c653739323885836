//! Claims go with their owners, and with nobody else.

use super::super::steps::OWNERS;
use super::{Deed, claims};
use crate::engine::claims::{Claim, NONE, Stage};
use crate::{Bond, ClaimId, Engine, Event, Holder, Instant, OwnerId};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use std::collections::BTreeMap;

/// Whose the claims are, told from what was done.
#[derive(Default)]
pub(super) struct Ownership {
    owners: BTreeMap<ClaimId, OwnerId>,
    /// When the lease of each claim without an owner ends, at the latest.
    orphans: BTreeMap<ClaimId, Instant>,
}

impl Ownership {
    pub(super) fn is_of(&self, claim: ClaimId, owner: OwnerId) -> bool {
        self.owners.get(&claim) == Some(&owner)
    }

    /// `grants` are those before what was done.
    pub(super) fn check(
        &mut self,
        engine: &Engine,
        now: Instant,
        deed: Deed,
        events: &[Event],
        grants: &BTreeMap<ClaimId, Holder>,
    ) -> TestCaseResult {
        self.check_end(engine, deed, events)?;
        self.owners.retain(|claim, _| engine.knows(*claim));
        self.orphans.retain(|claim, _| engine.knows(*claim));
        if let Deed::Went(owner) = deed {
            check_departure(engine, owner)?;
            self.forget(engine, now, owner, grants);
        }
        if let Deed::Asked(id, owner) = deed {
            self.check_takeover(engine, now, id, owner)?;
            self.owners.insert(id, owner);
            self.orphans.remove(&id);
        }
        if let Deed::Taken(id) = deed
            && engine.knows(id)
            && matches!(claim(engine, id).stage, Stage::Held(_))
        {
            self.orphans.remove(&id);
        }
        self.check_orphans(engine)?;
        check_lists(engine)
    }

    /// What belongs to one owner is not ended by another.
    fn check_end(&self, engine: &Engine, deed: Deed, events: &[Event]) -> TestCaseResult {
        let Deed::EndedBy(id, by) = deed else { return Ok(()) };
        let of_another = self.owners.get(&id).is_some_and(|owner| *owner != by);
        let told = events.iter().any(|event| event.claim == id);
        prop_assert!(!of_another || engine.knows(id) || told, "somebody ended what is not his own: {:?}", id);
        Ok(())
    }

    /// What somebody has taken over does not go with the owner before.
    fn check_takeover(&self, engine: &Engine, now: Instant, id: ClaimId, owner: OwnerId) -> TestCaseResult {
        let complaint = "a claim that was taken over still goes with the owner before";
        prop_assert_eq!(claim(engine, id).owner, owner, "{}", complaint);
        let Some(before) = self.owners.get(&id).filter(|before| **before != owner) else { return Ok(()) };
        let mut engine = engine.clone();
        while !engine.disconnect(now, *before, 2) {}
        prop_assert!(engine.knows(id) && claim(&engine, id).is_of(owner), "{}: {:?}", complaint, id);
        Ok(())
    }

    /// An owner has gone: what it leaves belongs to nobody. What was not held yet lives no longer than one lease.
    fn forget(&mut self, engine: &Engine, now: Instant, owner: OwnerId, grants: &BTreeMap<ClaimId, Holder>) {
        let held = |id: &ClaimId| grants.get(id).is_some_and(|holder| !holder.offered);
        let left =
            self.owners.iter().filter(|(id, of)| **of == owner && claim(engine, **id).bond != Bond::Lease);
        let left: Vec<ClaimId> = left.map(|(id, _)| *id).collect();
        for id in left {
            self.owners.remove(&id);
            if !held(&id) {
                let granted = grants.get(&id).map(|holder| holder.deadline);
                self.orphans.insert(id, granted.unwrap_or_else(|| now.after(claim(engine, id).ttl)));
            }
        }
    }

    /// What belongs to nobody ends with the lease that began when its owner went, or before.
    fn check_orphans(&self, engine: &Engine) -> TestCaseResult {
        for (id, most) in &self.orphans {
            let until = engine.deadlines.get(engine.claims.find(*id).expect("a claim that stands"));
            let in_time = until.is_some_and(|until| until <= *most);
            if claim(engine, *id).stage == Stage::Waiting {
                prop_assert!(in_time, "an orphan waits longer than its lease: {:?}", id);
            } else {
                prop_assert!(in_time, "the lease of an orphan started again: {:?}", id);
            }
        }
        Ok(())
    }
}

/// Whoever goes leaves nothing behind but what is bound to a lease.
pub(in super::super) fn check_departure(engine: &Engine, owner: OwnerId) -> TestCaseResult {
    for id in claims(engine) {
        let claim = claim(engine, id);
        let of_nobody = claim.orphan && claim.bond == Bond::Resumable;
        let stays = match claim.stage {
            Stage::Waiting | Stage::Offered(_) => of_nobody,
            Stage::Held(_) => of_nobody || claim.bond == Bond::Lease,
        };
        let complaint = if claim.stage == Stage::Waiting { "a waiter" } else { "a grant" };
        prop_assert!(stays || claim.owner != owner, "{} stayed when its owner went: {:?}", complaint, id);
    }
    Ok(())
}

/// The list of each owner has the claims that go with it, linked both ways, and nothing else.
fn check_lists(engine: &Engine) -> TestCaseResult {
    let mut lists = 0;
    for owner in (0..OWNERS).map(|owner| OwnerId::new(u64::from(owner))) {
        let list: Vec<u32> =
            engine.owners.claims(owner, &engine.claims).take(engine.claims.len() + 1).collect();
        let mut previous = NONE;
        for slot in &list {
            prop_assert_eq!(engine.claims.at(*slot).previous, previous, "a list of claims is broken");
            previous = *slot;
        }
        let mut listed: Vec<ClaimId> = list.iter().map(|slot| engine.claims.at(*slot).id).collect();
        listed.sort();
        let mut expected = claims(engine);
        expected.retain(|id| claim(engine, *id).goes() && claim(engine, *id).owner == owner);
        expected.sort();
        lists += usize::from(!list.is_empty());
        prop_assert_eq!(listed, expected, "the claims that go with {:?}", owner);
    }
    prop_assert_eq!(lists, engine.sizes().2, "owners with claims");
    Ok(())
}

fn claim(engine: &Engine, id: ClaimId) -> &Claim {
    engine.claims.at(engine.claims.find(id).expect("a claim that stands"))
}
