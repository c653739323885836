//! From answers that nobody hoped for to errors.

use crate::{Error, ErrorKind};
use tenure_wire::line::{Failure, Reply};

/// How much of a line that means nothing is told.
const TOLD_LEN_MAX: usize = 80;

/// The error that an answer stands for, where it is not one of those that the request knows.
pub(super) fn refusal(reply: &Reply<'_>) -> Error {
    match reply {
        Reply::Failed(Failure::Error) => {
            Error::new(ErrorKind::Unsupported, "the service refuses what was asked, or does not know it")
        }
        Reply::Failed(failure) => Error::new(kind(*failure), failure.to_string()),
        Reply::Unknown(line) if is_tls_alert(line) => speaks_tls(),
        Reply::Unknown(line) => {
            let told = line[..line.len().min(TOLD_LEN_MAX)].escape_ascii();
            let message = format!("this is no lock service: it answered \"{told}\"");
            Error::new(ErrorKind::Unsupported, message)
        }
        Reply::Ok { .. } | Reply::Acquired { .. } | Reply::Queued | Reply::Timeout | Reply::Signal { .. } => {
            Error::new(ErrorKind::Unsupported, "the service answered something else than was asked")
        }
    }
}

const fn kind(failure: Failure) -> ErrorKind {
    match failure {
        Failure::Auth => ErrorKind::Denied,
        Failure::MaxLocks | Failure::MaxWaiters => ErrorKind::Full,
        // The line protocol does not tell which.
        Failure::LimitMismatch => ErrorKind::LimitMismatch { limit: 0 },
        Failure::Draining => ErrorKind::Draining,
        // What a client sends is well formed, so whoever refuses it does not know it.
        Failure::Error | Failure::AlreadyEnqueued | Failure::NotEnqueued | Failure::LeaseExpired => {
            ErrorKind::Unsupported
        }
    }
}

/// The error for a line that came when nothing was asked.
pub(super) fn unasked(line: &[u8]) -> Error {
    match tenure_wire::line::parse_answer(line) {
        reply @ (Reply::Failed(_) | Reply::Unknown(_)) => refusal(&reply),
        Reply::Ok { .. } | Reply::Acquired { .. } | Reply::Queued | Reply::Timeout | Reply::Signal { .. } => {
            Error::new(ErrorKind::Unsupported, "the service answered without being asked")
        }
    }
}

/// The error for a connection that was closed after these words.
pub(super) fn closed(last_words: &[u8]) -> Error {
    if is_tls_alert(last_words) {
        return speaks_tls();
    }
    Error::new(ErrorKind::Indeterminate, "the service closed the connection")
}

fn speaks_tls() -> Error {
    Error::new(ErrorKind::Unavailable, "the service speaks TLS: name it tenures://HOST:PORT")
}

/// How a TLS server answers those who speak plainly: with a record that says that it does not understand.
fn is_tls_alert(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x15, 0x03])
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure_wire::line::parse_answer;

    #[test]
    fn every_refusal_has_a_kind_to_act_on() {
        for (line, kind) in [
            (&b"error_auth\n"[..], ErrorKind::Denied),
            (b"error_max_locks\n", ErrorKind::Full),
            (b"error_max_waiters\n", ErrorKind::Full),
            (b"error_limit_mismatch\n", ErrorKind::LimitMismatch { limit: 0 }),
            (b"error_draining\n", ErrorKind::Draining),
            (b"error\n", ErrorKind::Unsupported),
            (b"HTTP/1.1 400 Bad Request\r\n", ErrorKind::Unsupported),
            (b"\x15\x03\x03\x00\n", ErrorKind::Unavailable),
        ] {
            assert_eq!(*refusal(&parse_answer(line)).kind(), kind, "{}", line.escape_ascii());
        }
    }
}
