//! The timer of a connection, which a busy one hardly ever touches.

use crate::clock::Clock;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};
use tenure_core::Instant;
use tokio::task::coop::unconstrained;
use tokio::time::Sleep;

/// A timer that is left where it is as long as it fires early enough. Each request moves the deadline of its connection, so
/// a timer that followed would be moved a hundred thousand times a second and hardly ever fire.
#[derive(Debug)]
pub(super) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    fires: Instant,
    /// Whom it will wake.
    waker: Option<Waker>,
}

impl Alarm {
    pub(super) fn new(clock: Clock, at: Instant) -> Self {
        Self { sleep: Box::pin(tokio::time::sleep_until(clock.timer(at))), fires: at, waker: None }
    }

    /// Ready when it has fired, at `at` or earlier: the caller looks at the clock, and polls again when it is too early.
    ///
    /// `seen` is a time that was read since the task last woke, if one was. A timer that was to fire later than that has
    /// either not fired, or woken the task once more.
    pub(super) fn poll(
        &mut self,
        clock: Clock,
        seen: Option<Instant>,
        at: Instant,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if self.fires > at {
            self.set(clock, at);
        }
        let armed = self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if armed && (seen.is_some_and(|seen| seen < self.fires) || !self.sleep.is_elapsed()) {
            return Poll::Pending;
        }
        self.waker = Some(cx.waker().clone());
        // A task that has used up its turn is told to wait without being registered; here that would be for ever.
        ready!(pin!(unconstrained(self.sleep.as_mut())).poll(cx));
        self.set(clock, at);
        Poll::Ready(())
    }

    fn set(&mut self, clock: Clock, at: Instant) {
        self.sleep.as_mut().reset(clock.timer(at));
        self.fires = at;
        self.waker = None;
    }
}
