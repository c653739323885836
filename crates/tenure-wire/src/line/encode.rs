//! From requests to bytes.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use tenure_core::{Bond, Key, Limit, Space};

use super::{Command, Decoded, Refusal, SECONDS_MAX, decode};

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
        let lines = match self {
            Self::Acquire { key, limit, wait, lease } => Lines::on_key(out, ["l", "sl"], *key)
                .number(wait.as_secs())
                .limit(key.space(), *limit)
                .lease(*lease),
            Self::Enqueue { key, limit, lease } => {
                Lines::on_key(out, ["e", "se"], *key).limit(key.space(), *limit).lease(*lease)
            }
            Self::Wait { key, wait } => Lines::on_key(out, ["w", "sw"], *key).number(wait.as_secs()),
            Self::Release { key, token } => Lines::on_key(out, ["r", "sr"], *key).word(token),
            Self::Renew { key, token, lease } => {
                Lines::on_key(out, ["n", "sn"], *key).word(token).lease(*lease)
            }
            Self::Auth { token } => Lines::new(out, "auth", UNUSED).word(token),
            Self::Ping => Lines::new(out, "ping", UNUSED),
            Self::Stats => Lines::new(out, "stats", UNUSED),
            Self::Signal { subject, payload } => Lines::new(out, "signal", subject.as_bytes()).word(payload),
            Self::Listen { pattern, group } => {
                Lines::new(out, "listen", pattern).word(group.unwrap_or_default())
            }
            Self::Unlisten { pattern, group } => {
                Lines::new(out, "unlisten", pattern).word(group.unwrap_or_default())
            }
            Self::Inspect { glob } => Lines::new(out, "inspect", glob),
            Self::Bind { bond: Bond::Connection } => Lines::new(out, "bind", UNUSED).word(b"connection"),
            Self::Bind { bond: Bond::Lease } => Lines::new(out, "bind", UNUSED).word(b"lease"),
            Self::Bind { bond: Bond::Resumable } => Lines::new(out, UNKNOWN, UNUSED),
            Self::Info => Lines::new(out, "info", UNUSED),
        };
        lines.end();
    }
}

/// The key line of commands that have none; a server does not look at it.
const UNUSED: &[u8] = b"_";

/// The verb of what this protocol has no words for; reading it again refuses it.
const UNKNOWN: &str = "?";

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

    fn on_key(out: &'a mut Vec<u8>, [lock, semaphore]: [&str; 2], key: Key<'_>) -> Self {
        let verb = match key.space() {
            Space::Lock => lock,
            Space::Semaphore => semaphore,
            Space::RwLock => UNKNOWN,
        };
        Self::new(out, verb, key.name())
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
            Space::Semaphore | Space::RwLock => self.number(limit.get().into()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use tenure_core::Subject;

    #[test]
    fn every_command_is_its_three_lines() {
        let (lock, semaphore) = (named(Space::Lock), named(Space::Semaphore));
        let (wait, lease) = (Duration::from_secs(10), Some(Duration::from_secs(33)));
        let (one, three) = (Limit::ONE, Limit::new(3).expect("not zero"));
        let subject = Subject::new(b"a.b").expect("a subject");
        for (command, lines) in [
            (Command::Acquire { key: lock, limit: one, wait, lease: None }, "l\nk\n10\n"),
            (Command::Acquire { key: lock, limit: one, wait, lease }, "l\nk\n10 33\n"),
            (Command::Acquire { key: semaphore, limit: three, wait, lease }, "sl\nk\n10 3 33\n"),
            (Command::Enqueue { key: lock, limit: one, lease: None }, "e\nk\n\n"),
            (Command::Enqueue { key: lock, limit: one, lease }, "e\nk\n33\n"),
            (Command::Enqueue { key: semaphore, limit: three, lease: None }, "se\nk\n3\n"),
            (Command::Wait { key: lock, wait }, "w\nk\n10\n"),
            (Command::Wait { key: semaphore, wait }, "sw\nk\n10\n"),
            (Command::Release { key: lock, token: b"t" }, "r\nk\nt\n"),
            (Command::Release { key: semaphore, token: b"t" }, "sr\nk\nt\n"),
            (Command::Renew { key: lock, token: b"t", lease: None }, "n\nk\nt\n"),
            (Command::Renew { key: semaphore, token: b"t", lease }, "sn\nk\nt 33\n"),
            (Command::Auth { token: b"hush" }, "auth\n_\nhush\n"),
            (Command::Ping, "ping\n_\n\n"),
            (Command::Stats, "stats\n_\n\n"),
            (Command::Info, "info\n_\n\n"),
            (Command::Signal { subject, payload: b" x y" }, "signal\na.b\n x y\n"),
            (Command::Listen { pattern: b"a.*", group: None }, "listen\na.*\n\n"),
            (Command::Listen { pattern: b"a.*", group: Some(b"g") }, "listen\na.*\ng\n"),
            (Command::Unlisten { pattern: b"a.>", group: Some(b"g") }, "unlisten\na.>\ng\n"),
            (Command::Inspect { glob: b"" }, "inspect\n*\n\n"),
            (Command::Inspect { glob: b"a*" }, "inspect\na*\n\n"),
            (Command::Bind { bond: Bond::Lease }, "bind\n_\nlease\n"),
            (Command::Bind { bond: Bond::Connection }, "bind\n_\nconnection\n"),
        ] {
            assert_eq!(encoded(command), Ok(lines.to_owned()));
        }
    }

    #[test]
    fn times_are_rounded_up_and_a_wait_for_ever_is_the_longest_there_is() {
        let wait = |wait| encoded(Command::Wait { key: named(Space::Lock), wait });
        assert_eq!(wait(Duration::from_nanos(1)), Ok("w\nk\n1\n".to_owned()));
        assert_eq!(wait(Duration::from_millis(9_001)), Ok("w\nk\n10\n".to_owned()));
        assert_eq!(wait(Duration::MAX), Ok("w\nk\n9223372036\n".to_owned()));
    }

    #[test]
    fn what_would_be_read_as_something_else_is_not_sent() {
        let key = named(Space::Lock);
        let foul = |name| Key::new(Space::Lock, name).expect("a name of any bytes");
        let long = [b'k'; 257];
        let subject = Subject::new(b"a").expect("a subject");
        for (command, why) in [
            (Command::Release { key: foul(b"a b"), token: b"t" }, Unsendable::Refused(Refusal::BadKey)),
            (Command::Release { key: foul(b"a\n"), token: b"t" }, Unsendable::Ambiguous),
            (Command::Release { key: foul(b"a\r"), token: b"t" }, Unsendable::Ambiguous),
            (Command::Release { key: foul(b"a\nt\nr\nb"), token: b"t" }, Unsendable::Ambiguous),
            (Command::Release { key: foul(&long), token: b"t" }, Unsendable::TooLong),
            (Command::Release { key, token: b"" }, Unsendable::Refused(Refusal::EmptyToken)),
            (Command::Release { key, token: b"t\n" }, Unsendable::Ambiguous),
            (Command::Renew { key, token: b"t 7", lease: None }, Unsendable::Ambiguous),
            (
                Command::Renew { key, token: b"t", lease: Some(Duration::ZERO) },
                Unsendable::Refused(Refusal::BadLease),
            ),
            (
                Command::Renew { key, token: b"t", lease: Some(Duration::MAX) },
                Unsendable::Refused(Refusal::BadInteger),
            ),
            (Command::Wait { key: foul(b"\t"), wait: Duration::ZERO }, Unsendable::Refused(Refusal::BadKey)),
            (Command::Auth { token: b"hush " }, Unsendable::Ambiguous),
            (Command::Signal { subject, payload: b" " }, Unsendable::Refused(Refusal::EmptyPayload)),
            (Command::Signal { subject, payload: b"a\nb" }, Unsendable::Ambiguous),
            (Command::Signal { subject, payload: b"a\r" }, Unsendable::Ambiguous),
            (Command::Listen { pattern: b"a*", group: None }, Unsendable::Refused(Refusal::BadPattern)),
            (Command::Listen { pattern: b"a", group: Some(b" ") }, Unsendable::Ambiguous),
            (Command::Inspect { glob: b"a\nb" }, Unsendable::Ambiguous),
        ] {
            assert_eq!(encoded(command), Err(why), "{command:?}");
        }
    }

    #[test]
    fn a_lock_has_no_other_limit_than_one() {
        let limit = Limit::new(2).expect("not zero");
        let command = Command::Enqueue { key: named(Space::Lock), limit, lease: None };
        assert_eq!(encoded(command), Err(Unsendable::Ambiguous));
    }

    fn encoded(command: Command<'_>) -> Result<String, Unsendable> {
        let mut out = b"before".to_vec();
        let verdict = command.encode(&mut out);
        let written = String::from_utf8(out).expect("these are text").split_off("before".len());
        assert!(verdict.is_ok() || written.is_empty());
        verdict.map(|()| written)
    }

    fn named(space: Space) -> Key<'static> {
        Key::new(space, b"k").expect("a name")
    }
}
