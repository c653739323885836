//! `tenure ls`: who holds what.

mod report;
mod table;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use crate::args::Service;
use crate::exit::{Exit, Failure};
use crate::{query, say};
use report::Report;

const EXAMPLES: &str = "\
In a pattern `*` stands for anything, everything else for itself.

Examples:
  tenure ls
  tenure ls 'backup-*'
  tenure ls --json | jq '.keys[] | select(.waiters > 0)'";

/// Arguments of `tenure ls`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Print JSON: one object, whose `keys` have space, key, limit, holders, waiters and idle_s
    #[arg(long)]
    json: bool,

    /// Which keys
    #[arg(value_name = "PATTERN", default_value = "*", hide_default_value = true)]
    pattern: OsString,

    #[command(flatten)]
    service: Service,
}

/// Prints the keys.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    query::block_on(async {
        let mut client = query::reporter(&args.service).await?;
        let told = client.inspect(args.pattern.as_bytes()).await;
        let json = told.map_err(|error| Failure::of(&error))?;
        if args.json {
            say::print(format!("{json}\n").as_bytes())?;
        } else {
            let mut report = serde_json::from_str::<Report>(&json)
                .map_err(|error| Failure::from(Exit::Refused, "the answer cannot be read", error))?;
            report.keys.sort_by(|one, other| (&one.key, &one.space).cmp(&(&other.key, &other.space)));
            table::print(&report)?;
        }
        Ok(ExitCode::SUCCESS)
    })
}
