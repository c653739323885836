//! `tenure ls`: who holds what.

mod report;
mod table;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use serde::de::DeserializeOwned;
use tenure::net::Address;

use crate::args::Service;
use crate::exit::{Exit, Failure};
use crate::{query, say};
use report::{Report, Untouched};

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
        if args.json
            && let [address] = args.service.url.addresses()
        {
            // As it was told: it may be long.
            say::print((report(args, address).await? + "\n").as_bytes())?;
        } else if args.json {
            let reports = reports::<Untouched>(args).await?;
            say::print_json(&Untouched {
                keys: reports.into_iter().flat_map(|report| report.keys).collect(),
            })?;
        } else {
            let mut keys: Vec<_> =
                reports::<Report>(args).await?.into_iter().flat_map(|report| report.keys).collect();
            keys.sort_by(|one, other| (&one.key, &one.space).cmp(&(&other.key, &other.space)));
            table::print(&Report { keys })?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// What each service tells.
async fn reports<T: DeserializeOwned>(args: &Args) -> Result<Vec<T>, Failure> {
    let mut reports = Vec::new();
    for address in args.service.url.addresses() {
        let report = serde_json::from_str(&report(args, address).await?)
            .map_err(|error| Failure::from(Exit::Refused, "the answer cannot be read", error))?;
        reports.push(report);
    }
    Ok(reports)
}

/// What one of them tells.
async fn report(args: &Args, address: &Address) -> Result<String, Failure> {
    let mut client = query::reporter(&args.service, address).await?;
    client.inspect(args.pattern.as_bytes()).await.map_err(|error| Failure::of(&error))
}
