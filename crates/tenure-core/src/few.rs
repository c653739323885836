//! An ordered map that is nearly always empty or of one entry.

use alloc::collections::BTreeMap;

/// An ordered map whose only entry, as long as there is only one, lives in place without an allocation.
#[derive(Clone, Debug)]
pub(crate) enum Few<K, V> {
    None,
    One(K, V),
    Many(BTreeMap<K, V>),
}

impl<K: Ord + Copy, V> Few<K, V> {
    pub(crate) const fn new() -> Self {
        Self::None
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(..) => 1,
            Self::Many(map) => map.len(),
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        matches!(self, Self::None)
    }

    pub(crate) fn get(&self, key: K) -> Option<&V> {
        match self {
            Self::One(only, value) if *only == key => Some(value),
            Self::None | Self::One(..) => None,
            Self::Many(map) => map.get(&key),
        }
    }

    pub(crate) fn first(&self) -> Option<(K, &V)> {
        match self {
            Self::None => None,
            Self::One(key, value) => Some((*key, value)),
            Self::Many(map) => map.first_key_value().map(|(key, value)| (*key, value)),
        }
    }

    pub(crate) fn last(&self) -> Option<(K, &V)> {
        match self {
            Self::None => None,
            Self::One(key, value) => Some((*key, value)),
            Self::Many(map) => map.last_key_value().map(|(key, value)| (*key, value)),
        }
    }

    /// Adds an entry under a key that is not there yet.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        *self = match core::mem::replace(self, Self::None) {
            Self::None => Self::One(key, value),
            Self::One(other, one) => Self::Many(BTreeMap::from([(other, one), (key, value)])),
            Self::Many(mut map) => {
                map.insert(key, value);
                Self::Many(map)
            }
        };
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<V> {
        match core::mem::replace(self, Self::None) {
            Self::None => None,
            Self::One(only, value) if only == key => Some(value),
            Self::One(only, value) => {
                *self = Self::One(only, value);
                None
            }
            Self::Many(mut map) => {
                let removed = map.remove(&key);
                *self = Self::of(map);
                removed
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        let (one, many) = match self {
            Self::None => (None, None),
            Self::One(key, value) => (Some((*key, value)), None),
            Self::Many(map) => (None, Some(map)),
        };
        one.into_iter().chain(many.into_iter().flatten().map(|(key, value)| (*key, value)))
    }

    fn of(mut map: BTreeMap<K, V>) -> Self {
        if map.len() > 1 {
            return Self::Many(map);
        }
        map.pop_first().map_or(Self::None, |(key, value)| Self::One(key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_an_ordered_map(steps in prop::collection::vec((any::<bool>(), 0_u8..6), 0..40)) {
            let mut few = Few::new();
            let mut map = BTreeMap::new();
            for (insert, key) in steps {
                if insert && !map.contains_key(&key) {
                    few.insert(key, ());
                    map.insert(key, ());
                } else {
                    prop_assert_eq!(few.remove(key), map.remove(&key));
                }
                prop_assert!(few.iter().map(|(key, ())| key).eq(map.keys().copied()));
                prop_assert_eq!(few.first().map(|(key, ())| key), map.keys().next().copied());
                prop_assert_eq!((few.len(), few.is_empty()), (map.len(), map.is_empty()));
            }
        }
    }
}
