//! A connection to a service: one request at a time, one line for an answer.

mod inbox;

use std::time::Duration;

use tenure::net::{self, Address, Stream};
use tenure_core::Bond;
use tenure_wire::line::{self, Command, Reply, parse_answer};
use tokio::io::AsyncWriteExt as _;

use crate::args::Service;
use crate::exit::{Exit, Failure};
use inbox::Inbox;

/// How long to try to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An open connection.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    inbox: Inbox,
    outbox: Vec<u8>,
    at: Address,
    silence_max: Option<Duration>,
}

/// What matters here of what a server tells of itself.
#[derive(serde::Deserialize)]
struct ReadTimeout {
    read_timeout_s: f64,
}

impl Connection {
    /// Connects, and shows the token where there is one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub(crate) async fn open(service: &Service) -> Result<Self, Failure> {
        let token = service.token()?;
        let stream = net::connect(&service.url, &service.roots(), CONNECT_TIMEOUT)
            .await
            .map_err(|error| Failure::of(&error))?;
        let at = service.url.clone();
        let mut connection =
            Self { stream, inbox: Inbox::default(), outbox: Vec::new(), at, silence_max: None };
        if let Some(token) = token {
            let refused = "the service does not accept the token in --auth-token-file or TENURE_AUTH_TOKEN";
            let reply = connection.ask(&Command::Auth { token: &token }).await?;
            if reply == Reply::Failed(line::Failure::Auth) {
                return Err(Failure::new(Exit::Denied, refused));
            }
            reply.done(Exit::Denied, refused)?;
        }
        Ok(connection)
    }

    /// Gives up from now on when so much time passes without a byte of an answer, however long that is as a whole.
    pub(crate) const fn limit_silence(&mut self, silence_max: Duration) {
        self.silence_max = Some(silence_max);
    }

    /// Sends a request and reads its answer.
    ///
    /// # Cancel safety
    ///
    /// None: after dropping the future the next answer read is the one to this request.
    pub(crate) async fn ask(&mut self, command: &Command<'_>) -> Result<Reply<'_>, Failure> {
        self.send(command).await?;
        self.next().await
    }

    /// Sends a request, whose answer [`Self::next`] reads.
    ///
    /// # Cancel safety
    ///
    /// None: dropping the future may leave half a request behind.
    pub(crate) async fn send(&mut self, command: &Command<'_>) -> Result<(), Failure> {
        self.outbox.clear();
        command
            .encode(&mut self.outbox)
            .map_err(|error| Failure::from(Exit::Usage, "this cannot be asked", error))?;
        self.stream.write_all(&self.outbox).await.map_err(gone)?;
        self.stream.flush().await.map_err(gone)
    }

    /// The next line: an answer, or a signal.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing; what has arrived stays for the next call.
    pub(crate) async fn next(&mut self) -> Result<Reply<'_>, Failure> {
        let limit = self.silence_max.map(|time| (time, &self.at));
        self.inbox.read_line(&mut self.stream, limit).await?;
        Ok(parse_answer(self.inbox.line()))
    }

    /// Makes the grants of this connection outlive it. `false` from a server that is not Tenure and does not know how.
    ///
    /// # Cancel safety
    ///
    /// None: after dropping the future the next answer read is the one to this request.
    pub(crate) async fn bind_to_leases(&mut self) -> Result<bool, Failure> {
        Ok(self.ask(&Command::Bind { bond: Bond::Lease }).await?.accepted()?.is_some())
    }

    /// How long the server lets a connection be silent, if it tells.
    ///
    /// # Cancel safety
    ///
    /// None: after dropping the future the next answer read is the one to this request.
    pub(crate) async fn read_timeout(&mut self) -> Result<Option<Duration>, Failure> {
        let told = self.ask(&Command::Info).await?;
        let info = told.accepted()?.and_then(|json| serde_json::from_slice::<ReadTimeout>(json).ok());
        Ok(info.and_then(|info| Duration::try_from_secs_f64(info.read_timeout_s).ok()))
    }

    /// Tells the server that nothing more will come. What it still has to say can be read.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing; call it again.
    pub(crate) async fn finish(&mut self) -> Result<(), Failure> {
        self.stream.shutdown().await.map_err(gone)
    }
}

/// What answers have in common.
pub(crate) trait Answered {
    /// What follows the `ok`, `None` for an `error`; anything else is a failure.
    fn accepted(&self) -> Result<Option<&[u8]>, Failure>;

    /// `Ok` with what follows the `ok`; anything else as a failure that begins with `refused`.
    fn done(&self, exit: Exit, refused: &str) -> Result<&[u8], Failure>;
}

impl Answered for Reply<'_> {
    fn accepted(&self) -> Result<Option<&[u8]>, Failure> {
        if let Reply::Ok { rest } = *self {
            return Ok(Some(rest));
        }
        if *self == Reply::Failed(line::Failure::Error) { Ok(None) } else { Err(unexpected(self)) }
    }

    fn done(&self, exit: Exit, refused: &str) -> Result<&[u8], Failure> {
        self.accepted()?.ok_or_else(|| Failure::new(exit, refused))
    }
}

/// The failure that an answer stands for which nobody hoped for.
pub(crate) fn unexpected(reply: &Reply<'_>) -> Failure {
    match reply {
        Reply::Failed(line::Failure::Auth) => Failure::new(
            Exit::Denied,
            "the service wants a token: put it into a file and name that with --auth-token-file",
        ),
        Reply::Failed(stopping @ line::Failure::Draining) => {
            Failure::new(Exit::Unavailable, stopping.to_string())
        }
        Reply::Failed(failure) => Failure::from(Exit::Refused, "refused", *failure),
        Reply::Timeout => Failure::new(Exit::Refused, "the service answered that the time is over"),
        Reply::Ok { .. } | Reply::Acquired { .. } | Reply::Queued | Reply::Signal { .. } => {
            Failure::new(Exit::Refused, "the service answered something else than was asked")
        }
        Reply::Unknown(line) if inbox::is_tls_alert(line) => {
            Failure::new(Exit::Unavailable, "the service speaks TLS: name it tenures://HOST:PORT")
        }
        Reply::Unknown(line) => Failure::new(
            Exit::Refused,
            format!("this is no lock service: it answered \"{}\"", shortened(line).escape_ascii()),
        ),
    }
}

fn shortened(line: &[u8]) -> &[u8] {
    &line[..line.len().min(80)]
}

/// The failure that a service stands for which says nothing.
pub(crate) fn silent(at: &Address) -> Failure {
    Failure::new(Exit::Unavailable, format!("the service at {at} does not answer"))
}

fn gone(error: std::io::Error) -> Failure {
    Failure::from(Exit::Unavailable, "the service is gone", error)
}
