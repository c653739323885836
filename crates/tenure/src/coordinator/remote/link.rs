//! The link to a service, over however many connections one after the other.

use super::answer::Answer;
use super::asking::{Asking, Question};
use super::effects::Effects;
use super::interests::{Interest, Interests};
use super::slots::{About, Answered};
use super::state::State;
use super::trouble::Trouble;
use crate::coordinator::{Claim, Standing};
use crate::net::Address;
use crate::options::Options;
use crate::{Error, ErrorKind, Instant};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tenure_wire::mux::Request;

/// The link to a service. Callers leave requests in it and find answers; one task moves both.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) address: Address,
    pub(super) options: Options,
    state: Mutex<State>,
    interests: Mutex<Interests>,
}

impl Link {
    /// A link that no connection has been made for.
    pub(super) fn new(address: Address, options: Options) -> Self {
        Self { address, options, state: Mutex::new(State::new()), interests: Mutex::default() }
    }

    /// The time on the clock that grants are believed in by.
    pub(super) fn now(&self) -> Instant {
        self.options.clock.now()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under this lock can panic half-way through a change that others rely on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn interests(&self) -> MutexGuard<'_, Interests> {
        self.interests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, and again over the next connection when one breaks.
    pub(super) fn ask<'a>(&'a self, about: About, request: Request<'a>) -> Asking<'a> {
        Asking::new(self, Question { about, request, claim: None })
    }

    /// Asks about a claim that is to be known from then on.
    pub(super) fn ask_for<'a>(
        &'a self,
        about: About,
        request: Request<'a>,
        claim: &'a Arc<Claim>,
    ) -> Asking<'a> {
        Asking::new(self, Question { about, request, claim: Some(claim) })
    }

    /// Asks something that has this one kind of answer, among those that were not refused.
    pub(super) async fn ask_one<'a, T>(
        &'a self,
        about: About,
        request: Request<'a>,
        read: impl FnOnce(Answer) -> Option<T>,
    ) -> Result<T, Error> {
        let Answered { answer, .. } = self.ask(about, request).await?;
        read(answer?).ok_or_else(odd)
    }

    /// Takes a claim back without waiting.
    pub(super) fn cancel(&self, claim: &Claim) {
        let now = self.now();
        let mut state = self.state();
        // What the service knows nothing of, it need not forget.
        let Some(entry) = state.claims.remove(claim.id()) else { return };
        state.take_back(claim.id(), claim.wanted().ttl, now);
        let task = state.task.take();
        drop(state);
        drop(entry);
        task.into_iter().for_each(std::task::Waker::wake);
    }

    /// Whether nothing is under way that could bring a claim its turn.
    pub(super) fn is_out_of_line(&self, claim: &Claim) -> bool {
        // In this order: what has ended is forgotten only when it knows so.
        let known = self.state().claims.contains(claim.id());
        !known && matches!(claim.standing(), Standing::Waiting)
    }

    /// Ready when a claim cannot be waited for.
    pub(super) fn poll_trouble(&self, claim: &Claim, cx: &Context<'_>) -> Poll<Error> {
        let mut state = self.state();
        if let Some(trouble) = state.trouble() {
            return Poll::Ready(trouble.error());
        }
        state.claims.poll_trouble(claim.id(), cx).map(|trouble| trouble.error())
    }

    /// The connection is gone.
    pub(super) fn broke(&self) {
        let mut effects = Effects::default();
        self.state().broke(&mut effects);
        effects.apply();
    }

    /// Nobody should wait for a connection.
    pub(super) fn fail(&self, trouble: Trouble) {
        let mut effects = Effects::default();
        self.state().fail(trouble, &mut effects);
        effects.apply();
    }

    /// There is a connection again, on which the service has answered a request that was sent at that instant.
    pub(super) fn restore(&self, greeted: Instant) {
        let mut effects = Effects::default();
        let interests = self.interests().all();
        self.state().restore(greeted, &interests, self.now(), &mut effects);
        self.interests().missed();
        effects.apply();
    }

    /// There will be no connection again.
    pub(super) fn close(&self, why: &str) {
        let mut effects = Effects::default();
        let mut state = self.state();
        state.close(Trouble::new(ErrorKind::Unavailable, why), self.now(), &mut effects);
        effects.wakers.extend(state.task.take());
        drop(state);
        effects.apply();
    }

    /// Tells the service what is of interest no longer.
    pub(super) fn sweep(&self) {
        let over = self.interests().sweep();
        self.end(&over);
    }

    fn end(&self, over: &[Interest]) {
        if over.is_empty() {
            return;
        }
        let now = self.now();
        let mut state = self.state();
        if let super::state::Phase::Up = state.phase {
            for interest in over {
                state.send_unasked(About::Question, &interest.request(false), now);
            }
        }
    }
}

/// The error for an answer that nobody gives to such a request.
pub(super) fn odd() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the service answered something else than was asked: use versions that fit",
    )
}
