//! `tenure run`: a command that runs while it holds a lock.

mod belief;
mod child;
pub(crate) mod exec;
pub(crate) mod guard;
mod held;
mod job;
mod keys;
mod signals;
mod supervise;
mod take;
mod terminal;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use tenure::Clock;
use tenure_core::{TTL_MAX, TTL_MIN};

use crate::args::Service;
use crate::exit::{self, Exit, Failure};
use crate::{query, say, span};
use child::Child;
use held::{Ending, Held};
use keys::keys;
use signals::Signals;
use supervise::{Ended, Stops};
use take::{Patience, Taking, Untaken, Wanted};

const EXAMPLES: &str = "\
The command sees TENURE_KEY, TENURE_FENCE and TENURE_TOKEN; with several keys, the values of each,
separated by blanks, in the order of the sorted keys. Give the fence to whatever the lock protects
and have that refuse a lower one: a lease alone cannot protect it from a holder that was suspended.

When the lock is lost, or `tenure run` is killed, the command is ended with all that runs in its
process group. What leaves that group (setsid, a daemon) is out of reach.

Examples:
  tenure run nightly-backup -- ./backup.sh
  tenure run -n deploy -- make deploy                # do not wait
  tenure run -w 5m db web -- ./migrate.sh            # both or none, within five minutes
  tenure run --limit 4 encoder -- ffmpeg …           # four at a time
  tenure run --limit 8 --permits 3 gpu -- ./train    # three of the eight permits
  tenure run --label \"$USER\" deploy -- make deploy  # what `tenure show deploy` tells";

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

    /// Take N of the M permits of each key [default: 1]
    #[arg(long, value_name = "N", requires = "limit", value_parser = clap::value_parser!(u32).range(1..))]
    permits: Option<u32>,

    /// How long the lock lasts without a renewal, as 30s or 500ms. It is renewed at a third of that; without an answer
    /// the command is ended before this is over
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = ttl)]
    ttl: Duration,

    /// What others see of this run, with its host and process
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    label: String,

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
    let clock = Clock::system();
    let wanted = wanted(args, &clock)?;
    let mut signals =
        Signals::listen().map_err(|error| Failure::from(Exit::Refused, "cannot listen to signals", error))?;
    let at = args.service.url.to_string();
    let mut taking = Taking { wanted: &wanted, clock: &clock, at: &at, signals: &mut signals };
    let builder = query::builder(&args.service)?.label(&args.label);
    let tenure = match taking.answer(&[], builder.connect(&at)).await {
        Ok(tenure) => tenure,
        Err(untaken) => return not_taken(args, untaken),
    };
    match taking.all(&tenure).await {
        Ok(held) => hold(args, held, &clock, &mut signals).await,
        Err(untaken) => {
            query::flush(tenure).await;
            not_taken(args, untaken)
        }
    }
}

fn not_taken(args: &Args, untaken: Untaken) -> Result<u8, Failure> {
    match untaken {
        Untaken::InTime(key) => {
            say::say(format!("\"{key}\" is not free"));
            Ok(args.conflict_exit_code)
        }
        Untaken::Signalled(signal) => Ok(exit::by_signal(signal)),
        Untaken::Failed(failure) => Err(failure),
    }
}

fn wanted(args: &Args, clock: &Clock) -> Result<Wanted, Failure> {
    let patience = match args.wait {
        _ if args.no_wait => Patience::Once,
        Some(wait) => Patience::Until(clock.now().after(wait)),
        None => Patience::Endless,
    };
    let permits = args.permits.unwrap_or(1);
    Ok(Wanted { keys: keys(&args.keys)?, limit: args.limit, permits, ttl: args.ttl, patience })
}

async fn hold(args: &Args, held: Vec<Held>, clock: &Clock, signals: &mut Signals) -> Result<u8, Failure> {
    // Before the command starts: it may be stopped in its first moment.
    let mut stops =
        Stops::listen().map_err(|error| Failure::from(Exit::Refused, "cannot listen to signals", error))?;
    let ended = match Child::start(&args.command, &held).await {
        Ok(mut child) => {
            let ended = supervise::until_ended(&mut child, &held, clock, &mut stops, signals).await;
            child.leave().await;
            ended
        }
        Err(failure) => Err(failure),
    };
    let endings = held::give_back(held, clock).await;
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
            Ending::Lost(lost) => {
                say::say(lost);
                held = false;
            }
            Ending::Gone(key) => {
                say::say(format!("lost \"{key}\": its lease had ended before the command did"));
                held = false;
            }
            Ending::Unanswered { key, error } => {
                let why = error
                    .as_ref()
                    .map_or_else(|| "the service does not answer".to_owned(), |why| exit::chain(why));
                say::say(format!("\"{key}\" may stay locked until its lease ends: {why}"));
            }
        }
    }
    held
}

fn ttl(text: &str) -> Result<Duration, String> {
    let ttl = span::parse(text)?;
    if (TTL_MIN..=TTL_MAX).contains(&ttl) {
        Ok(ttl)
    } else {
        Err("a lease lasts at least 1 ms and at most 24 h".to_owned())
    }
}
