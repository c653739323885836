//! `tenure signal`: tells everyone who listens.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use crate::args::Service;
use crate::exit::Failure;
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
    query::block_on(async {
        let tenure = query::connect(&args.service).await?;
        let sending = tenure.signal(args.channel.as_bytes(), args.payload.as_bytes());
        let heard = query::answer(&args.service, sending).await?;
        say::print(format!("{heard}\n").as_bytes())?;
        Ok(ExitCode::SUCCESS)
    })
}
