//! Many renewals at once.

use super::answer::Answer;
use super::effects::Effects;
use super::link::{Link, odd};
use super::slots::{About, Stage};
use super::state::{Phase, State};
use crate::Error;
use crate::coordinator::{Renewal, Renewed};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tenure_wire::mux::{Request, RequestId};

/// Renewals that were asked for, until all have been answered or have failed. Their requests leave in one piece.
#[derive(Debug)]
pub(super) struct Renewing<'a> {
    link: &'a Link,
    renewals: &'a mut [Renewal],
    /// The number of each one's request; zero for one that is done.
    ids: Vec<RequestId>,
}

impl<'a> Renewing<'a> {
    pub(super) fn new(link: &'a Link, renewals: &'a mut [Renewal]) -> Self {
        Self { link, renewals, ids: Vec::new() }
    }
}

impl Future for Renewing<'_> {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { link, renewals, ids } = self.get_mut();
        let mut state = link.state();
        if ids.is_empty() {
            let open = |_: &Renewal| state.slots.open(About::Renew, false);
            *ids = renewals.iter().map(open).collect();
        }
        let now = link.now();
        let mut last = None;
        for (renewal, id) in renewals.iter_mut().zip(ids.iter_mut()).filter(|(_, id)| **id != 0) {
            match advance(&mut state, renewal, *id, now) {
                Some(outcome) => {
                    if let Ok(Renewed::Gone) = outcome {
                        state.claims.forget(&renewal.claim);
                    }
                    renewal.outcome = Some(outcome);
                    state.slots.free(std::mem::take(id));
                }
                None => last = Some(*id),
            }
        }
        // Answers come in the order of the requests: when the last is there, all are.
        if let Some(slot) = last.and_then(|id| state.slots.get_mut(id)) {
            slot.waker = Some(cx.waker().clone());
        }
        let task = if state.outbox.is_empty() { None } else { state.task.take() };
        drop(state);
        task.into_iter().for_each(Waker::wake);
        if last.is_some() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

/// Brings one renewal as far as it goes: what came of it, or nothing while that is open.
fn advance(
    state: &mut State,
    renewal: &Renewal,
    id: RequestId,
    now: crate::Instant,
) -> Option<Result<Renewed, Error>> {
    let slot = state.slots.get_mut(id)?;
    let (tried, sent) = (slot.tried, slot.sent);
    match &mut slot.stage {
        Stage::Free | Stage::Sent => None,
        Stage::Answered(answer) => Some(match std::mem::replace(answer, Ok(Answer::Done)) {
            Ok(Answer::Renewed { ttl }) => Ok(Renewed::From { base: sent, ttl }),
            Ok(Answer::Gone) => Ok(Renewed::Gone),
            Ok(_) => Err(odd()),
            Err(error) => Err(error),
        }),
        Stage::Parked => {
            if let Phase::Up = state.phase {
                let (claim, ttl) = (renewal.claim.id(), renewal.claim.wanted().ttl);
                return state.send(id, &Request::Renew { claim, ttl }, now).err().map(Err);
            }
            let trouble = state.trouble()?;
            Some(Err(if tried { trouble.error_of_sent() } else { trouble.error() }))
        }
    }
}

impl Drop for Renewing<'_> {
    fn drop(&mut self) {
        if self.ids.iter().any(|id| *id != 0) {
            let (mut effects, now) = (Effects::default(), self.link.now());
            let mut state = self.link.state();
            self.ids.iter().filter(|id| **id != 0).for_each(|id| state.abandon(*id, now, &mut effects));
            drop(state);
            effects.apply();
        }
    }
}
