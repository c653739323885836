//! The load as a program brings it that uses the library: a task for each claim.

use std::sync::Arc;

use tenure::coordinator::Released;
use tenure::{Lock, Tenure};

use super::args::Mode;
use super::clock;
use super::load::{LEASE, Plan, Target};
use super::problem::Problem;
use super::requests;
use super::tally::Tally;

/// The clients of a load, each with a connection of its own, and a lock of theirs for each task.
pub(super) async fn open(plan: &Plan, target: &Target) -> Result<Vec<Lock>, Problem> {
    let url = format!("tenure://{}", target.address);
    let mut locks = Vec::with_capacity(plan.connections * plan.in_flight);
    for connection in 0..plan.connections {
        let mut builder = Tenure::builder().label("tenure bench");
        if let Some(token) = &target.token {
            builder = builder.auth(token);
        }
        let client = builder.connect(&url).await?;
        let own = connection * plan.in_flight;
        locks.extend((own..own + plan.in_flight).map(|task| {
            let number = if plan.mode == Mode::Own { task } else { 0 };
            client.lock(requests::key(plan.run, number)).ttl(LEASE)
        }));
    }
    Ok(locks)
}

/// Acquires and releases a lock until it is time to end.
pub(super) async fn drive(lock: Lock, tally: Arc<Tally>) -> Result<(), Problem> {
    while !tally.is_stopped() {
        let begun = clock::now();
        if lock.acquire().await?.release().await? != Released::Released {
            return Err(Problem::Shared);
        }
        tally.record(1, begun.elapsed());
    }
    Ok(())
}
