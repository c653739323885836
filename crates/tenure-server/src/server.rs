//! From a configuration to a running daemon.

use crate::clock::Clock;
use crate::shared::Shared;
use crate::state::FenceStore;
use crate::{Config, Error, listener, tls, upkeep};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tenure::entropy;
use tenure::hub::Hub;
use tenure_core::{Engine, Limits};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A daemon that listens, and has not begun to answer.
///
/// ```
/// use tenure_server::{Config, Server};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let config = Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() };
/// let server = Server::bind(config)?;
/// let address = server.local_addr();
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
/// let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
///
/// let mut client = tokio::net::TcpStream::connect(address).await?;
/// client.write_all(b"ping\n\n\n").await?;
/// let mut answer = [0; 3];
/// client.read_exact(&mut answer).await?;
/// assert_eq!(&answer, b"ok\n");
///
/// drop(client);
/// drop(stop);
/// running.await?;
/// # Ok(())
/// # })
/// # }
/// ```
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    store: FenceStore,
    /// The first fence that is not reserved.
    fences_end: u64,
}

impl Server {
    /// Listens, and opens the fence counter. It has to be called within a tokio runtime with I/O and time.
    ///
    /// # Errors
    ///
    /// [`Error`] when the address, the state folder or the TLS files are not to be had; nothing is left behind then.
    pub fn bind(config: Config) -> Result<Self, Error> {
        let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
        let failed = |source| Error::Listen { address: config.listen, source };
        let listener = listener::listen(config.listen).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (store, fences) = FenceStore::open(&config, address)?;
        let limits = Limits {
            queues_max: config.max_locks,
            claims_max: config.max_claims,
            queue_len_max: config.max_waiters.unwrap_or(usize::MAX),
            idle_max: config.gc_max_idle,
        };
        let fences_end = fences.end().get();
        let engine = Engine::new(limits, fences, entropy::number());
        let hub = Arc::new(Hub::new(engine, store.range().div_ceil(2)));
        let shared = Arc::new(Shared::new(config, hub, Clock::start()));
        Ok(Self { listener, address, tls, shared, store, fences_end })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The file that the fence counter is in; `None` when it is in memory only.
    #[must_use]
    pub fn state_file(&self) -> Option<&Path> {
        self.store.path()
    }

    /// Answers until `shutdown` is ready, then drains: no more connections are accepted, what blocks is answered `error`,
    /// and the others are served until they end or the shutdown timeout cuts them.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future shuts the door at once; connections then end with the runtime.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self { listener, tls, shared, store, fences_end, .. } = self;
        let time = tokio::spawn(upkeep::keep_time(Arc::clone(&shared)));
        let fences = tokio::spawn(upkeep::keep_fences(Arc::clone(&shared), store, fences_end));
        tokio::select! {
            () = listener::accept(listener, Arc::clone(&shared), tls) => {}
            () = shutdown => {}
        }
        let (connections, timeout) = (shared.connections(), shared.config.shutdown_timeout);
        tracing::info!(connections, ?timeout, "draining");
        shared.drain();
        match shared.config.shutdown_timeout {
            None => shared.emptied().await,
            Some(timeout) => {
                if tokio::time::timeout(timeout, shared.emptied()).await.is_err() {
                    tracing::warn!(
                        connections = shared.connections(),
                        "cutting the connections that are left"
                    );
                }
            }
        }
        time.abort();
        fences.abort();
    }
}
