//! One connection's side of the multiplexed protocol: many claims, answered in the order in which they are asked for.
//!
//! Requests about claims that came together are done together, under one lock of the engine. What they lead to later reaches
//! the connection as mail, and leaves it as pushes.

mod claims;
mod draining;
mod follow;
mod hello;
mod keys;
mod pushes;
mod refusals;
mod signals;

use crate::door::Flow;
use crate::peer::Peer;
use crate::report;
use crate::shared::Shared;
use claims::Asker;
use draining::Draining;
use follow::Follows;
use hello::Guest;
use refusals::{invalid, too_long};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use tenure_core::{ClaimId, Engine, Instant};
use tenure_wire::mux::{
    BadFrame, FRAME_LEN_MAX, Framed, Push, Request, RequestId, Response, decode_request, encode_push,
    encode_response, next_frame,
};

/// Requests done under one lock of the engine, with everyone else waiting.
const BATCH_MAX: usize = 64;
/// So much is written before the peer has to take some of it.
const WRITTEN_MAX: usize = 64 * 1024;

/// One connection's side of the multiplexed protocol.
pub(crate) struct Mux {
    peer: Peer,
    /// Who it is; nothing is known before its hello.
    guest: Option<Guest>,
    follows: Follows,
    /// Claims whose turns have come; empty but for a moment.
    turns: Vec<ClaimId>,
    /// The peer was asked whether it is there, and has said nothing since.
    asked: bool,
    /// What the daemon that is about to stop looks at next, once the peer was told of that.
    draining: Option<Draining>,
}

/// A later connection has taken the place of this one, and nothing is done for it any more.
#[derive(Clone, Copy, Debug)]
struct Superseded;

/// An answer, unless there is none any more.
type Answer<'a> = Result<Response<'a>, Superseded>;

impl Mux {
    pub(crate) fn open(peer: Peer) -> Self {
        Self {
            peer,
            guest: None,
            follows: Follows::default(),
            turns: Vec::new(),
            asked: false,
            draining: None,
        }
    }

    /// Whether it was let in.
    pub(crate) const fn is_introduced(&self) -> bool {
        self.guest.is_some()
    }

    pub(crate) const fn peer(&self) -> &Peer {
        &self.peer
    }

    const fn shared(&self) -> &Arc<Shared> {
        &self.peer.shared
    }

    /// Whether more may be written before the peer takes some of it.
    pub(crate) const fn goes_on(written: &[u8]) -> bool {
        written.len() < WRITTEN_MAX
    }

    /// Answers the whole requests at the start of `bytes`, as many as there is room for the answers; how many bytes they were.
    pub(crate) fn serve(&mut self, now: Instant, bytes: &[u8], out: &mut Vec<u8>) -> (usize, Flow) {
        if self.follows.due().is_some_and(|due| due <= now) {
            let flow = self.tell_positions(now, out);
            if !matches!(flow, Flow::Next) {
                return (0, flow);
            }
        }
        let mut served = 0;
        loop {
            let (len, flow) = self.serve_some(now, &bytes[served..], out);
            served += len;
            if len == 0 || !matches!(flow, Flow::Next) || !Self::goes_on(out) || self.peer.is_loud() {
                break (served, flow);
            }
            self.asked = false;
        }
    }

    /// Ends everything that goes with the connection, and lets others have their turn in between.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the rest to the drop of the door.
    pub(crate) async fn leave(&mut self) {
        self.peer.leave().await;
    }

    /// When there is something to do though nothing arrives; `since` then the peer is silent.
    pub(crate) fn due(&self, since: Instant) -> Instant {
        let silence_max = self.shared().config.read_timeout;
        let asks = self.guest.is_some() && !self.asked;
        let silence = since.after(if asks { silence_max / 2 } else { silence_max });
        let draining = self.draining.map(Draining::due);
        [self.follows.due(), draining].into_iter().flatten().fold(silence, Instant::min)
    }

    /// Does what is due.
    pub(crate) fn handle_due(&mut self, now: Instant, since: Instant, out: &mut Vec<u8>) -> Flow {
        if self.follows.due().is_some_and(|due| due <= now) {
            return self.tell_positions(now, out);
        }
        if self.draining.is_some_and(|draining| draining.due() <= now) {
            return self.look_whether_needed(now, out);
        }
        let silence_max = self.shared().config.read_timeout;
        if now >= since.after(silence_max) {
            return self.turn_away(0, &invalid(&self.too_late()), out);
        }
        if self.guest.is_some() && !self.asked {
            self.asked = true;
            push(out, &Push::Ping);
        }
        Flow::Next
    }

    /// What was to come, and did not come in time.
    fn too_late(&self) -> String {
        let silence_max = self.shared().config.read_timeout;
        if self.is_introduced() {
            return format!(
                "no whole request came for {silence_max:?}: send each in one go, and Ping where there is nothing to ask"
            );
        }
        format!("a connection begins with a hello, which has to be here whole within {silence_max:?}")
    }

    fn serve_some(&mut self, now: Instant, bytes: &[u8], out: &mut Vec<u8>) -> (usize, Flow) {
        let Some(guest) = &mut self.guest else { return self.meet(now, bytes, out) };
        if !guest.end_the_one_before(&self.peer, now) {
            return (0, Flow::Rest);
        }
        match next_frame(bytes, FRAME_LEN_MAX) {
            Framed::Incomplete => (0, Flow::Next),
            Framed::TooLong { .. } => (0, self.turn_away(0, &too_long(), out)),
            Framed::Malformed => (0, self.turn_away(0, &refusals::malformed(), out)),
            Framed::Whole(frame) => match decode_request(&frame) {
                Err(bad) if frame.id == 0 => (0, self.turn_away(0, &refusals::misunderstood(bad), out)),
                Err(bad) => {
                    answer(out, frame.id, &refusals::misunderstood(bad));
                    (frame.len, Flow::Next)
                }
                Ok(request) => match self.serve_alone(now, frame.id, &request, out) {
                    Some(flow) => (frame.len, flow),
                    None => self.serve_batch(now, bytes, frame.id, out),
                },
            },
        }
    }

    /// Does the requests about claims at the start of `bytes`, some of them, under one lock.
    fn serve_batch(&self, now: Instant, bytes: &[u8], first: RequestId, out: &mut Vec<u8>) -> (usize, Flow) {
        let asker = Asker {
            owner: self.peer.owner,
            note: self.guest.as_ref().and_then(Guest::note),
            draining: self.shared().is_draining(),
            walked: Cell::new(0),
        };
        let mut served = 0;
        let done = self.peer.call_each(BATCH_MAX, |engine| {
            let Framed::Whole(frame) = next_frame(&bytes[served..], FRAME_LEN_MAX) else { return false };
            let Ok(request) = decode_request(&frame) else { return false };
            let Some(response) = claims::perform(engine, now, &asker, &request) else { return false };
            answer(out, frame.id, &response);
            served += frame.len;
            !asker.is_tired()
        });
        match done {
            Some(()) => (served, Flow::Next),
            None => (0, self.turn_away(first, &refusals::superseded(), out)),
        }
    }

    /// Does a request that is not about one claim; `None` when it is.
    fn serve_alone(
        &mut self,
        now: Instant,
        id: RequestId,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Option<Flow> {
        let info;
        let response = match *request {
            Request::Enqueue(_)
            | Request::Resume { .. }
            | Request::Cancel { .. }
            | Request::Release { .. }
            | Request::ReleaseToken { .. }
            | Request::Renew { .. } => return None,
            Request::Hello(_) => Ok(refusals::introduced_already()),
            Request::Ping => Ok(Response::Pong),
            Request::Position { claim } => self.position(now, claim),
            Request::Follow { claim, on: true } => self.follow(now, claim),
            Request::Follow { claim, on: false } => self.unfollow(claim),
            Request::Inspect { key } => self.inspect(now, key),
            Request::List { prefix, cursor } => self.list(now, prefix, cursor),
            Request::Watch { key } => self.watch(key),
            Request::Unwatch { key } => self.unwatch(key),
            Request::Steal { key, fence, reason } => self.steal(now, key, fence, reason),
            Request::Signal { channel, payload } => {
                return Some(self.signal(id, channel, payload, out));
            }
            Request::Listen { pattern, group } => self.listen(pattern, group),
            Request::Unlisten { pattern, group } => self.unlisten(pattern, group),
            Request::Info => {
                info = report::info_with_sizes(self.shared());
                Ok(Response::Info(&info))
            }
        };
        Some(self.reply(id, response, out))
    }

    fn reply(&self, id: RequestId, response: Answer<'_>, out: &mut Vec<u8>) -> Flow {
        match response {
            Ok(response) => {
                answer(out, id, &response);
                Flow::Next
            }
            Err(Superseded) => self.turn_away(id, &refusals::superseded(), out),
        }
    }

    /// Does something with the engine, unless a later connection has taken the place of this one.
    fn ask<R>(&self, act: impl FnOnce(&mut Engine) -> R) -> Result<R, Superseded> {
        self.peer.call_as(act).ok_or(Superseded)
    }

    /// Whether one subscription more is too many.
    fn is_full(&self) -> bool {
        let Some(most) = self.shared().config.max_subscriptions else { return false };
        most <= self.interests() + self.shared().signals.count_of(self.peer.owner)
    }

    /// How many keys and claims the connection wants to hear of.
    fn interests(&self) -> usize {
        self.follows.len() + self.peer.mailbox.watching(|watching| watching.watched())
    }

    /// Refuses something, and ends the connection.
    fn turn_away(&self, id: RequestId, response: &Response<'_>, out: &mut Vec<u8>) -> Flow {
        answer(out, id, response);
        tracing::debug!(owner = self.peer.owner.get(), ?response, "turned away");
        Flow::Close { pause: Duration::ZERO }
    }
}

/// Writes an answer. Every answer here fits a frame; were one too long, whoever asked would hear so.
fn answer(out: &mut Vec<u8>, id: RequestId, response: &Response<'_>) {
    if encode_response(out, id, response).is_err() {
        tracing::error!("an answer does not fit a frame");
        let _ = encode_response(out, id, &too_long());
    }
}

/// Writes a push. Every push here fits a frame.
fn push(out: &mut Vec<u8>, push: &Push<'_>) {
    if encode_push(out, push).is_err() {
        tracing::error!("a push does not fit a frame");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use crate::clock::Clock;
    use crate::mailbox::{Mail, Mailbox};
    use tenure::hub::Hub;
    use tenure_core::{Bond, Fence, FenceRange, Happened, Key, Limit, Limits, Observation, SharedKey, Space};
    use tenure_wire::mux::{Enqueue, Hello, Patience, encode_request};

    fn mux() -> Mux {
        let limits = Limits {
            queues_max: 100,
            claims_max: 100,
            queue_len_max: 100,
            idle_max: Duration::from_secs(60),
        };
        let engine = Engine::new(limits, FenceRange::new(Fence::new(1), Fence::new(100)), 7);
        let shared = Shared::new(Config::default(), Arc::new(Hub::new(engine, 0)), Clock::start());
        Mux::open(Peer::open(Arc::new(shared), Arc::new(Mailbox::default())))
    }

    fn hello() -> Vec<u8> {
        let label = "l".repeat(256);
        let hello =
            Hello { version_min: 1, version_max: 1, session: 0, auth: b"", label: &label, host: "", pid: 0 };
        let mut bytes = Vec::new();
        encode_request(&mut bytes, 1, &Request::Hello(hello)).expect("a hello");
        bytes
    }

    fn ask_for(bytes: &mut Vec<u8>, number: u128, key: Key<'_>) {
        let claim = Enqueue {
            claim: ClaimId::new(number),
            key,
            permits: 1,
            limit: Limit::ONE,
            ttl: Duration::from_secs(600),
            bond: Bond::Connection,
            patience: Patience::Endless,
            label: "",
        };
        encode_request(bytes, 2, &Request::Enqueue(claim)).expect("a claim");
    }

    /// How many answers there are.
    fn answers(mut bytes: &[u8]) -> usize {
        let mut count = 0;
        while let Framed::Whole(frame) = next_frame(bytes, FRAME_LEN_MAX) {
            (count, bytes) = (count + 1, &bytes[frame.len..]);
        }
        count
    }

    #[test]
    fn a_batch_ends_early_when_long_lines_are_walked_through_for_it() {
        let key = Key::new(Space::Lock, b"k").expect("a short name");
        let (mut mux, now, mut bytes) = (mux(), Instant::ORIGIN, hello());
        (0..100).for_each(|number| ask_for(&mut bytes, number, key));
        let (served, _) = mux.serve(now, &bytes, &mut Vec::new());
        assert_eq!(served, bytes.len());

        // The last in line has 98 before it, so the eleventh walk is the one that is too much.
        let (mut again, mut out) = (Vec::new(), Vec::new());
        (0..64).for_each(|_| ask_for(&mut again, 99, key));
        let (served, _) = mux.serve_some(now, &again, &mut out);
        assert_eq!(answers(&out), 11);
        assert_eq!(served, again.len() / 64 * 11, "the others are done under the lock later");
        mux.serve(now, &again[served..], &mut out);
        assert_eq!(answers(&out), 64);
    }

    #[test]
    fn a_batch_ends_with_the_request_that_too_many_hear_of() {
        const WATCHERS: usize = 100;
        let key = Key::new(Space::Lock, b"k").expect("a short name");
        let (mut mux, now) = (mux(), Instant::ORIGIN);
        let watchers: Vec<Peer> =
            (0..WATCHERS).map(|_| Peer::open(Arc::clone(mux.shared()), Arc::default())).collect();
        for watcher in &watchers {
            watcher.mailbox.watching(|watching| watching.watch((Space::Lock, key.name().into())));
            watcher.shared.hub.watch(watcher.owner, key);
        }
        let mut bytes = Vec::new();
        mux.serve(now, &hello(), &mut bytes);
        bytes.clear();
        (0..20).for_each(|number| ask_for(&mut bytes, number, key));
        let mut rest = &bytes[..];
        let mut turns = Vec::new();
        while !rest.is_empty() {
            let mut out = Vec::new();
            let (served, _) = mux.serve(now, rest, &mut out);
            assert!(mux.peer.was_loud() || served == rest.len());
            (turns, rest) = ([turns, vec![answers(&out)]].concat(), &rest[served..]);
        }
        // The third request is the first after which more than 256 have been told.
        assert_eq!(turns, [3, 3, 3, 3, 3, 3, 2]);
    }

    #[test]
    fn no_more_is_served_than_there_is_room_for_the_answers() {
        let key = Key::new(Space::Lock, b"k").expect("a short name");
        let mut bytes = hello();
        (0..65).for_each(|number| ask_for(&mut bytes, number, key));
        for _ in 0..1_000 {
            encode_request(&mut bytes, 3, &Request::Inspect { key }).expect("a request");
        }
        // Each inspection is answered with some twenty kilobytes.
        let (mut mux, now, mut rest, mut most) = (mux(), Instant::ORIGIN, &bytes[..], 0);
        while !rest.is_empty() {
            let mut out = Vec::new();
            let (served, flow) = mux.serve(now, rest, &mut out);
            assert!(served > 0 && matches!(flow, Flow::Next), "it goes on once there is room");
            rest = &rest[served..];
            most = most.max(out.len());
        }
        assert!((WRITTEN_MAX..WRITTEN_MAX + FRAME_LEN_MAX).contains(&most), "{most} bytes at once");
    }

    #[test]
    fn what_was_on_its_way_when_a_watch_ended_is_not_told() {
        let (mut mux, mut out) = (mux(), Vec::new());
        let key: SharedKey = (Space::Lock, b"k"[..].into());
        let changed = || {
            let observation = Observation { happened: Happened::Queue, holders_len: 1, queue_len: 1 };
            Mail::Changed(Arc::new((key.clone(), observation)))
        };
        mux.peer.mailbox.watching(|watching| watching.watch(key.clone()));
        mux.receive(Instant::ORIGIN, changed(), &mut out);
        assert!(!out.is_empty(), "it is watched");
        out.clear();
        mux.peer.mailbox.watching(|watching| watching.unwatch(&key));
        mux.receive(Instant::ORIGIN, changed(), &mut out);
        assert!(out.is_empty());
    }
}
