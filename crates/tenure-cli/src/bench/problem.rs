//! Why the load stopped before its time.

use std::io;

use crate::exit::{Exit, Failure};

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
    /// More came than was asked for.
    Unasked,
}

impl Problem {
    /// An answer that is not the one that was asked for.
    pub(super) fn answer(request: &'static str, answer: &[u8]) -> Self {
        Self::Answer { request, answer: String::from_utf8_lossy(answer).into_owned() }
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
            Self::Unasked => Failure::new(
                Exit::Refused,
                "the service sent more than it was asked for: is it a lock service?",
            ),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
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
