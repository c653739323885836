//! What a service says, without the bytes that it came in.

use super::refused;
use crate::coordinator::{Enqueued, Grant, Page, Released, Signal};
use crate::lost::Loss;
use crate::{Error, Instant};
use std::sync::Arc;
use std::time::Duration;
use tenure_core::{ClaimId, Ending, Fence, Inspection, Observation, Space, Token};
use tenure_wire::mux::{Message, Push, RefusedCode, RequestId, Response};

/// The answer to a request that was not refused.
#[derive(Debug)]
pub(super) enum Answer {
    Done,
    Granted { token: Token, ttl: Duration },
    Queued { position: u32 },
    Busy,
    Gone,
    Renewed { ttl: Duration },
    Released,
    Count(u64),
    Inspection(Box<Inspection>),
    Page(Box<Page>),
    Info(Box<str>),
}

impl Answer {
    pub(super) fn done(self) -> Option<()> {
        if let Self::Done = self { Some(()) } else { None }
    }

    /// A grant of a request that was sent at that instant; `None` inside where there is none.
    pub(super) fn granted(self, sent: Instant) -> Option<Option<Grant>> {
        if let Self::Granted { token, ttl } = self {
            return Some(Some(Grant { token, ttl, base: sent }));
        }
        self.gone()
    }

    pub(super) fn enqueued(self, sent: Instant) -> Option<Enqueued> {
        if let Self::Queued { position } = self {
            return Some(Enqueued::Queued { position });
        }
        if let Self::Busy = self {
            return Some(Enqueued::Busy);
        }
        self.granted(sent)?.map(Enqueued::Acquired)
    }

    pub(super) fn released(self) -> Option<Released> {
        if let Self::Released = self {
            return Some(Released::Released);
        }
        self.gone::<()>().map(|_| Released::Gone)
    }

    pub(super) fn position(self) -> Option<Option<u32>> {
        if let Self::Queued { position } = self { Some(Some(position)) } else { self.gone() }
    }

    pub(super) fn inspection(self) -> Option<Option<Inspection>> {
        if let Self::Inspection(inspection) = self { Some(Some(*inspection)) } else { self.gone() }
    }

    /// A claim that does not wait has no position that could change.
    pub(super) fn followed(self) -> Option<()> {
        if let Self::Gone = self { Some(()) } else { self.done() }
    }

    pub(super) fn page(self) -> Option<Page> {
        if let Self::Page(page) = self { Some(*page) } else { None }
    }

    pub(super) fn count(self) -> Option<u64> {
        if let Self::Count(count) = self { Some(count) } else { None }
    }

    pub(super) fn info(self) -> Option<String> {
        if let Self::Info(json) = self { Some(String::from(json)) } else { None }
    }

    fn gone<T>(self) -> Option<Option<T>> {
        if let Self::Gone = self { Some(None) } else { None }
    }
}

/// Whatever a service says.
#[derive(Debug)]
pub(super) enum Heard {
    Answer(RequestId, Result<Answer, Error>),
    /// A last word before the connection ends; whether another one has taken its place.
    Goodbye {
        superseded: bool,
        error: Error,
    },
    Granted {
        claim: ClaimId,
        token: Token,
        ttl: Duration,
    },
    Lost {
        claim: ClaimId,
        /// The grant that it was; none where it stood in line.
        fence: Option<Fence>,
        loss: Loss,
    },
    Position {
        claim: ClaimId,
        position: u32,
    },
    Signal(Signal),
    Changed {
        space: Space,
        name: Box<[u8]>,
        observation: Box<Observation>,
    },
    Missed,
    Draining,
    Ping,
    /// Nothing that this version knows.
    Unknown,
}

impl Heard {
    /// What a message says; `None` when nobody says that at this point.
    pub(super) fn new(message: Message<'_>) -> Option<Self> {
        Some(match message {
            Message::Response(id, response) => return response_to(id, response),
            Message::Push(push) => pushed(push),
            Message::Unknown => Self::Unknown,
        })
    }
}

fn response_to(id: RequestId, response: Response<'_>) -> Option<Heard> {
    let answer = match response {
        Response::Welcome(_) => return None,
        Response::Pong | Response::Done => Answer::Done,
        Response::Granted { token, ttl } => Answer::Granted { token, ttl },
        Response::Queued { position } => Answer::Queued { position },
        Response::Busy => Answer::Busy,
        Response::Gone => Answer::Gone,
        Response::Renewed { ttl } => Answer::Renewed { ttl },
        Response::Released => Answer::Released,
        Response::Count(count) => Answer::Count(count),
        Response::Inspection(inspection) => Answer::Inspection(Box::new(inspection)),
        Response::Page { keys, next } => Answer::Page(Box::new(Page { keys, next })),
        Response::Info(json) => Answer::Info(json.into()),
        Response::Refused(refused) => {
            let error = refused::explain(&refused);
            let superseded = refused.code == RefusedCode::Superseded;
            let is_last = id == 0 || superseded;
            return Some(if is_last {
                Heard::Goodbye { superseded, error }
            } else {
                Heard::Answer(id, Err(error))
            });
        }
    };
    Some(Heard::Answer(id, Ok(answer)))
}

fn pushed(push: Push<'_>) -> Heard {
    match push {
        Push::Granted { claim, token, ttl } => Heard::Granted { claim, token, ttl },
        Push::Lost { claim, ending, reason, fence } => {
            Heard::Lost { claim, fence, loss: loss(ending, reason) }
        }
        Push::Position { claim, position } => Heard::Position { claim, position },
        Push::Signal { channel, payload } => {
            Heard::Signal(Signal { channel: channel.to_vec(), payload: payload.to_vec() })
        }
        Push::Changed { key, observation } => {
            Heard::Changed { space: key.space(), name: key.name().into(), observation: Box::new(observation) }
        }
        Push::Missed => Heard::Missed,
        Push::Draining => Heard::Draining,
        Push::Ping => Heard::Ping,
    }
}

fn loss(ending: Ending, reason: &str) -> Loss {
    match ending {
        Ending::Released => Loss::Released,
        Ending::Lapsed => Loss::Lapsed,
        Ending::Disconnected => Loss::Disconnected,
        Ending::Stolen => Loss::Stolen { reason: Arc::from(reason) },
    }
}
