//! Where fences come from.

use crate::Fence;

/// The fences that may be handed out: a range that was made durable before its first fence is used.
///
/// All the keys of an engine share one counter. A key's fences then rise however often the key is forgotten and made
/// again, and across restarts whenever each range starts above the one before.
#[derive(Clone, Debug)]
pub struct FenceRange {
    next: u64,
    end: u64,
}

impl FenceRange {
    /// The fences from `next` up to, but without, `end`.
    #[must_use]
    pub const fn new(next: Fence, end: Fence) -> Self {
        Self { next: next.get(), end: end.get() }
    }

    /// The first fence that is not in it.
    #[must_use]
    pub const fn end(&self) -> Fence {
        Fence::new(self.end)
    }

    /// How many are left.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.end.saturating_sub(self.next)
    }

    /// Moves the end up to `end`; an end that is lower than the present one changes nothing.
    pub const fn extend(&mut self, end: Fence) {
        if end.get() > self.end {
            self.end = end.get();
        }
    }

    /// Hands out the next one; `None` when the range is used up.
    pub const fn take(&mut self) -> Option<Fence> {
        if self.left() == 0 {
            return None;
        }
        self.next += 1;
        Some(Fence::new(self.next - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_up_range_gives_nothing_until_it_is_extended() {
        let mut range = FenceRange::new(Fence::new(7), Fence::new(8));
        assert_eq!(range.take(), Some(Fence::new(7)));
        assert_eq!(range.take(), None);
        range.extend(Fence::new(3));
        assert_eq!(range.take(), None);
        range.extend(Fence::new(9));
        assert_eq!(range.take(), Some(Fence::new(8)));
    }
}
