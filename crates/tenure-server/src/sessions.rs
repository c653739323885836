//! Which connection speaks for each client that may come back.

use crate::mailbox::Mailbox;
use crate::shared::Shared;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use tenure_core::OwnerId;

/// The connection that speaks for each session.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<u128, Speaker>>);

struct Speaker {
    owner: OwnerId,
    mailbox: Arc<Mailbox>,
}

/// What a connection has that speaks for a session; dropping it gives it back.
pub(crate) struct Seat {
    shared: Arc<Shared>,
    session: u128,
    owner: OwnerId,
}

impl Seat {
    /// Lets a connection speak for a session. Nothing that the one before was asked for is done from now on; what is left of
    /// it has to be ended, and its number is given back.
    pub(crate) fn take(
        shared: &Arc<Shared>,
        session: u128,
        owner: OwnerId,
        mailbox: &Arc<Mailbox>,
    ) -> (Self, Option<OwnerId>) {
        let mut speakers = shared.sessions.lock();
        let before = speakers.insert(session, Speaker { owner, mailbox: Arc::clone(mailbox) });
        // Before anyone else can speak for the session, and under the lock that requests are done under.
        let waker = before.as_ref().and_then(|before| {
            shared.hub.silence(before.owner);
            before.mailbox.supersede()
        });
        drop(speakers);
        waker.into_iter().for_each(Waker::wake);
        let before = before.map(|before| before.owner);
        if let Some(before) = before {
            shared.signals.disconnect(before);
        }
        (Self { shared: Arc::clone(shared), session, owner }, before)
    }
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<u128, Speaker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut speakers = self.shared.sessions.lock();
        if speakers.get(&self.session).is_some_and(|speaker| speaker.owner == self.owner) {
            speakers.remove(&self.session);
        }
    }
}
