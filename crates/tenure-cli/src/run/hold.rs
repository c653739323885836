//! A key that is held, and the connection that it is held through.

use std::fmt;
use std::time::Duration;

use tenure_core::{Instant, Key, Token};
use tenure_wire::line::{Command, parse_lease};

use super::belief::Belief;
use crate::args::Service;
use crate::client::{Answered as _, Connection, unexpected};
use crate::exit::{self, Failure};
use crate::{clock, say};

/// What is held: enough to show and to release it.
#[derive(Clone)]
pub(super) struct Held {
    key: Key<'static>,
    token: Vec<u8>,
    leased: bool,
}

/// A key that is held.
pub(super) struct Hold {
    held: Held,
    ttl: Duration,
    belief: Belief,
    connection: Connection,
}

/// Why a key is not held any more.
#[derive(Clone, Debug)]
pub(super) struct Loss {
    key: String,
    reason: Reason,
    kill_at: Instant,
    grace: Duration,
}

#[derive(Clone, Debug)]
enum Reason {
    /// The server says that it is not ours.
    Refused,
    /// The connection is gone.
    Gone(String),
    /// The server does not answer.
    Silent,
}

/// How long a command gets to end by itself when the key is somebody else's already.
const GRACE_WHEN_GONE: Duration = Duration::from_secs(2);

impl Held {
    /// The name, as it is.
    pub(super) fn name(&self) -> &[u8] {
        self.key.name()
    }

    /// The name, for people.
    pub(super) fn shown(&self) -> String {
        say::shown(self.name())
    }

    /// The token, as it came.
    pub(super) fn token(&self) -> &[u8] {
        &self.token
    }

    /// The fence. `None` from a server that is not Tenure, whose tokens mean nothing.
    pub(super) fn fence(&self) -> Option<String> {
        let token = self.leased.then(|| Token::from_text(&self.token).ok()).flatten();
        token.map(|token| token.fence.to_string())
    }

    /// Releases it over a connection of its own: when the old one is gone, the lease would keep it from others.
    pub(super) async fn release_anew(&self, service: &Service) {
        release_anew(service, self.key, &self.token).await;
    }
}

/// Releases a key over a new connection, as far as that can be done: nobody is left to tell about it.
pub(super) async fn release_anew(service: &Service, key: Key<'_>, token: &[u8]) {
    if let Ok(mut connection) = Connection::open(service).await {
        let _ = connection.ask(&Command::Release { key, token }).await;
    }
}

impl Hold {
    pub(super) fn new(
        key: Key<'static>,
        token: Vec<u8>,
        ttl: Duration,
        leased: bool,
        belief: Belief,
        connection: Connection,
    ) -> Self {
        Self { held: Held { key, token, leased }, ttl, belief, connection }
    }

    /// What is held.
    pub(super) const fn held(&self) -> &Held {
        &self.held
    }

    /// What its holder may believe.
    pub(super) const fn belief(&self) -> Belief {
        self.belief
    }

    /// Renews the lease. Past the moment at which the command has to be told to end, nothing counts any more, not even
    /// a good answer.
    ///
    /// # Cancel safety
    ///
    /// As for [`Self::renew_before`].
    pub(super) async fn renew(&mut self) -> Result<(), Loss> {
        self.renew_before(self.belief.term_at()).await
    }

    /// Renews the lease with an answer before `limit`.
    ///
    /// # Cancel safety
    ///
    /// None: the answer to come would be taken for that to the next request.
    pub(super) async fn renew_before(&mut self, limit: Instant) -> Result<(), Loss> {
        let sent = clock::now();
        if sent >= limit {
            return Err(self.lost(Reason::Silent));
        }
        let renew = Command::Renew { key: self.held.key, token: &self.held.token, lease: Some(self.ttl) };
        let answer = clock::before(limit, accepted(&mut self.connection, &renew)).await;
        let renewed = match answer {
            Some(Ok(Some(rest))) => Ok(parse_lease(&rest, self.ttl)),
            Some(Ok(None)) => Err(Reason::Refused),
            Some(Err(failure)) => Err(Reason::Gone(exit::chain(&failure))),
            None => Err(Reason::Silent),
        };
        self.belief = self.belief.renewed(sent, renewed.map_err(|reason| self.lost(reason))?);
        Ok(())
    }

    /// Returns when the connection ends, or says something that nobody asked for.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(super) async fn disconnected(&mut self) -> Loss {
        let reason = match self.connection.next().await {
            Ok(reply) => exit::chain(&unexpected(&reply)),
            Err(failure) => exit::chain(&failure),
        };
        self.lost(Reason::Gone(reason))
    }

    /// Releases the key. `false` if it was not ours any more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether the key was released, and the connection of no more use.
    pub(super) async fn release(&mut self) -> Result<bool, Failure> {
        let release = Command::Release { key: self.held.key, token: &self.held.token };
        Ok(accepted(&mut self.connection, &release).await?.is_some())
    }

    fn lost(&self, reason: Reason) -> Loss {
        let handed_on = match reason {
            Reason::Refused => true,
            Reason::Gone(_) => !self.held.leased,
            Reason::Silent => false,
        };
        let grace = self.belief.grace();
        Loss {
            key: self.held.shown(),
            reason,
            kill_at: self.belief.kill_at(),
            grace: if handed_on { grace.min(GRACE_WHEN_GONE) } else { grace },
        }
    }
}

/// What follows the `ok`; `None` for an `error`.
async fn accepted(connection: &mut Connection, command: &Command<'_>) -> Result<Option<Vec<u8>>, Failure> {
    connection.ask(command).await?.accepted().map(|rest| rest.map(<[u8]>::to_vec))
}

impl Loss {
    /// When the command must be gone, if it was told to end at `now`.
    pub(super) fn kill_at(&self, now: Instant) -> Instant {
        self.kill_at.min(now.after(self.grace))
    }

    /// Whether the server may keep the key from others until the lease ends, because it does not know better.
    pub(super) const fn lingers(&self) -> bool {
        !matches!(self.reason, Reason::Refused)
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lost \"{}\": ", self.key)?;
        match &self.reason {
            Reason::Refused => f.write_str("the service says that its lease has ended"),
            Reason::Gone(why) => f.write_str(why),
            Reason::Silent => f.write_str("it could not be renewed in time"),
        }
    }
}
