//! What turns claims into grants.

mod claim;
mod local;
mod noop;
mod remote;
mod reply;

pub(crate) use claim::believed;
pub use claim::{Claim, Grant, Standing, Wanted};
pub use local::Local;
pub use noop::NoOp;
pub use remote::Remote;
pub use reply::Reply;

use crate::{Error, Instant};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tenure_core::{Fence, Inspection, Key, Observation, Summary, Token};
use tokio::sync::mpsc;

/// What turns claims into grants: an engine in this process, a daemon, or something of your own.
///
/// Guards, tickets, elections and the command line are written against this trait and do not know which one they have.
/// It is two-phase at heart: [`enqueue`](Self::enqueue) answers at once, [`wait`](Self::wait) takes its time.
///
/// A coordinator tells a claim what happens to it, whoever waits for that: [`Claim::grant`] when its turn has come,
/// [`Claim::end`] when it is over. Asking twice with the same claim is asking once; so a caller that did not hear the answer
/// asks again.
///
/// Every future may be dropped at any time. Whoever drops one that might have taken something calls
/// [`cancel`](Self::cancel), which undoes it whether it has happened or not.
pub trait Coordinator: fmt::Debug + Send + Sync + 'static {
    /// Asks for the permits of a claim: they are granted at once, or the claim joins the line, or, without patience, nothing
    /// happens.
    ///
    /// # Errors
    ///
    /// `Unavailable` when it was not asked, `Indeterminate` when it may have been, and any refusal.
    fn enqueue<'a>(&'a self, claim: &'a Arc<Claim>, patience: Patience) -> Reply<'a, Enqueued>;

    /// Waits until the turn of a claim in line has come.
    ///
    /// # Errors
    ///
    /// `Lost` when the claim has ended, `Unavailable` when nobody has answered for too long. The claim stays in line then.
    fn wait<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Grant>;

    /// Takes over the grant of a claim that another process, or an earlier run of this one, has made; `None` when there is
    /// none.
    fn resume<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Option<Grant>>;

    /// Starts the leases of some grants anew, each as its own [`Renewal`] says. Ready when all have been answered, or have
    /// failed.
    fn renew<'a>(&'a self, renewals: &'a mut [Renewal]) -> Reply<'a, ()>;

    /// Ends a grant; whether it was still there.
    ///
    /// It may say `Gone` of a grant that it has ended itself: where the connection breaks before the answer, it is asked
    /// again, and looks for the end among the last few of that key. And of a claim whose id another one has been asked for
    /// with, before that is answered; should it be refused, this one is ended then.
    fn release<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Released>;

    /// Takes a claim back without waiting, in line or granted, whatever is known of it.
    fn cancel(&self, claim: &Arc<Claim>);

    /// Ends a grant of whomever by its token; whether it was there.
    fn release_token<'a>(&'a self, key: Key<'a>, token: Token) -> Reply<'a, Released>;

    /// How many claims stand before a claim in line; `None` when it does not wait.
    fn position<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Option<u32>>;

    /// Has the claim hear of its position whenever that changes, by [`Claim::moved`].
    fn follow<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, ()>;

    /// Looks at a key; `None` when nobody uses it, or has lately.
    fn inspect<'a>(&'a self, key: Key<'a>) -> Reply<'a, Option<Inspection>>;

    /// Some of the keys whose names begin with `prefix`, and where to go on. Begin with zero.
    fn list<'a>(&'a self, prefix: &'a [u8], cursor: u32) -> Reply<'a, Page>;

    /// Watches a key until the receiver is dropped.
    fn watch<'a>(&'a self, key: Key<'a>) -> Reply<'a, mpsc::Receiver<Seen>>;

    /// Takes grants of a key away from their owners, all of them or that of one fence; how many.
    fn steal<'a>(&'a self, key: Key<'a>, fence: Option<Fence>, reason: &'a str) -> Reply<'a, u64>;

    /// Sends a signal; how many get it.
    fn signal<'a>(&'a self, channel: &'a [u8], payload: &'a [u8]) -> Reply<'a, u64>;

    /// Hears signals until the receiver is dropped.
    fn listen<'a>(&'a self, pattern: &'a [u8], group: &'a [u8]) -> Reply<'a, mpsc::Receiver<Signal>>;

    /// What there is to say about itself, as JSON.
    fn info(&self) -> Reply<'_, String>;
}

/// What to do when permits are not free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Not to wait.
    None,
    /// To wait in line.
    Endless,
}

/// The answer to [`Coordinator::enqueue`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Enqueued {
    /// The permits were free.
    Acquired(Grant),
    /// The claim stands in line.
    Queued {
        /// Behind so many.
        position: u32,
    },
    /// The permits are not free, and the claim had no patience.
    Busy,
}

/// The answer to [`Coordinator::release`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Released {
    /// It was there, and has ended.
    Released,
    /// It had ended before.
    Gone,
}

/// A lease to start anew, and what came of it.
#[derive(Debug)]
pub struct Renewal {
    /// Whose.
    pub claim: Arc<Claim>,
    /// What came of it; `None` until there is an answer.
    pub outcome: Option<Result<Renewed, Error>>,
}

/// The answer to one [`Renewal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Renewed {
    /// The lease runs for `ttl` from no earlier than `base`, which the holder's clock showed before the request was sent.
    From {
        /// An instant of the holder's clock.
        base: Instant,
        /// How long.
        ttl: Duration,
    },
    /// The grant has ended.
    Gone,
}

/// Some keys.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Page {
    /// The keys.
    pub keys: Vec<Summary>,
    /// Where to go on; `None` when that was all.
    pub next: Option<u32>,
}

/// What a watcher sees.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Seen {
    /// Something happened.
    Observed(Observation),
    /// More happened than the watcher could take, or was connected for: look again.
    Missed,
}

impl Seen {
    /// Shows a change to a watcher that may have fallen behind: the last place that it has is for the news that there is more
    /// than there are places for.
    pub fn show(&self, watcher: &mpsc::Sender<Self>) {
        let seen = match watcher.capacity() {
            1 => Self::Missed,
            _ => self.clone(),
        };
        // Without a place there is that news already; without a receiver there is nobody to tell.
        let _ = watcher.try_send(seen);
    }
}

/// A signal that came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signal {
    /// The channel that it was sent to.
    pub channel: Vec<u8>,
    /// What was sent.
    pub payload: Vec<u8>,
}

impl Signal {
    /// One that was sent to that channel.
    #[must_use]
    pub const fn new(channel: Vec<u8>, payload: Vec<u8>) -> Self {
        Self { channel, payload }
    }
}
