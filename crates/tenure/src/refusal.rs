//! What an engine refuses, as an error that says what to do.

use crate::{Error, ErrorKind};
use tenure_core::Refusal;

/// The error that a refusal of the engine stands for.
pub(crate) fn explain(refusal: Refusal) -> Error {
    match refusal {
        Refusal::LimitMismatch(limit) => {
            let limit = limit.get();
            Error::new(
                ErrorKind::LimitMismatch { limit },
                format!("the key is in use with a limit of {limit}: use the same limit everywhere"),
            )
        }
        Refusal::BadPermits => Error::new(
            ErrorKind::Invalid,
            "a claim asks for at least one permit, and for no more than the limit of its key",
        ),
        Refusal::QueuesFull => full(
            "there are as many keys as there may be: release some, or wait for unused ones to be forgotten",
        ),
        Refusal::ClaimsFull => full("there are as many claims as there may be: release some"),
        Refusal::WaitersFull => full("as many wait for this key as may: come back later"),
        Refusal::Conflict => Error::new(
            ErrorKind::Conflict,
            "this claim id belongs to a claim on another key, or for another number of permits: use one id for one claim",
        ),
        Refusal::NoFence => Error::new(
            ErrorKind::Unavailable,
            "there is no fence to grant with at the moment: come back later",
        ),
    }
}

fn full(message: &str) -> Error {
    Error::new(ErrorKind::Full, message)
}
