//! One request for one key, from asking to an answer or to giving up.

use std::time::Duration;

use tenure_core::{Instant, Key, Limit};
use tenure_wire::line::{Command, Grant, Reply};

use super::belief::{Belief, RENEW_AFTER_MAX};
use super::hold::Hold;
use crate::args::Service;
use crate::client::{Answered as _, Connection, unexpected};
use crate::clock;
use crate::exit::{Exit, Failure};

/// How long a server gets to say what it had granted before it heard that nobody waits any more.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A connection that asks for one key.
pub(super) struct Attempt<'a> {
    service: &'a Service,
    key: Key<'static>,
    connection: Connection,
    leased: bool,
    renew_after_max: Duration,
    sent: Instant,
}

impl<'a> Attempt<'a> {
    /// Opens a connection of which a lost one does not hand the key on while its holder still works.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; nothing was asked yet.
    pub(super) async fn open(service: &'a Service, key: Key<'static>) -> Result<Self, Failure> {
        let mut connection = Connection::open(service).await?;
        let leased = connection.bind_to_leases().await?;
        let told = if leased { connection.read_timeout().await? } else { None };
        let renew_after_max = told.map_or(RENEW_AFTER_MAX, |time| RENEW_AFTER_MAX.min(time / 3));
        Ok(Self { service, key, connection, leased, renew_after_max, sent: clock::now() })
    }

    /// Asks for the key. The answer may take as long as `wait`.
    ///
    /// # Cancel safety
    ///
    /// None: dropping the future may leave half a request behind.
    pub(super) async fn ask(&mut self, limit: Limit, wait: Duration, lease: Duration) -> Result<(), Failure> {
        self.sent = clock::now();
        let acquire = Command::Acquire { key: self.key, limit, wait, lease: Some(lease) };
        self.connection.send(&acquire).await
    }

    /// The answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing; call it again, or [`Self::abandon`].
    pub(super) async fn answered(&mut self) -> Result<Option<(Vec<u8>, Duration)>, Failure> {
        let reply = self.connection.next().await?;
        if reply == Reply::Timeout {
            return Ok(None);
        }
        let granted =
            reply.done(Exit::Unavailable, "the service lets nobody wait; it may be about to stop")?;
        let grant = Grant::parse(granted).ok_or_else(|| unexpected(&reply))?;
        Ok(Some((grant.token.to_vec(), grant.lease)))
    }

    /// Makes the grant that was answered a hold whose lease is known to be fresh.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses the key until its lease ends.
    pub(super) async fn into_hold(self, token: Vec<u8>, lease: Duration) -> Result<Hold, Failure> {
        let belief = Belief::new(self.sent, lease, self.renew_after_max);
        let mut hold = Hold::new(self.key, token, lease, self.leased, belief, self.connection);
        // A wait took its time, and the lease may have begun at any moment of it.
        if clock::now() >= belief.renew_at() {
            hold.renew_before(clock::now().after(belief.grace())).await.map_err(|loss| {
                Failure::new(Exit::Lost, format!("{loss}, before the command was started"))
            })?;
        }
        Ok(hold)
    }

    /// Leaves the queue. What was granted meanwhile is given back, not kept from others until its lease ends.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; what was granted meanwhile ends with its lease.
    pub(super) async fn abandon(mut self) {
        if self.connection.finish().await.is_err() {
            return;
        }
        if let Ok(Ok(Some((token, _)))) = tokio::time::timeout(LAST_WORDS, self.answered()).await {
            super::hold::release_anew(self.service, self.key, &token).await;
        }
    }
}
