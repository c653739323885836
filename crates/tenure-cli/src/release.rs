//! `tenure release`: ends a grant from outside.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use tenure_core::Space;
use tenure_wire::line::Command;

use crate::args::Service;
use crate::client::Answered as _;
use crate::exit::{Exit, Failure};
use crate::query;
use crate::run::keys;

const EXAMPLES: &str = "\
Whoever holds the key is not asked. It learns of it only with its next renewal (`tenure run`: within 10 s), while the
next in line has the key at once: make sure first that it does nothing any more, or that its fence is checked.

Example:
  tenure release nightly-backup 18e9df236ce72ee12ef050cb314d0943";

/// Arguments of `tenure release`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The key is a semaphore's
    #[arg(long)]
    semaphore: bool,

    /// What is locked
    #[arg(value_name = "KEY")]
    key: OsString,

    /// What the grant was answered with, and a command under the lock finds in TENURE_TOKEN
    #[arg(value_name = "TOKEN")]
    token: OsString,

    #[command(flatten)]
    service: Service,
}

/// Releases.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let space = if args.semaphore { Space::Semaphore } else { Space::Lock };
    let key = keys::check(space, args.key.as_bytes())?;
    let release = Command::Release { key, token: args.token.as_bytes() };
    query::ask(&args.service, &release, |reply| {
        let refused = "nobody holds the key with that token: it was released, or its lease has ended";
        reply.done(Exit::Refused, refused).map(|_| ExitCode::SUCCESS)
    })
}
