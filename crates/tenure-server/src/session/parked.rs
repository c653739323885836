//! What a connection has enqueued for and not waited for yet.

use std::collections::HashMap;
use tenure_core::{ClaimId, Key, Space};

/// The most keys that one connection may have enqueued for and not waited for.
pub(super) const PARKED_MAX: usize = 65_536;

/// The two-phase claims of a connection, by key. Nothing is allocated before the first.
#[derive(Debug, Default)]
pub(super) struct Parked(Option<Box<Claims>>);

type Claims = HashMap<(Space, Box<[u8]>), Claim>;

#[derive(Clone, Copy, Debug)]
struct Claim {
    id: ClaimId,
    lapsed: bool,
}

impl Parked {
    pub(super) fn is_full(&self) -> bool {
        self.0.as_ref().is_some_and(|claims| claims.len() >= PARKED_MAX)
    }

    pub(super) fn insert(&mut self, key: Key<'_>, id: ClaimId) {
        self.0.get_or_insert_default().insert(owned(key), Claim { id, lapsed: false });
    }

    pub(super) fn get(&self, key: Key<'_>) -> Option<ClaimId> {
        self.0.as_ref()?.get(&owned(key)).map(|claim| claim.id)
    }

    /// Takes a claim out; true with it when its lease has ended.
    pub(super) fn remove(&mut self, key: Key<'_>) -> Option<(ClaimId, bool)> {
        let claims = self.0.as_mut()?;
        let claim = claims.remove(&owned(key));
        if claims.is_empty() {
            self.0 = None;
        }
        claim.map(|claim| (claim.id, claim.lapsed))
    }

    pub(super) fn forget(&mut self, key: Key<'_>, id: ClaimId) {
        if self.get(key) == Some(id) {
            self.remove(key);
        }
    }

    /// Notes that the lease of a claim has ended.
    pub(super) fn lapse(&mut self, id: ClaimId) {
        let claims = self.0.iter_mut().flat_map(|claims| claims.values_mut());
        claims.filter(|claim| claim.id == id).for_each(|claim| claim.lapsed = true);
    }
}

fn owned(key: Key<'_>) -> (Space, Box<[u8]>) {
    (key.space(), key.name().into())
}
