//! The engine, as those who embed it use it.

mod listing;
mod offers;
mod resumable;
mod rw_lock;
mod watching;

use std::time::Duration;
use tenure_core::{
    Bond, ClaimId, Engine, Enqueued, Event, Fence, FenceRange, Grant, Instant, Key, Limit, Limits, OwnerId,
    Patience, Request, Secret, Space,
};

const NOW: Instant = Instant::ORIGIN;
const TTL: Duration = Duration::from_secs(30);
const LIMITS: Limits =
    Limits { queues_max: 1_000, claims_max: 1_000, queue_len_max: 1_000, idle_max: Duration::from_secs(60) };

fn engine() -> Engine {
    Engine::new(LIMITS, FenceRange::new(Fence::new(1), Fence::new(1_000_000)), 7)
}

fn key(name: &str) -> Key<'_> {
    Key::new(Space::Lock, name.as_bytes()).expect("a short name")
}

fn claim(claim: u128) -> ClaimId {
    ClaimId::new(claim)
}

fn owner(owner: u64) -> OwnerId {
    OwnerId::new(owner)
}

/// So many seconds after the first instant.
fn at(seconds: u64) -> Instant {
    NOW.after(Duration::from_secs(seconds))
}

/// A claim on the lock `k` that outlives its connection.
fn request(number: u128, by: u64) -> Request<'static> {
    Request {
        claim: claim(number),
        owner: owner(by),
        key: key("k"),
        permits: 1,
        limit: Limit::ONE,
        ttl: TTL,
        secret: Secret::new(1),
        bond: Bond::Resumable,
        patience: Patience::Endless,
        note: None,
    }
}

fn acquire(engine: &mut Engine, now: Instant, request: &Request<'_>) -> Grant {
    let answer = engine.enqueue(now, request);
    let grant = if let Enqueued::Acquired(grant) = answer { Some(grant) } else { None };
    grant.expect("a grant at once")
}

fn join(engine: &mut Engine, now: Instant, request: &Request<'_>) {
    let answer = engine.enqueue(now, request);
    assert!(matches!(answer, Enqueued::Queued), "it does not stand in line: {answer:?}");
}

fn disconnect(engine: &mut Engine, now: Instant, by: u64) {
    while !engine.disconnect(now, owner(by), 1) {}
}

fn events(engine: &mut Engine) -> Vec<Event> {
    std::iter::from_fn(|| engine.poll_event()).collect()
}
