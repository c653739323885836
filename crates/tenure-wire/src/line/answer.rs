//! What a server says.

use alloc::vec::Vec;
use core::time::Duration;

use tenure_core::Token;

/// The answer to one request.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// `ok`: done.
    Ok,
    /// `ok <token> <lease>`: the permit is the asker's.
    Granted {
        /// What proves it.
        token: Token,
        /// How long it lasts without a renewal.
        lease: Duration,
    },
    /// `acquired <token> <lease>`: the same, to who would have queued.
    Acquired {
        /// What proves it.
        token: Token,
        /// How long it lasts without a renewal.
        lease: Duration,
    },
    /// `queued`: others come first.
    Queued,
    /// `ok <lease>`: the grant lasts on.
    Renewed {
        /// How long it lasts from now on.
        lease: Duration,
    },
    /// `ok <count>`: so many took the signal.
    Delivered(u64),
    /// `timeout`: the wait is over, and the permit was not to be had.
    Timeout,
    /// `error`: the request is refused, or means nothing here.
    Error,
    /// `error_auth`: show the secret first, and the right one.
    AuthRefused,
    /// `error_max_locks`: there are as many keys as there may be.
    MaxLocks,
    /// `error_max_waiters`: as many wait for this key as may.
    MaxWaiters,
    /// `error_limit_mismatch`: the key is in use with another limit.
    LimitMismatch,
    /// `error_already_enqueued`: this connection has enqueued for the key and not waited yet.
    AlreadyEnqueued,
    /// `error_not_enqueued`: this connection has not enqueued for the key.
    NotEnqueued,
    /// `error_lease_expired`: the grant came, and ended before it was waited for.
    LeaseExpired,
    /// `error_draining`: the server is about to stop.
    Draining,
}

impl Answer {
    /// Writes the answer as one line. A lease is told in whole seconds, and never as longer than it is.
    #[inline]
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ok => out.extend_from_slice(b"ok\n"),
            Self::Granted { token, lease } => encode_grant(out, b"ok ", *token, *lease),
            Self::Acquired { token, lease } => encode_grant(out, b"acquired ", *token, *lease),
            Self::Queued => out.extend_from_slice(b"queued\n"),
            Self::Renewed { lease } => encode_number(out, b"ok ", lease.as_secs()),
            Self::Delivered(count) => encode_number(out, b"ok ", *count),
            Self::Timeout => out.extend_from_slice(b"timeout\n"),
            Self::Error => out.extend_from_slice(b"error\n"),
            Self::AuthRefused => out.extend_from_slice(b"error_auth\n"),
            Self::MaxLocks => out.extend_from_slice(b"error_max_locks\n"),
            Self::MaxWaiters => out.extend_from_slice(b"error_max_waiters\n"),
            Self::LimitMismatch => out.extend_from_slice(b"error_limit_mismatch\n"),
            Self::AlreadyEnqueued => out.extend_from_slice(b"error_already_enqueued\n"),
            Self::NotEnqueued => out.extend_from_slice(b"error_not_enqueued\n"),
            Self::LeaseExpired => out.extend_from_slice(b"error_lease_expired\n"),
            Self::Draining => out.extend_from_slice(b"error_draining\n"),
        }
    }
}

/// Writes the answer to `stats`, `inspect` and `info`: `ok`, and a report that has no line feed in it.
pub fn encode_report(out: &mut Vec<u8>, report: &[u8]) {
    out.extend_from_slice(b"ok ");
    out.extend_from_slice(report);
    out.push(b'\n');
}

/// Writes a signal to who listens: `sig <subject> <payload>`.
pub fn encode_signal(out: &mut Vec<u8>, subject: &[u8], payload: &[u8]) {
    out.reserve(subject.len() + payload.len() + 6);
    out.extend_from_slice(b"sig ");
    out.extend_from_slice(subject);
    out.push(b' ');
    out.extend_from_slice(payload);
    out.push(b'\n');
}

fn encode_grant(out: &mut Vec<u8>, start: &[u8], token: Token, lease: Duration) {
    out.extend_from_slice(start);
    out.extend_from_slice(&token.to_text());
    encode_number(out, b" ", lease.as_secs());
}

fn encode_number(out: &mut Vec<u8>, start: &[u8], number: u64) {
    out.extend_from_slice(start);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure_core::{Fence, Secret};

    #[test]
    fn every_answer_is_its_line() {
        let token = Token { fence: Fence::new(10), secret: Secret::new(11) };
        let lease = Duration::from_millis(33_999);
        for (answer, line) in [
            (Answer::Ok, "ok\n"),
            (Answer::Granted { token, lease }, "ok 000000000000000a000000000000000b 33\n"),
            (Answer::Acquired { token, lease }, "acquired 000000000000000a000000000000000b 33\n"),
            (Answer::Queued, "queued\n"),
            (Answer::Renewed { lease }, "ok 33\n"),
            (Answer::Delivered(0), "ok 0\n"),
            (Answer::Delivered(u64::MAX), "ok 18446744073709551615\n"),
            (Answer::Timeout, "timeout\n"),
            (Answer::Error, "error\n"),
            (Answer::AuthRefused, "error_auth\n"),
            (Answer::MaxLocks, "error_max_locks\n"),
            (Answer::MaxWaiters, "error_max_waiters\n"),
            (Answer::LimitMismatch, "error_limit_mismatch\n"),
            (Answer::AlreadyEnqueued, "error_already_enqueued\n"),
            (Answer::NotEnqueued, "error_not_enqueued\n"),
            (Answer::LeaseExpired, "error_lease_expired\n"),
            (Answer::Draining, "error_draining\n"),
        ] {
            let mut out = Vec::new();
            answer.encode(&mut out);
            assert_eq!(out, line.as_bytes(), "{answer:?}");
        }
    }

    #[test]
    fn reports_and_signals_are_one_line_each() {
        let mut out = Vec::new();
        encode_report(&mut out, b"{}");
        encode_signal(&mut out, b"orders.new", b" a b ");
        assert_eq!(out, b"ok {}\nsig orders.new  a b \n");
    }
}
