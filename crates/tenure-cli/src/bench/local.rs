//! What a lock costs within a process, beside a semaphore of tokio's that guards the same.

use std::sync::Arc;
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
    /// A permit that may go anywhere, as a guard may.
    owned_ns_per_pair: f64,
    owned_ratio: f64,
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
    let semaphore = Arc::new(Semaphore::new(1));
    let (mut own, mut ideal, mut owned) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let of_lock = of_lock(&lock, pairs).await?;
        let of_semaphore = of_semaphore(&semaphore, pairs).await;
        let of_owned = of_owned(&semaphore, pairs).await;
        if round > 0 {
            own.push(of_lock);
            ideal.push(of_semaphore);
            owned.push(of_owned);
        }
    }
    let (own, ideal, owned) = (per_pair(&own, pairs), per_pair(&ideal, pairs), per_pair(&owned, pairs));
    Ok(Report {
        rounds: ROUNDS,
        lock_ns_per_pair: rounded(own, 1),
        semaphore_ns_per_pair: rounded(ideal, 1),
        ratio: rounded(own / ideal, 2),
        owned_ns_per_pair: rounded(owned, 1),
        owned_ratio: rounded(own / owned, 2),
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

async fn of_owned(semaphore: &Arc<Semaphore>, pairs: u32) -> Duration {
    let begun = clock::now();
    for _ in 0..pairs {
        drop(Arc::clone(semaphore).acquire_owned().await);
    }
    begun.elapsed()
}

/// The nanoseconds that a pair took in the middle one of these rounds.
fn per_pair(rounds: &[Duration], pairs: u32) -> f64 {
    median(rounds.iter().map(|round| round.as_secs_f64() * 1e9 / f64::from(pairs)))
}
