//! One table of cases for every coordinator: what is told of it below holds wherever claims become grants.
#![allow(clippy::panic, clippy::wildcard_enum_match_arm, reason = "a case stops at what it did not expect")]

mod bed;
mod cases;

use bed::Bed;
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;
use std::time::Duration;

/// How long a case may take before it has failed: far longer than any does.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // Where there is nothing between a client and the engine, a client dies with everything.
    let places = [("local", false, bed::local as fn() -> Bed), ("remote", true, bed::remote)];
    let trials = places.iter().flat_map(|(place, mortal, bed)| {
        let cases = cases::all().into_iter().filter(|case| *mortal || !case.mortal);
        cases.map(move |case| {
            let bed = *bed;
            Trial::test(format!("{place}::{}", case.id), move || {
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
                let outcome = runtime.block_on(async {
                    let bed = bed();
                    let run = tokio::spawn((case.run)(bed));
                    tokio::time::timeout(PATIENCE, run).await
                });
                runtime.shutdown_background();
                match outcome {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(panicked)) => Err(format!("{}: {panicked}", case.guarantee).into()),
                    Err(_) => Err(format!("{}: it took too long", case.guarantee).into()),
                }
            })
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
