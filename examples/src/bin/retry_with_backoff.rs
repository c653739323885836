//! Trying again, with longer pauses each time: for a lock that is taken, and for a service that is not there.
//!
//! Those are two things. A lock that is taken is no failure: waiting in line (`acquire_timeout`) is fairer than trying again
//! and costs nobody anything. Who wants to try all the same does it in a loop. For the way to the service there is a policy.
//!
//! ```console
//! $ cargo run --quiet --package tenure-examples --bin retry_with_backoff
//! attempt 1: taken, again in 100ms
//! attempt 2: taken, again in 200ms
//! attempt 3: taken, gave up
//! it is free again: attempt 1 gave fence 1795213744023503220
//! ```
//!
//! With a service that is not there it asks for it six times, and fails:
//!
//! ```console
//! $ TENURE_URL=tenure://127.0.0.1:1 cargo run --quiet --package tenure-examples --bin retry_with_backoff
//! nobody is there, again in 76.5ms
//! …
//! ```
#![allow(clippy::print_stdout, reason = "this is what it has to show")]

use std::time::Duration;
use tenure::{Error, Guard, Lock, Retry, Tenure};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let url = std::env::var("TENURE_URL").unwrap_or("memory:".into());
    let tenure = connect(&url).await?;
    let lock = tenure.lock("report");

    let somebody = lock.acquire().await?;
    assert!(acquire_with_retry(&tenure, &lock).await?.is_none());
    somebody.release().await?;
    if let Some((guard, attempt)) = acquire_with_retry(&tenure, &lock).await? {
        println!("it is free again: attempt {attempt} gave fence {}", guard.fence());
        guard.release().await?;
    }
    Ok(())
}

/// Tries three times, 100 ms after the first time and twice as long after the second.
async fn acquire_with_retry(tenure: &Tenure, lock: &Lock) -> Result<Option<(Guard, u32)>, Error> {
    let mut pause = Duration::from_millis(100);
    for attempt in 1..=3 {
        if let Some(guard) = lock.try_acquire().await? {
            return Ok(Some((guard, attempt)));
        }
        if attempt < 3 {
            println!("attempt {attempt}: taken, again in {pause:?}");
            tenure.clock().sleep(pause).await;
            pause *= 2;
        } else {
            println!("attempt {attempt}: taken, gave up");
        }
    }
    Ok(None)
}

/// Connects, and asks again as the policy says while nobody is there. Once there was somebody, the locks of this client do
/// that by themselves, with the same policy.
async fn connect(url: &str) -> Result<Tenure, Error> {
    let retry = Retry::times(5).first(Duration::from_millis(200)).longest(Duration::from_secs(2));
    let clock = tenure::Clock::system();
    let mut failures = 0;
    loop {
        match Tenure::builder().retry(retry.clone()).connect(url).await {
            Err(error) if error.is_transient() => {
                let Some(pause) = retry.pause(failures) else { return Err(error) };
                println!("nobody is there, again in {pause:.1?}");
                clock.sleep(pause).await;
            }
            connected => return connected,
        }
        failures += 1;
    }
}
