//! A cron job that must not run twice at once.
//!
//! Every machine has it in its crontab. Whoever gets the lock does the job, the others say so and end. When the lock is lost
//! half-way (the daemon is gone, the network is cut) the job is killed before anybody else can start it.
//!
//! Two of it at once, with a daemon (`cargo run --release -- serve`) beside them:
//!
//! ```console
//! $ alias cron_once='cargo run --quiet --package tenure-examples --bin cron_once --'
//! $ cron_once nightly-backup sleep 5 & cron_once nightly-backup sleep 5; wait
//! nightly-backup: running, with fence 1795213744023503220
//! nightly-backup: somebody else is at it
//! nightly-backup: done
//! ```
//!
//! The job finds its fence in `TENURE_FENCE`. One that must not run twice a day, even when the second start comes after the
//! end of the first, notes the day where it writes its results, in the same step.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "cron sends what a job prints to its owner")]

use std::process::ExitCode;
use std::time::Duration;
use tenure::{Error, ErrorKind, Tenure};
use tokio::process::Command;

#[tokio::main]
async fn main() -> Result<ExitCode, Error> {
    let mut arguments = std::env::args().skip(1);
    let (Some(key), Some(program)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: cron_once KEY PROGRAM [ARGUMENT…]");
        return Ok(ExitCode::from(2));
    };
    let url = std::env::var("TENURE_URL").unwrap_or("tenure://127.0.0.1:6388".into());
    let tenure = Tenure::connect(&url).await?;
    let lock = tenure.lock(&key).ttl(Duration::from_secs(10)).label(format!("cron_once {program}"));

    let ran = lock
        .with_lock_if_available(async |guard| {
            println!("{key}: running, with fence {}", guard.fence());
            let mut job = Command::new(&program);
            job.args(arguments).env("TENURE_FENCE", guard.fence().to_string());
            // The job goes when this future is dropped, and that is when the lock is lost.
            job.kill_on_drop(true).status().await
        })
        .await;

    match ran {
        Ok(None) => println!("{key}: somebody else is at it"),
        Ok(Some(Ok(status))) if status.success() => println!("{key}: done"),
        Ok(Some(Ok(status))) => return failed(&key, &status),
        Ok(Some(Err(error))) => return failed(&key, &error),
        Err(error) if matches!(error.kind(), ErrorKind::Lost(_)) => return failed(&key, &error),
        Err(error) => return Err(error),
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(key: &str, why: &dyn std::fmt::Display) -> Result<ExitCode, Error> {
    eprintln!("{key}: {why}");
    Ok(ExitCode::FAILURE)
}
