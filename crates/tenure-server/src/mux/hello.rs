//! How a connection is let in.

use super::refusals::{invalid, refused};
use super::{Mux, answer};
use crate::door::{Flow, REFUSAL_PAUSE};
use crate::peer::Peer;
use crate::sessions::Seat;
use std::sync::Arc;
use tenure_core::{Instant, Note, OwnerId};
use tenure_wire::mux::{
    BadFrame, FRAME_LEN_MAX_BEFORE_HELLO, Framed, Hello, RefusedCode, Request, RequestId, Response, VERSION,
    Welcome, decode_request, next_frame,
};

/// How often claims of an earlier connection are ended before others have their turn.
const ENDED_AT_ONCE: usize = 16;

/// A connection that was let in.
pub(super) struct Guest {
    note: Option<Arc<Note>>,
    /// An earlier connection of the same session, as long as something is left of it.
    before: Option<OwnerId>,
    /// It speaks for its session as long as it is here.
    _seat: Option<Seat>,
}

impl Guest {
    pub(super) const fn note(&self) -> Option<&Arc<Note>> {
        self.note.as_ref()
    }

    /// Ends what an earlier connection has left; true when it is done, and requests of this one may be.
    pub(super) fn end_the_one_before(&mut self, peer: &Peer, now: Instant) -> bool {
        let Some(before) = self.before else { return true };
        let done = (0..ENDED_AT_ONCE).any(|_| peer.shared.hub.disconnect_some(before, now));
        if done {
            self.before = None;
        }
        done
    }
}

impl Mux {
    /// Reads the first request, which has to be a hello.
    pub(super) fn meet(&mut self, now: Instant, bytes: &[u8], out: &mut Vec<u8>) -> (usize, Flow) {
        let frame = match next_frame(bytes, FRAME_LEN_MAX_BEFORE_HELLO) {
            Framed::Incomplete => return (0, Flow::Next),
            Framed::TooLong { .. } => {
                return (
                    0,
                    self.turn_stranger_away(0, "a connection begins with a hello of at most 1 KiB", out),
                );
            }
            Framed::Malformed => return (0, self.turn_stranger_away(0, "this is no frame of a hello", out)),
            Framed::Whole(frame) => frame,
        };
        let flow = match decode_request(&frame) {
            Ok(Request::Hello(hello)) => self.welcome(now, frame.id, &hello, out),
            // Whoever sent it may have the secret: it is not known, because it could not be read.
            Err(BadFrame::Malformed(why)) => self.turn_away(frame.id, &invalid(why), out),
            Ok(_) | Err(BadFrame::UnknownKind(_)) => {
                self.turn_stranger_away(frame.id, "a connection begins with a hello", out)
            }
        };
        (frame.len, flow)
    }

    /// Refuses whoever does not begin as it should.
    fn turn_stranger_away(&self, id: RequestId, why: &str, out: &mut Vec<u8>) -> Flow {
        if self.shared().gate.is_open() {
            return self.turn_away(id, &invalid(why), out);
        }
        self.deny(id, out)
    }

    fn deny(&self, id: RequestId, out: &mut Vec<u8>) -> Flow {
        let why = refused(
            RefusedCode::Denied,
            "this is not the secret of the daemon; give the one of its --auth-token",
        );
        self.turn_away(id, &why, out);
        Flow::Close { pause: REFUSAL_PAUSE }
    }

    fn welcome(&mut self, now: Instant, id: RequestId, hello: &Hello<'_>, out: &mut Vec<u8>) -> Flow {
        let shared = Arc::clone(self.shared());
        if !shared.gate.is_open() && !shared.gate.admits(hello.auth) {
            return self.deny(id, out);
        }
        let Some(version) = common_version(hello) else {
            let why = refused(
                RefusedCode::Unsupported,
                "this server speaks version 1 of the protocol and no other",
            );
            return self.turn_away(id, &why, out);
        };
        self.guest = Some(self.admit(hello));
        let welcome = Welcome {
            version,
            owner: self.peer.owner.get(),
            silence_max: shared.config.read_timeout,
            server: concat!("tenure ", env!("CARGO_PKG_VERSION")),
        };
        answer(out, id, &Response::Welcome(welcome));
        if shared.is_draining() {
            self.tell_of_draining(now, out);
        }
        Flow::Next
    }

    fn admit(&self, hello: &Hello<'_>) -> Guest {
        let (seat, before) = match hello.session {
            0 => (None, None),
            session => {
                let (seat, before) = Seat::take(self.shared(), session, self.peer.owner, &self.peer.mailbox);
                (Some(seat), before)
            }
        };
        Guest { note: note(hello), before, _seat: seat }
    }
}

/// The highest version that both speak.
fn common_version(hello: &Hello<'_>) -> Option<u16> {
    (hello.version_min..=hello.version_max).contains(&VERSION).then_some(VERSION)
}

fn note(hello: &Hello<'_>) -> Option<Arc<Note>> {
    let told = !hello.label.is_empty() || !hello.host.is_empty() || hello.pid != 0;
    told.then(|| Arc::new(Note { label: hello.label.into(), host: hello.host.into(), pid: hello.pid }))
}
