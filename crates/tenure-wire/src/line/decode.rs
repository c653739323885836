//! From bytes to requests.

use core::time::Duration;

use memchr::{memchr, memchr3};
use tenure_core::{Key, Limit, Space, Subject, check_pattern};

use super::arguments::{Words, lease, limit, trim, trim_line_end, wait};
use super::{Bond, Command, LINE_LEN_MAX, LONG_LINE_LEN_MAX, Refusal};

/// What the bytes that were read so far begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// Less than a request: read on.
    Incomplete,
    /// A request, of which a line is longer than it may be. The stream cannot be trusted any more: answer `error`, read
    /// and drop the rest of the line, and close.
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
        let (verb, rest) = split_line(input, LINE_LEN_MAX)?;
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
        let token = Words::of(self.argument).last()?.ok_or(Refusal::EmptyToken)?;
        Ok(Command::Release { key, token })
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
