//! The claims that the service may know of.

use super::trouble::Trouble;
use crate::coordinator::{Claim, Grant, Standing as Known};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::sync::Arc;
use std::task::Waker;
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
    /// Its owner has let go of it, and whether the service still has it is known when the later claim is answered that was
    /// asked for with its id.
    pub(super) left: bool,
    /// Its turn has come while a later claim was asked for with its id.
    pub(super) turn: Option<Grant>,
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
    /// It was asked for, and the answer has not come.
    pub(super) const fn is_asked(&self) -> bool {
        matches!(self.standing, Standing::Asked)
    }

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
///
/// The service knows one claim by an id. When one is asked for with the id of another, the one before stands behind it
/// until the answer says which of them it is: see [`settling`](super::settling).
#[derive(Debug, Default)]
pub(super) struct Claims {
    entries: HashMap<ClaimId, Entry, RandomState>,
    /// Those that stand behind another one, the earliest first. Only the first can have been answered.
    earlier: HashMap<ClaimId, Vec<Entry>, RandomState>,
    last: u64,
}

/// So many are kept room for, however few there are.
const ROOM_KEPT: usize = 1024;

impl Claims {
    /// A claim is asked for, with the request of that number. One that was before keeps its place among the others.
    pub(super) fn ask(&mut self, claim: &Arc<Claim>, request: RequestId) {
        self.last += 1;
        let mut entry = Entry {
            claim: Arc::clone(claim),
            standing: Standing::Asked,
            request,
            number: self.last,
            followed: false,
            left: false,
            turn: None,
            waiter: None,
        };
        if let Some(old) = self.take_out(claim) {
            (entry.number, entry.followed) = (old.number, old.followed);
        }
        self.put(entry);
    }

    /// Puts one before all others of its id.
    fn put(&mut self, entry: Entry) {
        let id = entry.claim.id();
        if let Some(old) = self.entries.insert(id, entry) {
            self.earlier.entry(id).or_default().push(old);
        }
    }

    /// Takes out that very claim; nobody takes its place.
    fn take_out(&mut self, claim: &Arc<Claim>) -> Option<Entry> {
        let id = claim.id();
        if let Place::Occupied(latest) = self.entries.entry(id)
            && Arc::ptr_eq(&latest.get().claim, claim)
        {
            let out = latest.remove();
            if let Some(next) = self.take_earlier(id) {
                self.entries.insert(id, next);
            }
            return Some(out);
        }
        let behind = self.earlier.get_mut(&id)?;
        let at = behind.iter().position(|entry| Arc::ptr_eq(&entry.claim, claim))?;
        let out = behind.remove(at);
        if behind.is_empty() {
            self.earlier.remove(&id);
        }
        Some(out)
    }

    /// That very claim, as the latest of its id or behind that.
    pub(super) fn find_mut(&mut self, claim: &Arc<Claim>) -> Option<&mut Entry> {
        let latest = self.entries.get_mut(&claim.id())?;
        if Arc::ptr_eq(&latest.claim, claim) {
            return Some(latest);
        }
        self.earlier.get_mut(&claim.id())?.iter_mut().find(|entry| Arc::ptr_eq(&entry.claim, claim))
    }

    /// The claim with that id that the service has answered about, which is the one that it talks of.
    pub(super) fn answered_mut(&mut self, id: ClaimId) -> Option<&mut Entry> {
        let latest = self.entries.get_mut(&id)?;
        if !latest.is_asked() {
            return Some(latest);
        }
        self.earlier.get_mut(&id)?.first_mut().filter(|entry| !entry.is_asked())
    }

    /// The claim, if it is that request that made it what it is.
    pub(super) fn asked_by(&mut self, id: ClaimId, request: RequestId) -> Option<&mut Entry> {
        let latest = self.entries.get_mut(&id)?;
        if latest.request == request {
            return Some(latest);
        }
        self.earlier.get_mut(&id)?.iter_mut().find(|entry| entry.request == request)
    }

    fn take_earlier(&mut self, id: ClaimId) -> Option<Entry> {
        if self.earlier.is_empty() {
            return None;
        }
        let behind = self.earlier.get_mut(&id)?;
        let next = behind.pop();
        if behind.is_empty() {
            self.earlier.remove(&id);
        }
        next
    }

    /// Takes out all that stand behind that claim, the earliest first.
    pub(super) fn take_behind(&mut self, claim: &Arc<Claim>) -> Vec<Entry> {
        if self.earlier.is_empty() {
            return Vec::new();
        }
        let id = claim.id();
        let Some(behind) = self.earlier.get_mut(&id) else { return Vec::new() };
        let at = behind.iter().position(|entry| Arc::ptr_eq(&entry.claim, claim)).unwrap_or(behind.len());
        let out = behind.drain(..at).collect();
        if behind.is_empty() {
            self.earlier.remove(&id);
        }
        out
    }

    /// Puts claims behind all others of an id; the last of them is the latest where there is no other.
    pub(super) fn put_behind(&mut self, id: ClaimId, mut entries: Vec<Entry>) {
        if !self.entries.contains_key(&id)
            && let Some(latest) = entries.pop()
        {
            self.entries.insert(id, latest);
        }
        if !entries.is_empty() {
            self.earlier.entry(id).or_default().splice(..0, entries);
        }
    }

    /// The requests for claims with that id that have not been answered.
    pub(super) fn asked_with(&self, id: ClaimId) -> impl Iterator<Item = RequestId> + '_ {
        let behind = if self.earlier.is_empty() { None } else { self.earlier.get(&id) };
        let all = self.entries.get(&id).into_iter().chain(behind.into_iter().flatten());
        all.filter(|entry| entry.is_asked()).map(|entry| entry.request)
    }

    /// The ids that several claims have.
    pub(super) fn contended(&self) -> Vec<ClaimId> {
        self.earlier.keys().copied().collect()
    }

    /// Whether another claim stands behind that one, which is the latest with its id.
    pub(super) fn has_behind(&self, id: ClaimId) -> bool {
        !self.earlier.is_empty() && self.earlier.contains_key(&id)
    }

    /// Whether that very claim is the latest with its id.
    pub(super) fn is_current(&self, claim: &Arc<Claim>) -> bool {
        self.entries.get(&claim.id()).is_some_and(|entry| Arc::ptr_eq(&entry.claim, claim))
    }

    /// Forgets that very claim, whose owner knows what has become of it.
    pub(super) fn forget(&mut self, claim: &Arc<Claim>) {
        drop(self.take_out(claim));
    }

    pub(super) fn contains(&self, id: ClaimId) -> bool {
        self.entries.contains_key(&id)
    }

    /// Takes out those for which that holds.
    pub(super) fn take(&mut self, mut which: impl FnMut(&Entry) -> bool) -> Vec<Entry> {
        let out: Vec<Arc<Claim>> =
            self.iter_mut().filter(|entry| which(entry)).map(|entry| Arc::clone(&entry.claim)).collect();
        out.iter().filter_map(|claim| self.take_out(claim)).collect()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.values_mut().chain(self.earlier.values_mut().flatten())
    }

    /// All of them, in the order in which they were asked for.
    pub(super) fn in_order(&self) -> Vec<Arc<Claim>> {
        let mut entries: Vec<&Entry> = self.entries.values().chain(self.earlier.values().flatten()).collect();
        entries.sort_unstable_by_key(|entry| entry.number);
        entries.into_iter().map(|entry| Arc::clone(&entry.claim)).collect()
    }

    /// Those whose positions nobody hears of any more; they are followed no longer.
    pub(super) fn unfollow(&mut self) -> Vec<ClaimId> {
        let left = self.iter_mut().filter(|entry| entry.followed && !entry.claim.has_followers());
        left.map(|entry| {
            entry.followed = false;
            entry.claim.id()
        })
        .collect()
    }

    /// Gives back room that a crowd has left.
    pub(super) fn trim(&mut self) {
        let len = self.entries.len();
        if self.entries.capacity() / 4 > len.max(ROOM_KEPT) {
            self.entries.shrink_to(len * 2);
        }
    }
}
