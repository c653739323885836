//! One connection's side of the line protocol: what each request does, and what it is answered.

mod parked;

use crate::door::{Flow, REFUSAL_PAUSE};
use crate::mailbox::Mail;
use crate::peer::Peer;
use crate::report::Report;
use crate::signals::Listener;
use parked::Parked;
use std::sync::Arc;
use std::time::Duration;
use tenure::entropy;
use tenure_core::{
    Bond, Change, ClaimId, Enqueued, Instant, Key, Limit, Patience, Refusal, Released, Renewed, Request,
    Secret, Subject, Token, Waited,
};
use tenure_wire::line::{Answer, Command, Decoded, decode};

/// One connection's side of the line protocol.
pub(crate) struct Session {
    peer: Peer,
    /// Drawn for this connection, so that nobody else can name its claims.
    prefix: u64,
    claims: u64,
    admitted: bool,
    bond: Bond,
    blocked: Option<Blocked>,
    parked: Parked,
}

/// The request that is not answered yet.
#[derive(Clone, Copy, Debug)]
struct Blocked {
    claim: ClaimId,
    /// It is a `w`, so the grant may have come, and ended, before it.
    waits: bool,
}

impl Session {
    pub(crate) fn open(peer: Peer) -> Self {
        Self {
            admitted: peer.shared.gate.is_open(),
            bond: if peer.shared.config.auto_release { Bond::Connection } else { Bond::Lease },
            peer,
            prefix: entropy::number(),
            claims: 0,
            blocked: None,
            parked: Parked::default(),
        }
    }

    /// A peer with the same mail, for another protocol to go on with. Nothing has been done in this one.
    pub(crate) fn step_aside(&self) -> Peer {
        Peer::open(Arc::clone(&self.peer.shared), Arc::clone(&self.peer.mailbox))
    }

    pub(crate) const fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(crate) const fn is_blocked(&self) -> bool {
        self.blocked.is_some()
    }

    /// Answers the whole requests at the start of `bytes`, up to one that blocks, reports, rests or ends it all; how many
    /// bytes they were.
    pub(crate) fn serve(&mut self, now: Instant, bytes: &[u8], out: &mut Vec<u8>) -> (usize, Flow) {
        let mut served = 0;
        loop {
            let flow = match decode(&bytes[served..]) {
                Decoded::Incomplete => return (served, Flow::Next),
                Decoded::TooLong => self.refuse(out),
                Decoded::Request { command, len } => {
                    served += len;
                    match command {
                        Ok(command) => self.handle(now, command, out),
                        Err(refusal) => self.misunderstand(refusal, out),
                    }
                }
            };
            if !matches!(flow, Flow::Next) || self.peer.is_loud() {
                return (served, flow);
            }
        }
    }

    /// Answers what could not be read as a request, or did not come in time.
    pub(crate) fn refuse(&self, out: &mut Vec<u8>) -> Flow {
        if self.admitted {
            Answer::Error.encode(out);
            return Flow::Close { pause: Duration::ZERO };
        }
        Answer::AuthRefused.encode(out);
        Flow::Close { pause: REFUSAL_PAUSE }
    }

    /// Answers three lines that are no request.
    fn misunderstand(&self, refusal: tenure_wire::line::Refusal, out: &mut Vec<u8>) -> Flow {
        tracing::debug!(owner = self.peer.owner.get(), %refusal, "refused");
        if !self.admitted {
            return self.refuse(out);
        }
        Answer::Error.encode(out);
        Flow::Next
    }

    /// Does what a request asks for that arrived at `now`.
    fn handle(&mut self, now: Instant, command: Command<'_>, out: &mut Vec<u8>) -> Flow {
        if !self.admitted {
            return self.admit(command, out);
        }
        if self.peer.shared.is_draining() && begins_something(command) {
            Answer::Draining.encode(out);
            return Flow::Close { pause: Duration::ZERO };
        }
        let answer = match command {
            Command::Acquire { key, limit, wait, lease } => {
                match self.acquire(now, key, limit, wait, lease) {
                    Some(answer) => answer,
                    None => return Flow::Blocked,
                }
            }
            Command::Wait { key, wait } => match self.wait(now, key, wait) {
                Some(answer) => answer,
                None => return Flow::Blocked,
            },
            Command::Enqueue { key, limit, lease } => self.enqueue(now, key, limit, lease),
            Command::Release { key, token } => self.release(now, key, token),
            Command::Renew { key, token, lease } => self.renew(now, key, token, lease),
            Command::Auth { .. } => Answer::Error,
            Command::Ping => Answer::Ok,
            Command::Bind { bond } => {
                self.bond = bond;
                Answer::Ok
            }
            Command::Signal { subject, payload } => return self.signal(subject, payload, out),
            Command::Listen { pattern, group } => self.listen(pattern, group),
            Command::Unlisten { pattern, group } => {
                self.peer.shared.signals.unlisten(self.peer.owner, pattern, group);
                Answer::Ok
            }
            Command::Stats => return Flow::Report(Report::stats()),
            Command::Inspect { glob } => return Flow::Report(Report::inspect(glob)),
            Command::Info => return Flow::Report(Report::info()),
        };
        answer.encode(out);
        Flow::Next
    }

    /// Takes note of a piece of mail, and answers the blocked request if it is about that.
    pub(crate) fn receive(&mut self, now: Instant, mail: Mail, out: &mut Vec<u8>) {
        match mail {
            Mail::Signal(letter) => out.extend_from_slice(letter.line()),
            Mail::Claim { claim, change, .. } => {
                match self.blocked.filter(|blocked| blocked.claim == claim) {
                    Some(blocked) => self.unblock(now, blocked, &change, out),
                    None if change == Change::Lapsed => self.parked.lapse(claim),
                    None => {}
                }
            }
            Mail::Drain => {
                if let Some(blocked) = self.blocked.take() {
                    self.peer.call(|engine| engine.cancel(now, blocked.claim));
                    Answer::Error.encode(out);
                }
            }
            // Nobody asks for these in this protocol.
            Mail::Changed(_) | Mail::Missed | Mail::Moved(_) | Mail::Superseded => {}
        }
    }

    /// Ends everything that goes with the connection, and lets others have their turn in between.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the rest to the drop of the session.
    pub(crate) async fn leave(&mut self) {
        self.peer.leave().await;
    }

    fn admit(&mut self, command: Command<'_>, out: &mut Vec<u8>) -> Flow {
        let Command::Auth { token } = command else { return self.refuse(out) };
        if !self.peer.shared.gate.admits(token) {
            return self.refuse(out);
        }
        self.admitted = true;
        Answer::Ok.encode(out);
        Flow::Next
    }

    fn acquire(
        &mut self,
        now: Instant,
        key: Key<'_>,
        limit: Limit,
        wait: Duration,
        lease: Option<Duration>,
    ) -> Option<Answer> {
        let (claim, lease) = (self.next_claim(), self.lease(lease));
        match self.ask(now, claim, key, limit, lease, patience(now, wait)) {
            Enqueued::Acquired(grant) => Some(Answer::Granted { token: grant.token, lease }),
            Enqueued::Busy => Some(Answer::Timeout),
            Enqueued::Refused(refusal) => Some(explain(refusal)),
            Enqueued::Queued => {
                self.blocked = Some(Blocked { claim, waits: false });
                None
            }
        }
    }

    fn enqueue(&mut self, now: Instant, key: Key<'_>, limit: Limit, lease: Option<Duration>) -> Answer {
        if self.parked.get(key).is_some_and(|claim| self.knows(now, claim)) {
            tracing::debug!(owner = self.peer.owner.get(), ?key, "enqueued already");
            return Answer::AlreadyEnqueued;
        }
        if !self.parked.has_room_for(key) {
            return Answer::MaxWaiters;
        }
        let (claim, lease) = (self.next_claim(), self.lease(lease));
        let answer = match self.ask(now, claim, key, limit, lease, Patience::Endless) {
            Enqueued::Acquired(grant) => Answer::Acquired { token: grant.token, lease },
            Enqueued::Queued => Answer::Queued,
            Enqueued::Busy => return Answer::Timeout,
            Enqueued::Refused(refusal) => return explain(refusal),
        };
        self.parked.insert(key, claim);
        answer
    }

    fn wait(&mut self, now: Instant, key: Key<'_>, wait: Duration) -> Option<Answer> {
        let Some(claim) = self.parked.get(key) else { return Some(Answer::NotEnqueued) };
        let waited = self.peer.call(|engine| engine.wait(now, claim, patience(now, wait)));
        // The lease may have ended just now, and the word of it still be on its way.
        self.peer.mailbox.take_lapses(|claim| self.parked.lapse(claim));
        let lapsed = self.parked.remove(key).is_some_and(|(_, lapsed)| lapsed);
        match waited {
            Waited::Acquired(grant) => Some(Answer::Granted { token: grant.token, lease: grant.ttl }),
            Waited::TimedOut => Some(Answer::Timeout),
            Waited::Unknown if lapsed => Some(Answer::LeaseExpired),
            Waited::Unknown => Some(Answer::NotEnqueued),
            Waited::Pending => {
                self.blocked = Some(Blocked { claim, waits: true });
                None
            }
        }
    }

    fn release(&mut self, now: Instant, key: Key<'_>, token: &[u8]) -> Answer {
        let Ok(token) = Token::from_text(token) else { return Answer::Error };
        let released = self.peer.call(|engine| engine.release(now, key, token, self.peer.owner));
        if self.parked.get(key).is_some_and(|claim| !self.knows(now, claim)) {
            self.parked.remove(key);
        }
        match released {
            Released::Released => Answer::Ok,
            Released::NotHeld => Answer::Error,
        }
    }

    fn renew(&self, now: Instant, key: Key<'_>, token: &[u8], lease: Option<Duration>) -> Answer {
        let (Ok(token), lease) = (Token::from_text(token), self.lease(lease)) else { return Answer::Error };
        match self.peer.call(|engine| engine.renew(now, key, token, lease)) {
            Renewed::Until(_) => Answer::Renewed { lease },
            Renewed::NotHeld => Answer::Error,
        }
    }

    fn signal(&self, subject: Subject<'_>, payload: &[u8], out: &mut Vec<u8>) -> Flow {
        let passed = self.peer.shared.signals.publish(subject, payload);
        Answer::Delivered(passed.count).encode(out);
        if passed.crowded { Flow::Rest } else { Flow::Next }
    }

    fn listen(&self, pattern: &[u8], group: Option<&[u8]>) -> Answer {
        let most = self.peer.shared.config.max_subscriptions;
        let listener = Listener { mailbox: Arc::clone(&self.peer.mailbox), len_max: usize::MAX };
        if self.peer.shared.signals.listen(self.peer.owner, &listener, (pattern, group), most) {
            Answer::Ok
        } else {
            Answer::Error
        }
    }

    fn unblock(&mut self, now: Instant, blocked: Blocked, change: &Change, out: &mut Vec<u8>) {
        self.blocked = None;
        let lapsed = if blocked.waits { Answer::LeaseExpired } else { Answer::Timeout };
        let answer = match change {
            Change::TimedOut => Answer::Timeout,
            Change::Lapsed | Change::Released | Change::Stolen(_) | Change::TakenOver => lapsed,
            Change::Ready => {
                match self.peer.call(|engine| engine.wait(now, blocked.claim, Patience::Endless)) {
                    Waited::Acquired(grant) => Answer::Granted { token: grant.token, lease: grant.ttl },
                    // Its lease ended before this connection came round to it: it was never theirs to act on.
                    Waited::Unknown | Waited::Pending | Waited::TimedOut => lapsed,
                }
            }
        };
        answer.encode(out);
    }

    fn ask(
        &self,
        now: Instant,
        claim: ClaimId,
        key: Key<'_>,
        limit: Limit,
        ttl: Duration,
        patience: Patience,
    ) -> Enqueued {
        let secret = Secret::new(entropy::number());
        let request = Request {
            claim,
            owner: self.peer.owner,
            key,
            permits: 1,
            limit,
            ttl,
            secret,
            bond: self.bond,
            patience,
            note: None,
        };
        self.peer.call(|engine| engine.enqueue(now, &request))
    }

    fn knows(&self, now: Instant, claim: ClaimId) -> bool {
        self.peer.call(|engine| {
            engine.handle_timeout(now);
            engine.knows(claim)
        })
    }

    fn lease(&self, asked: Option<Duration>) -> Duration {
        asked.unwrap_or(self.peer.shared.config.default_lease)
    }

    /// An id that no other claim of this daemon has, and that nobody can guess.
    fn next_claim(&mut self) -> ClaimId {
        self.claims += 1;
        ClaimId::new(u128::from(self.prefix) << 64 | u128::from(self.claims))
    }
}

/// Whether a request begins something that a daemon about to stop cannot see through.
const fn begins_something(command: Command<'_>) -> bool {
    match command {
        Command::Acquire { .. }
        | Command::Enqueue { .. }
        | Command::Wait { .. }
        | Command::Signal { .. }
        | Command::Listen { .. } => true,
        Command::Release { .. }
        | Command::Renew { .. }
        | Command::Auth { .. }
        | Command::Ping
        | Command::Stats
        | Command::Unlisten { .. }
        | Command::Inspect { .. }
        | Command::Bind { .. }
        | Command::Info => false,
    }
}

fn patience(now: Instant, wait: Duration) -> Patience {
    if wait.is_zero() { Patience::None } else { Patience::Until(now.after(wait)) }
}

const fn explain(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::LimitMismatch(_) => Answer::LimitMismatch,
        Refusal::QueuesFull | Refusal::ClaimsFull => Answer::MaxLocks,
        Refusal::WaitersFull => Answer::MaxWaiters,
        Refusal::BadPermits | Refusal::Conflict | Refusal::NoFence => Answer::Error,
    }
}
