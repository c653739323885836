//! What runs beside the connections: the timer of the engine, and the keeper of the fences.

use crate::clock::Clock;
use crate::hub::Hub;
use crate::state::{FENCE_MAX, FenceStore};
use std::sync::Arc;
use std::time::Duration;
use tenure_core::{Fence, Instant};

/// How long to leave a disk alone that refused a write.
const DISK_PAUSE: Duration = Duration::from_secs(1);

/// Calls the engine whenever something falls due.
pub(crate) async fn keep_time(hub: Arc<Hub>) {
    loop {
        let due = hub.tick();
        if due <= hub.clock().now() {
            tokio::task::yield_now().await;
        } else if due == Instant::MAX {
            hub.earlier.notified().await;
        } else {
            tokio::select! {
                () = tokio::time::sleep_until(hub.clock().timer(due)) => {}
                () = hub.earlier.notified() => {}
            }
        }
    }
}

/// Reserves the next fences on disk before those at hand are used up. While the disk refuses, what is at hand is used, and
/// then nothing is granted any more.
pub(crate) async fn keep_fences(hub: Arc<Hub>, store: FenceStore, mut end: u64) {
    let store = Arc::new(store);
    while store.path().is_some() && end < FENCE_MAX {
        hub.fences_low.notified().await;
        let next = store.range_end(end);
        while let Err(error) = reserve(&store, next).await {
            let left = hub.look(tenure_core::Engine::fences_left);
            tracing::error!(%error, path = ?store.path(), left, "cannot reserve fences; after those left nothing is granted");
            Clock::pause(DISK_PAUSE).await;
        }
        end = next;
        let now = hub.clock().now();
        hub.call(|engine| engine.extend_fences(now, Fence::new(end)));
    }
}

async fn reserve(store: &Arc<FenceStore>, end: u64) -> std::io::Result<()> {
    let store = Arc::clone(store);
    let reserved = tokio::task::spawn_blocking(move || store.reserve(end)).await;
    reserved.unwrap_or_else(|panicked| Err(std::io::Error::other(panicked)))
}
