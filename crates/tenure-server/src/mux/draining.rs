//! The end of connections that a daemon about to stop has nothing for.

use super::refusals::draining;
use super::{Mux, push};
use crate::door::Flow;
use std::time::Duration;
use tenure_core::Instant;
use tenure_wire::mux::Push;

/// How often it is looked whether a connection still has claims. One that had none twice, one after the other, ends: there
/// was time to take note of the last answers.
const PERIOD: Duration = Duration::from_secs(1);

/// What is known of a connection since its peer was told that the daemon is about to stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draining {
    /// When to look again.
    due: Instant,
    /// It had no claims when that was looked at last.
    bare: bool,
}

impl Draining {
    pub(super) const fn due(self) -> Instant {
        self.due
    }
}

impl Mux {
    pub(super) fn tell_of_draining(&mut self, now: Instant, out: &mut Vec<u8>) {
        if self.guest.is_some() && self.draining.is_none() {
            push(out, &Push::Draining);
            self.draining = Some(Draining { due: now.after(PERIOD), bare: !self.has_claims(now) });
        }
    }

    /// Ends the connection if it has nothing here. What it watches and listens to keeps nobody: it can have that elsewhere.
    pub(super) fn look_whether_needed(&mut self, now: Instant, out: &mut Vec<u8>) -> Flow {
        let bare = !self.has_claims(now);
        if bare && self.draining.is_some_and(|draining| draining.bare) {
            return self.turn_away(0, &draining(), out);
        }
        self.draining = Some(Draining { due: now.after(PERIOD), bare });
        Flow::Next
    }

    fn has_claims(&self, now: Instant) -> bool {
        self.shared().hub.call(|engine| {
            engine.handle_timeout(now);
            engine.has_claims(self.peer.owner)
        })
    }
}
