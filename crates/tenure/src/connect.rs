//! A client, and what it is connected to.

use crate::builder::Builder;
use crate::coordinator::Coordinator;
use crate::election::Election;
use crate::gate::Gate;
use crate::list::List;
use crate::lock::Lock;
use crate::retry::Retry;
use crate::rw_lock::RwLock;
use crate::semaphore::Semaphore;
use crate::shard::Shards;
use crate::terms::Terms;
use crate::watch::Signals;
use crate::{Bond, Clock, Error, Inspection, Note, Space};
use std::fmt;
use std::sync::Arc;

/// A client: where locks and semaphores come from. Clones are the same client, and cost nothing.
///
/// It is used within the tokio runtime that it was connected in. Guards, tickets and streams keep it alive.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tenure::Error> {
/// use tenure::Tenure;
///
/// let tenure = Tenure::connect("memory:").await?;
/// let guard = tenure.lock("nightly-backup").acquire().await?;
/// assert!(!guard.is_lost());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tenure(Arc<Client>);

pub(crate) struct Client {
    pub(crate) shards: Shards,
    pub(crate) clock: Clock,
    pub(crate) note: Arc<Note>,
    /// Its coordinators do not know its note.
    pub(crate) says_who: bool,
    pub(crate) retry: Retry,
    pub(crate) bond: Bond,
}

impl Tenure {
    /// Connects to where a URL says:
    ///
    /// | URL | what it is |
    /// | --- | --- |
    /// | `memory:` | this process only: everyone in it who says so meets the same locks |
    /// | `memory:NAME` | the same, and a world of its own for each name |
    /// | `tenure://host:port[,host:port…]` | a daemon; the keys are spread over several by CRC-32 |
    /// | `tenures://host:port[,…]` | the same, in TLS |
    ///
    /// [`builder`](Self::builder) has more to choose from.
    ///
    /// # Errors
    ///
    /// - `Invalid`: the URL is not understood. The message says what is known.
    /// - `Unavailable`: nobody is there, or nobody who is trusted.
    /// - `Denied`: the service asks for a token.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes what was opened.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::builder().connect(url).await
    }

    /// Begins to say how to connect.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A client of a coordinator of one's own, or of [none](crate::coordinator::NoOp).
    #[must_use]
    pub fn with_coordinator(coordinator: Arc<dyn Coordinator>) -> Self {
        Self::builder().with_coordinator(coordinator)
    }

    pub(crate) fn new(client: Client) -> Self {
        Self(Arc::new(client))
    }

    /// A lock: one holder at a time, in the order in which they asked.
    ///
    /// A key is 1 to 512 bytes. Whether it is one is seen when somebody asks.
    pub fn lock(&self, key: impl AsRef<[u8]>) -> Lock {
        Lock { gate: Gate::new(self.clone(), Space::Lock, key.as_ref(), 1) }
    }

    /// A semaphore of so many permits. The first to use a key sets its limit, and all others have to say the same. A lock
    /// of that name is something else.
    pub fn semaphore(&self, key: impl AsRef<[u8]>, limit: u32) -> Semaphore {
        Semaphore { gate: Gate::new(self.clone(), Space::Semaphore, key.as_ref(), limit) }
    }

    /// A read-write lock: many readers, or one writer, in the order in which they asked.
    pub fn rw_lock(&self, key: impl AsRef<[u8]>) -> RwLock {
        RwLock { gate: Gate::new(self.clone(), Space::RwLock, key.as_ref(), u32::MAX) }
    }

    /// An election: whoever holds the [lock](Self::lock) of that name leads.
    pub fn election(&self, key: impl AsRef<[u8]>) -> Election {
        Election { gate: Gate::new(self.clone(), Space::Lock, key.as_ref(), 1) }
    }

    /// The keys that are in use, or were lately, and whose names begin with `prefix`.
    pub fn list(&self, prefix: impl AsRef<[u8]>) -> List {
        List::new(self.clone(), prefix.as_ref())
    }

    /// Looks at a name in every name space: as a lock, a semaphore and a read-write lock. Those that nobody uses, or has
    /// lately, are not among them.
    ///
    /// # Errors
    ///
    /// `Invalid` for what is no key, and those of asking at all.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn inspect(&self, key: impl AsRef<[u8]>) -> Result<Vec<(Space, Inspection)>, Error> {
        let mut found = Vec::new();
        for space in [Space::Lock, Space::Semaphore, Space::RwLock] {
            let seen = Gate::new(self.clone(), space, key.as_ref(), 1).inspect().await?;
            found.extend(seen.map(|seen| (space, seen)));
        }
        Ok(found)
    }

    /// Sends a signal on a dotted channel, and says how many get it. Signals are not kept for those who come later, and
    /// not sent again.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), tenure::Error> {
    /// # let tenure = tenure::Tenure::connect("memory:signal").await?;
    /// let mut orders = tenure.listen("orders.*", None).await?;
    /// assert_eq!(tenure.signal("orders.new", "42").await?, 1);
    /// assert_eq!(orders.next().await.map(|signal| signal.payload), Some(b"42".to_vec()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - `Invalid`: that is no channel: see the line protocol for what is.
    /// - `Indeterminate`: it may have been sent.
    /// - Those of asking at all.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, the signal may have been sent or not.
    pub async fn signal(&self, channel: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> Result<u64, Error> {
        let channel = channel.as_ref();
        self.shards().of(channel)?.coordinator.signal(channel, payload.as_ref()).await
    }

    /// Hears the signals on the channels that a pattern matches: `*` stands for one part, `>` for all that follow. Of those
    /// who name one `group`, such as `Some(b"workers")`, each signal reaches one.
    ///
    /// # Errors
    ///
    /// `Invalid` for what is no pattern, and those of asking at all.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn listen(&self, pattern: impl AsRef<[u8]>, group: Option<&[u8]>) -> Result<Signals, Error> {
        let (pattern, group) = (pattern.as_ref(), group.unwrap_or_default());
        let mut heard = Vec::new();
        for shard in self.shards().some()? {
            let asking = || shard.coordinator.listen(pattern, group);
            heard.push(self.retry().run(self.clock(), asking).await?);
        }
        Ok(Signals::new(heard, self.clone()))
    }

    /// What each coordinator has to say about itself, as JSON, in the order of their addresses.
    ///
    /// # Errors
    ///
    /// Those of asking at all.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn info(&self) -> Result<Vec<String>, Error> {
        let mut told = Vec::new();
        for shard in self.shards().some()? {
            told.push(self.retry().run(self.clock(), || shard.coordinator.info()).await?);
        }
        Ok(told)
    }

    /// Waits until every coordinator has heard of what was given back until now: what was dropped is given back in the
    /// background, and a runtime that ends soon after may end before that has happened.
    ///
    /// The connections end with the last clone of the client, and the last guard, ticket or stream of it.
    ///
    /// # Errors
    ///
    /// Those of asking at all, of the first coordinator that did not answer. It was asked once: what it has not heard of
    /// ends with its lease.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open what was heard of.
    pub async fn close(self) -> Result<(), Error> {
        let mut closed = Ok(());
        for shard in self.shards().some()? {
            // A coordinator answers in the order in which it was told.
            closed = closed.and(shard.coordinator.info().await.map(drop));
        }
        closed
    }

    /// The clock that decides how long its guards believe.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn shards(&self) -> &Shards {
        &self.0.shards
    }

    pub(crate) fn retry(&self) -> &Retry {
        &self.0.retry
    }

    pub(crate) fn terms(&self) -> Terms {
        let note = self.0.says_who.then(|| Arc::clone(&self.0.note));
        Terms::new(self.0.retry.clone(), self.0.bond, note)
    }

    /// What others see of this client, with another label.
    pub(crate) fn note(&self, label: &str) -> Note {
        Note { label: label.into(), host: self.0.note.host.clone(), pid: self.0.note.pid }
    }
}

impl fmt::Debug for Tenure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenure").field("coordinators", self.shards()).finish_non_exhaustive()
    }
}
