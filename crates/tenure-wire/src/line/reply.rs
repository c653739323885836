//! What a client hears.

use core::fmt;
use core::time::Duration;

use super::arguments::{Words, integer, trim_line_end};

/// How long a client takes a lease to be that the server did not tell, or told in a way that cannot be read.
///
/// This is what the clients of dflockd assume.
pub const LEASE_UNTOLD: Duration = Duration::from_secs(30);

/// A line from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// `ok`.
    Ok {
        /// What follows: see [`Grant::parse`] and [`parse_lease`], or the report of a `stats`.
        rest: &'a [u8],
    },
    /// `acquired`.
    Acquired {
        /// What follows: see [`Grant::parse`].
        rest: &'a [u8],
    },
    /// `queued`.
    Queued,
    /// `timeout`.
    Timeout,
    /// `error`, `error_…`.
    Failed(Failure),
    /// `sig <subject> <payload>`: not an answer to anything.
    Signal {
        /// What it is about.
        subject: &'a [u8],
        /// What is told.
        payload: &'a [u8],
    },
    /// Nothing that this protocol knows.
    Unknown(&'a [u8]),
}

/// How a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// `error`.
    Error,
    /// `error_auth`.
    Auth,
    /// `error_max_locks`.
    MaxLocks,
    /// `error_max_waiters`.
    MaxWaiters,
    /// `error_limit_mismatch`.
    LimitMismatch,
    /// `error_already_enqueued`.
    AlreadyEnqueued,
    /// `error_not_enqueued`.
    NotEnqueued,
    /// `error_lease_expired`.
    LeaseExpired,
    /// `error_draining`.
    Draining,
}

/// What a holder was given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Grant<'a> {
    /// What proves it, to be shown as it came. A server other than Tenure may give another kind of token.
    pub token: &'a [u8],
    /// How long it lasts without a renewal.
    pub lease: Duration,
}

/// Reads one line, with or without its end.
#[must_use]
pub fn parse_answer(line: &[u8]) -> Reply<'_> {
    let line = trim_line_end(line.strip_suffix(b"\n").unwrap_or(line));
    if let Some(signal) = line.strip_prefix(b"sig ") {
        return parse_signal(signal).unwrap_or(Reply::Unknown(line));
    }
    let mut words = Words::of(line);
    let first = words.next().unwrap_or_default();
    match first {
        b"ok" => Reply::Ok { rest: words.rest() },
        b"acquired" => Reply::Acquired { rest: words.rest() },
        b"queued" => Reply::Queued,
        b"timeout" => Reply::Timeout,
        other => Failure::parse(other).map_or(Reply::Unknown(line), Reply::Failed),
    }
}

/// Reads the lease that a renewal is answered with; `untold` where there is none that can be read.
#[must_use]
pub fn parse_lease(rest: &[u8], untold: Duration) -> Duration {
    let seconds = Words::of(rest).next().and_then(|word| integer(word).ok());
    seconds.and_then(|seconds| u64::try_from(seconds).ok()).map_or(untold, Duration::from_secs)
}

impl<'a> Grant<'a> {
    /// Reads what follows `ok` or `acquired`. `None` without a token.
    ///
    /// ```
    /// use tenure_wire::line::{Grant, LEASE_UNTOLD};
    ///
    /// let grant = Grant::parse(b"00c0ffee 33").expect("a token");
    /// assert_eq!((grant.token, grant.lease.as_secs()), (&b"00c0ffee"[..], 33));
    /// assert_eq!(Grant::parse(b"00c0ffee soon").expect("a token").lease, LEASE_UNTOLD);
    /// ```
    #[must_use]
    pub fn parse(rest: &'a [u8]) -> Option<Self> {
        let mut words = Words::of(rest);
        let token = words.next()?;
        Some(Self { token, lease: parse_lease(words.rest(), LEASE_UNTOLD) })
    }
}

impl Failure {
    fn parse(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"error" => Self::Error,
            b"error_auth" => Self::Auth,
            b"error_max_locks" => Self::MaxLocks,
            b"error_max_waiters" => Self::MaxWaiters,
            b"error_limit_mismatch" => Self::LimitMismatch,
            b"error_already_enqueued" => Self::AlreadyEnqueued,
            b"error_not_enqueued" => Self::NotEnqueued,
            b"error_lease_expired" => Self::LeaseExpired,
            b"error_draining" => Self::Draining,
            _ => return None,
        })
    }
}

fn parse_signal(signal: &[u8]) -> Option<Reply<'_>> {
    let gap = memchr::memchr(b' ', signal)?;
    Some(Reply::Signal { subject: &signal[..gap], payload: &signal[gap + 1..] })
}

impl fmt::Debug for Grant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grant(.., lease {:?})", self.lease)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "the server refused the request",
            Self::Auth => "the server wants a token for authentication, or another one",
            Self::MaxLocks => "the server has as many keys as it may: wait, or raise --max-locks",
            Self::MaxWaiters => "as many wait for this key as may: try later, or raise --max-waiters",
            Self::LimitMismatch => "the key is in use with another limit: use that one",
            Self::AlreadyEnqueued => "this connection has enqueued for the key already: wait for it",
            Self::NotEnqueued => "this connection has not enqueued for the key: do that first",
            Self::LeaseExpired => {
                "the grant came and its lease ended before it was waited for: enqueue again"
            }
            Self::Draining => "the server is about to stop: try again when it is back",
        })
    }
}

impl core::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_told_apart() {
        for (line, reply) in [
            (&b"ok\n"[..], Reply::Ok { rest: b"" }),
            (b"ok\r\r\n", Reply::Ok { rest: b"" }),
            (b"ok ab 33", Reply::Ok { rest: b"ab 33" }),
            (b"ok {\"a\": 1}\n", Reply::Ok { rest: b"{\"a\": 1}" }),
            (b"acquired ab 33\n", Reply::Acquired { rest: b"ab 33" }),
            (b"queued\n", Reply::Queued),
            (b"timeout\n", Reply::Timeout),
            (b"error\n", Reply::Failed(Failure::Error)),
            (b"error_auth\n", Reply::Failed(Failure::Auth)),
            (b"error_max_locks\n", Reply::Failed(Failure::MaxLocks)),
            (b"error_max_waiters\n", Reply::Failed(Failure::MaxWaiters)),
            (b"error_limit_mismatch\n", Reply::Failed(Failure::LimitMismatch)),
            (b"error_already_enqueued\n", Reply::Failed(Failure::AlreadyEnqueued)),
            (b"error_not_enqueued\n", Reply::Failed(Failure::NotEnqueued)),
            (b"error_lease_expired\n", Reply::Failed(Failure::LeaseExpired)),
            (b"error_draining\n", Reply::Failed(Failure::Draining)),
            (b"sig a.b  x y \n", Reply::Signal { subject: b"a.b", payload: b" x y " }),
            (b"sig \n", Reply::Unknown(b"sig ")),
            (b"okay\n", Reply::Unknown(b"okay")),
            (b"error_new\n", Reply::Unknown(b"error_new")),
            (b"\n", Reply::Unknown(b"")),
            (b"", Reply::Unknown(b"")),
        ] {
            assert_eq!(parse_answer(line), reply, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn a_lease_that_cannot_be_read_is_taken_as_untold() {
        for (rest, seconds) in [
            (&b"t 33"[..], 33),
            (b"t 0", 0),
            (b"t", 30),
            (b"t ", 30),
            (b"t -1", 30),
            (b"t soon", 30),
            (b"t 99999999999999999999", 30),
            (b"t 33 7", 33),
        ] {
            let grant = Grant::parse(rest).expect("a token");
            assert_eq!((grant.token, grant.lease.as_secs()), (&b"t"[..], seconds), "{}", rest.escape_ascii());
        }
        assert_eq!(Grant::parse(b" "), None);
    }

    #[test]
    fn a_bare_ok_to_a_renewal_means_what_was_asked_for() {
        let asked = Duration::from_secs(5);
        assert_eq!(parse_lease(b"", asked), asked);
        assert_eq!(parse_lease(b"-7", asked), asked);
        assert_eq!(parse_lease(b"33", asked), Duration::from_secs(33));
    }

    #[test]
    fn a_token_is_not_printed() {
        let grant = Grant::parse(b"secret 33").expect("a token");
        assert_eq!(format!("{grant:?}"), "Grant(.., lease 33s)");
    }
}
