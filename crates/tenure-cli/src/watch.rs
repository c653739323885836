//! `tenure watch`: what happens to a key, as it happens.

mod event;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use tenure::Watch;
use tenure::coordinator::Seen;
use tenure_core::Space;
use tokio::sync::mpsc;

use crate::args::Service;
use crate::exit::{Exit, Failure};
use crate::space::{self, SpaceFlags, Target};
use crate::{query, say};
use event::Event;

const EXAMPLES: &str = "\
A line for each thing that happens, until it is interrupted. A lock, a semaphore and a read-write lock of the same name
are three keys: all of them are watched. \"missed\" says that more happened than could be told.

Examples:
  tenure watch nightly-backup
  tenure watch --json leader | jq -r --unbuffered 'select(.event == \"granted\").label'";

/// Arguments of `tenure watch`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Print JSON: an object for each line, with space, event, and what belongs to it
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

/// Prints what happens until the service is gone.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let name = args.key.as_bytes();
    query::block_on(async {
        space::key(Space::Lock, name)?;
        let tenure = query::connect(&args.service).await?;
        let (sender, mut seen) = mpsc::channel(1);
        for space in args.space.or_all() {
            let target = Target::new(&tenure, space, name);
            let watch = query::answer(&args.service, target.watch()).await?;
            tokio::spawn(pass_on(space, watch, sender.clone()));
        }
        drop(sender);
        while let Some((space, seen)) = seen.recv().await {
            print(args, &Event::new(space, &seen))?;
        }
        Err(Failure::new(Exit::Unavailable, "the service is gone"))
    })
}

async fn pass_on(space: Space, mut watch: Watch, to: mpsc::Sender<(Space, Seen)>) {
    while let Some(seen) = watch.next().await {
        if to.send((space, seen)).await.is_err() {
            break;
        }
    }
}

fn print(args: &Args, event: &Event) -> Result<(), Failure> {
    if args.json { say::print_json(event) } else { say::print(format!("{event}\n").as_bytes()) }
}
