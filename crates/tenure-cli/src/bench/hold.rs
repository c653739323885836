//! A client that holds many locks and does nothing else, so that what is left is their renewal.

use std::io::{self, Read as _, Write as _};

use tenure::coordinator::Released;
use tenure::{Guard, Tenure};

use crate::args::Service;
use crate::exit::{Exit, Failure};

/// Acquires so many locks, says so on a line of its own, and keeps them until standard input ends.
pub(super) fn run(service: &Service, locks: u32) -> Result<(), Failure> {
    let failed = |error| Failure::from(Exit::Refused, "the locks could not be held", error);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let guards = acquire(service, locks).await?;
        let mut out = io::stdout();
        writeln!(out, "held").and_then(|()| out.flush()).map_err(failed)?;
        let ended = tokio::task::spawn_blocking(|| io::stdin().lock().read_to_end(&mut Vec::new()));
        ended.await.map_err(io::Error::from).flatten().map_err(failed)?;
        release(guards).await
    })
}

async fn acquire(service: &Service, locks: u32) -> Result<Vec<Guard>, Failure> {
    let mut builder = Tenure::builder();
    if let Some(token) = service.token()? {
        builder = builder.auth(&token);
    }
    let client = builder.connect(&service.url.to_string()).await.map_err(|error| Failure::of(&error))?;
    let mut guards = Vec::new();
    for lock in 0..locks {
        let guard = client.lock(format!("bench-held-{lock}")).acquire().await;
        guards.push(guard.map_err(|error| Failure::of(&error))?);
    }
    Ok(guards)
}

/// What is not held any more was not renewed, and did not cost what it should have.
async fn release(guards: Vec<Guard>) -> Result<(), Failure> {
    for guard in guards {
        if guard.release().await.map_err(|error| Failure::of(&error))? != Released::Released {
            return Err(Failure::new(Exit::Lost, "a lock was lost while nothing was done but to hold it"));
        }
    }
    Ok(())
}
