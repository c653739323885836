//! A request and its answer, for whoever asks.

use super::link::Link;
use super::slots::{About, Answered, Stage};
use super::state::{Phase, State};
use super::words;
use crate::Error;
use crate::coordinator::Claim;
use crate::lost::Loss;
use std::pin::Pin;
use std::sync::{Arc, MutexGuard};
use std::task::{Context, Poll, Waker};
use tenure_wire::mux::{Request, RequestId};

/// What to ask.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) about: About,
    pub(super) request: Request<'a>,
    /// The claim that is to be known from then on.
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

    /// Whether the claim was taken back while the answer was on its way: it must not be asked for again.
    fn is_taken_back(&self, state: &mut State) -> bool {
        if let About::Enqueue(claim) | About::Resume(claim) = self.question.about {
            return state.claims.get_mut(claim).is_none();
        }
        false
    }

    /// Sends the request and wakes the task that does so.
    fn send(&mut self, mut state: MutexGuard<'_, State>, cx: &Context<'_>) -> Result<(), Error> {
        state.send(self.id, &self.question.request, self.link.now())?;
        if let Some(claim) = self.question.claim {
            state.claims.ask(claim, self.id);
        }
        if let About::Release(claim, _) = self.question.about {
            drop(state.claims.remove(claim));
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
                let answer = std::mem::replace(answer, Ok(super::answer::Answer::Done));
                let answered = Answered { answer, sent: slot.sent, tried: slot.tried };
                state.slots.free(std::mem::take(&mut this.id));
                return Poll::Ready(Ok(answered));
            }
        }
        if tried && this.is_taken_back(&mut state) {
            state.abandon(std::mem::take(&mut this.id));
            return Poll::Ready(Err(Error::lost(Loss::Released)));
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
        state.abandon(std::mem::take(&mut this.id));
        Poll::Ready(Err(error))
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if self.id != 0 {
            self.link.state().abandon(self.id);
        }
    }
}
