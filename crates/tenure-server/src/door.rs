//! What understands the bytes of a connection, and decides what goes on there.

use crate::mailbox::{Mail, Mailbox};
use crate::mux::Mux;
use crate::peer::Peer;
use crate::report::Report;
use crate::session::Session;
use crate::shared::Shared;
use std::sync::Arc;
use std::time::Duration;
use tenure_core::Instant;
use tenure_wire::mux::PREFACE;

/// What a client that speaks TLS begins with: a record of its handshake. No request of the line protocol begins like that.
const TLS_HANDSHAKE: [u8; 2] = [0x16, 0x03];

/// How long a peer that failed to show the secret is kept before it is cut, so that guessing is slow.
pub(crate) const REFUSAL_PAUSE: Duration = Duration::from_millis(100);

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
    /// The line protocol, which every connection speaks unless it begins otherwise.
    Line {
        session: Session,
        /// The first bytes were those of a line.
        begun: bool,
    },
    /// The multiplexed protocol.
    Mux(Box<Mux>),
}

/// What the first bytes of a connection are.
enum Opening {
    Line,
    Mux,
    /// The peer wants TLS, and would wait for an answer that it understands.
    Tls,
    /// There are too few of them to tell.
    Unclear,
}

impl Door {
    pub(crate) fn open(shared: Arc<Shared>, mailbox: Arc<Mailbox>) -> Self {
        Self::Line { session: Session::open(Peer::open(shared, mailbox)), begun: false }
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.peer().shared
    }

    const fn peer(&self) -> &Peer {
        match self {
            Self::Line { session, .. } => session.peer(),
            Self::Mux(mux) => mux.peer(),
        }
    }

    /// Whether the peer owes nothing any more that was due with its first bytes.
    pub(crate) const fn is_introduced(&self) -> bool {
        match self {
            Self::Line { .. } => true,
            Self::Mux(mux) => mux.is_introduced(),
        }
    }

    /// Whether nothing is served until mail comes.
    pub(crate) const fn is_blocked(&self) -> bool {
        match self {
            Self::Line { session, .. } => session.is_blocked(),
            Self::Mux(_) => false,
        }
    }

    /// Whether more mail may be taken before the peer takes some of what is written.
    pub(crate) const fn goes_on(&self, written: &[u8]) -> bool {
        match self {
            Self::Line { .. } => true,
            Self::Mux(_) => Mux::goes_on(written),
        }
    }

    /// Does the whole requests at the start of `bytes`, which arrived by `now`, up to one after which something else comes
    /// first; how many bytes they were.
    pub(crate) fn serve(&mut self, now: Instant, bytes: &[u8], out: &mut Vec<u8>) -> (usize, Flow) {
        let (served, flow) = match self {
            Self::Line { session, begun: true } => session.serve(now, bytes, out),
            Self::Line { .. } => self.begin(now, bytes, out),
            Self::Mux(mux) => mux.serve(now, bytes, out),
        };
        (served, self.calm(flow))
    }

    /// Lets others have their turn where this connection made much for them to hear of.
    fn calm(&self, flow: Flow) -> Flow {
        let loud = self.peer().was_loud();
        if loud && matches!(flow, Flow::Next) { Flow::Rest } else { flow }
    }

    /// Takes note of a piece of mail, and says what has to be said about it.
    pub(crate) fn receive(&mut self, now: Instant, mail: Mail, out: &mut Vec<u8>) -> Flow {
        let flow = match self {
            Self::Line { session, .. } => {
                session.receive(now, mail, out);
                Flow::Next
            }
            Self::Mux(mux) => mux.receive(now, mail, out),
        };
        self.calm(flow)
    }

    /// Answers more than may wait behind a request that blocks.
    pub(crate) fn refuse(&self, out: &mut Vec<u8>) -> Flow {
        match self {
            Self::Line { session, .. } => session.refuse(out),
            // Nothing blocks here, so nothing waits.
            Self::Mux(_) => Flow::Next,
        }
    }

    /// When there is something to do though nothing arrives, of a peer that owes something `since` then. A peer whose request
    /// blocks owes nothing.
    pub(crate) fn due(&self, since: Instant) -> Option<Instant> {
        match self {
            Self::Line { session, .. } if session.is_blocked() => None,
            Self::Line { session, .. } => Some(since.after(session.peer().shared.config.read_timeout)),
            Self::Mux(mux) => Some(mux.due(since)),
        }
    }

    /// Does what is due; where nothing else is, it refuses a peer that owes something for too long.
    pub(crate) fn handle_due(&mut self, now: Instant, since: Instant, out: &mut Vec<u8>) -> Flow {
        match self {
            Self::Line { session, .. } => session.refuse(out),
            Self::Mux(mux) => mux.handle_due(now, since, out),
        }
    }

    /// Ends everything that goes with the connection, and lets others have their turn in between.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the rest to the drop of the door.
    pub(crate) async fn leave(&mut self) {
        match self {
            Self::Line { session, .. } => session.leave().await,
            Self::Mux(mux) => mux.leave().await,
        }
    }

    /// Finds out which protocol the first bytes are of, and goes on in that.
    fn begin(&mut self, now: Instant, bytes: &[u8], out: &mut Vec<u8>) -> (usize, Flow) {
        match opening(bytes) {
            Opening::Unclear => (0, Flow::Next),
            Opening::Tls => {
                tracing::debug!(
                    owner = self.peer().owner.get(),
                    "it wants TLS, and there is none on this port"
                );
                (bytes.len(), Flow::Close { pause: Duration::ZERO })
            }
            Opening::Line => {
                if let Self::Line { begun, .. } = self {
                    *begun = true;
                }
                self.serve(now, bytes, out)
            }
            Opening::Mux => {
                if let Self::Line { session, .. } = self {
                    *self = Self::Mux(Box::new(Mux::open(session.step_aside())));
                }
                let (served, flow) = self.serve(now, &bytes[PREFACE.len()..], out);
                (PREFACE.len() + served, flow)
            }
        }
    }
}

fn opening(bytes: &[u8]) -> Opening {
    if bytes.starts_with(&PREFACE) {
        Opening::Mux
    } else if bytes.starts_with(&TLS_HANDSHAKE) {
        Opening::Tls
    } else if PREFACE.starts_with(bytes) || TLS_HANDSHAKE.starts_with(bytes) {
        Opening::Unclear
    } else {
        Opening::Line
    }
}
