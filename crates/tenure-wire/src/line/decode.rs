//! From bytes to requests.

use core::time::Duration;

use memchr::{memchr, memchr2, memchr3};
use tenure_core::{Bond, Key, Limit, Space, Subject, check_pattern};

use super::arguments::{Words, lease, limit, trim, trim_line_end, wait};
use super::{Command, LINE_LEN_MAX, LONG_LINE_LEN_MAX, Refusal};

/// What the bytes that were read so far begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// Less than a request: read on.
    Incomplete,
    /// A request, of which a line is longer than it may be. The stream cannot be trusted any more: answer `error`,
    /// throw away what comes, and close.
    TooLong,
    /// Three lines.
    Request {
        /// What they ask for, or why they ask for nothing.
        command: Result<Command<'a>, Refusal>,
        /// How many bytes they are, with the last line feed.
        len: usize,
    },
}

/// Reads the first request of `input`.
///
/// It keeps nothing: call it again with more bytes after [`Decoded::Incomplete`], and with the bytes after the request
/// when there was one. It never panics and never allocates, whatever the bytes are.
#[inline]
#[must_use]
pub fn decode(input: &[u8]) -> Decoded<'_> {
    let lines = match Lines::split(input) {
        Ok(lines) => lines,
        Err(unfinished) => return unfinished,
    };
    Decoded::Request { command: lines.parse(), len: lines.len }
}

/// The three lines of a request, without their ends.
struct Lines<'a> {
    verb: &'a [u8],
    key: &'a [u8],
    argument: &'a [u8],
    len: usize,
}

impl<'a> Lines<'a> {
    #[inline]
    fn split(input: &'a [u8]) -> Result<Self, Decoded<'a>> {
        let (verb, rest) = split_verb(input)?;
        let (key, rest) = split_line(rest, LINE_LEN_MAX)?;
        let len_max = if matches!(verb, b"auth" | b"signal") { LONG_LINE_LEN_MAX } else { LINE_LEN_MAX };
        let (argument, rest) = split_line(rest, len_max)?;
        Ok(Self { verb, key, argument, len: input.len() - rest.len() })
    }

    #[inline]
    fn parse(&self) -> Result<Command<'a>, Refusal> {
        match self.verb {
            b"l" => self.acquire_lock(),
            b"r" => self.release(Space::Lock),
            b"n" => self.renew(Space::Lock),
            b"e" => self.enqueue_lock(),
            b"w" => self.wait(Space::Lock),
            b"sl" => self.acquire_semaphore(),
            b"sr" => self.release(Space::Semaphore),
            b"sn" => self.renew(Space::Semaphore),
            b"se" => self.enqueue_semaphore(),
            b"sw" => self.wait(Space::Semaphore),
            b"signal" => self.signal(),
            b"listen" => self.pattern().map(|(pattern, group)| Command::Listen { pattern, group }),
            b"unlisten" => self.pattern().map(|(pattern, group)| Command::Unlisten { pattern, group }),
            b"ping" => Ok(Command::Ping),
            b"stats" => Ok(Command::Stats),
            b"auth" => self.auth(),
            b"inspect" => Ok(Command::Inspect { glob: if self.key.is_empty() { b"*" } else { self.key } }),
            b"bind" => self.bind(),
            b"info" => Ok(Command::Info),
            _ => Err(Refusal::UnknownCommand),
        }
    }

    fn acquire_lock(&self) -> Result<Command<'a>, Refusal> {
        let key = self.key(Space::Lock)?;
        let mut words = Words::of(self.argument);
        let wait = wait(words.next().ok_or(Refusal::BadArguments)?)?;
        Ok(Command::Acquire { key, limit: Limit::ONE, wait, lease: last_lease(words)? })
    }

    fn acquire_semaphore(&self) -> Result<Command<'a>, Refusal> {
        let key = self.key(Space::Semaphore)?;
        let mut words = Words::of(self.argument);
        let wait = wait(words.next().ok_or(Refusal::BadArguments)?)?;
        let limit = limit(words.next().ok_or(Refusal::BadArguments)?)?;
        Ok(Command::Acquire { key, limit, wait, lease: last_lease(words)? })
    }

    fn enqueue_lock(&self) -> Result<Command<'a>, Refusal> {
        let key = self.key(Space::Lock)?;
        Ok(Command::Enqueue { key, limit: Limit::ONE, lease: last_lease(Words::of(self.argument))? })
    }

    fn enqueue_semaphore(&self) -> Result<Command<'a>, Refusal> {
        let key = self.key(Space::Semaphore)?;
        let mut words = Words::of(self.argument);
        let limit = limit(words.next().ok_or(Refusal::BadArguments)?)?;
        Ok(Command::Enqueue { key, limit, lease: last_lease(words)? })
    }

    fn wait(&self, space: Space) -> Result<Command<'a>, Refusal> {
        let key = self.key(space)?;
        let word = Words::of(self.argument).last()?.ok_or(Refusal::BadArguments)?;
        Ok(Command::Wait { key, wait: wait(word)? })
    }

    fn release(&self, space: Space) -> Result<Command<'a>, Refusal> {
        let key = self.key(space)?;
        match trim(self.argument) {
            [] => Err(Refusal::EmptyToken),
            words if memchr2(b' ', b'\t', words).is_some() => Err(Refusal::BadArguments),
            token => Ok(Command::Release { key, token }),
        }
    }

    fn renew(&self, space: Space) -> Result<Command<'a>, Refusal> {
        let key = self.key(space)?;
        let mut words = Words::of(self.argument);
        let token = words.next().ok_or(Refusal::EmptyToken)?;
        Ok(Command::Renew { key, token, lease: last_lease(words)? })
    }

    fn auth(&self) -> Result<Command<'a>, Refusal> {
        match trim(self.argument) {
            [] => Err(Refusal::EmptyToken),
            token => Ok(Command::Auth { token }),
        }
    }

    fn signal(&self) -> Result<Command<'a>, Refusal> {
        let subject = Subject::new(self.key).map_err(|_| Refusal::BadSubject)?;
        if trim(self.argument).is_empty() {
            return Err(Refusal::EmptyPayload);
        }
        Ok(Command::Signal { subject, payload: self.argument })
    }

    fn pattern(&self) -> Result<(&'a [u8], Option<&'a [u8]>), Refusal> {
        check_pattern(self.key).map_err(|_| Refusal::BadPattern)?;
        Ok((self.key, Some(trim(self.argument)).filter(|group| !group.is_empty())))
    }

    fn bind(&self) -> Result<Command<'a>, Refusal> {
        let bond = match trim(self.argument) {
            b"connection" => Bond::Connection,
            b"lease" => Bond::Lease,
            _ => return Err(Refusal::BadArguments),
        };
        Ok(Command::Bind { bond })
    }

    #[inline]
    fn key(&self, space: Space) -> Result<Key<'a>, Refusal> {
        if memchr3(b' ', b'\t', b'\r', self.key).is_some() {
            return Err(Refusal::BadKey);
        }
        Key::new(space, self.key).map_err(|_| Refusal::BadKey)
    }
}

/// The same as [`split_line`], quicker for the commands of one and two letters.
#[inline]
fn split_verb(input: &[u8]) -> Result<(&[u8], &[u8]), Decoded<'_>> {
    match input {
        [b'a'..=b'z', b'\n', rest @ ..] => Ok((&input[..1], rest)),
        [b'a'..=b'z', b'a'..=b'z', b'\n', rest @ ..] => Ok((&input[..2], rest)),
        _ => split_line(input, LINE_LEN_MAX),
    }
}

/// The first line without its end, and what comes after it.
#[inline]
fn split_line(input: &[u8], len_max: usize) -> Result<(&[u8], &[u8]), Decoded<'_>> {
    let window = &input[..input.len().min(len_max + 1)];
    match memchr(b'\n', window) {
        Some(end) => Ok((trim_line_end(&input[..end]), &input[end + 1..])),
        None if window.len() > len_max => Err(Decoded::TooLong),
        None => Err(Decoded::Incomplete),
    }
}

fn last_lease(words: Words<'_>) -> Result<Option<Duration>, Refusal> {
    words.last()?.map(lease).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_acquired_with_a_wait_and_perhaps_a_lease() {
        let (key, limit) = (lock("k"), Limit::ONE);
        assert_eq!(read("l", "k", "0"), Ok(Command::Acquire { key, limit, wait: s(0), lease: None }));
        assert_eq!(
            read("l", "k", "10 20"),
            Ok(Command::Acquire { key, limit, wait: s(10), lease: Some(s(20)) })
        );
        assert_eq!(
            read("l", "k", "\t+10  020 "),
            Ok(Command::Acquire { key, limit, wait: s(10), lease: Some(s(20)) })
        );
        for (argument, refusal) in [
            ("", Refusal::BadArguments),
            (" ", Refusal::BadArguments),
            ("1 2 3", Refusal::BadArguments),
            ("x", Refusal::BadInteger),
            ("1.0", Refusal::BadInteger),
            ("1e3", Refusal::BadInteger),
            ("-1", Refusal::NegativeTimeout),
            ("9223372037", Refusal::BadInteger),
            ("1 0", Refusal::BadLease),
            ("1 -5", Refusal::BadLease),
            ("1 9223372037", Refusal::BadInteger),
        ] {
            assert_eq!(read("l", "k", argument), Err(refusal), "{argument:?}");
        }
    }

    #[test]
    fn semaphores_are_acquired_with_a_limit_too() {
        let (key, limit) = (semaphore("k"), Limit::new(3).expect("not zero"));
        assert_eq!(read("sl", "k", "1 3"), Ok(Command::Acquire { key, limit, wait: s(1), lease: None }));
        assert_eq!(
            read("sl", "k", "1 3 9"),
            Ok(Command::Acquire { key, limit, wait: s(1), lease: Some(s(9)) })
        );
        assert_eq!(read("sl", "k", "1"), Err(Refusal::BadArguments));
        assert_eq!(read("sl", "k", "1 2 3 4"), Err(Refusal::BadArguments));
        assert_eq!(read("sl", "k", "1 0"), Err(Refusal::BadLimit));
        assert_eq!(read("sl", "k", "1 4294967296"), Err(Refusal::BadInteger));
    }

    #[test]
    fn enqueueing_needs_no_arguments_for_a_lock_and_a_limit_for_a_semaphore() {
        let limit = Limit::new(3).expect("not zero");
        assert_eq!(
            read("e", "k", ""),
            Ok(Command::Enqueue { key: lock("k"), limit: Limit::ONE, lease: None })
        );
        let leased = Command::Enqueue { key: lock("k"), limit: Limit::ONE, lease: Some(s(5)) };
        assert_eq!(read("e", "k", " 5 "), Ok(leased));
        assert_eq!(read("e", "k", "5 6"), Err(Refusal::BadArguments));
        assert_eq!(read("e", "k", "0"), Err(Refusal::BadLease));
        assert_eq!(read("se", "k", "3"), Ok(Command::Enqueue { key: semaphore("k"), limit, lease: None }));
        let leased = Command::Enqueue { key: semaphore("k"), limit, lease: Some(s(5)) };
        assert_eq!(read("se", "k", "3 5"), Ok(leased));
        assert_eq!(read("se", "k", ""), Err(Refusal::BadArguments));
        assert_eq!(read("se", "k", "0"), Err(Refusal::BadLimit));
    }

    #[test]
    fn waiting_needs_a_timeout() {
        assert_eq!(read("w", "k", "7"), Ok(Command::Wait { key: lock("k"), wait: s(7) }));
        assert_eq!(read("sw", "k", "0"), Ok(Command::Wait { key: semaphore("k"), wait: s(0) }));
        assert_eq!(read("w", "k", ""), Err(Refusal::BadArguments));
        assert_eq!(read("w", "k", "1 2"), Err(Refusal::BadArguments));
        assert_eq!(read("w", "k", "-1"), Err(Refusal::NegativeTimeout));
    }

    #[test]
    fn releasing_and_renewing_need_a_token() {
        assert_eq!(read("r", "k", " t "), Ok(Command::Release { key: lock("k"), token: b"t" }));
        assert_eq!(read("sr", "k", "t"), Ok(Command::Release { key: semaphore("k"), token: b"t" }));
        assert_eq!(read("r", "k", " "), Err(Refusal::EmptyToken));
        assert_eq!(read("r", "k", "t u"), Err(Refusal::BadArguments));
        assert_eq!(read("n", "k", "t"), Ok(Command::Renew { key: lock("k"), token: b"t", lease: None }));
        let leased = Command::Renew { key: semaphore("k"), token: b"t", lease: Some(s(4)) };
        assert_eq!(read("sn", "k", "t 4"), Ok(leased));
        assert_eq!(read("n", "k", ""), Err(Refusal::EmptyToken));
        assert_eq!(read("n", "k", "t 4 5"), Err(Refusal::BadArguments));
        assert_eq!(read("n", "k", "t 0"), Err(Refusal::BadLease));
    }

    #[test]
    fn commands_about_the_connection_do_not_look_at_the_key() {
        for key in ["", "_", "a b\tc"] {
            assert_eq!(read("ping", key, "x y"), Ok(Command::Ping));
            assert_eq!(read("stats", key, ""), Ok(Command::Stats));
            assert_eq!(read("info", key, ""), Ok(Command::Info));
            assert_eq!(read("auth", key, " a b "), Ok(Command::Auth { token: b"a b" }));
            assert_eq!(read("auth", key, " "), Err(Refusal::EmptyToken));
            assert_eq!(read("bind", key, "lease"), Ok(Command::Bind { bond: Bond::Lease }));
            assert_eq!(read("bind", key, " connection "), Ok(Command::Bind { bond: Bond::Connection }));
            assert_eq!(read("bind", key, "forever"), Err(Refusal::BadArguments));
        }
    }

    #[test]
    fn an_empty_glob_is_every_name() {
        assert_eq!(read("inspect", "", ""), Ok(Command::Inspect { glob: b"*" }));
        assert_eq!(read("inspect", "a *", "x"), Ok(Command::Inspect { glob: b"a *" }));
    }

    #[test]
    fn a_signal_has_a_literal_subject_and_a_payload_that_stays_as_it_is() {
        let subject = Subject::new(b"a.b").expect("a subject");
        assert_eq!(read("signal", "a.b", " x y "), Ok(Command::Signal { subject, payload: b" x y " }));
        assert_eq!(read("signal", "a.b", " \t"), Err(Refusal::EmptyPayload));
        for key in ["", "a b", "a.*", "a>"] {
            assert_eq!(read("signal", key, "x"), Err(Refusal::BadSubject), "{key:?}");
        }
    }

    #[test]
    fn listeners_name_a_pattern_and_perhaps_a_group() {
        assert_eq!(read("listen", "a.*", " "), Ok(Command::Listen { pattern: b"a.*", group: None }));
        let grouped = Command::Unlisten { pattern: b"a.>", group: Some(b"my group") };
        assert_eq!(read("unlisten", "a.>", " my group "), Ok(grouped));
        for key in ["", "a b", "a*", "a.>.b"] {
            assert_eq!(read("listen", key, ""), Err(Refusal::BadPattern), "{key:?}");
            assert_eq!(read("unlisten", key, ""), Err(Refusal::BadPattern), "{key:?}");
        }
    }

    #[test]
    fn keys_are_any_bytes_but_blanks_and_line_ends() {
        for key in [&b"\xff\xfe"[..], b"\0", b"caf\xc3\xa9", b"\x0b\x0c", b"a*b>"] {
            let read = read_bytes(b"r", key, b"t");
            assert_eq!(read, Ok(Command::Release { key: named(Space::Lock, key), token: b"t" }));
        }
        for key in [&b""[..], b" ", b"a b", b"a\tb", b"a\rb", b"\ra"] {
            assert_eq!(read_bytes(b"r", key, b"t"), Err(Refusal::BadKey), "{}", key.escape_ascii());
        }
    }

    #[test]
    fn carriage_returns_before_a_line_feed_do_not_count_as_bytes_of_the_line() {
        assert_eq!(read("l\r", "k\r\r", "1\r\r\r"), read("l", "k", "1"));
        assert_eq!(read("signal", "a", "x\ry\r"), read("signal", "a", "x\ry"));
        assert_eq!(read("listen", "a", "\r"), read("listen", "a", ""));
    }

    #[test]
    fn commands_are_known_by_their_exact_names() {
        for verb in ["", "L", " l", "l ", "ll", "s", "locks", "SIGNAL", "\u{e9}"] {
            assert_eq!(read(verb, "k", "1"), Err(Refusal::UnknownCommand), "{verb:?}");
        }
    }

    #[test]
    fn a_line_at_its_limit_is_read_and_one_byte_more_is_not_even_without_its_end() {
        let long = "x".repeat(LINE_LEN_MAX);
        let input = format!("{long}\n{long}\n{long}\n");
        assert_eq!(decode(input.as_bytes()), refused(Refusal::UnknownCommand, input.len()));
        assert_eq!(decode(long.as_bytes()), Decoded::Incomplete);
        for before in ["", "l\n", "l\nk\n"] {
            for end in ["", "\n", "\nk\n1\n"] {
                assert_eq!(decode(format!("{before}{long}x{end}").as_bytes()), Decoded::TooLong);
                assert_eq!(decode(format!("{before}{long}\r{end}").as_bytes()), Decoded::TooLong);
            }
        }
    }

    #[test]
    fn only_secrets_and_payloads_may_be_longer() {
        let long = "x".repeat(LONG_LINE_LEN_MAX);
        for verb in ["auth", "signal", "auth\r"] {
            let input = format!("{verb}\nk\n{long}\n");
            assert!(
                matches!(decode(input.as_bytes()), Decoded::Request { command: Ok(_), len } if len == input.len())
            );
            assert_eq!(decode(format!("{verb}\nk\n{long}").as_bytes()), Decoded::Incomplete);
            assert_eq!(decode(format!("{verb}\nk\n{long}x").as_bytes()), Decoded::TooLong);
            assert_eq!(decode(format!("{verb}\n{}", &long[..=LINE_LEN_MAX]).as_bytes()), Decoded::TooLong);
        }
        for verb in ["listen", "l", "authx"] {
            assert_eq!(decode(format!("{verb}\nk\n{}", &long[..=LINE_LEN_MAX]).as_bytes()), Decoded::TooLong);
        }
    }

    #[test]
    fn requests_are_taken_one_by_one() {
        let input = b"ping\n\n\nr\nk\nt\nsta";
        assert_eq!(decode(input), Decoded::Request { command: Ok(Command::Ping), len: 7 });
        let command = Ok(Command::Release { key: lock("k"), token: b"t" });
        assert_eq!(decode(&input[7..]), Decoded::Request { command, len: 6 });
        assert_eq!(decode(&input[13..]), Decoded::Incomplete);
        assert_eq!(decode(b""), Decoded::Incomplete);
    }

    #[test]
    fn neither_tokens_nor_payloads_are_printed() {
        for (verb, third) in [("auth", "hush"), ("r", "hush"), ("n", "hush 3"), ("signal", "hush")] {
            assert!(!format!("{:?}", read(verb, "k", third)).contains("hush"), "{verb}");
        }
    }

    fn read(verb: &str, key: &str, argument: &str) -> Result<Command<'static>, Refusal> {
        read_bytes(verb.as_bytes(), key.as_bytes(), argument.as_bytes())
    }

    fn read_bytes(verb: &[u8], key: &[u8], argument: &[u8]) -> Result<Command<'static>, Refusal> {
        let input = [verb, b"\n", key, b"\n", argument, b"\n"].concat().leak();
        let Decoded::Request { command, len } = decode(input) else { unreachable!("three short lines") };
        assert_eq!(len, input.len());
        command
    }

    fn refused(refusal: Refusal, len: usize) -> Decoded<'static> {
        Decoded::Request { command: Err(refusal), len }
    }

    fn lock(name: &'static str) -> Key<'static> {
        named(Space::Lock, name.as_bytes())
    }

    fn semaphore(name: &'static str) -> Key<'static> {
        named(Space::Semaphore, name.as_bytes())
    }

    fn named(space: Space, name: &[u8]) -> Key<'_> {
        Key::new(space, name).expect("a name")
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }
}
