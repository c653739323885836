//! Requests about keys, and about what there is to see of them.

use super::refusals::subscriptions_full;
use super::{Answer, Mux};
use std::sync::Arc;
use tenure_core::{Fence, Instant, Key};
use tenure_wire::mux::Response;

impl Mux {
    pub(super) fn inspect(&self, now: Instant, key: Key<'_>) -> Answer<'static> {
        let inspection = self.ask(|engine| engine.inspect(now, key))?;
        Ok(inspection.map_or(Response::Gone, Response::Inspection))
    }

    pub(super) fn list(&self, now: Instant, prefix: &[u8], cursor: u32) -> Answer<'static> {
        let (keys, next) = self.ask(|engine| engine.list(now, prefix, cursor))?;
        Ok(Response::Page { keys, next })
    }

    pub(super) fn steal(
        &self,
        now: Instant,
        key: Key<'_>,
        fence: Option<Fence>,
        reason: &str,
    ) -> Answer<'static> {
        let reason = Arc::from(reason);
        Ok(Response::Count(self.ask(|engine| engine.steal(now, key, fence, &reason))?))
    }

    pub(super) fn watch(&self, key: Key<'_>) -> Answer<'static> {
        self.ask(|_| ())?;
        let shared = (key.space(), Arc::from(key.name()));
        if self.peer.mailbox.watching(|watching| watching.watches(&shared)) {
            return Ok(Response::Done);
        }
        if self.is_full() {
            return Ok(subscriptions_full());
        }
        // Before the engine tells of it, so that nothing it tells is lost.
        self.peer.mailbox.watching(|watching| watching.watch(shared));
        self.shared().hub.watch(self.peer.owner, key);
        Ok(Response::Done)
    }

    pub(super) fn unwatch(&self, key: Key<'_>) -> Answer<'static> {
        let shared = (key.space(), Arc::from(key.name()));
        if self.peer.mailbox.watching(|watching| watching.unwatch(&shared)) {
            self.shared().hub.unwatch(self.peer.owner, key);
        }
        Ok(Response::Done)
    }
}
