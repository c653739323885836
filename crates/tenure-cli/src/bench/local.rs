//! What a lock costs within a process, beside a semaphore of tokio's that guards the same.

use std::time::Duration;

use serde::Serialize;
use tenure::{Lock, Tenure};
use tokio::sync::Semaphore;

use super::clock;
use super::report::{median, rounded};
use crate::exit::{Exit, Failure};

/// How often each is measured, one after the other; once more before that, which does not count.
const ROUNDS: usize = 15;

/// The medians of all rounds.
#[derive(Debug, Serialize)]
struct Report {
    rounds: usize,
    lock_ns_per_pair: f64,
    semaphore_ns_per_pair: f64,
    ratio: f64,
}

/// Measures rounds of so many pairs, and prints one JSON object.
pub(super) fn run(pairs: u32) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::from(Exit::Refused, "the load could not be started", error))?;
    // Programs work in tasks, and so does this.
    let report = runtime
        .block_on(runtime.spawn(measure(pairs)))
        .map_err(|error| Failure::from(Exit::Refused, "the bench itself failed", error))?
        .map_err(|error| Failure::of(&error))?;
    let text = serde_json::to_string(&report)
        .map_err(|error| Failure::from(Exit::Refused, "the report could not be written", error))?;
    anstream::println!("{text}");
    Ok(())
}

async fn measure(pairs: u32) -> Result<Report, tenure::Error> {
    let lock = Tenure::connect("memory:").await?.lock("bench");
    let semaphore = Semaphore::new(1);
    of_lock(&lock, pairs).await?;
    of_semaphore(&semaphore, pairs).await;
    let (mut own, mut ideal) = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        own.push(of_lock(&lock, pairs).await?);
        ideal.push(of_semaphore(&semaphore, pairs).await);
    }
    let (own, ideal) = (per_pair(&own, pairs), per_pair(&ideal, pairs));
    Ok(Report {
        rounds: ROUNDS,
        lock_ns_per_pair: rounded(own, 1),
        semaphore_ns_per_pair: rounded(ideal, 1),
        ratio: rounded(own / ideal, 2),
    })
}

async fn of_lock(lock: &Lock, pairs: u32) -> Result<Duration, tenure::Error> {
    let begun = clock::now();
    for _ in 0..pairs {
        lock.acquire().await?.release().await?;
    }
    Ok(begun.elapsed())
}

async fn of_semaphore(semaphore: &Semaphore, pairs: u32) -> Duration {
    let begun = clock::now();
    for _ in 0..pairs {
        drop(semaphore.acquire().await);
    }
    begun.elapsed()
}

/// The nanoseconds that a pair took in the middle one of these rounds.
fn per_pair(rounds: &[Duration], pairs: u32) -> f64 {
    median(rounds.iter().map(|round| round.as_secs_f64() * 1e9 / f64::from(pairs)))
}
