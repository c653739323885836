//! The claims that the service may know of.

use super::trouble::Trouble;
use crate::coordinator::{Claim, Standing as Known};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tenure_core::{ClaimId, Fence, Token};
use tenure_wire::mux::RequestId;

/// A claim that the service may know of.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) claim: Arc<Claim>,
    pub(super) standing: Standing,
    /// The request that made it what it is: an answer to an earlier one is of no interest.
    pub(super) request: RequestId,
    /// Which one it was, of all claims.
    pub(super) number: u64,
    /// Its owner wants to hear how far it has come in line.
    pub(super) followed: bool,
    /// Whoever waits for its turn, to be told that there is trouble.
    pub(super) waiter: Option<Waker>,
}

/// How a claim stands with the service.
#[derive(Debug)]
pub(super) enum Standing {
    /// It was asked for, and the answer has not come.
    Asked,
    /// It is in line.
    Waiting,
    /// It is granted, with that fence.
    Granted(Fence),
    /// It is in line no longer, for a reason that whoever waits has to hear.
    Failed(Trouble),
}

impl Entry {
    /// Its owner was told of a grant, and does not believe in it any more, or must not.
    pub(super) fn is_past(&self) -> bool {
        match self.claim.standing() {
            Known::Waiting => false,
            Known::Granted(_) => self.claim.is_lost(),
            Known::Ended(_) => true,
        }
    }

    /// Whether word of its end, or of the end of that grant, is about what it is now. What was asked for just now is answered
    /// behind such word, and a later grant than that one is not over.
    pub(super) fn is_ended_with(&self, fence: Option<Fence>) -> bool {
        match self.standing {
            Standing::Asked => false,
            Standing::Granted(held) => fence.is_none_or(|lost| lost >= held),
            Standing::Waiting | Standing::Failed(_) => true,
        }
    }

    /// That is the token of the grant that its owner was told of, if it was told.
    pub(super) fn is_proved_by(&self, token: Token) -> bool {
        if let Known::Granted(grant) = self.claim.standing() { grant.token == token } else { true }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Claims {
    entries: HashMap<ClaimId, Entry, RandomState>,
    last: u64,
}

impl Claims {
    /// A claim is asked for, with the request of that number. One that was before keeps its place among the others.
    pub(super) fn ask(&mut self, claim: &Arc<Claim>, request: RequestId) {
        self.last += 1;
        let fresh = Entry {
            claim: Arc::clone(claim),
            standing: Standing::Asked,
            request,
            number: self.last,
            followed: false,
            waiter: None,
        };
        if let Some(old) = self.entries.insert(claim.id(), fresh)
            && Arc::ptr_eq(&old.claim, claim)
            && let Some(entry) = self.entries.get_mut(&claim.id())
        {
            (entry.number, entry.followed) = (old.number, old.followed);
        }
    }

    pub(super) fn get_mut(&mut self, id: ClaimId) -> Option<&mut Entry> {
        self.entries.get_mut(&id)
    }

    /// The claim, if it is that request that made it what it is.
    pub(super) fn asked_by(&mut self, id: ClaimId, request: RequestId) -> Option<&mut Entry> {
        self.entries.get_mut(&id).filter(|entry| entry.request == request)
    }

    pub(super) fn remove(&mut self, id: ClaimId) -> Option<Entry> {
        self.entries.remove(&id)
    }

    /// Ready when a claim cannot be waited for, with why. It is forgotten then: it has to be asked for again.
    pub(super) fn poll_trouble(&mut self, id: ClaimId, cx: &Context<'_>) -> Poll<Trouble> {
        let Some(entry) = self.entries.get_mut(&id) else { return Poll::Pending };
        if let Standing::Failed(trouble) = &entry.standing {
            let trouble = trouble.clone();
            self.entries.remove(&id);
            return Poll::Ready(trouble);
        }
        entry.waiter = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Forgets a claim whose end its owner has been told of.
    pub(super) fn forget(&mut self, claim: &Arc<Claim>) {
        if self.entries.get(&claim.id()).is_some_and(|entry| Arc::ptr_eq(&entry.claim, claim)) {
            self.entries.remove(&claim.id());
        }
    }

    pub(super) fn contains(&self, id: ClaimId) -> bool {
        self.entries.contains_key(&id)
    }

    /// Takes out those for which that holds.
    pub(super) fn take(&mut self, mut which: impl FnMut(&Entry) -> bool) -> Vec<Entry> {
        self.entries.extract_if(|_, entry| which(entry)).map(|(_, entry)| entry).collect()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.values_mut()
    }

    /// All of them, in the order in which they were asked for.
    pub(super) fn in_order(&self) -> Vec<Arc<Claim>> {
        let mut entries: Vec<&Entry> = self.entries.values().collect();
        entries.sort_unstable_by_key(|entry| entry.number);
        entries.into_iter().map(|entry| Arc::clone(&entry.claim)).collect()
    }
}
