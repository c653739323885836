//! Which claim has to be looked at next, and when.

use crate::Instant;
use alloc::vec::Vec;

const NONE: u32 = u32::MAX;
const ARITY: usize = 4;
/// Capacity that is never given back: below it there is nothing to win.
const KEPT: usize = 1_024;

/// What stands at one instant: leases end before waits give up, and each kind in the order of its claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Due {
    pub(crate) at: Instant,
    pub(crate) turn: Turn,
}

/// The order among deadlines of one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn(u64);

impl Turn {
    pub(crate) const fn lease(serial: u64) -> Self {
        Self(serial)
    }

    pub(crate) const fn wait(serial: u64) -> Self {
        Self(serial | 1 << 63)
    }
}

/// At most one deadline a slot, the earliest first: a heap that knows where each slot stands in it.
///
/// A deadline later than all others, which a fresh lease nearly always is, costs one comparison to add and to remove.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deadlines {
    heap: Vec<(Due, u32)>,
    places: Vec<u32>,
}

impl Deadlines {
    pub(crate) fn first(&self) -> Option<(Instant, u32)> {
        self.heap.first().map(|(due, slot)| (due.at, *slot))
    }

    pub(crate) fn get(&self, slot: u32) -> Option<Instant> {
        self.place(slot).map(|place| self.heap[place].0.at)
    }

    pub(crate) fn set(&mut self, slot: u32, due: Due) {
        let place = match self.place(slot) {
            Some(place) => place,
            None => self.add(slot, due),
        };
        self.heap[place].0 = due;
        self.settle(place);
    }

    pub(crate) fn clear(&mut self, slot: u32) {
        let Some(place) = self.place(slot) else { return };
        self.places[slot as usize] = NONE;
        self.heap.swap_remove(place);
        if place < self.heap.len() {
            self.settle(place);
        }
        self.shrink();
    }

    fn place(&self, slot: u32) -> Option<usize> {
        self.places.get(slot as usize).filter(|place| **place != NONE).map(|place| *place as usize)
    }

    fn add(&mut self, slot: u32, due: Due) -> usize {
        if self.places.len() <= slot as usize {
            self.places.resize(slot as usize + 1, NONE);
        }
        self.heap.push((due, slot));
        self.heap.len() - 1
    }

    /// Moves the entry at `place` to where it belongs, and notes where every moved one went.
    fn settle(&mut self, mut place: usize) {
        let entry = self.heap[place];
        while place > 0 && entry.0 < self.heap[(place - 1) / ARITY].0 {
            place = self.lift((place - 1) / ARITY, place);
        }
        while let Some(child) = self.least_child(place).filter(|child| self.heap[*child].0 < entry.0) {
            place = self.lift(child, place);
        }
        self.put(place, entry);
    }

    fn least_child(&self, place: usize) -> Option<usize> {
        let first = place * ARITY + 1;
        (first..self.heap.len().min(first + ARITY)).min_by_key(|child| self.heap[*child].0)
    }

    fn lift(&mut self, from: usize, to: usize) -> usize {
        self.put(to, self.heap[from]);
        from
    }

    fn put(&mut self, place: usize, entry: (Due, u32)) {
        self.heap[place] = entry;
        self.places[entry.1 as usize] = place as u32;
    }

    fn shrink(&mut self) {
        if self.heap.is_empty() && self.places.capacity() > KEPT {
            self.places = Vec::new();
        }
        if self.heap.capacity() > KEPT && self.heap.len() < self.heap.capacity() / 4 {
            self.heap.shrink_to(self.heap.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn the_first_is_always_the_earliest(steps in prop::collection::vec((0_u32..60, prop::option::of(0_u64..50)), 0..400)) {
            let mut deadlines = Deadlines::default();
            let mut model = BTreeMap::new();
            for (slot, at) in steps {
                if let Some(at) = at {
                    let due = Due { at: Instant::from_nanos(at), turn: Turn::lease(u64::from(slot)) };
                    deadlines.set(slot, due);
                    model.insert(slot, due);
                } else {
                    deadlines.clear(slot);
                    model.remove(&slot);
                }
                let first = model.iter().min_by_key(|(_, due)| **due).map(|(slot, due)| (due.at, *slot));
                prop_assert_eq!(deadlines.first(), first);
                prop_assert_eq!(deadlines.get(slot), model.get(&slot).map(|due| due.at));
            }
        }
    }

    #[test]
    fn at_one_instant_leases_end_before_waits_give_up() {
        let mut deadlines = Deadlines::default();
        let at = Instant::from_nanos(5);
        deadlines.set(1, Due { at, turn: Turn::wait(1) });
        deadlines.set(2, Due { at, turn: Turn::lease(2) });
        assert_eq!(deadlines.first(), Some((at, 2)));
    }
}
