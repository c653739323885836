//! The coordinator of a daemon, against a service that says what a test tells it to.

mod beginning;
mod crowd;
mod grants;
mod identity;
mod peer;
mod recovery;
mod silence;
mod subscriptions;

use peer::TTL;
use std::sync::Arc;
use tenure::coordinator::{Claim, Wanted};
use tenure::{Clock, Options};
use tenure_core::{Bond, ClaimId, Limit, Space};

/// A claim on a lock, with the number as its id, that outlives its connection.
fn claim(number: u128) -> Arc<Claim> {
    claim_with(number, Bond::Resumable, &Clock::system())
}

fn claim_with(number: u128, bond: Bond, clock: &Clock) -> Arc<Claim> {
    let wanted = Wanted {
        space: Space::Lock,
        name: Arc::from(&b"k"[..]),
        permits: 1,
        limit: Limit::ONE,
        ttl: TTL,
        bond,
        note: None,
    };
    Arc::new(Claim::new(ClaimId::new(number), wanted, clock.clone()))
}

/// Options for a client that has little time.
fn hasty() -> Options {
    Options { connect_timeout: std::time::Duration::from_millis(300), ..Options::default() }
}
