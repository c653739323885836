//! A claim in the words of the protocol.

use crate::coordinator::{Claim, Patience};
use tenure_wire::mux::{self, Request};

/// Asks for a claim.
pub(super) fn enqueue(claim: &Claim, patience: Patience) -> Request<'_> {
    let wanted = claim.wanted();
    Request::Enqueue(mux::Enqueue {
        claim: claim.id(),
        key: claim.key(),
        permits: wanted.permits,
        limit: wanted.limit,
        ttl: wanted.ttl,
        bond: wanted.bond,
        patience: match patience {
            Patience::None => mux::Patience::None,
            Patience::Endless => mux::Patience::Endless,
        },
        label: wanted.note.as_ref().map_or("", |note| &note.label),
    })
}

/// Whether it does not matter if a request was done when its answer is lost: it changes nothing for anyone else.
pub(super) const fn is_harmless(request: &Request<'_>) -> bool {
    match request {
        Request::Hello(_)
        | Request::Ping
        | Request::Position { .. }
        | Request::Follow { .. }
        | Request::Inspect { .. }
        | Request::List { .. }
        | Request::Watch { .. }
        | Request::Unwatch { .. }
        | Request::Listen { .. }
        | Request::Unlisten { .. }
        | Request::Info => true,
        Request::Enqueue(_)
        | Request::Resume { .. }
        | Request::Cancel { .. }
        | Request::Release { .. }
        | Request::ReleaseToken { .. }
        | Request::Renew { .. }
        | Request::Steal { .. }
        | Request::Signal { .. } => false,
    }
}
