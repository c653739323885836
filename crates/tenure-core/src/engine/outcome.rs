//! What goes into the engine, and what it answers.

use crate::{ClaimId, Fence, Instant, Key, Limit, Note, OwnerId, Secret, Token};
use alloc::sync::Arc;
use core::time::Duration;

/// A request for permits.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The id that finds the claim again. Asking twice with one id is asking once.
    pub claim: ClaimId,
    /// Who asks, and with whom the claim goes.
    pub owner: OwnerId,
    /// For what.
    pub key: Key<'a>,
    /// How many permits, at least one.
    pub permits: u32,
    /// The limit that the asker believes the key to have. The first one to use a key sets it.
    pub limit: Limit,
    /// How long a grant lives unless it is renewed.
    pub ttl: Duration,
    /// The proof of the grant, should there be one. A claim keeps that of its first request.
    pub secret: Secret,
    /// What it ends with.
    pub bond: Bond,
    /// What to do when the permits are not free.
    pub patience: Patience,
    /// What others get to see of the owner.
    pub note: Option<&'a Arc<Note>>,
}

/// What to do when permits are not free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Not to wait at all.
    None,
    /// To wait until that instant, and then to leave the line.
    Until(Instant),
    /// To wait in line until granted or cancelled.
    Endless,
}

/// A claim that got its permits.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// What proves it.
    pub token: Token,
    /// How long it lives from when it was given or last renewed.
    pub ttl: Duration,
    /// When it ends, on the clock of the engine.
    pub deadline: Instant,
}

/// The answer to [`Engine::enqueue`](super::Engine::enqueue).
#[derive(Clone, Copy, Debug)]
pub enum Enqueued {
    /// The permits were free.
    Acquired(Grant),
    /// The claim stands in line; an event says when its turn has come.
    Queued,
    /// The permits are not free and the request had no patience. There is no trace of it.
    Busy,
    /// Nothing was done.
    Refused(Refusal),
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The key has this other limit for as long as anyone uses it, and a while after.
    LimitMismatch(Limit),
    /// No permits, or more than the key has.
    BadPermits,
    /// There are as many keys as there may be.
    QueuesFull,
    /// There are as many claims, waiting and granted, as there may be.
    ClaimsFull,
    /// As many claims wait for this key as may.
    WaitersFull,
    /// The claim's id belongs to a request for something else.
    Conflict,
    /// There is no fence left to grant with; the next range has to be made durable first.
    NoFence,
}

/// The answer to [`Engine::wait`](super::Engine::wait).
#[derive(Clone, Copy, Debug)]
pub enum Waited {
    /// It is granted, and its lease starts now.
    Acquired(Grant),
    /// It stands in line still.
    Pending,
    /// Its turn had not come and there was no patience left: it has left the line.
    TimedOut,
    /// There is no such claim: it never was, or it was released or cancelled, or its lease ended.
    Unknown,
}

/// The answer to [`Engine::renew`](super::Engine::renew).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// The lease ends at this instant now.
    Until(Instant),
    /// Nobody holds the key with that token.
    NotHeld,
}

/// The answer to [`Engine::release`](super::Engine::release).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// The permits are free, or the next in line has them.
    Released,
    /// Nobody holds the key with that token.
    NotHeld,
}

/// The answer to [`Engine::cancel`](super::Engine::cancel).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It waited and has left the line.
    Left,
    /// It had been granted and is released.
    Released,
    /// There is no such claim, or it belongs to somebody else.
    Unknown,
}

/// What a claim ends with, besides its release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bond {
    /// Its owner's connection, or its lease if that ends first.
    ///
    /// The two ends of a connection do not see its end at once. When only the service's end has gone, somebody else may be
    /// granted the key while the owner still believes, for as long as its end takes to notice; only fences help then.
    Connection,
    /// Its lease alone. What waits, or was not taken yet, goes with the connection all the same.
    Lease,
    /// Its lease alone, in line too, where that runs from the moment at which its owner's connection goes: whoever asks again
    /// with its id before the lease ends has it, and its place.
    Resumable,
}

/// What an owner has to hear of though it did not ask just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whom it concerns.
    pub owner: OwnerId,
    /// Which of its claims, or what was one.
    pub claim: ClaimId,
    /// The grant that it is about; none where the claim stood in line.
    pub fence: Option<Fence>,
    /// What happened to it.
    pub change: Change,
}

/// What happened to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Its turn has come: [`Engine::wait`](super::Engine::wait) takes the grant, whose lease already runs.
    Ready,
    /// Its patience ended and it has left the line.
    TimedOut,
    /// Its lease ended.
    Lapsed,
    /// Somebody else released it with its token.
    Released,
    /// Somebody took it away, for this reason.
    Stolen(Arc<str>),
    /// Another owner has asked for it with its id, and has it now.
    TakenOver,
}
