//! From a key, a claim or an owner to its slot.

use core::hash::{BuildHasher, Hash};
use foldhash::quality::FixedState;
use hashbrown::HashTable;

/// Capacity that is never given back: below it there is nothing to win.
const KEPT: usize = 256;

/// Parts of an index. One part grows at a time, so none takes long: a sixteenth of a million entries is moved in a
/// millisecond or two.
const PARTS: usize = 16;

/// A hash table of slot numbers. It keeps half of each hash beside the slot, so growing never looks at the slots.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    parts: [HashTable<Entry>; PARTS],
    hasher: FixedState,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    slot: u32,
}

impl Index {
    /// An empty index. Keys come from strangers: the seed has to be one that they cannot know.
    pub(crate) fn new(seed: u64) -> Self {
        Self { parts: core::array::from_fn(|_| HashTable::new()), hasher: FixedState::with_seed(seed) }
    }

    pub(crate) fn hash(&self, key: impl Hash) -> u32 {
        self.hasher.hash_one(key) as u32
    }

    pub(crate) fn find(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        let found = self.parts[part(hash)].find(spread(hash), |entry| entry.hash == hash && is(entry.slot));
        found.map(|entry| entry.slot)
    }

    /// Where the number of a slot stands, for changing it to another one of the same hash.
    pub(crate) fn find_mut(&mut self, hash: u32, is: impl Fn(u32) -> bool) -> Option<&mut u32> {
        let found =
            self.parts[part(hash)].find_mut(spread(hash), |entry| entry.hash == hash && is(entry.slot));
        found.map(|entry| &mut entry.slot)
    }

    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(HashTable::len).sum()
    }

    pub(crate) fn insert(&mut self, hash: u32, slot: u32) {
        self.parts[part(hash)].insert_unique(spread(hash), Entry { hash, slot }, |entry| spread(entry.hash));
    }

    pub(crate) fn remove(&mut self, hash: u32, slot: u32) {
        let table = &mut self.parts[part(hash)];
        if let Ok(entry) = table.find_entry(spread(hash), |entry| entry.slot == slot) {
            entry.remove();
        }
        let (len, capacity) = (table.len(), table.capacity());
        if capacity > KEPT && len < capacity / 8 {
            table.shrink_to(len * 2, |entry| spread(entry.hash));
        }
    }
}

const fn part(hash: u32) -> usize {
    (hash >> 28) as usize
}

/// The table looks at the highest and the lowest bits.
const fn spread(hash: u32) -> u64 {
    (hash as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_until_it_is_taken_out_and_memory_goes_back() {
        let mut index = Index::new(1);
        for slot in 0..100_000 {
            index.insert(index.hash(slot), slot);
        }
        assert_eq!(index.find(index.hash(77_u32), |slot| slot == 77), Some(77));
        for slot in 0..100_000 {
            index.remove(index.hash(slot), slot);
        }
        assert_eq!(index.find(index.hash(77_u32), |_| true), None);
        assert!(index.parts.iter().all(|table| table.capacity() <= KEPT));
    }
}
