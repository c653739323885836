//! The link to a service, over however many connections one after the other.

use super::answer::Answer;
use super::asking::{Asking, Question};
use super::claims::Standing as Awaited;
use super::effects::Effects;
use super::interests::{Interest, Interests};
use super::slots::{About, Answered};
use super::state::{Phase, State};
use super::trouble::Trouble;
use crate::coordinator::{Claim, Seen, Signal, Standing};
use crate::lost::Loss;
use crate::net::Address;
use crate::options::Options;
use crate::{Error, ErrorKind, Instant};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tenure_core::Key;
use tenure_wire::mux::Request;
use tokio::sync::mpsc::Receiver;

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

    /// Asks for a claim, which is known from then on, or releases it, and it is known no longer.
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
    pub(super) fn cancel(&self, claim: &Arc<Claim>) {
        let (now, mut effects) = (self.now(), Effects::default());
        let mut state = self.state();
        // What the service knows nothing of, it need not forget.
        state.let_go(claim, now, &mut effects);
        finish(state, effects);
    }

    /// Whether nothing is under way that could bring a claim its turn.
    pub(super) fn is_out_of_line(&self, claim: &Claim) -> bool {
        // In this order: what has ended is forgotten only when it knows so. What another claim of its id has taken over is not
        // asked for again.
        let known = self.state().claims.contains(claim.id());
        !known && matches!(claim.standing(), Standing::Waiting)
    }

    /// Ready when a claim cannot be waited for. Whoever asks hears by itself how the claim stands.
    pub(super) fn poll_trouble(&self, claim: &Arc<Claim>, cx: &Context<'_>) -> Poll<Error> {
        let mut state = self.state();
        if let Some(trouble) = state.trouble() {
            return Poll::Ready(trouble.error());
        }
        let old = match state.claims.find_mut(claim) {
            None => {
                let loss =
                    if state.claims.contains(claim.id()) { Loss::taken_over() } else { Loss::Released };
                drop(state);
                return if let Standing::Waiting = claim.standing() {
                    Poll::Ready(Error::lost(loss))
                } else {
                    Poll::Pending
                };
            }
            Some(entry) => match &entry.standing {
                Awaited::Failed(trouble) => {
                    let error = trouble.error();
                    // It has to be asked for again.
                    state.claims.forget(claim);
                    return Poll::Ready(error);
                }
                Awaited::Asked | Awaited::Waiting | Awaited::Granted(_) => {
                    entry.waiter.replace(cx.waker().clone())
                }
            },
        };
        drop(state);
        drop(old);
        Poll::Pending
    }

    /// The connection is gone.
    pub(super) fn broke(&self) {
        let mut effects = Effects::default();
        self.state().broke(self.now(), &mut effects);
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
        let interests = self.interests();
        self.state().restore(greeted, &interests.all(), self.now(), &mut effects);
        let missed = interests.missed();
        drop(interests);
        missed.send();
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

    /// Watches a key until the receiver is dropped.
    pub(super) async fn watch(&self, key: Key<'_>) -> Result<Receiver<Seen>, Error> {
        self.sweep_when_due();
        let receiver = self.interests().watch(Interest::key(key));
        self.subscribe(Request::Watch { key }, Answer::done).await?;
        Ok(receiver)
    }

    /// Hears signals until the receiver is dropped.
    pub(super) async fn listen(&self, pattern: &[u8], group: &[u8]) -> Result<Receiver<Signal>, Error> {
        self.sweep_when_due();
        let receiver = self.interests().listen(pattern, group);
        self.subscribe(Request::Listen { pattern, group }, Answer::done).await?;
        Ok(receiver)
    }

    /// Has a claim hear of its position until nobody is there to hear of it.
    pub(super) async fn follow(&self, claim: &Arc<Claim>) -> Result<(), Error> {
        self.note_follower(claim);
        self.subscribe(Request::Follow { claim: claim.id(), on: true }, Answer::followed).await?;
        // Who had given it up meanwhile has told the service so before this was answered.
        self.note_follower(claim);
        Ok(())
    }

    fn note_follower(&self, claim: &Arc<Claim>) {
        if let Some(entry) = self.state().claims.find_mut(claim) {
            entry.followed = true;
        }
    }

    /// Asks to hear of something. When there is too much of that, what nobody hears of any more makes room.
    async fn subscribe(
        &self,
        request: Request<'_>,
        read: impl Fn(Answer) -> Option<()>,
    ) -> Result<(), Error> {
        let asked = self.ask_one(About::Question, request.clone(), &read).await;
        match asked {
            Err(error) if error.kind() == &ErrorKind::Full && self.sweep() => {
                self.ask_one(About::Question, request, &read).await
            }
            asked => asked,
        }
    }

    /// Sweeps when there may be as much again as there was of interest.
    fn sweep_when_due(&self) {
        if self.interests().is_sweep_due() {
            self.sweep();
        }
    }

    /// Tells the service what is of interest no longer; whether there is such.
    pub(super) fn sweep(&self) -> bool {
        let now = self.now();
        // Whoever is interested again asks behind this: interests are locked until it is said, and before the state.
        let mut interests = self.interests();
        let over = interests.sweep();
        let mut state = self.state();
        let unfollowed = state.claims.unfollow();
        let Phase::Up = state.phase else { return false };
        for interest in &over {
            state.send_unasked(About::Question, &interest.request(false), now);
        }
        for claim in &unfollowed {
            let request = Request::Follow { claim: *claim, on: false };
            state.send_unasked(About::Question, &request, now);
        }
        !over.is_empty() || !unfollowed.is_empty()
    }
}

/// Frees the state, has the task send what there is to send, and does what follows.
pub(super) fn finish(mut state: MutexGuard<'_, State>, mut effects: Effects) {
    if !state.outbox.is_empty() {
        effects.wakers.extend(state.task.take());
    }
    drop(state);
    effects.apply();
}

/// The error for an answer that nobody gives to such a request.
pub(super) fn odd() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the service answered something else than was asked: use versions that fit",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use tenure_core::Space;

    #[test]
    fn nobody_is_interested_again_in_what_is_swept_before_the_service_is_told_so() {
        let address = "tenure://127.0.0.1:1".parse().expect("an address");
        let link = Link::new(address, Options::default());
        link.restore(link.now());
        let key = Interest::key(Key::new(Space::Lock, b"k").expect("a key"));
        drop(link.interests().watch(key));
        let state = link.state();
        thread::scope(|scope| {
            let sweeping = scope.spawn(|| link.sweep());
            // It waits for the state, and others for it: a thousand looks at it in a row find it so.
            let mut in_a_row = 0;
            let waits = (0..1_000_000).any(|_| {
                thread::yield_now();
                in_a_row = if link.interests.try_lock().is_err() { in_a_row + 1 } else { 0 };
                in_a_row == 1_000
            });
            drop(state);
            assert!(waits);
            assert!(sweeping.join().expect("no panic"));
        });
        assert!(!link.state().outbox.is_empty(), "it is told now");
    }
}
