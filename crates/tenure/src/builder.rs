//! How to connect.

use crate::connect::{Client, Tenure};
use crate::coordinator::{Coordinator, Local, Remote};
use crate::net::{Address, TlsRoots};
use crate::options::{AuthToken, Options, of_this_process};
use crate::retry::Retry;
use crate::shard::{ShardFn, Shards};
use crate::terms::invalid;
use crate::url::Place;
use crate::{Bond, Clock, Error};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tenure_core::LABEL_LEN_MAX;

/// How to connect: begin with [`Tenure::builder`], end with [`connect`](Self::connect).
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tenure::Error> {
/// use std::time::Duration;
/// use tenure::{Retry, Tenure};
///
/// let tenure = Tenure::builder()
///     .auth(std::env::var("TENURE_TOKEN").expect("a token"))
///     .tls_roots("/etc/tenure/ca.pem")
///     .connect_timeout(Duration::from_secs(2))
///     .retry(Retry::times(5))
///     .label("billing")
///     .connect("tenures://locks-1.internal,locks-2.internal")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is connected before `connect`"]
pub struct Builder {
    options: Options,
    label: String,
    shard: Option<ShardFn>,
    retry: Retry,
    bond: Bond,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            options: Options::default(),
            label: String::new(),
            shard: None,
            retry: Retry::default(),
            bond: Bond::Resumable,
        }
    }
}

impl Builder {
    /// The secret that the service asks for. It is in no debug print.
    pub fn auth(mut self, token: impl Into<AuthToken>) -> Self {
        self.options.auth = Some(token.into());
        self
    }

    /// A PEM file of the certificates to trust, and no others; those that the system trusts unless told otherwise.
    pub fn tls_roots(mut self, file: impl Into<PathBuf>) -> Self {
        self.options.tls_roots = TlsRoots::file(file);
        self
    }

    /// How long an operation waits for a connection: 5 s unless told otherwise.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = timeout;
        self
    }

    /// Chooses among so many addresses by the bytes of a key, instead of [CRC-32](crate::shard). Every client has to choose
    /// the same. To choose an address that there is not makes whatever is done with the key `Invalid`.
    pub fn shard(mut self, choose: impl Fn(&[u8], usize) -> usize + Send + Sync + 'static) -> Self {
        self.shard = Some(Arc::new(choose));
        self
    }

    /// The clock that decides how long guards believe. With a manual one, `memory:` is a world of its own whose time is
    /// that of the clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.options.clock = clock;
        self
    }

    /// How often to ask again when the way to a coordinator fails. Locks may have policies of their own. Connecting itself is
    /// tried once: a program learns at once that there is nobody, and may try again.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// What others see of this client, beside its host and process: at most 256 bytes. Locks may have labels of their own.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// What claims end with, besides their release: with their lease alone unless told otherwise. Locks may say it on
    /// their own. `Bond::Lease` is for the line protocol: to ask with it is `Invalid`.
    pub fn bond(mut self, bond: Bond) -> Self {
        self.bond = bond;
        self
    }

    /// Connects to where a URL says: see [`Tenure::connect`].
    ///
    /// # Errors
    ///
    /// - `Invalid`: the URL, the label or the file of certificates makes no sense.
    /// - `Unavailable`: nobody is there, or nobody who is trusted.
    /// - `Denied`: the service asks for another token.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes what was opened.
    pub async fn connect(mut self, url: &str) -> Result<Tenure, Error> {
        if self.label.len() > LABEL_LEN_MAX {
            return Err(invalid(format!("a label has at most {LABEL_LEN_MAX} bytes")));
        }
        self.options.note = Arc::new(of_this_process(&self.label));
        let coordinators = match Place::parse(url)? {
            Place::Memory(name) => {
                let Options { clock, note, .. } = &self.options;
                vec![Local::open(&name, clock, Some(Arc::clone(note)))? as Arc<dyn Coordinator>]
            }
            Place::Services(addresses) => self.reach(addresses).await?,
        };
        Ok(self.build(coordinators, false))
    }

    /// A client of a coordinator of one's own.
    #[must_use]
    pub fn with_coordinator(self, coordinator: Arc<dyn Coordinator>) -> Tenure {
        self.with_coordinators([coordinator])
    }

    /// A client of several coordinators of one's own, over which the keys are spread. Where there are none, whatever is
    /// asked for is `Invalid`.
    #[must_use]
    pub fn with_coordinators(
        mut self,
        coordinators: impl IntoIterator<Item = Arc<dyn Coordinator>>,
    ) -> Tenure {
        self.options.note = Arc::new(of_this_process(&self.label));
        self.build(coordinators.into_iter().collect(), true)
    }

    async fn reach(&self, addresses: Vec<Address>) -> Result<Vec<Arc<dyn Coordinator>>, Error> {
        let mut reached: Vec<Arc<dyn Coordinator>> = Vec::with_capacity(addresses.len());
        for address in addresses {
            reached.push(Remote::connect(address, &self.options).await?);
        }
        Ok(reached)
    }

    fn build(self, coordinators: Vec<Arc<dyn Coordinator>>, says_who: bool) -> Tenure {
        let Self { options: Options { clock, note, .. }, shard, retry, bond, .. } = self;
        let shards = Shards::new(coordinators, shard, &clock);
        Tenure::new(Client { shards, clock, note, says_who, retry, bond })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("options", &self.options)
            .field("label", &self.label)
            .field("retry", &self.retry)
            .field("bond", &self.bond)
            .finish_non_exhaustive()
    }
}
