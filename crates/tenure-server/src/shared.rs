//! What all connections share.

use crate::Config;
use crate::auth::Gate;
use crate::clock::Clock;
use crate::mailbox::{Mail, Mailbox};
use crate::sessions::Sessions;
use crate::signals::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::Waker;
use tenure::hub::Hub;
use tenure_core::{Instant, OwnerId};
use tokio::sync::Notify;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) hub: Arc<Hub<Mailbox>>,
    pub(crate) signals: Signals,
    pub(crate) sessions: Sessions,
    pub(crate) gate: Gate,
    pub(crate) clock: Clock,
    owners: AtomicU64,
    connections: AtomicUsize,
    draining: AtomicBool,
    /// Told when a connection has gone.
    gone: Notify,
}

/// A place among the connections; dropping it gives it back.
pub(crate) struct Place(Arc<Shared>);

impl Shared {
    pub(crate) fn new(config: Config, hub: Arc<Hub<Mailbox>>, clock: Clock) -> Self {
        Self {
            gate: Gate::new(config.auth_token.as_ref()),
            clock,
            config,
            hub,
            signals: Signals::default(),
            sessions: Sessions::default(),
            owners: AtomicU64::new(1),
            connections: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            gone: Notify::new(),
        }
    }

    /// A number that no other connection of this daemon has had.
    pub(crate) fn next_owner(&self) -> OwnerId {
        OwnerId::new(self.owners.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// How long the daemon has run.
    pub(crate) fn uptime(&self) -> std::time::Duration {
        self.clock.now().since(Instant::ORIGIN)
    }

    /// A place for one more connection; `None` when there are as many as there may be.
    pub(crate) fn admit(self: &Arc<Self>) -> Option<Place> {
        let most = self.config.max_connections.unwrap_or(usize::MAX);
        let before = self.connections.fetch_add(1, Ordering::AcqRel);
        // Made at once, so that a refused connection gives back what it was counted as.
        let place = Place(Arc::clone(self));
        (before < most).then_some(place)
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Ends what blocks, and lets connections know that nothing new begins.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        let inboxes = self.hub.inboxes();
        inboxes.iter().filter_map(|inbox| inbox.leave(Mail::Drain)).for_each(Waker::wake);
    }

    /// Waits until no connection is left. Dropping it loses nothing.
    pub(crate) async fn emptied(&self) {
        loop {
            let gone = self.gone.notified();
            if self.connections() == 0 {
                return;
            }
            gone.await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.0.connections.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.gone.notify_one();
        }
    }
}
