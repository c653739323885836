//! Why requests are refused, in words that say what to do.

use super::BadFrame;
use tenure_core::Refusal;
use tenure_wire::mux::{Refused, RefusedCode, Response};

pub(super) const fn refused(code: RefusedCode, message: &str) -> Response<'_> {
    Response::Refused(Refused { code, detail: 0, message })
}

pub(super) const fn invalid(message: &str) -> Response<'_> {
    refused(RefusedCode::Invalid, message)
}

pub(super) const fn explain(refusal: Refusal) -> Response<'static> {
    match refusal {
        Refusal::LimitMismatch(limit) => Response::Refused(Refused {
            code: RefusedCode::LimitMismatch,
            detail: limit.get(),
            message: "the key has another limit for as long as anyone uses it; ask with that one",
        }),
        Refusal::BadPermits => invalid("ask for at least one permit, and for no more than the key has"),
        Refusal::QueuesFull => refused(
            RefusedCode::QueuesFull,
            "there are as many keys as there may be; try again later, or start the daemon with a higher --max-locks",
        ),
        Refusal::ClaimsFull => refused(
            RefusedCode::ClaimsFull,
            "there are as many claims as there may be; try again later, or start the daemon with a higher --max-claims",
        ),
        Refusal::WaitersFull => refused(
            RefusedCode::WaitersFull,
            "as many claims wait for the key as may; try again later, or start the daemon with a higher --max-waiters",
        ),
        Refusal::Conflict => refused(
            RefusedCode::Conflict,
            "the claim's id belongs to a claim for something else; draw a new id for each claim",
        ),
        Refusal::NoFence => refused(
            RefusedCode::NoFence,
            "the daemon has no fence to grant with until its disk takes the next range; try again later",
        ),
    }
}

pub(super) const fn misunderstood(bad: BadFrame) -> Response<'static> {
    match bad {
        BadFrame::UnknownKind(_) => {
            refused(RefusedCode::Unsupported, "this server does not know such a request")
        }
        BadFrame::Malformed(why) => invalid(why),
    }
}

pub(super) const fn malformed() -> Response<'static> {
    invalid("this is no frame; nothing that follows can be read")
}

pub(super) const fn too_long() -> Response<'static> {
    invalid("a frame has at most 64 KiB")
}

pub(super) const fn introduced_already() -> Response<'static> {
    invalid("a connection introduces itself once; open another one")
}

pub(super) const fn bad_ttl() -> Response<'static> {
    invalid("a lease has at least one millisecond and at most 24 hours; choose a TTL between them, and renew")
}

pub(super) const fn draining() -> Response<'static> {
    refused(
        RefusedCode::Draining,
        "the daemon is about to stop and begins nothing new; ask another, or later",
    )
}

pub(super) const fn subscriptions_full() -> Response<'static> {
    refused(
        RefusedCode::SubscriptionsFull,
        "the connection listens, watches and follows as much as it may; end some of it, or start the daemon with a higher \
         --max-subscriptions",
    )
}

pub(super) const fn superseded() -> Response<'static> {
    refused(RefusedCode::Superseded, "a later connection of the same session has taken over")
}
