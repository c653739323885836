//! `tenure listen`: prints signals as they come.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::Duration;

use tenure_wire::line::{Command, Reply};

use crate::args::Service;
use crate::client::{Answered as _, Connection};
use crate::exit::{Exit, Failure};
use crate::{clock, query, say};

/// How often to show that this end lives, to a service that does not tell how long it may be silent: 23 s, usually.
const PING_EVERY: Duration = Duration::from_secs(15);

/// How long an answer may take.
const ANSWER_MAX: Duration = query::SILENCE_MAX;

const EXAMPLES: &str = "\
A line for each signal: the channel, a blank, the payload. In a pattern `*` stands for one word
between dots, `>` at the end for one or more. Members of a group share the signals among them.

Examples:
  tenure listen 'alerts.>'
  tenure listen jobs.new --group workers | while read -r channel payload; do …; done";

/// Arguments of `tenure listen`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Hear each signal as only one member of this group
    #[arg(long, value_name = "GROUP")]
    group: Option<OsString>,

    /// Which channels to listen to
    #[arg(value_name = "PATTERN")]
    pattern: OsString,

    #[command(flatten)]
    service: Service,
}

/// Prints signals until the connection ends.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    query::block_on(async {
        let (mut connection, ping_every) = query::within(ANSWER_MAX, &args.service, subscribed(args)).await?;
        let mut ping_at = clock::now().after(ping_every);
        loop {
            if let Some(reply) = clock::before(ping_at, connection.next()).await {
                heard(&reply?)?;
            }
            // However much there is to hear: a service counts the silence of this end alone.
            if clock::now() >= ping_at {
                query::within(ANSWER_MAX, &args.service, connection.send(&Command::Ping)).await?;
                ping_at = clock::now().after(ping_every);
            }
        }
    })
}

/// A connection that listens, and how often it has to be used.
async fn subscribed(args: &Args) -> Result<(Connection, Duration), Failure> {
    let mut connection = Connection::open(&args.service).await?;
    let told = connection.read_timeout().await?;
    let ping_every = told.map_or(PING_EVERY, |time| PING_EVERY.min(time / 3));
    let group = args.group.as_deref().map(OsStrExt::as_bytes);
    let listen = Command::Listen { pattern: args.pattern.as_bytes(), group };
    connection.ask(&listen).await?.done(Exit::Refused, "the service does not let this be listened to")?;
    Ok((connection, ping_every))
}

fn heard(reply: &Reply<'_>) -> Result<(), Failure> {
    let Reply::Signal { subject, payload } = *reply else {
        // The answer to a ping, which older services do not know.
        return reply.accepted().map(drop);
    };
    let line = [subject, b" ", payload].concat();
    let line = if std::io::stdout().is_terminal() { say::shown(&line).into_bytes() } else { line };
    say::print(&[line.as_slice(), b"\n"].concat())
}
