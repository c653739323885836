//! A request and its answer, for whoever asks.

use super::answer::Answer;
use super::effects::Effects;
use super::link::{Link, finish};
use super::slots::{About, Answered, Stage};
use super::state::{Phase, State};
use super::words;
use crate::coordinator::{Claim, Standing};
use crate::lost::Loss;
use crate::{Error, Instant};
use std::pin::Pin;
use std::sync::{Arc, MutexGuard};
use std::task::{Context, Poll, Waker};
use tenure_wire::mux::{Request, RequestId};

/// What to ask.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) about: About,
    pub(super) request: Request<'a>,
    /// The claim that it is about, where it says how that stands.
    pub(super) claim: Option<&'a Arc<Claim>>,
}

/// A request, until it is answered. It is sent when it is polled first and there is a connection, and again when one
/// breaks, unless it must not be.
///
/// Dropping it forgets the answer; what was sent was sent.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    link: &'a Link,
    question: Question<'a>,
    /// Its number; zero for none.
    id: RequestId,
}

impl<'a> Asking<'a> {
    pub(super) const fn new(link: &'a Link, question: Question<'a>) -> Self {
        Self { link, question, id: 0 }
    }

    fn open(&mut self, state: &mut State) {
        self.id = state.slots.open(self.question.about, false);
        // Asked for once, and given up since.
        if let About::Release(claim, _) = self.question.about
            && state.owed.settle(claim)
            && let Some(slot) = state.slots.get_mut(self.id)
        {
            slot.tried = true;
        }
    }

    /// Why the claim that was asked for is not to be had, whatever the answer says, or said once: it was taken back, has ended
    /// or belongs to somebody else since.
    fn loss(&self, state: &mut State) -> Option<Loss> {
        let (About::Enqueue(id) | About::Resume(id), Some(claim)) =
            (self.question.about, self.question.claim)
        else {
            return None;
        };
        if state.claims.find_mut(claim).is_some_and(|entry| !entry.left) {
            return None;
        }
        if let Standing::Ended(loss) = claim.standing() {
            return Some(loss);
        }
        Some(if state.claims.contains(id) { Loss::taken_over() } else { Loss::Released })
    }

    /// Whether it is a release of what the service does not have, or somebody else's by now.
    fn is_in_vain(&self, state: &mut State, now: Instant, effects: &mut Effects) -> bool {
        let (About::Release(..), Some(claim)) = (self.question.about, self.question.claim) else {
            return false;
        };
        !state.may_release(claim, now, effects)
    }

    /// Gives the request up.
    fn end(&mut self, mut state: MutexGuard<'_, State>) {
        let mut effects = Effects::default();
        state.abandon(std::mem::take(&mut self.id), self.link.now(), &mut effects);
        finish(state, effects);
    }

    /// Sends the request and wakes the task that does so.
    fn send(&mut self, mut state: MutexGuard<'_, State>, cx: &Context<'_>) -> Result<(), Error> {
        state.send(self.id, &self.question.request, self.link.now())?;
        match (self.question.about, self.question.claim) {
            (About::Release(..), Some(claim)) => state.claims.forget(claim),
            (_, Some(claim)) => state.claims.ask(claim, self.id),
            (_, None) => {}
        }
        if let Some(slot) = state.slots.get_mut(self.id) {
            slot.waker = Some(cx.waker().clone());
        }
        let task = state.task.take();
        drop(state);
        task.into_iter().for_each(Waker::wake);
        Ok(())
    }
}

impl Future for Asking<'_> {
    type Output = Result<Answered, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let mut state = this.link.state();
        if this.id == 0 {
            this.open(&mut state);
        }
        let Some(slot) = state.slots.get_mut(this.id) else { return Poll::Pending };
        let tried = slot.tried;
        match &mut slot.stage {
            Stage::Parked => {}
            Stage::Free | Stage::Sent => {
                slot.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Stage::Answered(answer) => {
                let answer = std::mem::replace(answer, Ok(Answer::Done));
                let answered = Answered { answer, sent: slot.sent, tried };
                state.slots.free(std::mem::take(&mut this.id));
                if let Ok(Answer::Granted { .. } | Answer::Queued { .. }) = answered.answer
                    && let Some(loss) = this.loss(&mut state)
                {
                    return Poll::Ready(Err(Error::lost(loss)));
                }
                return Poll::Ready(Ok(answered));
            }
        }
        if tried && let Some(loss) = this.loss(&mut state) {
            this.end(state);
            return Poll::Ready(Err(Error::lost(loss)));
        }
        let (now, mut effects) = (this.link.now(), Effects::default());
        if this.is_in_vain(&mut state, now, &mut effects) {
            state.slots.free(std::mem::take(&mut this.id));
            finish(state, effects);
            return Poll::Ready(Ok(Answered { answer: Ok(Answer::Gone), sent: now, tried }));
        }
        if let Phase::Up = state.phase {
            return match this.send(state, cx) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            };
        }
        let Some(trouble) = state.trouble() else {
            if let Some(slot) = state.slots.get_mut(this.id) {
                slot.waker = Some(cx.waker().clone());
            }
            return Poll::Pending;
        };
        let error = if tried && !words::is_harmless(&this.question.request) {
            trouble.error_of_sent()
        } else {
            trouble.error()
        };
        this.end(state);
        Poll::Ready(Err(error))
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if self.id != 0 {
            let state = self.link.state();
            self.end(state);
        }
    }
}
