//! `tenure signal`: tells everyone who listens.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use tenure_core::Subject;
use tenure_wire::line::Command;

use crate::args::Service;
use crate::client::Answered as _;
use crate::exit::{Exit, Failure};
use crate::{query, say};

const EXAMPLES: &str = "\
A signal is heard by those who listen now, and by nobody later. Printed is how many that were.

Example:
  tenure signal alerts.disk \"host-7 is full\"";

/// Arguments of `tenure signal`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What it is about: words separated by dots
    #[arg(value_name = "CHANNEL")]
    channel: OsString,

    /// What to tell
    #[arg(value_name = "PAYLOAD")]
    payload: OsString,

    #[command(flatten)]
    service: Service,
}

/// Sends the signal.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let subject = Subject::new(args.channel.as_bytes())
        .map_err(|error| Failure::from(Exit::Usage, "nobody can listen to this channel", error))?;
    let signal = Command::Signal { subject, payload: args.payload.as_bytes() };
    query::ask(&args.service, &signal, |reply| {
        let heard = reply.done(Exit::Refused, "the service does not take signals")?;
        say::print(&[heard, b"\n"].concat())?;
        Ok(ExitCode::SUCCESS)
    })
}
