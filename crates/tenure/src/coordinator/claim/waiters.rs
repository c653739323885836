//! Who waits to hear of a claim.

use std::task::{Context, Waker};

/// No place.
const NONE: u32 = u32::MAX;

/// Those who wait, each at a place of its own until it gives that back: to wait, to wait again and to go cost the same
/// however many there are.
#[derive(Debug)]
pub(super) struct Waiters {
    places: Vec<Place>,
    /// The first place that is free, or [`NONE`].
    free: u32,
    taken: u32,
}

#[derive(Debug)]
enum Place {
    /// Somebody's, who may have been woken already.
    Taken(Option<Waker>),
    /// Nobody's; the next one that is free, or [`NONE`].
    Free(u32),
}

impl Waiters {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), free: NONE, taken: 0 }
    }

    /// Takes note of whom to wake, at the place that they have or at a new one. What was noted there before is for the
    /// caller to drop, without the lock.
    pub(super) fn note(&mut self, at: &mut Option<u32>, cx: &Context<'_>) -> Option<Waker> {
        let at = *at.get_or_insert_with(|| self.take_place());
        let Place::Taken(waker) = &mut self.places[at as usize] else {
            unreachable!("whoever has a place gives it back only once")
        };
        if waker.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            return None;
        }
        waker.replace(cx.waker().clone())
    }

    /// Takes a place back. What was noted there is for the caller to drop, without the lock.
    pub(super) fn leave(&mut self, at: u32) -> Option<Waker> {
        let left = std::mem::replace(&mut self.places[at as usize], Place::Free(self.free));
        (self.free, self.taken) = (at, self.taken - 1);
        if self.taken == 0 {
            // A crowd that has gone leaves no room behind.
            self.places.clear();
            self.places.shrink_to(4);
            self.free = NONE;
        }
        if let Place::Taken(waker) = left { waker } else { None }
    }

    /// All who are to be woken, once. They keep their places.
    pub(super) fn take(&mut self) -> Vec<Waker> {
        let noted = self.places.iter_mut().filter_map(|place| match place {
            Place::Taken(waker) => waker.take(),
            Place::Free(_) => None,
        });
        noted.collect()
    }

    fn take_place(&mut self) -> u32 {
        self.taken += 1;
        if let Some(place) = self.places.get_mut(self.free as usize) {
            let at = self.free;
            if let Place::Free(next) = std::mem::replace(place, Place::Taken(None)) {
                self.free = next;
            }
            return at;
        }
        self.places.push(Place::Taken(None));
        u32::try_from(self.places.len() - 1).unwrap_or_else(|_| unreachable!("memory ends before numbers do"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn waker() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), Waker::from(count))
    }

    #[test]
    fn places_are_used_again_and_a_crowd_leaves_none_behind() {
        let (mut waiters, (_, waker)) = (Waiters::new(), waker());
        let cx = Context::from_waker(&waker);
        let mut places = [None; 1000];
        places.iter_mut().for_each(|at| drop(waiters.note(at, &cx)));
        for at in places.iter_mut().step_by(2) {
            drop(waiters.leave(at.take().expect("it has one")));
        }
        places.iter_mut().for_each(|at| drop(waiters.note(at, &cx)));
        assert_eq!(waiters.places.len(), 1000);
        places.iter().for_each(|at| drop(waiters.leave(at.expect("it has one"))));
        assert!(waiters.places.is_empty() && waiters.places.capacity() <= 4);
    }

    #[test]
    fn whoever_was_woken_keeps_its_place_and_whoever_has_left_is_not_woken() {
        let mut waiters = Waiters::new();
        let ((stays, waker), (leaves, other)) = (waker(), waker());
        let (mut at, mut gone) = (None, None);
        assert!(waiters.note(&mut at, &Context::from_waker(&waker)).is_none());
        assert!(waiters.note(&mut gone, &Context::from_waker(&other)).is_none());
        assert!(waiters.leave(gone.expect("it has one")).is_some());
        let first = at;
        for woken in 1..3 {
            waiters.take().into_iter().for_each(Waker::wake);
            assert_eq!(stays.0.load(Ordering::Relaxed), woken);
            assert!(waiters.note(&mut at, &Context::from_waker(&waker)).is_none());
            assert_eq!(at, first);
        }
        assert!(waiters.note(&mut at, &Context::from_waker(&other)).is_some(), "the last one is woken");
        waiters.take().into_iter().for_each(Waker::wake);
        assert_eq!((stays.0.load(Ordering::Relaxed), leaves.0.load(Ordering::Relaxed)), (2, 1));
    }
}
