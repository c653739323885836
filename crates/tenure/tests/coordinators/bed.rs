//! Where a case runs: a world of its own, and as many clients as it wants.

use std::sync::Arc;
use std::time::Duration;
use tenure::coordinator::{Claim, Coordinator, Enqueued, Grant, Local, Patience, Wanted};
use tenure::{Clock, Error};
use tenure_core::{Bond, ClaimId, Key, Limit, Note, Space};

/// A lease that no case sees the end of.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// A lease whose end a case waits for.
pub(crate) const SHORT: Duration = Duration::from_millis(400);
/// A wait for what comes, if it comes at all.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A world of its own.
pub(crate) struct Bed(Place);

enum Place {
    Local { name: String },
    Remote { address: tenure::net::Address },
}

/// One engine in this process.
pub(crate) fn local() -> Bed {
    Bed(Place::Local { name: format!("{:x}", tenure::entropy::number()) })
}

/// One daemon, in this process too, but behind a socket.
pub(crate) fn remote() -> Bed {
    use tenure_server::{Config, Server};
    let config = Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() };
    let server = Server::bind(config).expect("a port is free");
    let at = server.local_addr();
    tokio::spawn(server.run(std::future::pending()));
    Bed(Place::Remote { address: format!("tenure://{at}").parse().expect("an address") })
}

impl Bed {
    /// A client that knows nothing of the others.
    pub(crate) async fn client(&self) -> Client {
        let coordinator: Arc<dyn Coordinator> = match &self.0 {
            Place::Local { name } => Local::open(name, &Clock::system(), None).expect("a runtime"),
            Place::Remote { address } => {
                tenure::coordinator::Remote::connect(address.clone(), &tenure::Options::default())
                    .await
                    .expect("a connection")
            }
        };
        Client(coordinator)
    }

    /// A client that lives in a runtime of its own, and can die with it.
    pub(crate) async fn mortal(&self) -> Mortal {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a thread");
        let Place::Remote { address } = &self.0 else { panic!("nobody dies here alone") };
        let address = address.clone();
        let connecting =
            async move { tenure::coordinator::Remote::connect(address, &tenure::Options::default()).await };
        let remote = runtime.spawn(connecting).await.expect("no panic").expect("a connection");
        Mortal { client: Client(remote), runtime }
    }
}

/// A client that can die.
pub(crate) struct Mortal {
    pub(crate) client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Mortal {
    /// Dies without a word: its connection is gone, and what it held it cannot give back.
    pub(crate) fn die(self) {
        self.runtime.shutdown_background();
        // Who is dead does not close anything, not even in the last moments of its runtime.
        std::mem::forget(self.client);
    }
}

impl std::ops::Deref for Mortal {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// A client, and short ways to use it.
#[derive(Clone)]
pub(crate) struct Client(pub(crate) Arc<dyn Coordinator>);

impl std::ops::Deref for Client {
    type Target = dyn Coordinator;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl Client {
    /// Asks and expects a grant.
    pub(crate) async fn acquire(&self, claim: &Arc<Claim>) -> Grant {
        match self.enqueue(claim, Patience::Endless).await.expect("asked") {
            Enqueued::Acquired(grant) => grant,
            other => panic!("it should have been free: {other:?}"),
        }
    }

    /// Asks and expects to stand in line.
    pub(crate) async fn queue(&self, claim: &Arc<Claim>) -> u32 {
        match self.enqueue(claim, Patience::Endless).await.expect("asked") {
            Enqueued::Queued { position } => position,
            other => panic!("it should have had to wait: {other:?}"),
        }
    }

    /// Whether somebody who does not wait is turned away.
    pub(crate) async fn is_busy(&self, claim: &Arc<Claim>) -> bool {
        match self.enqueue(claim, Patience::None).await.expect("asked") {
            Enqueued::Busy => true,
            Enqueued::Acquired(_) => false,
            other => panic!("it was not to wait: {other:?}"),
        }
    }

    /// Waits for the turn of a claim.
    pub(crate) async fn turn(&self, claim: &Arc<Claim>) -> Grant {
        soon(self.wait(claim)).await.expect("its turn")
    }
}

/// A claim in the making.
pub(crate) struct Ask(Wanted, ClaimId);

/// A claim on a lock.
pub(crate) fn lock(name: &str) -> Ask {
    ask(Space::Lock, name, 1)
}

/// A claim on one permit of a semaphore.
pub(crate) fn semaphore(name: &str, limit: u32) -> Ask {
    ask(Space::Semaphore, name, limit)
}

/// A claim of a reader; one of a writer has all permits.
pub(crate) fn rw_lock(name: &str) -> Ask {
    ask(Space::RwLock, name, u32::MAX)
}

fn ask(space: Space, name: &str, limit: u32) -> Ask {
    let limit = Limit::new(limit).expect("not zero");
    let wanted = Wanted {
        space,
        name: name.as_bytes().into(),
        permits: 1,
        limit,
        ttl: LONG,
        bond: Bond::Resumable,
        note: None,
    };
    let id = u128::from(tenure::entropy::number()) << 64 | u128::from(tenure::entropy::number());
    Ask(wanted, ClaimId::new(id))
}

impl Ask {
    pub(crate) fn ttl(mut self, ttl: Duration) -> Self {
        self.0.ttl = ttl;
        self
    }

    pub(crate) fn permits(mut self, permits: u32) -> Self {
        self.0.permits = permits;
        self
    }

    pub(crate) fn bond(mut self, bond: Bond) -> Self {
        self.0.bond = bond;
        self
    }

    pub(crate) fn label(mut self, label: &str) -> Self {
        self.0.note = Some(Arc::new(Note { label: label.into(), host: "here".into(), pid: 7 }));
        self
    }

    pub(crate) fn id(mut self, id: ClaimId) -> Self {
        self.1 = id;
        self
    }

    pub(crate) fn claim(self) -> Arc<Claim> {
        Arc::new(Claim::new(self.1, self.0, Clock::system()))
    }
}

/// The key of a lock.
pub(crate) fn key(name: &str) -> Key<'_> {
    Key::new(Space::Lock, name.as_bytes()).expect("a short name")
}

/// What is ready soon.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.expect("it never came")
}

/// What kind of error it is.
pub(crate) fn kind<T: std::fmt::Debug>(result: Result<T, Error>) -> tenure::ErrorKind {
    result.expect_err("it should have been refused").kind().clone()
}
