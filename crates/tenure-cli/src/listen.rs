//! `tenure listen`: prints signals as they come.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use tenure::coordinator::Signal;

use crate::args::Service;
use crate::exit::{Exit, Failure};
use crate::{query, say};

const EXAMPLES: &str = "\
A line for each signal: the channel, a blank, the payload. In a pattern `*` stands for one word
between dots, `>` at the end for one or more. Members of a group share the signals among them.
When the connection breaks it is made again; what was sent in between is lost.

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

/// Prints signals until it is interrupted.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let group = args.group.as_deref().map(OsStrExt::as_bytes);
    query::block_on(async {
        let tenure = query::connect(&args.service).await?;
        let mut signals = query::answer(&args.service, tenure.listen(args.pattern.as_bytes(), group)).await?;
        while let Some(signal) = signals.next().await {
            print(&signal)?;
        }
        Err(Failure::new(Exit::Unavailable, "the service is gone"))
    })
}

fn print(signal: &Signal) -> Result<(), Failure> {
    let line = [&signal.channel[..], b" ", &signal.payload].concat();
    let line = if std::io::stdout().is_terminal() { say::shown(&line).into_bytes() } else { line };
    say::print(&[line.as_slice(), b"\n"].concat())
}
