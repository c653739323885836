//! The one at the other end of a connection, as everyone else knows it.

use crate::mailbox::Mailbox;
use crate::shared::Shared;
use std::sync::Arc;
use tenure_core::{Key, OwnerId};

/// The one at the other end of a connection: its number, its mail, and everything that goes with them.
pub(crate) struct Peer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) owner: OwnerId,
    /// Nothing of it is left elsewhere.
    left: bool,
}

impl Peer {
    pub(crate) fn open(shared: Arc<Shared>, mailbox: Arc<Mailbox>) -> Self {
        let owner = shared.next_owner();
        shared.hub.connect(owner, Arc::clone(&mailbox));
        Self { shared, mailbox, owner, left: false }
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
