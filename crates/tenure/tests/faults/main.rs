//! Processes that die, stand still or lose their connections at every step of acquiring, holding and releasing, and the
//! history of what they believed: two at once never did.
//!
//! The program is its own worker: started with [`worker::VARIABLE`] it acquires and releases, and tells what it believes.
#![allow(clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test stops at what it did not expect")]

mod checking;
mod crew;
mod cutting;
mod history;
mod killing;
mod proxy;
mod stopping;
mod worker;

use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;
use std::time::Duration;

/// How long a lease lives.
const TTL: Duration = Duration::from_millis(600);
/// How long everyone may wait for a holder that has died: its lease, and a second for everything else.
const SUCCESSION: Duration = Duration::from_millis(1600);
/// A wait for what comes, if it comes at all.
const SOON: Duration = Duration::from_secs(20);
/// How long a trial may take before it has failed.
const PATIENCE: Duration = Duration::from_secs(100);
/// Most of the time everyone waits for leases to end.
const AT_ONCE: usize = 8;

fn main() -> ExitCode {
    if let Ok(orders) = std::env::var(worker::VARIABLE) {
        return worker::run(&orders);
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(AT_ONCE));
    let trials = [checking::trials(), killing::trials(), stopping::trials(), cutting::trials()];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit_code()
}

/// A trial with a runtime of its own, which ends in any case.
fn trial<F: Future<Output = ()> + 'static>(name: &str, play: fn() -> F) -> Trial {
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let played = runtime.block_on(async { tokio::time::timeout(PATIENCE, play()).await });
        runtime.shutdown_background();
        played.map_err(|_| Failed::from("it took too long"))
    })
}

/// A file for what a trial has to say.
fn trial_file() -> std::path::PathBuf {
    let name = format!("faults-{}-{:x}.txt", std::process::id(), tenure::entropy::number());
    std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// What comes soon, if it comes at all.
async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.unwrap_or_else(|_| panic!("{what}: it never came"))
}
