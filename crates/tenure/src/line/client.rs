//! A connection, with one function for every command.

use super::link::Link;
use super::refusal::refusal;
use super::{Acquired, Bond, Enqueued, Grant, Key, Renewed, Token, Waited};
use crate::coordinator::{Released, Signal};
use crate::net::{self, Address, Stream, TlsRoots};
use crate::{Error, ErrorKind};
use std::time::Duration;
use tenure_wire::line::{self, Command, Failure, LEASE_UNTOLD, Reply, parse_lease};

/// A connection to a service that speaks the line protocol.
///
/// Its functions send one request and read its answer. Besides the errors that they name, all of them answer
/// `Indeterminate` when the answer did not come (what was asked may have happened), `Unavailable` once the connection
/// is of no use any more, `Denied` when the service wants a token, or another one, `Draining` when it is about to stop,
/// `Invalid` when the protocol has no words for what is asked, and `Unsupported` when the answer makes no sense.
///
/// # Cancel safety
///
/// Dropping a future of [`next_signal`](Self::next_signal) loses nothing. Dropping any other leaves an answer behind
/// that belongs to nobody, so the connection is of no use after that: every further call is answered `Unavailable`, and
/// none with what was meant for another.
#[derive(Debug)]
pub struct Client {
    link: Link,
    /// Whether the service has shown that its tokens have fences in them.
    is_tenure: bool,
}

impl Client {
    /// Connects within `timeout`.
    ///
    /// # Errors
    ///
    /// Those of [`net::connect`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub async fn connect(address: &Address, roots: &TlsRoots, timeout: Duration) -> Result<Self, Error> {
        let stream = net::connect(address, roots, timeout).await?;
        Ok(Self::new(stream, format!("the service at {address}")))
    }

    /// Speaks over a connection that is there: a socket of your own.
    #[must_use]
    pub fn over(stream: impl Stream + 'static) -> Self {
        Self::new(Box::new(stream), "the service".to_owned())
    }

    fn new(stream: Box<dyn Stream>, peer: String) -> Self {
        Self { link: Link::new(stream, peer), is_tenure: false }
    }

    /// Gives up, from now on, when the service sends nothing for so long while it owes an answer; `None`, as at first,
    /// never does. Where the service was asked to wait, that time comes on top.
    ///
    /// An answer as a whole may take longer: a million keys need seconds to be told.
    pub const fn limit_silence(&mut self, silence_max: Option<Duration>) {
        self.link.limit_silence(silence_max);
    }

    /// `auth`: shows the secret that lets this connection in, which has to come before anything else.
    ///
    /// # Errors
    ///
    /// `Denied` when it is not the right one; the service closes the connection then. `Unsupported` when the service
    /// asks for none.
    ///
    /// # Cancel safety
    ///
    /// None: see [`Client`].
    pub async fn auth(&mut self, secret: &[u8]) -> Result<(), Error> {
        let reply = self.ask(&Command::Auth { token: secret }).await?;
        if matches!(reply, Reply::Ok { .. }) {
            Ok(())
        } else if reply == Reply::Failed(Failure::Auth) {
            Err(Error::new(ErrorKind::Denied, "the service does not accept the token"))
        } else if reply == Reply::Failed(Failure::Error) {
            Err(Error::new(ErrorKind::Unsupported, "the service asks for no token, or has been shown one"))
        } else {
            Err(refusal(&reply))
        }
    }

    /// `ping`: shows that this end lives. A service closes connections that are silent for too long: dflockd and Tenure
    /// after 23 s, unless told otherwise. dflockd knows it since 1.14.
    ///
    /// # Errors
    ///
    /// `Unsupported` from older services; they have heard it all the same.
    ///
    /// # Cancel safety
    ///
    /// None: see [`Client`].
    pub async fn ping(&mut self) -> Result<(), Error> {
        self.done(&Command::Ping).await
    }

    /// `l`, `sl`: takes a permit, waiting up to `wait` for it; zero tries once. Without a `lease` the service chooses
    /// it.
    ///
    /// # Errors
    ///
    /// `LimitMismatch` when the semaphore has another limit; `Full` when there are too many keys, or too many wait for
    /// this one; `Unavailable` when the service cannot grant anything now.
    ///
    /// # Cancel safety
    ///
    /// None: see [`Client`]. The service takes the permit back when the connection is closed.
    pub async fn acquire(
        &mut self,
        key: Key<'_>,
        wait: Duration,
        lease: Option<Duration>,
    ) -> Result<Acquired, Error> {
        let (key, limit) = key.parts()?;
        let is_tenure = self.is_tenure;
        let reply = self.link.ask(&Command::Acquire { key, limit, wait, lease }, wait).await?;
        if let Reply::Ok { rest } = reply {
            grant(rest, is_tenure).map(Acquired::Granted)
        } else if reply == Reply::Timeout {
            Ok(Acquired::TimedOut)
        } else {
            Err(ungranted(&reply))
        }
    }

    /// `e`, `se`: takes a permit, or a place in line to [`wait`](Self::wait) in. Without a `lease` the service chooses
    /// it.
    ///
    /// # Errors
    ///
    /// As those of [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    ///
    /// None: see [`Client`]. The service takes permit and place back when the connection is closed.
    pub async fn enqueue(&mut self, key: Key<'_>, lease: Option<Duration>) -> Result<Enqueued, Error> {
        let (key, limit) = key.parts()?;
        let is_tenure = self.is_tenure;
        let reply = self.ask(&Command::Enqueue { key, limit, lease }).await?;
        if let Reply::Acquired { rest } = reply {
            grant(rest, is_tenure).map(Enqueued::Granted)
        } else if reply == Reply::Queued {
            Ok(Enqueued::Queued)
        } else if reply == Reply::Failed(Failure::AlreadyEnqueued) {
            Ok(Enqueued::Already)
        } else {
            Err(ungranted(&reply))
        }
    }

    /// `w`, `sw`: waits up to `wait` for what this connection has enqueued for; zero looks once. The lease of the grant
    /// starts with the answer.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the service cannot grant anything now.
    ///
    /// # Cancel safety
    ///
    /// None: see [`Client`]. The service takes permit and place back when the connection is closed.
    pub async fn wait(&mut self, key: Key<'_>, wait: Duration) -> Result<Waited, Error> {
        let (key, _) = key.parts()?;
        let is_tenure = self.is_tenure;
        let reply = self.link.ask(&Command::Wait { key, wait }, wait).await?;
        if let Reply::Ok { rest } = reply {
            grant(rest, is_tenure).map(Waited::Granted)
        } else if reply == Reply::Timeout {
            Ok(Waited::TimedOut)
        } else if reply == Reply::Failed(Failure::NotEnqueued) {
            Ok(Waited::NotEnqueued)
        } else if reply == Reply::Failed(Failure::LeaseExpired) {
            Ok(Waited::LeaseExpired)
        } else {
            Err(ungranted(&reply))
        }
    }

    /// `r`, `sr`: ends a grant, whichever connection it was made for.
    ///
    /// # Errors
    ///
    /// Those of [`Client`].
    ///
    /// # Cancel safety
    ///
    /// None: see [`Client`]. Releasing again, over another connection, is harmless.
    pub async fn release(&mut self, key: Key<'_>, token: &Token) -> Result<Released, Error> {
        let (key, _) = key.parts()?;
        let reply = self.ask(&Command::Release { key, token: token.as_bytes() }).await?;
        if matches!(reply, Reply::Ok { .. }) {
            Ok(Released::Released)
        } else if reply == Reply::Failed(Failure::Error) {
            Ok(Released::Gone)
        } else {
            Err(refusal(&reply))
        }
    }

    /// `n`, `sn`: lets a grant last for `lease` from now on; without one, for what the service takes where none is
    /// named.
    ///
    /// # Errors
    ///
    /// Those of [`Client`].
    ///
    /// # Cancel safety
    ///
    /// None: see [`Client`]. Renewing again, over another connection, is harmless.
    pub async fn renew(
        &mut self,
        key: Key<'_>,
        token: &Token,
        lease: Option<Duration>,
    ) -> Result<Renewed, Error> {
        let (key, _) = key.parts()?;
        let reply = self.ask(&Command::Renew { key, token: token.as_bytes(), lease }).await?;
        if let Reply::Ok { rest } = reply {
            Ok(Renewed::For { lease: parse_lease(rest, lease.unwrap_or(LEASE_UNTOLD)) })
        } else if reply == Reply::Failed(Failure::Error) {
            Ok(Renewed::Gone)
        } else {
            Err(refusal(&reply))
        }
    }

    /// `bind`: chooses what the further grants of this connection end with: with the connection, as at first, or with
    /// their lease alone. Tenure's own.
    ///
    /// # Errors
    ///
    /// `Unsupported` from other services; `Invalid` for a bond that this protocol does not have.
    ///
    /// # Cancel safety
    ///
    /// None: see [`Client`].
    pub async fn bind(&mut self, bond: Bond) -> Result<(), Error> {
        self.done(&Command::Bind { bond }).await?;
        self.is_tenure = true;
        Ok(())
    }

    /// `stats`: the keys and channels of the service, as JSON.
    ///
    /// # Errors
    ///
    /// Those of [`Client`].
    ///
    /// # Cancel safety
    ///
    /// None: see [`Client`].
    pub async fn stats(&mut self) -> Result<String, Error> {
        self.report(&Command::Stats).await
    }

    /// `inspect`: who holds the keys that match, as JSON. In the pattern a `*` stands for any run of bytes, everything
    /// else for itself. Tenure's own.
    ///
    /// # Errors
    ///
    /// `Unsupported` from other services.
    ///
    /// # Cancel safety
    ///
    /// None: see [`Client`].
    pub async fn inspect(&mut self, pattern: &[u8]) -> Result<String, Error> {
        let report = self.report(&Command::Inspect { glob: pattern }).await?;
        self.is_tenure = true;
        Ok(report)
    }

    /// `info`: which server this is and what it has used so far, as JSON. Tenure's own.
    ///
    /// # Errors
    ///
    /// `Unsupported` from other services.
    ///
    /// # Cancel safety
    ///
    /// None: see [`Client`].
    pub async fn info(&mut self) -> Result<String, Error> {
        let report = self.report(&Command::Info).await?;
        self.is_tenure = true;
        Ok(report)
    }

    /// `signal`: tells everyone who listens to the channel; how many they are.
    ///
    /// # Errors
    ///
    /// `Invalid` for a channel that nobody can listen to, and for a payload that is blank or has a line end in it;
    /// `Unsupported` from services without signals.
    ///
    /// # Cancel safety
    ///
    /// None: see [`Client`].
    pub async fn signal(&mut self, channel: &[u8], payload: &[u8]) -> Result<u64, Error> {
        let subject = tenure_core::Subject::new(channel).map_err(|error| {
            Error::with_source(ErrorKind::Invalid, "nobody can listen to this channel", error)
        })?;
        let reply = self.ask(&Command::Signal { subject, payload }).await?;
        if let Reply::Ok { rest } = reply {
            std::str::from_utf8(rest)
                .ok()
                .and_then(|count| count.trim().parse().ok())
                .ok_or_else(|| refusal(&Reply::Ok { rest }))
        } else {
            Err(refusal(&reply))
        }
    }

    /// `listen`: hears the signals whose channel matches, with [`next_signal`](Self::next_signal), as often as there are
    /// patterns; the members of a group hear each signal in turn.
    ///
    /// # Errors
    ///
    /// `Invalid` for what is no pattern; `Unsupported` from services without signals, and beyond the most that one
    /// connection may listen to.
    ///
    /// # Cancel safety
    ///
    /// None: see [`Client`].
    pub async fn listen(&mut self, pattern: &[u8], group: Option<&[u8]>) -> Result<(), Error> {
        self.done(&Command::Listen { pattern, group }).await
    }

    /// `unlisten`: hears them no more. Signals that are under way still come.
    ///
    /// # Errors
    ///
    /// As those of [`listen`](Self::listen).
    ///
    /// # Cancel safety
    ///
    /// None: see [`Client`].
    pub async fn unlisten(&mut self, pattern: &[u8], group: Option<&[u8]>) -> Result<(), Error> {
        self.done(&Command::Unlisten { pattern, group }).await
    }

    /// The next signal; it may have come while something else was asked. Of those that nobody takes, the newest 1024 are
    /// kept: see [`signals_missed`](Self::signals_missed).
    ///
    /// # Errors
    ///
    /// `Indeterminate` when the connection ends, and the others of [`Client`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next_signal(&mut self) -> Result<Signal, Error> {
        self.link.signal().await
    }

    /// How many signals were forgotten because nobody took them.
    #[must_use]
    pub const fn signals_missed(&self) -> u64 {
        self.link.signals_missed()
    }

    async fn ask(&mut self, command: &Command<'_>) -> Result<Reply<'_>, Error> {
        self.link.ask(command, Duration::ZERO).await
    }

    async fn done(&mut self, command: &Command<'_>) -> Result<(), Error> {
        let reply = self.ask(command).await?;
        if matches!(reply, Reply::Ok { .. }) { Ok(()) } else { Err(refusal(&reply)) }
    }

    async fn report(&mut self, command: &Command<'_>) -> Result<String, Error> {
        let reply = self.ask(command).await?;
        if let Reply::Ok { rest } = reply {
            String::from_utf8(rest.to_vec()).map_err(|error| {
                Error::with_source(ErrorKind::Unsupported, "the answer cannot be read", error)
            })
        } else {
            Err(refusal(&reply))
        }
    }
}

fn grant(rest: &[u8], is_tenure: bool) -> Result<Grant, Error> {
    let line::Grant { token, lease } =
        line::Grant::parse(rest).ok_or_else(|| refusal(&Reply::Ok { rest }))?;
    let fence = is_tenure.then(|| tenure_core::Token::from_text(token).ok()).flatten();
    Ok(Grant { token: Token::new(token), fence: fence.map(|token| token.fence), lease })
}

/// The error for a permit that is neither granted nor awaited. Whatever a client asks for is well formed, so a bare
/// `error` is one of a service that is about to stop, or has no fences to give.
fn ungranted(reply: &Reply<'_>) -> Error {
    if *reply == Reply::Failed(Failure::Error) {
        return Error::new(ErrorKind::Unavailable, "the service cannot grant anything now");
    }
    refusal(reply)
}
