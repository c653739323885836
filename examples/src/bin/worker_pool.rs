//! A pool of five: of any number of jobs, in any number of processes, five are at work at a time.
//!
//! ```console
//! $ cargo run --quiet --package tenure-examples --bin worker_pool
//! job 1 starts, 1 at work here
//! …
//! 20 jobs are done, never more than 5 at once
//! ```
//!
//! With `TENURE_URL=tenure://127.0.0.1:6388` several of it share the five. Whoever dies gives its permits back when their
//! lease ends.
#![allow(clippy::print_stdout, reason = "this is what it has to show")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tenure::{Error, Tenure};
use tokio::task::JoinSet;

const AT_A_TIME: u32 = 5;
const JOBS: u32 = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::var("TENURE_URL").unwrap_or("memory:".into());
    let tenure = Tenure::connect(&url).await?;
    let pool = tenure.semaphore("workers", AT_A_TIME).ttl(Duration::from_secs(10));
    let (at_work, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));

    let mut jobs = JoinSet::new();
    for job in 1..=JOBS {
        let (pool, clock) = (pool.clone(), tenure.clock().clone());
        let (at_work, most) = (Arc::clone(&at_work), Arc::clone(&most));
        jobs.spawn(async move {
            // In the order in which they ask; a job that is dropped while it waits leaves the line.
            let permit = pool.acquire().await?;
            let now = at_work.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            println!("job {job} starts, {now} at work here");
            clock.sleep(Duration::from_millis(50)).await; // the work
            at_work.fetch_sub(1, Ordering::SeqCst);
            permit.release().await
        });
    }
    while let Some(job) = jobs.join_next().await {
        job.expect("no job panics")?;
    }
    println!("{JOBS} jobs are done, never more than {} at once", most.load(Ordering::SeqCst));
    Ok(())
}
