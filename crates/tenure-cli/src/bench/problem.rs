//! Why the load stopped before its time.

use std::io;

use tenure_wire::mux::{Refused, RefusedCode, Response, TooLong};

use crate::exit::{Exit, Failure};

/// The most that is shown of what is not understood.
const SHOWN_MAX: usize = 80;

/// What one connection met instead of the answer it waited for.
#[derive(Debug)]
pub(super) enum Problem {
    /// The system refused.
    Io(io::Error),
    /// The other side closed the connection.
    Closed,
    /// The answer is not the one that was asked for.
    Answer {
        /// What was asked.
        request: &'static str,
        /// What came back.
        answer: String,
    },
    /// The service refused, and said why.
    Refused {
        /// What was asked.
        request: &'static str,
        /// Whether it is about the token.
        denied: bool,
        /// Why.
        message: String,
    },
    /// What came is no answer to what was asked in the multiplexed protocol.
    NotMux {
        /// What was asked.
        request: &'static str,
        /// What came back.
        answer: String,
    },
    /// The library could not do what was asked, and says why.
    Library(tenure::Error),
    /// Somebody else has what only the bench should have.
    Shared,
    /// More came than was asked for.
    Unasked,
    /// The token does not fit into a request.
    TooLong,
}

impl Problem {
    /// An answer that is not the one that was asked for.
    pub(super) fn answer(request: &'static str, answer: &[u8]) -> Self {
        Self::Answer { request, answer: String::from_utf8_lossy(answer).into_owned() }
    }

    /// A refusal of the multiplexed protocol.
    pub(super) fn refused(request: &'static str, refused: &Refused<'_>) -> Self {
        let denied = refused.code == RefusedCode::Denied;
        Self::Refused { request, denied, message: refused.message.escape_debug().to_string() }
    }

    /// A message of the multiplexed protocol that is not the one that was asked for.
    pub(super) fn message(request: &'static str, response: &Response<'_>) -> Self {
        Self::NotMux { request, answer: format!("{response:?}") }
    }

    /// Bytes that are no message of the multiplexed protocol.
    pub(super) fn bytes(request: &'static str, bytes: &[u8]) -> Self {
        let shown = &bytes[..bytes.len().min(SHOWN_MAX)];
        Self::NotMux { request, answer: shown.escape_ascii().to_string() }
    }

    /// What to tell the user.
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::Io(error) => Failure::from(Exit::Unavailable, "the connection to the service broke", error),
            Self::Closed => Failure::new(
                Exit::Unavailable,
                "the service closed a connection of the bench: its --max-connections has to be above \
                 --connections (two more, for questions), or it was stopped",
            ),
            Self::Answer { request, answer } => {
                let exit = if answer == "error_auth" { Exit::Denied } else { Exit::Refused };
                Failure::new(
                    exit,
                    format!("the service answered `{answer}` to {request}: {}", advice(&answer)),
                )
            }
            Self::Refused { request, denied, message } => {
                let exit = if denied { Exit::Denied } else { Exit::Refused };
                Failure::new(exit, format!("the service refused {request}: {message}"))
            }
            Self::NotMux { request, answer } => Failure::new(
                Exit::Refused,
                format!(
                    "the service answered `{answer}` to {request}: the bench needs one that speaks the multiplexed \
                     protocol, or --protocol line"
                ),
            ),
            Self::Library(error) => Failure::of(&error),
            Self::Shared => Failure::new(
                Exit::Refused,
                "somebody else uses the keys of the bench: they were held already, or taken away from it",
            ),
            Self::Unasked => Failure::new(
                Exit::Refused,
                "the service sent more than it was asked for: is it a lock service?",
            ),
            Self::TooLong => Failure::new(
                Exit::Usage,
                "the token is too long for the multiplexed protocol: give one of a few hundred bytes",
            ),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<tenure::Error> for Problem {
    fn from(error: tenure::Error) -> Self {
        Self::Library(error)
    }
}

impl From<TooLong> for Problem {
    fn from(TooLong: TooLong) -> Self {
        Self::TooLong
    }
}

fn advice(answer: &str) -> &'static str {
    match answer {
        "timeout" => "somebody else holds the keys of the bench, or the service is slower than its waits",
        "error_max_locks" => "raise its --max-locks, or ask for fewer --connections and --in-flight",
        "error_max_waiters" => "raise its --max-waiters, or ask for fewer --connections",
        "error_auth" => "give its token with --auth-token-file or TENURE_AUTH_TOKEN",
        "error_draining" => "it is being stopped; start it again",
        _ => "the bench needs a service that speaks the dflockd line protocol",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_stops_the_bench_is_shown_with_what_to_do() {
        let text = Problem::answer("acquire", b"error_max_locks").into_failure().to_string();
        assert!(text.contains("`error_max_locks` to acquire") && text.contains("--max-locks"), "{text}");
        let text = Problem::answer("acquire", b"hello\xff").into_failure().to_string();
        assert!(text.contains("`hello\u{fffd}`") && text.contains("line protocol"), "{text}");
    }

    #[test]
    fn a_refused_token_has_the_exit_code_of_one() {
        let code = |answer: &[u8]| format!("{:?}", Problem::answer("auth", answer).into_failure());
        assert!(code(b"error_auth").contains("Denied"));
        assert!(code(b"error").contains("Refused"));
    }
}
