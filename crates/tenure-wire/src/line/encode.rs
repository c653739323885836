//! From requests to bytes.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use tenure_core::{Limit, Space};

use super::{Bond, Command, Decoded, Refusal, SECONDS_MAX, decode};

/// Why a request cannot be sent on this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsendable {
    /// Every server would refuse it.
    Refused(Refusal),
    /// A part of it is longer than its line may be.
    TooLong,
    /// A part of it has a blank or a line end that would make it another request.
    Ambiguous,
}

impl Command<'_> {
    /// Writes the request as three lines.
    ///
    /// The protocol knows whole seconds: times are rounded up, and a wait of more than [`SECONDS_MAX`] becomes that.
    ///
    /// # Errors
    ///
    /// [`Unsendable`] when a server would not read back what is meant; then nothing is written.
    ///
    /// ```
    /// use tenure_core::{Key, Space};
    /// use tenure_wire::line::Command;
    ///
    /// let mut out = Vec::new();
    /// let key = Key::new(Space::Lock, b"nightly-backup")?;
    /// Command::Release { key, token: b"00c0ffee" }.encode(&mut out)?;
    /// assert_eq!(out, b"r\nnightly-backup\n00c0ffee\n");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), Unsendable> {
        let command = self.in_whole_seconds();
        let start = out.len();
        command.write(out);
        let verdict = command.check(&out[start..]);
        if verdict.is_err() {
            out.truncate(start);
        }
        verdict
    }

    /// Whether those bytes are read as this request and nothing else.
    fn check(&self, bytes: &[u8]) -> Result<(), Unsendable> {
        match decode(bytes) {
            Decoded::TooLong => Err(Unsendable::TooLong),
            Decoded::Request { command, len } if len == bytes.len() => match command {
                Ok(command) if command == *self => Ok(()),
                Ok(_) => Err(Unsendable::Ambiguous),
                Err(refusal) => Err(Unsendable::Refused(refusal)),
            },
            Decoded::Request { .. } | Decoded::Incomplete => Err(Unsendable::Ambiguous),
        }
    }

    fn in_whole_seconds(self) -> Self {
        match self {
            Self::Acquire { key, limit, wait, lease } => {
                Self::Acquire { key, limit, wait: whole_wait(wait), lease: lease.map(whole) }
            }
            Self::Enqueue { key, limit, lease } => Self::Enqueue { key, limit, lease: lease.map(whole) },
            Self::Wait { key, wait } => Self::Wait { key, wait: whole_wait(wait) },
            Self::Renew { key, token, lease } => Self::Renew { key, token, lease: lease.map(whole) },
            Self::Inspect { glob: b"" } => Self::Inspect { glob: b"*" },
            Self::Release { .. }
            | Self::Auth { .. }
            | Self::Ping
            | Self::Stats
            | Self::Signal { .. }
            | Self::Listen { .. }
            | Self::Unlisten { .. }
            | Self::Inspect { .. }
            | Self::Bind { .. }
            | Self::Info => self,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Acquire { key, limit, wait, lease } => {
                Lines::new(out, verb(key.space(), "l", "sl"), key.name())
                    .number(wait.as_secs())
                    .limit(key.space(), *limit)
                    .lease(*lease)
                    .end()
            }
            Self::Enqueue { key, limit, lease } => Lines::new(out, verb(key.space(), "e", "se"), key.name())
                .limit(key.space(), *limit)
                .lease(*lease)
                .end(),
            Self::Wait { key, wait } => {
                Lines::new(out, verb(key.space(), "w", "sw"), key.name()).number(wait.as_secs()).end();
            }
            Self::Release { key, token } => {
                Lines::new(out, verb(key.space(), "r", "sr"), key.name()).word(token).end();
            }
            Self::Renew { key, token, lease } => {
                Lines::new(out, verb(key.space(), "n", "sn"), key.name()).word(token).lease(*lease).end();
            }
            Self::Auth { token } => Lines::new(out, "auth", UNUSED).word(token).end(),
            Self::Ping => Lines::new(out, "ping", UNUSED).end(),
            Self::Stats => Lines::new(out, "stats", UNUSED).end(),
            Self::Signal { subject, payload } => {
                Lines::new(out, "signal", subject.as_bytes()).word(payload).end();
            }
            Self::Listen { pattern, group } => {
                Lines::new(out, "listen", pattern).word(group.unwrap_or_default()).end();
            }
            Self::Unlisten { pattern, group } => {
                Lines::new(out, "unlisten", pattern).word(group.unwrap_or_default()).end();
            }
            Self::Inspect { glob } => Lines::new(out, "inspect", glob).end(),
            Self::Bind { bond: Bond::Connection } => {
                Lines::new(out, "bind", UNUSED).word(b"connection").end()
            }
            Self::Bind { bond: Bond::Lease } => Lines::new(out, "bind", UNUSED).word(b"lease").end(),
            Self::Info => Lines::new(out, "info", UNUSED).end(),
        }
    }
}

/// The key line of commands that have none; a server does not look at it.
const UNUSED: &[u8] = b"_";

/// The lines of one request as they are written, word by word.
struct Lines<'a> {
    out: &'a mut Vec<u8>,
    has_words: bool,
}

impl<'a> Lines<'a> {
    fn new(out: &'a mut Vec<u8>, verb: &str, key: &[u8]) -> Self {
        out.extend_from_slice(verb.as_bytes());
        out.push(b'\n');
        out.extend_from_slice(key);
        out.push(b'\n');
        Self { out, has_words: false }
    }

    fn word(mut self, word: &[u8]) -> Self {
        if self.has_words {
            self.out.push(b' ');
        }
        self.out.extend_from_slice(word);
        self.has_words = true;
        self
    }

    fn number(self, number: u64) -> Self {
        self.word(itoa::Buffer::new().format(number).as_bytes())
    }

    fn limit(self, space: Space, limit: Limit) -> Self {
        match space {
            Space::Lock => self,
            Space::Semaphore => self.number(limit.get().into()),
        }
    }

    fn lease(self, lease: Option<Duration>) -> Self {
        match lease {
            Some(lease) => self.number(lease.as_secs()),
            None => self,
        }
    }

    fn end(self) {
        self.out.push(b'\n');
    }
}

const fn verb(space: Space, lock: &'static str, semaphore: &'static str) -> &'static str {
    match space {
        Space::Lock => lock,
        Space::Semaphore => semaphore,
    }
}

/// Rounded up: who asks for half a second must not get none.
const fn whole(time: Duration) -> Duration {
    let up = if time.subsec_nanos() == 0 { 0 } else { 1 };
    Duration::from_secs(time.as_secs().saturating_add(up))
}

fn whole_wait(wait: Duration) -> Duration {
    whole(wait).min(Duration::from_secs(SECONDS_MAX))
}

impl fmt::Display for Unsendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => fmt::Display::fmt(refusal, f),
            Self::TooLong => f.write_str("a part of the request is longer than its line may be: shorten it"),
            Self::Ambiguous => f.write_str("a part of the request has blanks or line ends: leave them out"),
        }
    }
}

impl core::error::Error for Unsendable {}
