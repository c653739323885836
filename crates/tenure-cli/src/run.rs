//! `tenure run`: a command that runs while it holds a lock.

mod attempt;
mod belief;
mod child;
pub(crate) mod exec;
pub(crate) mod guard;
mod hold;
mod job;
mod keeper;
pub(crate) mod keys;
mod signals;
mod supervise;
mod take;
mod terminal;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use tenure_core::{Limit, Space};
use tenure_wire::line::SECONDS_MAX;

use crate::args::Service;
use crate::exit::{self, Exit, Failure};
use crate::{clock, query, say, span};
use child::Child;
use keeper::{Ending, Keeper, Losses};
use keys::keys;
use signals::Signals;
use supervise::{Ended, Stops};
use take::{Patience, Untaken, Wanted};

const EXAMPLES: &str = "\
The command sees TENURE_KEY, TENURE_FENCE and TENURE_TOKEN; with several keys, the values of each,
separated by blanks, in the order of the sorted keys. Give the fence to whatever the lock protects
and have that refuse a lower one: a lease alone cannot protect it from a holder that was suspended.

When the lock is lost, or `tenure run` is killed, the command is ended with all that runs in its process
group. What leaves that group (setsid, a daemon) is out of reach. Each key takes a connection.

Examples:
  tenure run nightly-backup -- ./backup.sh
  tenure run -n deploy -- make deploy            # do not wait
  tenure run -w 5m db web -- ./migrate.sh        # both or none, within five minutes
  tenure run --limit 4 encoder -- ffmpeg …       # four at a time";

/// Arguments of `tenure run`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::TABLE))]
pub(crate) struct Args {
    /// Try once: do not wait when someone else holds the lock
    #[arg(short = 'n', long, conflicts_with = "wait")]
    no_wait: bool,

    /// Wait at most this long for all the keys together, as 30s or 5m [default: for ever]
    #[arg(short, long, value_name = "TIME", value_parser = span::parse)]
    wait: Option<Duration>,

    /// Let M hold each key at a time: a semaphore instead of a lock
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,

    /// How long the lock lasts without a renewal, in whole seconds (rounded up). It is renewed at a third of that, and
    /// at least every 10 s; without an answer the command is ended before this is over
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = ttl)]
    ttl: Duration,

    /// The exit code when the lock was not acquired
    #[arg(short = 'E', long, value_name = "CODE", default_value_t = exit::NOT_ACQUIRED)]
    conflict_exit_code: u8,

    /// What to lock
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<OsString>,

    /// What to run, executed directly and not by a shell
    #[arg(value_name = "COMMAND", required = true, last = true)]
    command: Vec<OsString>,

    #[command(flatten)]
    service: Service,
}

/// Takes the keys, runs the command, gives the keys back.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    // On this thread: the command dies with the thread that started it.
    query::block_on(under_lock(args)).map(ExitCode::from)
}

async fn under_lock(args: &Args) -> Result<u8, Failure> {
    let wanted = wanted(args)?;
    let mut signals =
        Signals::listen().map_err(|error| Failure::from(Exit::Refused, "cannot listen to signals", error))?;
    let mut losses = Losses::new(wanted.keys.len());
    match take::take_all(&wanted, &mut signals, &mut losses).await {
        Ok(keepers) => hold(args, keepers, &mut signals, &mut losses).await,
        Err(Untaken::InTime(key)) => {
            say::say(format!("\"{key}\" is not free"));
            Ok(args.conflict_exit_code)
        }
        Err(Untaken::Signalled(signal)) => Ok(exit::by_signal(signal)),
        Err(Untaken::Failed(failure)) => Err(failure),
    }
}

fn wanted(args: &Args) -> Result<Wanted<'_>, Failure> {
    let (space, limit) = match args.limit.and_then(Limit::new) {
        Some(limit) => (Space::Semaphore, limit),
        None => (Space::Lock, Limit::ONE),
    };
    let patience = match args.wait {
        _ if args.no_wait => Patience::Once,
        Some(wait) => Patience::Until(clock::now().after(wait)),
        None => Patience::Endless,
    };
    Ok(Wanted { service: &args.service, keys: keys(space, &args.keys)?, limit, ttl: args.ttl, patience })
}

async fn hold(
    args: &Args,
    keepers: Vec<Keeper>,
    signals: &mut Signals,
    losses: &mut Losses,
) -> Result<u8, Failure> {
    // Before the command starts: it may be stopped in its first moment.
    let mut stops =
        Stops::listen().map_err(|error| Failure::from(Exit::Refused, "cannot listen to signals", error))?;
    let ended = match Child::start(&args.command, &keepers).await {
        Ok(mut child) => {
            let ended = supervise::until_ended(&mut child, &keepers, &mut stops, signals, losses).await;
            child.leave().await;
            ended
        }
        Err(failure) => Err(failure),
    };
    let endings = keeper::give_back(&args.service, keepers).await;
    match ended? {
        Ended::ByItself(code) if held_throughout(&endings) => Ok(code),
        Ended::ByItself(_) | Ended::WithoutLock => Ok(exit::LOST),
    }
}

/// Whether everything was held to the end; says what was not.
fn held_throughout(endings: &[Ending]) -> bool {
    let mut held = true;
    for ending in endings {
        match ending {
            Ending::Released => {}
            Ending::Lost(loss) => {
                say::say(loss);
                held = false;
            }
            Ending::Lapsed(key) => {
                say::say(format!("lost \"{key}\": its lease had ended before the command did"));
                held = false;
            }
            Ending::Unanswered { key, failure } => {
                let failure = exit::chain(failure);
                say::say(format!("\"{key}\" may stay locked until its lease ends: {failure}"));
            }
        }
    }
    held
}

fn ttl(text: &str) -> Result<Duration, String> {
    let ttl = span::whole_seconds(span::parse(text)?);
    if (1..=SECONDS_MAX).contains(&ttl.as_secs()) {
        Ok(ttl)
    } else {
        Err(format!("a lock lasts at least 1 s and at most {SECONDS_MAX} s"))
    }
}
