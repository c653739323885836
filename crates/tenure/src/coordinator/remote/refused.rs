//! What a service refuses, as an error that says what to do.

use crate::{Error, ErrorKind};
use tenure_wire::mux::{Refused, RefusedCode};

/// The error that a refusal stands for: what to do first, then what the service says.
pub(super) fn explain(refused: &Refused<'_>) -> Error {
    let (kind, what) = match refused.code {
        RefusedCode::Invalid => (ErrorKind::Invalid, "the service cannot do what was asked"),
        RefusedCode::LimitMismatch => return limit_mismatch(refused.detail),
        RefusedCode::QueuesFull => (
            ErrorKind::Full,
            "the service has as many keys as it may: release some, or raise its --max-locks",
        ),
        RefusedCode::ClaimsFull => (
            ErrorKind::Full,
            "the service has as many claims as it may: release some, or raise its --max-claims",
        ),
        RefusedCode::WaitersFull => (
            ErrorKind::Full,
            "as many wait for this key as may: come back later, or raise the service's --max-waiters",
        ),
        RefusedCode::Conflict => (
            ErrorKind::Conflict,
            "this claim id belongs to a claim on another key, or for another number of permits: use one id for one claim",
        ),
        RefusedCode::NoFence => (
            ErrorKind::Unavailable,
            "the service has no fence to grant with at the moment: come back later, and see that it can write to its disk",
        ),
        RefusedCode::Denied => {
            return Error::new(ErrorKind::Denied, "the service does not accept the token, or wants one");
        }
        RefusedCode::Unsupported => {
            (ErrorKind::Unsupported, "the service does not know how to do this: use a version that does")
        }
        RefusedCode::Draining => (
            ErrorKind::Draining,
            "the service is about to stop: ask again when it is back, or ask another one",
        ),
        RefusedCode::SubscriptionsFull => (
            ErrorKind::Full,
            "this client watches and listens to as much as it may: drop some of it, or raise the service's --max-subscriptions",
        ),
        RefusedCode::Superseded => (
            ErrorKind::Unavailable,
            "another connection has introduced itself as this client: a copy of this process may run elsewhere",
        ),
        RefusedCode::Unknown(_) => {
            (ErrorKind::Unsupported, "the service refused for a reason that this version does not know")
        }
        // A code that was added to the protocol has to be added here.
        ref other => return Error::new(ErrorKind::Unsupported, format!("the service refused: {other:?}")),
    };
    Error::new(kind, with_words(what, refused.message))
}

fn limit_mismatch(limit: u32) -> Error {
    let what = format!("the key is in use with a limit of {limit}: use the same limit everywhere");
    Error::new(ErrorKind::LimitMismatch { limit }, what)
}

/// What the service says belongs behind what it means; it may have been written by a stranger.
fn with_words(what: &str, message: &str) -> String {
    if message.is_empty() { what.to_owned() } else { format!("{what} ({})", message.escape_debug()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: RefusedCode, detail: u32, message: &str) -> Error {
        explain(&Refused { code, detail, message })
    }

    #[test]
    fn a_refusal_says_what_to_do_and_then_what_the_service_said() {
        let full = refused(RefusedCode::QueuesFull, 0, "1000 keys");
        assert_eq!(full.kind(), &ErrorKind::Full);
        assert!(full.to_string().ends_with("raise its --max-locks (1000 keys)"), "{full}");
        let other = refused(RefusedCode::Unknown(999), 0, "no\x1b[2J");
        assert_eq!(other.kind(), &ErrorKind::Unsupported);
        assert!(other.to_string().ends_with("(no\\u{1b}[2J)"), "{other}");
    }

    #[test]
    fn the_limit_that_a_key_has_is_told() {
        let mismatch = refused(RefusedCode::LimitMismatch, 5, "");
        assert_eq!(mismatch.kind(), &ErrorKind::LimitMismatch { limit: 5 });
    }

    #[test]
    fn what_passes_is_worth_another_try_and_what_does_not_is_not() {
        for code in [RefusedCode::NoFence, RefusedCode::Draining, RefusedCode::Superseded] {
            assert!(refused(code, 0, "").is_transient(), "{code:?}");
        }
        for code in
            [RefusedCode::Invalid, RefusedCode::Conflict, RefusedCode::Denied, RefusedCode::Unsupported]
        {
            assert!(!refused(code, 0, "").is_transient(), "{code:?}");
        }
    }
}
