//! `tenure steal`: takes a key away from whoever holds it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use tenure::Fence;

use crate::args::Service;
use crate::exit::Failure;
use crate::space::{self, SpaceFlags, Target};
use crate::{query, say};

const EXAMPLES: &str = "\
The holders are told at once, with the reason: `tenure run` ends its command, a guard of the library is lost. The next in
line has the key at once, whether they hear of it or not: make sure that its fence is checked. Printed is how many grants
were taken away.

Examples:
  tenure steal nightly-backup --reason 'host-3 is on fire'
  tenure steal --semaphore encoder --fence 17 --reason 'stuck since Monday'";

/// Arguments of `tenure steal`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    space: SpaceFlags,

    /// Take away only the grant with this fence [default: all of them]
    #[arg(long, value_name = "FENCE")]
    fence: Option<u64>,

    /// Why, for the holders to read
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Which key
    #[arg(value_name = "KEY")]
    key: OsString,

    #[command(flatten)]
    service: Service,
}

/// Takes it away.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let (space, name) = (args.space.or_lock(), args.key.as_bytes());
    space::key(space, name)?;
    query::block_on(async {
        let tenure = query::connect(&args.service).await?;
        let target = Target::new(&tenure, space, name);
        let stolen =
            query::answer(&args.service, target.steal(args.fence.map(Fence::new), &args.reason)).await?;
        say::print(format!("{stolen}\n").as_bytes())?;
        Ok(ExitCode::SUCCESS)
    })
}
