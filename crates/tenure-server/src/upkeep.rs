//! What runs beside the connections: the timer of the engine, and the keeper of the fences.

use crate::clock::Clock;
use crate::shared::Shared;
use crate::state::{FENCE_MAX, FenceStore};
use std::sync::Arc;
use std::time::Duration;
use tenure_core::{Fence, Instant};

/// How long to leave a disk alone that refused a write.
const DISK_PAUSE: Duration = Duration::from_secs(1);

/// Calls the engine whenever something falls due.
pub(crate) async fn keep_time(shared: Arc<Shared>) {
    let (hub, clock) = (&shared.hub, shared.clock);
    let mut earlier = hub.due();
    loop {
        hub.tick(clock.now());
        let due = *earlier.borrow_and_update();
        if due <= clock.now() {
            tokio::task::yield_now().await;
        } else if due == Instant::MAX {
            // The hub is there as long as this task is.
            let _ = earlier.changed().await;
        } else {
            tokio::select! {
                () = tokio::time::sleep_until(clock.timer(due)) => {}
                _ = earlier.changed() => {}
            }
        }
    }
}

/// Reserves the next fences on disk before those at hand are used up. While the disk refuses, what is at hand is used, and
/// then nothing is granted any more.
pub(crate) async fn keep_fences(shared: Arc<Shared>, store: FenceStore, mut end: u64) {
    let (hub, clock) = (&shared.hub, shared.clock);
    let store = Arc::new(store);
    while store.path().is_some() && end < FENCE_MAX {
        hub.fences_low().await;
        let next = store.range_end(end);
        while let Err(error) = reserve(&store, next).await {
            let left = hub.look(tenure_core::Engine::fences_left);
            tracing::error!(%error, path = ?store.path(), left, "cannot reserve fences; after those left nothing is granted");
            Clock::pause(DISK_PAUSE).await;
        }
        end = next;
        let now = clock.now();
        hub.call(|engine| engine.extend_fences(now, Fence::new(end)));
    }
}

async fn reserve(store: &Arc<FenceStore>, end: u64) -> std::io::Result<()> {
    let store = Arc::clone(store);
    let reserved = tokio::task::spawn_blocking(move || store.reserve(end)).await;
    reserved.unwrap_or_else(|panicked| Err(std::io::Error::other(panicked)))
}
