//! What is said, as types.

use alloc::vec::Vec;
use core::time::Duration;
use tenure_core::{Bond, ClaimId, Fence, Inspection, Key, Limit, Observation, Summary, Token};

/// The number of a request, chosen by the client. Zero is for pushes.
pub type RequestId = u32;

/// What a client asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Request<'a> {
    /// Introduces a connection; the first request, and only that.
    Hello(Hello<'a>),
    /// Asks whether the server is there: [`Response::Pong`].
    Ping,
    /// Asks for permits: [`Response::Granted`], [`Response::Queued`], [`Response::Busy`]. A claim that is known is found,
    /// not made again: it belongs to this connection from now on, and the lease of its grant starts anew.
    Enqueue(Enqueue<'a>),
    /// Takes a grant over from another connection and starts its lease anew: [`Response::Granted`] or [`Response::Gone`].
    Resume {
        /// The claim that was granted.
        claim: ClaimId,
        /// The key that it is a claim on.
        key: Key<'a>,
    },
    /// Takes a claim back, in line or granted: [`Response::Released`] or [`Response::Gone`].
    Cancel {
        /// The claim.
        claim: ClaimId,
    },
    /// Ends a grant: [`Response::Released`] or [`Response::Gone`].
    Release {
        /// The claim that was granted.
        claim: ClaimId,
    },
    /// Ends a grant that another connection may have: [`Response::Released`] or [`Response::Gone`].
    ReleaseToken {
        /// The key.
        key: Key<'a>,
        /// The token of the grant.
        token: Token,
    },
    /// Starts the lease of a grant anew: [`Response::Renewed`] or [`Response::Gone`].
    Renew {
        /// The claim that was granted.
        claim: ClaimId,
        /// How long the grant lives from now.
        ttl: Duration,
    },
    /// Asks how many claims stand before this one: [`Response::Queued`], or [`Response::Gone`] when it does not wait.
    Position {
        /// The claim.
        claim: ClaimId,
    },
    /// Wants to hear, or no longer, when the position of a claim changes: [`Response::Done`] or [`Response::Gone`].
    Follow {
        /// The claim.
        claim: ClaimId,
        /// Whether from now on, or no longer.
        on: bool,
    },
    /// Looks at a key: [`Response::Inspection`] or [`Response::Gone`].
    Inspect {
        /// The key.
        key: Key<'a>,
    },
    /// Lists keys: [`Response::Page`].
    List {
        /// What their names begin with.
        prefix: &'a [u8],
        /// Where the page before ended; zero for the first.
        cursor: u32,
    },
    /// Wants to hear of what happens to a key: [`Response::Done`].
    Watch {
        /// The key.
        key: Key<'a>,
    },
    /// Does not want to any longer: [`Response::Done`].
    Unwatch {
        /// The key.
        key: Key<'a>,
    },
    /// Takes the grants of a key away from their owners: [`Response::Count`].
    Steal {
        /// The key.
        key: Key<'a>,
        /// Which grant; all of them when none is named.
        fence: Option<Fence>,
        /// Why, for the owners to read. At most [`REASON_LEN_MAX`](super::REASON_LEN_MAX) bytes.
        reason: &'a str,
    },
    /// Sends a signal: [`Response::Count`].
    Signal {
        /// To whom.
        channel: &'a [u8],
        /// What.
        payload: &'a [u8],
    },
    /// Wants to hear signals: [`Response::Done`].
    Listen {
        /// Which.
        pattern: &'a [u8],
        /// Together with whom; alone when empty.
        group: &'a [u8],
    },
    /// Does not want to any longer: [`Response::Done`].
    Unlisten {
        /// Which.
        pattern: &'a [u8],
        /// Together with whom; alone when empty.
        group: &'a [u8],
    },
    /// Asks how the server is doing: [`Response::Info`].
    Info,
}

/// How a connection introduces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The lowest version that the client speaks.
    pub version_min: u16,
    /// The highest.
    pub version_max: u16,
    /// A number that nobody can guess, the same for all connections of one client one after the other. A new connection
    /// ends an earlier one, so that nothing that was on its way in that is done after what comes in this one.
    pub session: u128,
    /// The secret that the server asks for; empty for none.
    pub auth: &'a [u8],
    /// What the client calls itself; empty for nothing.
    pub label: &'a str,
    /// The host that it runs on; empty for unknown.
    pub host: &'a str,
    /// Its process; zero for unknown.
    pub pid: u32,
}

/// A request for permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enqueue<'a> {
    /// The id that finds the claim again. Nobody else should be able to guess it: whoever knows it has the claim.
    pub claim: ClaimId,
    /// For what.
    pub key: Key<'a>,
    /// How many permits.
    pub permits: u32,
    /// The limit that the client believes the key to have.
    pub limit: Limit,
    /// How long a grant lives unless it is renewed.
    pub ttl: Duration,
    /// [`Bond::Connection`] or [`Bond::Resumable`].
    pub bond: Bond,
    /// What to do when the permits are not free.
    pub patience: Patience,
    /// What the claim is for; the label of the connection when empty.
    pub label: &'a str,
}

/// What to do when the permits of a request are not free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Not to wait.
    None,
    /// To wait in line.
    Endless,
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Response<'a> {
    /// The connection is let in.
    Welcome(Welcome<'a>),
    /// The server is there.
    Pong,
    /// It is done, and there is nothing to say about it.
    Done,
    /// The claim has its permits. Its lease started when the request was served.
    Granted {
        /// What proves it.
        token: Token,
        /// How long the grant lives unless it is renewed.
        ttl: Duration,
    },
    /// The claim stands in line.
    Queued {
        /// Behind so many.
        position: u32,
    },
    /// The permits are not free, and the request was not to wait. There is no trace of it.
    Busy,
    /// There is no such thing: it never was, or it has ended.
    Gone,
    /// The lease started anew when the request was served.
    Renewed {
        /// How long the grant lives unless it is renewed again.
        ttl: Duration,
    },
    /// The claim has left the line, or its permits are free.
    Released,
    /// How many it concerned.
    Count(u64),
    /// A key.
    Inspection(Inspection),
    /// Some keys.
    Page {
        /// The keys.
        keys: Vec<Summary>,
        /// Where to go on; `None` when that was all.
        next: Option<u32>,
    },
    /// How the server is doing, as JSON.
    Info(&'a str),
    /// The request was not done.
    Refused(Refused<'a>),
}

/// How a server introduces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Welcome<'a> {
    /// The version that both speak from now on.
    pub version: u16,
    /// The number of the connection.
    pub owner: u64,
    /// The server ends a connection that is silent for so long. It asks with [`Push::Ping`] at half of it.
    pub silence_max: Duration,
    /// Which server, and which version of it, for people.
    pub server: &'a str,
}

/// Why a request was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused<'a> {
    /// For programs.
    pub code: RefusedCode,
    /// A number that belongs to the code, or zero: with [`RefusedCode::LimitMismatch`] the limit that the key has.
    pub detail: u32,
    /// For people.
    pub message: &'a str,
}

/// Why a request was not done, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusedCode {
    /// The request makes no sense.
    Invalid,
    /// The key has another limit.
    LimitMismatch,
    /// There are as many keys as there may be.
    QueuesFull,
    /// There are as many claims as there may be.
    ClaimsFull,
    /// As many claims wait for the key as may.
    WaitersFull,
    /// The claim's id belongs to a request for something else.
    Conflict,
    /// The server has no fence to grant with at the moment.
    NoFence,
    /// The secret is not the right one. The connection ends.
    Denied,
    /// The server does not know such a request, or speaks no common version.
    Unsupported,
    /// The server is about to stop.
    Draining,
    /// The connection listens to, or watches, as much as it may.
    SubscriptionsFull,
    /// A later connection of the same session has taken over. The connection ends.
    Superseded,
    /// A code that this version does not know.
    Unknown(u16),
}

/// What a server says without having been asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Push<'a> {
    /// The turn of a claim has come. Its lease started after every request was served that was answered before this.
    Granted {
        /// The claim.
        claim: ClaimId,
        /// What proves it.
        token: Token,
        /// How long the grant lives unless it is renewed.
        ttl: Duration,
    },
    /// A claim has ended, and this connection did not end it by its id.
    Lost {
        /// The claim.
        claim: ClaimId,
        /// How.
        ending: tenure_core::Ending,
        /// Why, as whoever took it away said; empty otherwise.
        reason: &'a str,
        /// The fence of the grant that it was; none where it stood in line.
        fence: Option<Fence>,
    },
    /// So many claims stand before this one now.
    Position {
        /// The claim.
        claim: ClaimId,
        /// How many.
        position: u32,
    },
    /// A signal.
    Signal {
        /// The channel that it was sent to.
        channel: &'a [u8],
        /// What was sent.
        payload: &'a [u8],
    },
    /// Something happened to a key that is watched.
    Changed {
        /// The key.
        key: Key<'a>,
        /// What.
        observation: Observation,
    },
    /// More happened to watched keys than could be told: look at them again.
    Missed,
    /// The server is about to stop. What waits here is over.
    Draining,
    /// The server asks whether the client is there: any request answers it.
    Ping,
}

/// What comes from a server.
#[derive(Clone, Debug, PartialEq)]
pub enum Message<'a> {
    /// The answer to the request of that number.
    Response(RequestId, Response<'a>),
    /// What was not asked for.
    Push(Push<'a>),
    /// A push that this version does not know: to be skipped.
    Unknown,
}
