//! `tenure release`: ends a grant from outside.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use tenure::Token;
use tenure::coordinator::Released;

use crate::args::Service;
use crate::exit::{Exit, Failure};
use crate::query;
use crate::space::{self, SpaceFlags, Target};

const EXAMPLES: &str = "\
Whoever holds the key is not asked. It is told at once, unless it cannot hear, while the next in line has the key:
make sure first that it does nothing any more, or that its fence is checked.

Example:
  tenure release nightly-backup 18e9df236ce72ee12ef050cb314d0943";

/// Arguments of `tenure release`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    space: SpaceFlags,

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
    let (space, name) = (args.space.or_lock(), args.key.as_bytes());
    space::key(space, name)?;
    let token = Token::from_text(args.token.as_bytes())
        .map_err(|error| Failure::from(Exit::Usage, "this cannot be a token", error))?;
    query::block_on(async {
        let tenure = query::connect(&args.service).await?;
        let target = Target::new(&tenure, space, name);
        if query::answer(&args.service, target.release_token(token)).await? == Released::Released {
            return Ok(ExitCode::SUCCESS);
        }
        Err(Failure::new(
            Exit::Refused,
            "nobody holds the key with that token: it was released, or its lease has ended",
        ))
    })
}
