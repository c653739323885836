//! What a connection has enqueued for and not waited for yet.

use std::collections::HashMap;
use tenure_core::{ClaimId, Key, Space};

/// The most keys that one connection may have enqueued for and not waited for.
pub(super) const PARKED_MAX: usize = 65_536;

/// The two-phase claims of a connection. Nothing is allocated before the first.
#[derive(Debug, Default)]
pub(super) struct Parked(Option<Box<Claims>>);

#[derive(Debug, Default)]
struct Claims {
    by_key: HashMap<(Space, Box<[u8]>), ClaimId>,
    /// Whether the lease of each has ended.
    lapsed: HashMap<ClaimId, bool>,
}

impl Parked {
    /// Whether one more key has room; what has lapsed is forgotten for it if need be.
    pub(super) fn has_room_for(&mut self, key: Key<'_>) -> bool {
        let Some(claims) = &mut self.0 else { return true };
        if claims.by_key.len() < PARKED_MAX || claims.by_key.contains_key(&owned(key)) {
            return true;
        }
        let Claims { by_key, lapsed } = &mut **claims;
        by_key.retain(|_, id| !lapsed.get(id).copied().unwrap_or_default());
        lapsed.retain(|_, lapsed| !*lapsed);
        by_key.len() < PARKED_MAX
    }

    pub(super) fn insert(&mut self, key: Key<'_>, id: ClaimId) {
        self.remove(key);
        let claims = self.0.get_or_insert_default();
        claims.by_key.insert(owned(key), id);
        claims.lapsed.insert(id, false);
    }

    pub(super) fn get(&self, key: Key<'_>) -> Option<ClaimId> {
        self.0.as_ref()?.by_key.get(&owned(key)).copied()
    }

    /// Takes a claim out; true with it when its lease has ended.
    pub(super) fn remove(&mut self, key: Key<'_>) -> Option<(ClaimId, bool)> {
        let claims = self.0.as_mut()?;
        let id = claims.by_key.remove(&owned(key))?;
        let lapsed = claims.lapsed.remove(&id).unwrap_or_default();
        if claims.by_key.is_empty() {
            self.0 = None;
        }
        Some((id, lapsed))
    }

    /// Notes that the lease of a claim has ended.
    pub(super) fn lapse(&mut self, id: ClaimId) {
        if let Some(lapsed) = self.0.as_mut().and_then(|claims| claims.lapsed.get_mut(&id)) {
            *lapsed = true;
        }
    }
}

fn owned(key: Key<'_>) -> (Space, Box<[u8]>) {
    (key.space(), key.name().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_there_until_it_is_taken_out_and_says_whether_its_lease_has_ended() {
        let key = Key::new(Space::Lock, b"k").expect("a short name");
        let (first, second) = (ClaimId::new(1), ClaimId::new(2));
        let mut parked = Parked::default();
        parked.insert(key, first);
        parked.lapse(first);
        parked.lapse(second);
        assert_eq!(parked.get(key), Some(first));
        assert_eq!(parked.remove(key), Some((first, true)));
        parked.insert(key, first);
        parked.insert(key, second);
        assert_eq!(parked.remove(key), Some((second, false)));
        assert!(parked.0.is_none(), "the last one takes the table along");
    }

    #[test]
    fn there_is_room_for_so_many_and_no_more() {
        let mut parked = Parked::default();
        for number in 0..PARKED_MAX {
            let name = number.to_string();
            let key = Key::new(Space::Lock, name.as_bytes()).expect("a short name");
            assert!(parked.has_room_for(key));
            parked.insert(key, ClaimId::new(number as u128));
        }
        let (known, more) = (Key::new(Space::Lock, b"7"), Key::new(Space::Lock, b"more"));
        assert!(parked.has_room_for(known.expect("a short name")));
        assert!(!parked.has_room_for(more.expect("a short name")));
        parked.lapse(ClaimId::new(9));
        assert!(parked.has_room_for(more.expect("a short name")), "a lapsed one makes room");
    }
}
