//! What the library could not do, told to whoever typed the command.

use std::error::Error as _;
use std::io::{self, ErrorKind as Io};

use rustls::CertificateError;
use tenure::{Error, ErrorKind};

use crate::exit::{self, Exit, Failure};

impl Failure {
    /// What an error of the library means to whoever typed the command.
    pub(crate) fn of(error: &Error) -> Self {
        let causes = error.source().map_or_else(String::new, |cause| format!(": {}", exit::chain(cause)));
        let hint = if *error.kind() == ErrorKind::Denied { TOKEN } else { hint(error) };
        Self::new(exit_of(error.kind()), format!("{error}{hint}{causes}"))
    }
}

/// How to be let in.
const TOKEN: &str = ": name a file with it by --auth-token-file, or put it into TENURE_AUTH_TOKEN";

const fn exit_of(kind: &ErrorKind) -> Exit {
    match kind {
        ErrorKind::Unavailable | ErrorKind::Indeterminate | ErrorKind::Draining => Exit::Unavailable,
        ErrorKind::Invalid => Exit::Usage,
        ErrorKind::Denied => Exit::Denied,
        ErrorKind::Lost(_) => Exit::Lost,
        ErrorKind::TimedOut
        | ErrorKind::Contended
        | ErrorKind::LimitMismatch { .. }
        | ErrorKind::Conflict
        | ErrorKind::Full
        | ErrorKind::Unsupported
        | _ => Exit::Refused,
    }
}

/// The flag that would help.
fn hint(error: &Error) -> &'static str {
    let Some(cause) = io_error(error) else { return "" };
    let nowhere = [Io::TimedOut, Io::HostUnreachable, Io::NetworkUnreachable];
    if cause.kind() == Io::ConnectionRefused {
        " with --url or TENURE_URL"
    } else if is_signed_by_a_stranger(cause) {
        ", with --tls-ca"
    } else if nowhere.contains(&cause.kind()) || is_no_host(cause) {
        "; name another service with --url or TENURE_URL"
    } else {
        ""
    }
}

fn io_error(error: &Error) -> Option<&io::Error> {
    let mut below = error.source();
    while let Some(cause) = below {
        if let Some(cause) = cause.downcast_ref() {
            return Some(cause);
        }
        below = cause.source();
    }
    None
}

/// Names that nobody knows come without a kind and without a number of the system.
fn is_no_host(error: &io::Error) -> bool {
    error.raw_os_error().is_none() && error.to_string().contains("lookup")
}

fn is_signed_by_a_stranger(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(kind: ErrorKind, cause: Io) -> String {
        let error =
            Error::with_source(kind, "no service: start one, or name another", io::Error::from(cause));
        exit::chain(&Failure::of(&error))
    }

    #[test]
    fn an_error_is_told_with_the_flag_that_would_help_and_its_cause() {
        assert_eq!(
            explained(ErrorKind::Unavailable, Io::ConnectionRefused),
            "no service: start one, or name another with --url or TENURE_URL: connection refused"
        );
        assert_eq!(
            explained(ErrorKind::Unavailable, Io::ConnectionReset),
            "no service: start one, or name another: connection reset"
        );
    }
}
