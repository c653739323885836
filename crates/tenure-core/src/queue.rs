//! The state of one key.

use crate::few::Few;
use crate::planted::{Bug, planted};
use crate::{Fence, FenceRange, Limit};

/// The state of one key: its limit, who holds permits, who waits and in which order.
///
/// A lock is a queue of limit one, a semaphore one of limit n. Order is strict: while anyone waits, a newcomer waits
/// too, even when permits are free, so a claim of many permits never starves behind claims of few.
///
/// `C` is how the caller refers to a claim. Waiters are ordered by the arrival number they come with.
///
/// ```
/// use tenure_core::{Fence, FenceRange, Limit, Queue};
///
/// let mut fences = FenceRange::new(Fence::new(1), Fence::new(100));
/// let mut queue = Queue::new(Limit::ONE);
/// let first = queue.acquire("first", 1, &mut fences).expect("a free queue");
///
/// assert!(queue.acquire("second", 1, &mut fences).is_none());
/// queue.enqueue(1, "second", 1);
/// assert!(queue.grant_next(&mut fences).is_none(), "the first still holds");
///
/// queue.release(first);
/// let granted = queue.grant_next(&mut fences).expect("the permit came free");
/// assert_eq!(granted.claim, "second");
/// assert!(granted.fence > first);
/// ```
#[derive(Clone, Debug)]
pub struct Queue<C> {
    limit: Limit,
    held: u32,
    holders: Few<Fence, Share<C>>,
    waiters: Few<u64, Share<C>>,
}

/// A claim and the permits it has, or asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share<C> {
    /// The claim.
    pub claim: C,
    /// How many permits.
    pub permits: u32,
}

/// What a waiter got when its turn came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted<C> {
    /// The claim that waited.
    pub claim: C,
    /// The fence of its grant.
    pub fence: Fence,
}

impl<C: Copy> Queue<C> {
    /// A queue that nobody holds and nobody waits for.
    #[must_use]
    pub const fn new(limit: Limit) -> Self {
        Self { limit, held: 0, holders: Few::new(), waiters: Few::new() }
    }

    /// How many permits there are in all.
    #[must_use]
    pub const fn limit(&self) -> Limit {
        self.limit
    }

    /// How many permits are out.
    #[must_use]
    pub const fn held(&self) -> u32 {
        self.held
    }

    /// How many claims wait.
    #[must_use]
    pub fn queue_len(&self) -> usize {
        self.waiters.len()
    }

    /// How many grants hold them.
    #[must_use]
    pub fn holders_len(&self) -> usize {
        self.holders.len()
    }

    /// Whether nobody holds and nobody waits.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.holders.is_empty() && self.waiters.is_empty()
    }

    /// The holders, in the order of their grants.
    pub fn holders(&self) -> impl Iterator<Item = (Fence, Share<C>)> {
        self.holders.iter().map(|(fence, share)| (fence, *share))
    }

    /// The waiters, in the order of their arrival.
    pub fn waiters(&self) -> impl Iterator<Item = Share<C>> {
        self.waiters.iter().map(|(_, share)| *share)
    }

    /// Who waits at the end of the line.
    #[must_use]
    pub fn last_waiter(&self) -> Option<C> {
        self.waiters.last().map(|(_, share)| share.claim)
    }

    /// Who holds the grant of that fence.
    #[must_use]
    pub fn holder(&self, fence: Fence) -> Option<C> {
        self.holders.get(fence).map(|share| share.claim)
    }

    /// Whether a newcomer would get so many permits at once: they are free and nobody waits.
    #[must_use]
    pub fn admits(&self, permits: u32) -> bool {
        (self.waiters.is_empty() || planted(Bug::Barging)) && self.fits(permits)
    }

    /// Takes permits at once; `None`, and no change, when the newcomer has to wait or `fences` is used up.
    pub fn acquire(&mut self, claim: C, permits: u32, fences: &mut FenceRange) -> Option<Fence> {
        if !self.admits(permits) {
            return None;
        }
        let fence = fences.take()?;
        self.hold(fence, Share { claim, permits });
        Some(fence)
    }

    /// Joins the end of the line under an arrival number that is above all earlier ones.
    pub fn enqueue(&mut self, arrival: u64, claim: C, permits: u32) {
        self.waiters.insert(arrival, Share { claim, permits });
    }

    /// Grants the head of the line if its permits are free and `fences` is not used up. Call it until it says `None`
    /// after anything that may have freed permits or moved the head.
    pub fn grant_next(&mut self, fences: &mut FenceRange) -> Option<Granted<C>> {
        let (arrival, head) = self.head()?;
        if !self.fits(head.permits) {
            return None;
        }
        let fence = fences.take()?;
        self.waiters.remove(arrival);
        self.hold(fence, head);
        Some(Granted { claim: head.claim, fence })
    }

    /// Gives the permits of a grant back; `None`, and no change, when there is no such grant.
    pub fn release(&mut self, fence: Fence) -> Option<C> {
        let share = self.holders.remove(fence)?;
        self.held -= share.permits;
        Some(share.claim)
    }

    /// Leaves the line; `None`, and no change, when nobody waits under that arrival number.
    pub fn cancel(&mut self, arrival: u64) -> Option<C> {
        self.waiters.remove(arrival).map(|share| share.claim)
    }

    fn fits(&self, permits: u32) -> bool {
        permits <= self.limit.get() - self.held
    }

    fn hold(&mut self, fence: Fence, share: Share<C>) {
        self.held += share.permits;
        self.holders.insert(fence, share);
    }

    fn head(&self) -> Option<(u64, Share<C>)> {
        if planted(Bug::WrongOrder) {
            return self.waiters.iter().last().map(|(arrival, share)| (arrival, *share));
        }
        self.waiters.first().map(|(arrival, share)| (arrival, *share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fences() -> FenceRange {
        FenceRange::new(Fence::new(1), Fence::new(1_000))
    }

    #[test]
    fn a_newcomer_waits_behind_a_big_claim_even_when_its_permits_are_free() {
        let (mut queue, mut fences) = (Queue::new(Limit::new(3).expect("three")), fences());
        let small = queue.acquire('a', 2, &mut fences).expect("free");
        queue.enqueue(1, 'b', 3);
        assert!(!queue.admits(1));
        assert_eq!(queue.grant_next(&mut fences), None);
        queue.release(small);
        assert_eq!(queue.grant_next(&mut fences).map(|granted| granted.claim), Some('b'));
    }

    #[test]
    fn a_head_that_leaves_lets_the_next_one_in() {
        let (mut queue, mut fences) = (Queue::new(Limit::new(2).expect("two")), fences());
        queue.acquire('a', 1, &mut fences).expect("free");
        queue.enqueue(1, 'b', 2);
        queue.enqueue(2, 'c', 1);
        assert_eq!(queue.cancel(1), Some('b'));
        assert_eq!(queue.grant_next(&mut fences).map(|granted| granted.claim), Some('c'));
        assert_eq!(queue.cancel(1), None);
    }

    #[test]
    fn permits_come_back_once() {
        let (mut queue, mut fences) = (Queue::new(Limit::ONE), fences());
        let fence = queue.acquire('a', 1, &mut fences).expect("free");
        assert_eq!(queue.release(fence), Some('a'));
        assert_eq!(queue.release(fence), None);
        assert_eq!(queue.held(), 0);
        assert!(queue.is_idle());
    }

    #[test]
    fn without_a_fence_there_is_no_grant() {
        let mut none = FenceRange::new(Fence::new(1), Fence::new(1));
        let mut queue = Queue::new(Limit::ONE);
        assert_eq!(queue.acquire('a', 1, &mut none), None);
        queue.enqueue(1, 'a', 1);
        assert_eq!(queue.grant_next(&mut none), None);
        none.extend(Fence::new(2));
        assert_eq!(queue.grant_next(&mut none).map(|granted| granted.fence), Some(Fence::new(1)));
    }
}
