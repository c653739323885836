//! `tenure show`: everything about one key.

pub(crate) mod json;
mod page;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use tenure_core::{Inspection, Space};

use crate::args::Service;
use crate::exit::Failure;
use crate::space::{self, SpaceFlags};
use crate::{query, say, table};

pub(crate) use page::ending;

const EXAMPLES: &str = "\
A lock, a semaphore and a read-write lock of the same name are three keys: all that exist are shown.

Examples:
  tenure show nightly-backup
  tenure show --json nightly-backup | jq -r '.keys[].holders[].host'";

/// Arguments of `tenure show`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Print JSON: one object, whose `keys` have space, key, limit, held, holders, waiters and past
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    space: SpaceFlags,

    /// Which key
    #[arg(value_name = "KEY")]
    key: OsString,

    #[command(flatten)]
    service: Service,
}

/// Prints the key.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let name = args.key.as_bytes();
    let keys = query::block_on(inspect(args, name))?;
    if args.json {
        let keys = keys.iter().map(|(space, key)| json::Key::new(*space, name, key)).collect();
        say::print_json(&json::Shown { keys })?;
    } else if keys.is_empty() {
        say::say(format!("nobody uses \"{}\", or has lately", say::shown(name)));
    } else {
        let tables: Vec<String> =
            keys.iter().flat_map(|(space, key)| page::tables(*space, name, key)).collect();
        table::print(&tables)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The keys of that name, in the name spaces that are meant.
async fn inspect(args: &Args, name: &[u8]) -> Result<Vec<(Space, Inspection)>, Failure> {
    space::key(Space::Lock, name)?;
    let tenure = query::connect(&args.service).await?;
    let keys = query::answer(&args.service, tenure.inspect(name)).await?;
    let meant = args.space.or_all();
    Ok(keys.into_iter().filter(|(space, _)| meant.contains(space)).collect())
}
