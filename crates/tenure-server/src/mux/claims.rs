//! Requests about single claims. They are done many at a time, so each is short.

use super::refusals::{bad_ttl, draining, explain, invalid};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use tenure::entropy;
use tenure_core::{
    Cancelled, Engine, Enqueued, Grant, Instant, Limit, Note, OwnerId, Released, Renewed, Secret, Space,
    TTL_MAX, TTL_MIN,
};
use tenure_wire::mux::{Enqueue, Patience, Request, Response};

/// The number that no connection has. Whoever's grant ends on its behalf hears of it, and be it the one who asked: it named no
/// claim, so it may not know that the claim is its own.
const NOBODY: OwnerId = OwnerId::new(0);

/// So many places in line are walked past for the requests of one batch, and then others have the engine in between. One
/// that has begun is walked to its end.
const WALKED_MAX: u32 = 1_024;

/// Who asks.
pub(super) struct Asker<'a> {
    pub(super) owner: OwnerId,
    pub(super) note: Option<&'a Arc<Note>>,
    /// Nothing new begins.
    pub(super) draining: bool,
    /// How many places in line were walked past for it.
    pub(super) walked: Cell<u32>,
}

impl Asker<'_> {
    /// Whether it is the turn of others.
    pub(super) const fn is_tired(&self) -> bool {
        self.walked.get() >= WALKED_MAX
    }
}

/// Does a request about a claim; `None`, and nothing is done, when it is about something else.
pub(super) fn perform(
    engine: &mut Engine,
    now: Instant,
    asker: &Asker<'_>,
    request: &Request<'_>,
) -> Option<Response<'static>> {
    let response = match *request {
        Request::Enqueue(ref wanted) => enqueue(engine, now, asker, wanted),
        Request::Resume { claim, key } => {
            engine.resume(now, asker.owner, key, claim).map_or(Response::Gone, granted)
        }
        Request::Cancel { claim } => match engine.cancel_own(now, asker.owner, claim) {
            Cancelled::Left | Cancelled::Released => Response::Released,
            Cancelled::Unknown => Response::Gone,
        },
        Request::Release { claim } => released(engine.release_own(now, asker.owner, claim)),
        Request::ReleaseToken { key, token } => released(engine.release(now, key, token, NOBODY)),
        Request::Renew { ttl, .. } if !is_lease(ttl) => bad_ttl(),
        Request::Renew { claim, ttl } => match engine.renew_claim(now, asker.owner, claim, ttl) {
            Renewed::Until(_) => Response::Renewed { ttl },
            Renewed::NotHeld => Response::Gone,
        },
        Request::Hello(_)
        | Request::Ping
        | Request::Position { .. }
        | Request::Follow { .. }
        | Request::Inspect { .. }
        | Request::List { .. }
        | Request::Watch { .. }
        | Request::Unwatch { .. }
        | Request::Steal { .. }
        | Request::Signal { .. }
        | Request::Listen { .. }
        | Request::Unlisten { .. }
        | Request::Info => return None,
    };
    Some(response)
}

fn enqueue(engine: &mut Engine, now: Instant, asker: &Asker<'_>, wanted: &Enqueue<'_>) -> Response<'static> {
    if asker.draining {
        return draining();
    }
    if let Some(complaint) = complaint(wanted) {
        return complaint;
    }
    let own_note = own_note(asker.note, wanted.label);
    let request = tenure_core::Request {
        claim: wanted.claim,
        owner: asker.owner,
        key: wanted.key,
        permits: wanted.permits,
        limit: wanted.limit,
        ttl: wanted.ttl,
        secret: Secret::new(entropy::number()),
        bond: wanted.bond,
        patience: match wanted.patience {
            Patience::None => tenure_core::Patience::None,
            Patience::Endless => tenure_core::Patience::Endless,
        },
        note: own_note.as_ref().or(asker.note),
    };
    let before = engine.queue(wanted.key).map_or(0, |queue| queue.queue_len());
    match engine.enqueue(now, &request) {
        Enqueued::Acquired(grant) => granted(grant),
        Enqueued::Queued => Response::Queued { position: place(engine, asker, wanted, before) },
        Enqueued::Busy => Response::Busy,
        Enqueued::Refused(refusal) => explain(refusal),
    }
}

/// How many stand before a claim in line. Most have just joined it, so nobody has to be counted.
fn place(engine: &Engine, asker: &Asker<'_>, wanted: &Enqueue<'_>, before: usize) -> u32 {
    let after = engine.queue(wanted.key).map_or(0, |queue| queue.queue_len());
    if after == before + 1 {
        return u32::try_from(before).unwrap_or(u32::MAX);
    }
    let place = engine.position(wanted.claim).unwrap_or(0);
    asker.walked.set(asker.walked.get().saturating_add(place));
    place
}

/// What is wrong with a request, whatever the state of its key.
fn complaint(wanted: &Enqueue<'_>) -> Option<Response<'static>> {
    if !is_lease(wanted.ttl) {
        return Some(bad_ttl());
    }
    match wanted.key.space() {
        Space::Lock if wanted.limit != Limit::ONE => {
            Some(invalid("a lock has one permit; use a semaphore for more"))
        }
        Space::RwLock if wanted.limit.get() != u32::MAX => {
            Some(invalid("a read-write lock has 4294967295 permits; use a semaphore for fewer"))
        }
        Space::Lock | Space::Semaphore | Space::RwLock => None,
    }
}

/// The note of a claim that is labelled otherwise than its connection.
fn own_note(note: Option<&Arc<Note>>, label: &str) -> Option<Arc<Note>> {
    if label.is_empty() || note.is_some_and(|note| *note.label == *label) {
        return None;
    }
    let (host, pid) = note.map_or((Box::default(), 0), |note| (note.host.clone(), note.pid));
    Some(Arc::new(Note { label: label.into(), host, pid }))
}

fn is_lease(ttl: Duration) -> bool {
    (TTL_MIN..=TTL_MAX).contains(&ttl)
}

pub(super) const fn granted(grant: Grant) -> Response<'static> {
    Response::Granted { token: grant.token, ttl: grant.ttl }
}

const fn released(released: Released) -> Response<'static> {
    match released {
        Released::Released => Response::Released,
        Released::NotHeld => Response::Gone,
    }
}
