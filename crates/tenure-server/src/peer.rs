//! The one at the other end of a connection, as everyone else knows it.

use crate::mailbox::Mailbox;
use crate::shared::Shared;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tenure::hub::TOLD_MAX;
use tenure_core::{Engine, Key, OwnerId};

/// The one at the other end of a connection: its number, its mail, and everything that goes with them.
pub(crate) struct Peer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) owner: OwnerId,
    /// How often others were told, since this was last looked at, of what it did to keys that they watch.
    told: AtomicUsize,
    /// Nothing of it is left elsewhere.
    left: bool,
}

impl Peer {
    pub(crate) fn open(shared: Arc<Shared>, mailbox: Arc<Mailbox>) -> Self {
        let owner = shared.next_owner();
        shared.hub.connect(owner, Arc::clone(&mailbox));
        Self { shared, mailbox, owner, told: AtomicUsize::new(0), left: false }
    }

    /// Does something with the engine.
    pub(crate) fn call<R>(&self, act: impl FnOnce(&mut Engine) -> R) -> R {
        let (result, told) = self.shared.hub.call_counted(act);
        self.charge(told);
        result
    }

    /// The same; `None`, and nothing is done, when a later connection has taken the place of this one.
    pub(crate) fn call_as<R>(&self, act: impl FnOnce(&mut Engine) -> R) -> Option<R> {
        let (result, told) = self.shared.hub.call_as(self.owner, act)?;
        self.charge(told);
        Some(result)
    }

    /// The same again and again, as [`Hub::call_each`](tenure::hub::Hub::call_each) does.
    pub(crate) fn call_each(&self, most: usize, act: impl FnMut(&mut Engine) -> bool) -> Option<()> {
        let told = self.shared.hub.call_each(self.owner, most, act)?;
        self.charge(told);
        Some(())
    }

    /// Whether it made so much to hear of that those who hear it should have their turn.
    pub(crate) fn is_loud(&self) -> bool {
        self.told.load(Ordering::Relaxed) >= TOLD_MAX
    }

    /// Whether it was loud; it is no longer.
    pub(crate) fn was_loud(&self) -> bool {
        self.told.swap(0, Ordering::Relaxed) >= TOLD_MAX
    }

    fn charge(&self, told: usize) {
        self.told.fetch_add(told, Ordering::Relaxed);
    }

    /// Ends everything that goes with the connection, and lets others have their turn in between.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the rest to the drop of the peer.
    pub(crate) async fn leave(&mut self) {
        while !self.leave_some() {
            tokio::task::yield_now().await;
        }
    }

    fn leave_some(&mut self) -> bool {
        if !self.left {
            self.shared.signals.disconnect(self.owner);
            for (space, name) in self.mailbox.forget_keys() {
                if let Ok(key) = Key::new(space, &name) {
                    self.shared.hub.unwatch(self.owner, key);
                }
            }
            self.left = self.shared.hub.disconnect_some(self.owner, self.shared.clock.now());
        }
        self.left
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Only where the future of a connection is dropped: otherwise there is nothing left to do here.
        while !self.leave_some() {}
    }
}
