//! What callers and the task of a connection share.

use super::answer::{Answer, Heard};
use super::claims::{Claims, Standing};
use super::effects::Effects;
use super::owed::Owed;
use super::slots::{About, Slots, Stage};
use super::trouble::Trouble;
use crate::coordinator::Grant;
use crate::lost::Loss;
use crate::{Error, ErrorKind, Instant};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;
use tenure_core::{ClaimId, Fence};
use tenure_wire::mux::{Request, RequestId, encode_request};

/// What callers and the task of a connection share, under one lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// What the task has to send. There is nothing in it unless there is a connection.
    pub(super) outbox: Vec<u8>,
    /// How to wake the task; nothing while it is awake, or will be.
    pub(super) task: Option<Waker>,
    pub(super) slots: Slots,
    pub(super) claims: Claims,
    pub(super) owed: Owed,
    /// When the latest request was sent that has been answered on this connection.
    confirmed: Instant,
}

/// Whether there is a connection.
#[derive(Debug)]
pub(super) enum Phase {
    /// There is one.
    Up,
    /// One is being made.
    Down,
    /// One is being made, and that has taken so long, or is so hopeless, that nobody waits for it.
    Failing(Trouble),
    /// There will not be one again.
    Closed(Trouble),
}

/// The service has said what nobody says at that point.
#[derive(Debug)]
pub(super) struct OutOfTurn;

impl State {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Down,
            outbox: Vec::new(),
            task: None,
            slots: Slots::default(),
            claims: Claims::default(),
            owed: Owed::default(),
            confirmed: Instant::ORIGIN,
        }
    }

    /// Why nobody should wait for a connection.
    pub(super) const fn trouble(&self) -> Option<&Trouble> {
        match &self.phase {
            Phase::Up | Phase::Down => None,
            Phase::Failing(trouble) | Phase::Closed(trouble) => Some(trouble),
        }
    }

    /// Sends a request that has a number.
    ///
    /// # Errors
    ///
    /// `Invalid` when it does not fit into a frame. Nothing is sent then.
    pub(super) fn send(&mut self, id: RequestId, request: &Request<'_>, now: Instant) -> Result<(), Error> {
        encode_request(&mut self.outbox, id, request)
            .map_err(|error| Error::with_source(ErrorKind::Invalid, "this is too long to be asked", error))?;
        self.slots.sent(id, now);
        Ok(())
    }

    /// Sends a request whose answer nobody waits for; its number.
    pub(super) fn send_unasked(&mut self, about: About, request: &Request<'_>, now: Instant) -> RequestId {
        let id = self.slots.open(about, true);
        if let Err(error) = self.send(id, request, now) {
            tracing::error!(%error, "a request that was sent before cannot be sent again");
            self.slots.free(id);
        }
        id
    }

    /// Sends that a claim is taken back. Without a connection it is remembered for as long as the claim can live.
    pub(super) fn take_back(&mut self, claim: ClaimId, ttl: Duration, now: Instant) {
        match self.phase {
            Phase::Up => {
                self.send_unasked(About::Cancel(claim, ttl), &Request::Cancel { claim }, now);
            }
            Phase::Down | Phase::Failing(_) => self.owed.add(claim, ttl),
            Phase::Closed(_) => {}
        }
    }

    /// Nobody waits for the answer to a request any more.
    pub(super) fn abandon(&mut self, id: RequestId, now: Instant, effects: &mut Effects) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        let about = slot.about;
        match slot.stage {
            Stage::Sent => {
                (slot.abandoned, slot.waker) = (true, None);
                if let About::Resume(claim) = about
                    && let Some(entry) = self.claims.asked_by(claim, id)
                {
                    entry.left = true;
                }
                return;
            }
            Stage::Parked if slot.tried => self.give_up(id, about, now, effects),
            // Nobody has what was resumed, and nobody takes it back: it is left to its lease.
            Stage::Answered(_) => {
                if let About::Resume(claim) = about {
                    self.unask(id, claim, now, effects);
                }
            }
            Stage::Parked | Stage::Free => {}
        }
        self.slots.free(id);
    }

    /// A request was sent on a connection that broke, and nobody will send it again.
    pub(super) fn give_up(&mut self, id: RequestId, about: About, now: Instant, effects: &mut Effects) {
        match about {
            About::Release(claim, ttl) | About::Cancel(claim, ttl) => self.owed.add(claim, ttl),
            About::Resume(claim) => self.unask(id, claim, now, effects),
            // Whoever asked for a claim takes it back, or has done so.
            About::Enqueue(claim) => {
                if self.claims.asked_by(claim, id).is_some_and(|entry| entry.left) {
                    self.unask(id, claim, now, effects);
                }
            }
            About::Question
            | About::Once
            | About::Renew
            | About::Rejoin(_)
            | About::Regain(_)
            | About::Interest
            | About::Sign => {}
        }
    }

    /// Does what follows from what the service said.
    pub(super) fn hear(
        &mut self,
        heard: Heard,
        now: Instant,
        effects: &mut Effects,
    ) -> Result<(), OutOfTurn> {
        match heard {
            Heard::Answer(id, answer) => return self.answered(id, answer, now, effects),
            Heard::Granted { claim, token, ttl } => {
                self.granted(claim, Grant { token, ttl, base: self.confirmed }, now, effects);
            }
            Heard::Lost { claim, fence, loss } => self.lost(claim, fence, loss, effects),
            Heard::Position { claim, position } => {
                if let Some(entry) = self.claims.answered_mut(claim) {
                    effects.moved(&entry.claim, position);
                }
            }
            Heard::Draining => self.drained(effects),
            Heard::Ping => {
                self.send_unasked(About::Sign, &Request::Ping, now);
            }
            Heard::Goodbye { .. }
            | Heard::Signal(_)
            | Heard::Changed { .. }
            | Heard::Missed
            | Heard::Unknown => {}
        }
        Ok(())
    }

    fn answered(
        &mut self,
        id: RequestId,
        answer: Result<Answer, Error>,
        now: Instant,
        effects: &mut Effects,
    ) -> Result<(), OutOfTurn> {
        let slot = self.slots.take_sent(id).ok_or(OutOfTurn)?;
        self.confirmed = self.confirmed.max(slot.sent);
        let (about, sent, abandoned) = (slot.about, slot.sent, slot.abandoned);
        match about {
            About::Question
            | About::Once
            | About::Release(..)
            | About::Cancel(..)
            | About::Renew
            | About::Sign => {}
            About::Interest => {
                if let Err(error) = &answer {
                    tracing::warn!(%error, "what was watched or listened to is so no longer");
                }
            }
            About::Enqueue(claim) | About::Resume(claim) => {
                self.asked((id, about, sent), claim, &answer, now, effects);
            }
            About::Rejoin(claim) => self.rejoined(id, claim, sent, &answer, now, effects),
            About::Regain(claim) => self.regained(id, claim, sent, &answer, now, effects),
        }
        if abandoned {
            self.slots.free(id);
        } else if let Some(slot) = self.slots.get_mut(id) {
            slot.stage = Stage::Answered(answer);
            effects.wakers.extend(slot.waker.take());
        }
        Ok(())
    }

    /// A claim has ended, which the owner of the one that the service has answered about hears.
    fn lost(&mut self, id: ClaimId, fence: Option<Fence>, loss: Loss, effects: &mut Effects) {
        let Some(entry) = self.claims.answered_mut(id) else { return };
        if !entry.is_ended_with(fence) {
            return;
        }
        let claim = Arc::clone(&entry.claim);
        if entry.left {
            self.claims.forget(&claim);
        } else {
            effects.lost(&claim, loss);
        }
    }

    /// A claim that waited when the connection broke.
    fn rejoined(
        &mut self,
        id: RequestId,
        claim: ClaimId,
        sent: Instant,
        answer: &Result<Answer, Error>,
        now: Instant,
        effects: &mut Effects,
    ) {
        let Some(entry) = self.claims.asked_by(claim, id) else { return };
        match answer {
            Ok(Answer::Granted { token, ttl }) => {
                entry.standing = Standing::Granted(token.fence);
                effects.granted(&entry.claim, Grant { token: *token, ttl: *ttl, base: sent });
            }
            Ok(Answer::Queued { position }) => {
                effects.moved(&entry.claim, *position);
                if entry.followed {
                    self.send_unasked(About::Question, &Request::Follow { claim, on: true }, now);
                }
            }
            other => {
                let trouble = match other {
                    Err(error) => Trouble::from(error),
                    Ok(_) => Trouble::new(
                        ErrorKind::Unavailable,
                        "the service has no place in line for this claim",
                    ),
                };
                entry.standing = Standing::Failed(trouble);
                effects.wakers.extend(entry.waiter.take());
            }
        }
    }

    /// A grant that was held when the connection broke.
    fn regained(
        &mut self,
        id: RequestId,
        claim: ClaimId,
        sent: Instant,
        answer: &Result<Answer, Error>,
        now: Instant,
        effects: &mut Effects,
    ) {
        let Some(entry) = self.claims.asked_by(claim, id) else { return };
        let loss = match answer {
            Err(error) => {
                tracing::warn!(%error, "the service does not say whether a grant is still held");
                return;
            }
            // Whoever was told once that it is lost is not told that it is not.
            Ok(Answer::Granted { .. }) if entry.is_past() => Loss::Expired,
            Ok(Answer::Granted { token, ttl }) if entry.is_proved_by(*token) => {
                return effects.renewed(&entry.claim, sent, *ttl);
            }
            Ok(_) => Loss::Forgotten,
        };
        let held = Arc::clone(&entry.claim);
        let ttl = held.wanted().ttl;
        self.claims.forget(&held);
        effects.ended(held, loss);
        if let Ok(Answer::Granted { .. }) = answer {
            self.take_back(claim, ttl, now);
        }
    }

    /// What waits has waited for nothing.
    fn drained(&mut self, effects: &mut Effects) {
        let text = "the service is about to stop: ask again when it is back, or ask another one";
        for entry in self.claims.iter_mut() {
            if matches!(entry.standing, Standing::Waiting) {
                entry.standing = Standing::Failed(Trouble::new(ErrorKind::Draining, text));
                effects.wakers.extend(entry.waiter.take());
            }
        }
    }

    /// A connection is there, and the service has answered a request that was sent at that instant.
    pub(super) fn confirm(&mut self, sent: Instant) {
        self.confirmed = sent;
    }
}
