//! Bugs that the tests plant, to show that they would be found.
//!
//! Outside the tests of this crate [`planted`] is the constant `false`, and the code behind it is gone.

/// A bug that can be switched on in tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A newcomer takes free permits past those who wait.
    Barging,
    /// The last to come is the first to be granted.
    WrongOrder,
    /// A waiter that gave up is granted all the same.
    GrantToCancelled,
    /// A key that was forgotten starts its fences again.
    FenceReset,
    /// A grant whose lease has ended can be renewed.
    LeaseRevived,
    /// The permits of a connection that went stay out.
    PermitLeaked,
    /// The waiters of a connection that went stay in line.
    WaiterKept,
    /// Any holder's token renews any other holder's grant of the key.
    RenewAnother,
    /// A release does not wake the next in line.
    LostWakeUp,
    /// A waiter's cancellation does not let the next in line see the free permits.
    HeadLeftUnseen,
    /// A second request of one claim takes a second place.
    ClaimForgotten,
    /// A lease ends a little before its deadline.
    LapsedEarly,
    /// Whoever takes a claim over is told so, but it still goes with the owner before.
    TakenOverInVain,
    /// A claim in line whose owner went waits for ever.
    OrphanEndless,
    /// The lease of a claim whose owner went starts again when its turn comes.
    OrphanRevived,
    /// An owner that a claim was taken from can still renew it.
    StaleRenewal,
    /// An owner that a claim was taken from can still end it.
    StaleEnd,
    /// A theft does not wake the next in line.
    StealWakesNobody,
    /// Those who watch a key are not told that its line has changed.
    ObservationLost,
}

#[cfg(not(test))]
pub(crate) const fn planted(_: Bug) -> bool {
    false
}

#[cfg(test)]
pub(crate) use switch::{plant, planted};

#[cfg(test)]
mod switch {
    use super::Bug;
    use std::cell::Cell;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    pub(crate) fn planted(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    /// Runs `test` with a bug in place, on this thread alone.
    pub(crate) fn plant<R>(bug: Option<Bug>, test: impl FnOnce() -> R) -> R {
        PLANTED.set(bug);
        let result = test();
        PLANTED.set(None);
        result
    }
}
