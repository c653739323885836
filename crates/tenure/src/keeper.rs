//! Who renews what is held.

mod held;
mod round;

use crate::coordinator::Claim;
use crate::shard::Shard;
use crate::{Error, Instant, runtime};
use held::{Held, Kept};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;

/// The grants of one coordinator that are held, and the one task that renews them.
///
/// To hold and to let go cost a lock and a few words; the task wakes when the first renewal is due, not when grants come
/// and go. It sleeps for as long as nothing is held.
#[derive(Default)]
pub(crate) struct Keeper {
    kept: Mutex<Kept>,
    /// Something is due before the task wakes.
    earlier: Arc<Notify>,
}

/// Where the keeper has a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u32);

impl Keeper {
    /// Renews a granted claim `every` so often from now on, and ends it when its owner has to stop believing.
    pub(crate) fn hold(
        shard: &Arc<Shard>,
        claim: &Arc<Claim>,
        base: Instant,
        every: Duration,
    ) -> Result<Slot, Error> {
        let keeper = &shard.keeper;
        let held = Held::new(claim, base, every);
        let at = held.wakes_at();
        let mut kept = keeper.lock();
        let starts = if kept.running { None } else { Some(runtime::handle()?) };
        kept.running = true;
        let earlier = at < kept.armed;
        if earlier {
            kept.armed = at;
        }
        let slot = kept.slots.insert(held);
        // A runtime that is about to end drops the task at once, which takes the lock.
        drop(kept);
        if earlier {
            keeper.earlier.notify_one();
        }
        if let Some(runtime) = starts {
            let earlier = Arc::clone(&keeper.earlier);
            runtime.spawn(Running(Arc::downgrade(shard)).keep(earlier, shard.clock.clone()));
        }
        Ok(Slot(slot))
    }

    /// Lets go of a claim: no answer to a renewal concerns it any more.
    pub(crate) fn drop_claim(&self, slot: Slot) {
        let held = self.lock().slots.remove(slot.0);
        // What it frees, it frees without the lock.
        drop(held);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.earlier.notify_one();
    }
}

/// That the task runs, wherever it ends: with its runtime too, and then another may begin.
struct Running(Weak<Shard>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(shard) = self.0.upgrade() {
            shard.keeper.lock().running = false;
        }
    }
}
