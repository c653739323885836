//! What all clients of one name in a process share.

use super::inbox::LocalInbox;
use super::signals::Signals;
use crate::hub::Hub;
use crate::{Clock, entropy};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Duration;
use tenure_core::{Engine, Fence, FenceRange, Limits, OwnerId};

/// What a process may ask of itself. A program that needs more than that has lost count.
const LIMITS: Limits = Limits {
    queues_max: 1_000_000,
    claims_max: 4_000_000,
    queue_len_max: 1_000_000,
    idle_max: Duration::from_secs(60),
};

static WORLDS: LazyLock<Mutex<HashMap<String, Weak<World>>>> = LazyLock::new(Mutex::default);

/// One engine, and those who listen to signals beside it.
#[derive(Debug)]
pub(super) struct World {
    pub(super) hub: Hub<LocalInbox>,
    pub(super) signals: Signals,
    owners: AtomicU64,
}

impl World {
    /// A world that nobody else has.
    pub(super) fn new(clock: &Clock) -> Arc<Self> {
        // What a fence is shown to may have seen those of an earlier run of this program.
        let fences = FenceRange::new(Fence::new(clock.wall_nanos().max(1)), Fence::new(u64::MAX));
        let engine = Engine::new(LIMITS, fences, entropy::number());
        Arc::new(Self { hub: Hub::new(engine, 0), signals: Signals::default(), owners: AtomicU64::new(1) })
    }

    /// The world of that name. It is there as long as somebody uses it.
    pub(super) fn named(name: &str) -> Arc<Self> {
        let mut worlds = WORLDS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(world) = worlds.get(name).and_then(Weak::upgrade) {
            return world;
        }
        worlds.retain(|_, world| world.strong_count() > 0);
        let world = Self::new(&Clock::system());
        worlds.insert(name.to_owned(), Arc::downgrade(&world));
        world
    }

    /// A number that nobody else of this world has.
    pub(super) fn next_owner(&self) -> OwnerId {
        OwnerId::new(self.owners.fetch_add(1, Ordering::Relaxed))
    }
}

/// Calls the engine whenever something falls due, as long as the world is there.
pub(super) async fn keep_time(world: Weak<World>, clock: Clock) {
    let Some(mut due) = world.upgrade().map(|world| world.hub.due()) else { return };
    loop {
        let Some(()) = world.upgrade().map(|world| world.hub.tick(clock.now())) else { return };
        let next = *due.borrow_and_update();
        if next <= clock.now() {
            tokio::task::yield_now().await;
        } else if clock.before(next, due.changed()).await.is_some_and(|changed| changed.is_err()) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure_core::Instant;

    #[test]
    fn a_name_is_one_world_as_long_as_somebody_uses_it() {
        let (first, second) = (World::named("a name"), World::named("a name"));
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &World::named("another name")));
        let weak = Arc::downgrade(&first);
        drop((first, second));
        assert!(weak.upgrade().is_none());
        assert!(World::named("a name").hub.look(Engine::fences_left) > 0);
        let (world, now) = (World::named("a name"), Instant::ORIGIN);
        world.hub.tick(now);
        assert_eq!(*world.hub.due().borrow(), Instant::MAX);
    }

    #[tokio::test]
    async fn those_who_keep_the_time_of_one_world_do_not_wake_each_other() {
        let clock = Clock::manual();
        let world = World::new(&clock);
        for _ in 0..3 {
            tokio::spawn(keep_time(Arc::downgrade(&world), clock.clone()));
        }
        let settle = async || {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        };
        settle().await;
        let mut due = world.hub.due();
        due.mark_unchanged();
        settle().await;
        assert!(!due.has_changed().expect("the world is there"), "there was no news");
    }
}
