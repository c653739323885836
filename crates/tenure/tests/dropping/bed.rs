//! Where operations are dropped, and what is left there.

use crate::flaky;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tenure::coordinator::{Coordinator, Local, Remote};
use tenure::{Clock, Options, Tenure};
use tenure_server::{Config, Server};

/// How many permits the semaphore has.
pub(crate) const SEATS: u32 = 3;
/// How long to wait between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Where there is a coordinator.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Local,
    Daemon,
    /// A daemon, and connections to it that break.
    Flaky,
}

/// Three clients of one coordinator that knows nothing of anybody else.
pub(crate) struct Bed {
    /// Whose futures are dropped.
    pub(crate) subject: Tenure,
    /// The same, without locks and guards.
    pub(crate) coordinator: Arc<dyn Coordinator>,
    /// Those who use the same keys.
    pub(crate) others: [Tenure; 2],
}

impl Bed {
    /// A bed whose first client has its coordinator behind something else.
    pub(crate) async fn with(
        wrap: impl FnOnce(Arc<dyn Coordinator>) -> Arc<dyn Coordinator>,
        place: Place,
    ) -> Self {
        let world = World::new(place);
        let coordinator = wrap(world.open_for_subject(place).await);
        let others = [world.open().await, world.open().await].map(Tenure::with_coordinator);
        Self { subject: Tenure::with_coordinator(Arc::clone(&coordinator)), coordinator, others }
    }

    /// What is left when nothing more goes away, or that time is over.
    pub(crate) async fn left_after(&self, patience: Duration) -> Vec<String> {
        // Everything that was asked for before this has been done when it is answered.
        self.subject.info().await.expect("an answer");
        let clock = Clock::system();
        let limit = clock.now().after(patience);
        loop {
            let left = self.left().await;
            if left.is_empty() || clock.now() >= limit {
                return left;
            }
            clock.sleep(LOOK_AGAIN).await;
        }
    }

    async fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        for key in ["free", "shared", "seats", "index", "chair"] {
            for (_, seen) in self.others[0].inspect(key).await.expect("an answer") {
                let (held, queued) = (seen.holders.len(), seen.queue_len);
                if held > 0 || queued > 0 {
                    left.push(format!("{key}: {held} held, {queued} in line"));
                }
            }
        }
        let claims = self.claims().await;
        if claims > 0 {
            left.push(format!("{claims} claims"));
        }
        left
    }

    /// How many claims there are in all, as the coordinator counts them.
    async fn claims(&self) -> u64 {
        let info = self.others[0].info().await.expect("an answer").remove(0);
        let (_, rest) = info.split_once("\"claims\":").expect("it counts them");
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next().expect("something");
        digits.parse().expect("a number")
    }

    /// Everything is there to be had, all of it, by everyone.
    pub(crate) async fn everyone_can_acquire(&self) {
        for client in [&self.subject, &self.others[0], &self.others[1]] {
            let held = [
                client.lock("free").try_acquire().await,
                client.lock("shared").try_acquire().await,
                client.semaphore("seats", SEATS).permits(SEATS).try_acquire().await,
                client.rw_lock("index").try_write().await,
                client.lock("chair").try_acquire().await,
            ];
            for guard in held {
                guard.expect("an answer").expect("it is free").release().await.expect("an answer");
            }
        }
    }
}

enum World {
    Local(String),
    Daemon(SocketAddr),
}

impl World {
    fn new(place: Place) -> Self {
        match place {
            Place::Local => Self::Local(format!("{:x}", tenure::entropy::number())),
            Place::Daemon | Place::Flaky => {
                let config = Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() };
                let server = Server::bind(config).expect("a port is free");
                let address = server.local_addr();
                tokio::spawn(server.run(std::future::pending()));
                Self::Daemon(address)
            }
        }
    }

    async fn open(&self) -> Arc<dyn Coordinator> {
        match self {
            Self::Local(name) => Local::open(name, &Clock::system(), None).expect("a runtime"),
            Self::Daemon(address) => connect(*address).await,
        }
    }

    /// The same, over connections that break where there are to be such.
    async fn open_for_subject(&self, place: Place) -> Arc<dyn Coordinator> {
        match (self, place) {
            (Self::Daemon(address), Place::Flaky) => connect(flaky::start(*address).await).await,
            (Self::Local(_) | Self::Daemon(_), _) => self.open().await,
        }
    }
}

async fn connect(address: SocketAddr) -> Arc<dyn Coordinator> {
    let address = format!("tenure://{address}").parse().expect("an address");
    Remote::connect(address, &Options::default()).await.expect("a connection")
}
