//! What understands the bytes of a connection, and decides what goes on there.

use crate::mailbox::{Mail, Mailbox};
use crate::peer::Peer;
use crate::report::Report;
use crate::session::Session;
use crate::shared::Shared;
use std::sync::Arc;
use std::time::Duration;
use tenure_core::Instant;

/// What a connection does after what was served.
#[derive(Debug)]
pub(crate) enum Flow {
    /// Goes on with the next.
    Next,
    /// Waits for word of its claim; nothing is answered yet.
    Blocked,
    /// Goes on after a moment that others need.
    Rest,
    /// Sends a report that comes in pieces.
    Report(Report),
    /// Ends once what was answered is sent, and after a pause.
    Close { pause: Duration },
}

/// What understands the bytes of a connection.
pub(crate) enum Door {
    /// The line protocol.
    Line(Session),
}

impl Door {
    pub(crate) fn open(shared: Arc<Shared>, mailbox: Arc<Mailbox>) -> Self {
        Self::Line(Session::open(Peer::open(shared, mailbox)))
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        match self {
            Self::Line(session) => session.shared(),
        }
    }

    /// Whether nothing is served until mail comes.
    pub(crate) const fn is_blocked(&self) -> bool {
        match self {
            Self::Line(session) => session.is_blocked(),
        }
    }

    /// Does the whole requests at the start of `bytes`, which arrived by `now`, up to one after which something else comes
    /// first; how many bytes they were.
    pub(crate) fn serve(&mut self, now: Instant, bytes: &[u8], out: &mut Vec<u8>) -> (usize, Flow) {
        match self {
            Self::Line(session) => session.serve(now, bytes, out),
        }
    }

    /// Takes note of a piece of mail, and says what has to be said about it.
    pub(crate) fn receive(&mut self, now: Instant, mail: Mail, out: &mut Vec<u8>) {
        match self {
            Self::Line(session) => session.receive(now, mail, out),
        }
    }

    /// Answers what did not come in time, or is too much.
    pub(crate) fn refuse(&self, out: &mut Vec<u8>) -> Flow {
        match self {
            Self::Line(session) => session.refuse(out),
        }
    }

    /// Ends everything that goes with the connection, and lets others have their turn in between.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the rest to the drop of the door.
    pub(crate) async fn leave(&mut self) {
        match self {
            Self::Line(session) => session.leave().await,
        }
    }
}
