//! Which of several claims with one id the service has.
//!
//! The service knows one claim by an id: whoever asks with the id of a claim that is there takes that over, unless it is
//! refused. Only the answer says which it was, so until then nothing is done about the claim before. One that its owner
//! lets go of meanwhile is taken back when it turns out to be there still.

use super::answer::Answer;
use super::claims::{Entry, Standing};
use super::effects::Effects;
use super::slots::About;
use super::state::State;
use crate::coordinator::{Claim, Grant};
use crate::lost::Loss;
use crate::{Error, Instant};
use std::sync::Arc;
use tenure_core::ClaimId;
use tenure_wire::mux::RequestId;

/// How the service has a claim, by its answer, and since when a lease can run.
#[derive(Clone, Copy, Debug)]
enum Had {
    Granted(Grant),
    Queued,
}

impl Had {
    const fn standing(self) -> Standing {
        match self {
            Self::Granted(grant) => Standing::Granted(grant.token.fence),
            Self::Queued => Standing::Waiting,
        }
    }
}

impl State {
    /// The answer to a claim that somebody asked for with a request that was sent at that instant.
    pub(super) fn asked(
        &mut self,
        (id, about, sent): (RequestId, About, Instant),
        claim: ClaimId,
        answer: &Result<Answer, Error>,
        now: Instant,
        effects: &mut Effects,
    ) {
        let Some(entry) = self.claims.asked_by(claim, id) else { return };
        let asker = Arc::clone(&entry.claim);
        match *answer {
            Ok(Answer::Granted { token, ttl }) => {
                self.is_had(&asker, about, Had::Granted(Grant { token, ttl, base: sent }), now, effects);
            }
            Ok(Answer::Queued { .. }) => self.is_had(&asker, about, Had::Queued, now, effects),
            Ok(Answer::Busy) => {
                self.claims.forget(&asker);
                self.is_left_out(claim, effects);
                self.settle(claim, now, effects);
            }
            _ => {
                self.claims.forget(&asker);
                self.settle(claim, now, effects);
            }
        }
    }

    /// The service has what was asked for, whatever it had before.
    fn is_had(&mut self, asker: &Arc<Claim>, about: About, had: Had, now: Instant, effects: &mut Effects) {
        let behind = self.claims.take_behind(asker);
        let Some(entry) = self.claims.find_mut(asker) else { return };
        if !entry.left {
            entry.standing = had.standing();
            for old in behind.into_iter().filter(|old| !old.left) {
                effects.ended(old.claim, Loss::taken_over());
            }
            return;
        }
        self.claims.forget(asker);
        self.falls_back(asker, about, behind, had, now, effects);
    }

    /// The service has what nobody wants any more who has asked for it. It is as good for whoever had it before.
    fn falls_back(
        &mut self,
        asker: &Arc<Claim>,
        about: About,
        mut behind: Vec<Entry>,
        had: Had,
        now: Instant,
        effects: &mut Effects,
    ) {
        let id = asker.id();
        // What was resumed, and nobody wants, is left to its lease.
        let mut is_owed = matches!(about, About::Enqueue(_));
        let heir = loop {
            match behind.pop() {
                Some(entry) if entry.left => is_owed = true,
                heir => break heir,
            }
        };
        let Some(mut heir) = heir else {
            if is_owed {
                self.take_back(id, asker.wanted().ttl, now);
            }
            return;
        };
        match (&heir.standing, had) {
            // Its own answer is on its way.
            (Standing::Asked | Standing::Failed(_), _) | (Standing::Waiting, Had::Queued) => {}
            (Standing::Waiting, Had::Granted(grant)) => {
                heir.standing = had.standing();
                effects.granted(&heir.claim, grant);
            }
            (Standing::Granted(fence), Had::Granted(grant)) if *fence == grant.token.fence => {
                effects.granted(&heir.claim, grant);
            }
            (Standing::Granted(_), _) => {
                effects.ended(heir.claim, Loss::Lapsed);
                return self.take_back(id, asker.wanted().ttl, now);
            }
        }
        behind.push(heir);
        self.claims.put_behind(id, behind);
    }

    /// The service has nothing by an id, for somebody had no patience: what stood in line by it does so no more. What was
    /// granted has ended by itself, and how is told for itself.
    fn is_left_out(&mut self, id: ClaimId, effects: &mut Effects) {
        let Some(entry) = self.claims.answered_mut(id) else { return };
        let claim = Arc::clone(&entry.claim);
        if entry.left {
            self.claims.forget(&claim);
        } else if matches!(entry.standing, Standing::Waiting) {
            self.claims.forget(&claim);
            effects.ended(claim, Loss::taken_over());
        }
    }

    /// Does what was put off until it was known which claim of an id the service has.
    pub(super) fn settle(&mut self, id: ClaimId, now: Instant, effects: &mut Effects) {
        if self.is_open(id) {
            return;
        }
        let Some(entry) = self.claims.answered_mut(id) else { return };
        let claim = Arc::clone(&entry.claim);
        if !entry.left {
            if let Some(grant) = entry.turn.take() {
                effects.granted(&claim, grant);
            }
        } else if self.claims.is_current(&claim) {
            self.claims.forget(&claim);
            self.take_back(id, claim.wanted().ttl, now);
        }
    }

    /// Whether an answer is on its way that says which claim of an id the service has.
    fn is_open(&mut self, id: ClaimId) -> bool {
        let Self { claims, slots, .. } = self;
        claims.asked_with(id).any(|request| slots.is_sent_about(request, id))
    }

    /// Takes a claim back that its owner has let go of, if that is the one that the service has.
    pub(super) fn let_go(&mut self, claim: &Arc<Claim>, now: Instant, effects: &mut Effects) {
        let id = claim.id();
        let Some(entry) = self.claims.find_mut(claim) else { return };
        let (request, is_asked) = (entry.request, entry.is_asked());
        if self.claims.is_current(claim) && !self.claims.has_behind(id) {
            self.claims.forget(claim);
            self.take_back(id, claim.wanted().ttl, now);
        } else if is_asked && !self.slots.is_sent_about(request, id) {
            self.claims.forget(claim);
            self.settle(id, now, effects);
        } else if let Some(entry) = self.claims.find_mut(claim) {
            entry.left = true;
        }
    }

    /// Whether the service may have that very claim, to be released by its id. Another claim of that id is not touched.
    pub(super) fn may_release(&mut self, claim: &Arc<Claim>, now: Instant, effects: &mut Effects) -> bool {
        let id = claim.id();
        let is_latest = !self.claims.contains(id) || self.claims.is_current(claim);
        if is_latest && !self.claims.has_behind(id) {
            return true;
        }
        self.let_go(claim, now, effects);
        false
    }

    /// Nobody wants what was asked for with that request; it has not been answered, or was by a grant to be left to its lease.
    pub(super) fn unask(&mut self, id: RequestId, claim: ClaimId, now: Instant, effects: &mut Effects) {
        let Some(entry) = self.claims.asked_by(claim, id) else { return };
        let asker = Arc::clone(&entry.claim);
        self.claims.forget(&asker);
        self.settle(claim, now, effects);
    }

    /// The turn of a claim has come.
    pub(super) fn granted(&mut self, id: ClaimId, grant: Grant, now: Instant, effects: &mut Effects) {
        let is_open = self.is_open(id);
        let Some(entry) = self.claims.answered_mut(id) else {
            // Either it was asked for again meanwhile, and the answer to that is behind this; or whoever wanted it is gone.
            if !self.claims.contains(id) {
                self.take_back(id, grant.ttl, now);
            }
            return;
        };
        match entry.standing {
            Standing::Failed(_) => self.take_back(id, grant.ttl, now),
            Standing::Asked | Standing::Waiting | Standing::Granted(_) => {
                entry.standing = Standing::Granted(grant.token.fence);
                if is_open {
                    entry.turn = Some(grant);
                } else {
                    effects.granted(&entry.claim, grant);
                }
            }
        }
    }
}
