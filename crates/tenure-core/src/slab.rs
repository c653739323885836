//! Slots that stay where they are, and memory that goes back when they are empty.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

/// Slots a chunk. Small enough that growing never stalls, large enough that the book-keeping vanishes.
const CHUNK: usize = 256;
const NONE: u32 = u32::MAX;

/// A table of slots with stable numbers.
///
/// It grows by a chunk at a time, so no insertion copies what is there, and a chunk whose last slot is freed goes back
/// to the allocator: a burst of a million entries leaves nothing behind.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    chunks: Vec<Chunk<T>>,
    /// Chunks with a free slot; the next insertion goes to the last of them.
    roomy: Vec<u32>,
    len: usize,
}

#[derive(Clone, Debug)]
struct Chunk<T> {
    slots: Vec<Slot<T>>,
    free: u32,
    live: usize,
}

#[derive(Clone, Debug)]
enum Slot<T> {
    Free { next: u32 },
    Live(T),
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new(), roomy: Vec::new(), len: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn insert(&mut self, value: T) -> u32 {
        let number = self.chunk_with_room();
        let chunk = &mut self.chunks[number as usize];
        let offset = chunk.insert(value);
        if chunk.live == CHUNK {
            self.roomy.pop();
        }
        self.len += 1;
        number * CHUNK as u32 + offset
    }

    pub(crate) fn remove(&mut self, slot: u32) -> Option<T> {
        let (number, offset) = place(slot);
        let chunk = self.chunks.get_mut(number)?;
        let was_full = chunk.live == CHUNK;
        let value = chunk.remove(offset)?;
        self.len -= 1;
        if was_full {
            self.shrink_last_roomy();
            self.roomy.push(number as u32);
        } else if self.roomy.last() != Some(&(number as u32)) {
            self.chunks[number].shrink();
        }
        Some(value)
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&T> {
        let (number, offset) = place(slot);
        match self.chunks.get(number)?.slots.get(offset)? {
            Slot::Live(value) => Some(value),
            Slot::Free { .. } => None,
        }
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        let (number, offset) = place(slot);
        match self.chunks.get_mut(number)?.slots.get_mut(offset)? {
            Slot::Live(value) => Some(value),
            Slot::Free { .. } => None,
        }
    }

    /// The live slots from number `from` on, in the order of their numbers.
    pub(crate) fn iter_from(&self, from: u32) -> impl Iterator<Item = (u32, &T)> {
        let (first, offset) = place(from);
        let chunks = self.chunks.iter().enumerate().skip(first);
        chunks.flat_map(move |(number, chunk)| {
            let skip = if number == first { offset } else { 0 };
            let slots = chunk.slots.iter().enumerate().skip(skip);
            slots.filter_map(move |(offset, slot)| match slot {
                Slot::Live(value) => Some(((number * CHUNK + offset) as u32, value)),
                Slot::Free { .. } => None,
            })
        })
    }

    fn chunk_with_room(&mut self) -> u32 {
        if let Some(number) = self.roomy.last() {
            return *number;
        }
        let number = self.chunks.len() as u32;
        self.chunks.push(Chunk { slots: Vec::new(), free: NONE, live: 0 });
        self.roomy.push(number);
        number
    }

    fn shrink_last_roomy(&mut self) {
        if let Some(number) = self.roomy.last() {
            self.chunks[*number as usize].shrink();
        }
    }
}

/// For slots that the caller knows to be live; any other is a broken invariant.
impl<T> Index<u32> for Slab<T> {
    type Output = T;

    fn index(&self, slot: u32) -> &T {
        let (number, offset) = place(slot);
        match &self.chunks[number].slots[offset] {
            Slot::Live(value) => value,
            Slot::Free { .. } => unreachable!("slot {slot} is free"),
        }
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, slot: u32) -> &mut T {
        let (number, offset) = place(slot);
        match &mut self.chunks[number].slots[offset] {
            Slot::Live(value) => value,
            Slot::Free { .. } => unreachable!("slot {slot} is free"),
        }
    }
}

impl<T> Chunk<T> {
    fn insert(&mut self, value: T) -> u32 {
        self.live += 1;
        if let Some(slot) = self.slots.get_mut(self.free as usize) {
            let offset = self.free;
            if let Slot::Free { next } = slot {
                self.free = *next;
            }
            *slot = Slot::Live(value);
            return offset;
        }
        if self.slots.capacity() == 0 {
            self.slots.reserve_exact(CHUNK);
        }
        self.slots.push(Slot::Live(value));
        self.slots.len() as u32 - 1
    }

    fn remove(&mut self, offset: usize) -> Option<T> {
        let slot = self.slots.get_mut(offset)?;
        if matches!(slot, Slot::Free { .. }) {
            return None;
        }
        let removed = core::mem::replace(slot, Slot::Free { next: self.free });
        self.free = offset as u32;
        self.live -= 1;
        match removed {
            Slot::Live(value) => Some(value),
            Slot::Free { .. } => None,
        }
    }

    fn shrink(&mut self) {
        if self.live == 0 {
            self.slots = Vec::new();
            self.free = NONE;
        }
    }
}

const fn place(slot: u32) -> (usize, usize) {
    (slot as usize / CHUNK, slot as usize % CHUNK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn chunks_in_memory<T>(slab: &Slab<T>) -> usize {
        slab.chunks.iter().filter(|chunk| chunk.slots.capacity() > 0).count()
    }

    #[test]
    fn memory_goes_back_in_whatever_order_the_slots_are_freed() {
        for step in [1, 7, 255, 257] {
            let mut slab = Slab::new();
            let slots: Vec<u32> = (0..CHUNK * 40).map(|value| slab.insert(value)).collect();
            assert_eq!(chunks_in_memory(&slab), 40);
            for start in 0..step {
                slots.iter().skip(start).step_by(step).for_each(|slot| assert!(slab.remove(*slot).is_some()));
            }
            assert_eq!(slab.len(), 0);
            assert!(chunks_in_memory(&slab) <= 1, "one chunk is kept for the next insertion");
        }
    }

    proptest! {
        #[test]
        fn it_is_a_map_from_the_numbers_it_gave(steps in prop::collection::vec((any::<bool>(), 0_usize..2_000), 0..3_000)) {
            let mut slab = Slab::new();
            let mut map = BTreeMap::new();
            for (insert, value) in steps {
                if insert {
                    prop_assert_eq!(map.insert(slab.insert(value), value), None);
                } else if let Some(slot) = map.keys().nth(value % map.len().max(1)).copied() {
                    prop_assert_eq!(slab.remove(slot), map.remove(&slot));
                    prop_assert_eq!(slab.remove(slot), None);
                }
            }
            prop_assert_eq!(slab.len(), map.len());
            prop_assert!(slab.iter_from(0).map(|(slot, value)| (slot, *value)).eq(map.clone()));
            prop_assert!(slab.iter_from(300).map(|(slot, value)| (slot, *value)).eq(map.split_off(&300)));
        }
    }
}
