//! What a client can ask for.

use core::fmt;
use core::time::Duration;

use tenure_core::{Bond, Key, Limit, NAME_LEN_MAX, Subject};

use super::SECONDS_MAX;

/// One request. Its debug form names no token and no payload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Command<'a> {
    /// `l`, `sl`: take one permit, waiting for it if need be.
    Acquire {
        /// The lock or semaphore.
        key: Key<'a>,
        /// How many permits the key has in all; one for a lock.
        limit: Limit,
        /// How long to wait; zero tries once.
        wait: Duration,
        /// How long the grant lasts without a renewal; `None` leaves that to the server.
        lease: Option<Duration>,
    },
    /// `e`, `se`: take one permit or a place in the queue, and hear at once which.
    Enqueue {
        /// The lock or semaphore.
        key: Key<'a>,
        /// How many permits the key has in all; one for a lock.
        limit: Limit,
        /// How long the grant lasts without a renewal; `None` leaves that to the server.
        lease: Option<Duration>,
    },
    /// `w`, `sw`: wait for what this connection has enqueued for.
    Wait {
        /// The lock or semaphore.
        key: Key<'a>,
        /// How long to wait; zero looks once.
        wait: Duration,
    },
    /// `r`, `sr`: end a grant.
    Release {
        /// The lock or semaphore.
        key: Key<'a>,
        /// What the grant's holder was given, unchecked.
        token: &'a [u8],
    },
    /// `n`, `sn`: let a grant last from now on as long as asked.
    Renew {
        /// The lock or semaphore.
        key: Key<'a>,
        /// What the grant's holder was given, unchecked.
        token: &'a [u8],
        /// How long; `None` leaves that to the server.
        lease: Option<Duration>,
    },
    /// `auth`: show the secret that lets this connection in.
    Auth {
        /// The secret.
        token: &'a [u8],
    },
    /// `ping`: show that the connection lives.
    Ping,
    /// `stats`: tell all keys and channels.
    Stats,
    /// `signal`: tell whoever listens.
    Signal {
        /// What it is about.
        subject: Subject<'a>,
        /// What is told: at least one byte that is no blank, passed on as it is.
        payload: &'a [u8],
    },
    /// `listen`: hear the signals whose subject matches.
    Listen {
        /// A pattern that has passed [`tenure_core::check_pattern`].
        pattern: &'a [u8],
        /// The group whose members hear them in turn; `None` hears every one.
        group: Option<&'a [u8]>,
    },
    /// `unlisten`: hear them no more.
    Unlisten {
        /// A pattern that has passed [`tenure_core::check_pattern`].
        pattern: &'a [u8],
        /// The group that it was listened to in.
        group: Option<&'a [u8]>,
    },
    /// `inspect`: tell who holds the keys that match. Not in dflockd.
    Inspect {
        /// The names: a `*` stands for any run of bytes, everything else for itself. It is not empty when decoded.
        glob: &'a [u8],
    },
    /// `bind`: choose what this connection's further grants end with. Not in dflockd.
    Bind {
        /// What they end with.
        bond: Bond,
    },
    /// `info`: tell which server this is and what it has used so far. Not in dflockd.
    Info,
}

/// Why three lines are not a request. A server answers `error` to all of them and goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The first line is not a command.
    UnknownCommand,
    /// A number is not a decimal integer, or is larger than the protocol allows.
    BadInteger,
    /// The key is empty or has a blank, a tab or a carriage return.
    BadKey,
    /// A timeout is below zero.
    NegativeTimeout,
    /// A token is missing.
    EmptyToken,
    /// There are too few or too many arguments, or not the ones that the command knows.
    BadArguments,
    /// A lease is zero or below.
    BadLease,
    /// A limit is zero or below.
    BadLimit,
    /// The subject of a signal is empty, or has blanks or wildcards.
    BadSubject,
    /// A pattern is empty, or has blanks or a misplaced wildcard.
    BadPattern,
    /// The payload of a signal is blank.
    EmptyPayload,
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acquire { key, limit, wait, lease } => {
                write!(f, "Acquire({key:?}, limit {}, wait {wait:?}, lease {lease:?})", limit.get())
            }
            Self::Enqueue { key, limit, lease } => {
                write!(f, "Enqueue({key:?}, limit {}, lease {lease:?})", limit.get())
            }
            Self::Wait { key, wait } => write!(f, "Wait({key:?}, wait {wait:?})"),
            Self::Release { key, .. } => write!(f, "Release({key:?}, ..)"),
            Self::Renew { key, lease, .. } => write!(f, "Renew({key:?}, lease {lease:?}, ..)"),
            Self::Auth { .. } => f.write_str("Auth(..)"),
            Self::Ping => f.write_str("Ping"),
            Self::Stats => f.write_str("Stats"),
            Self::Signal { subject, payload } => write!(f, "Signal({subject:?}, {} bytes)", payload.len()),
            Self::Listen { pattern, group } => {
                write!(f, "Listen(\"{}\"{})", pattern.escape_ascii(), Group(*group))
            }
            Self::Unlisten { pattern, group } => {
                write!(f, "Unlisten(\"{}\"{})", pattern.escape_ascii(), Group(*group))
            }
            Self::Inspect { glob } => write!(f, "Inspect(\"{}\")", glob.escape_ascii()),
            Self::Bind { bond } => write!(f, "Bind({bond:?})"),
            Self::Info => f.write_str("Info"),
        }
    }
}

struct Group<'a>(Option<&'a [u8]>);

impl fmt::Display for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, ", group \"{}\"", name.escape_ascii()),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCommand => f.write_str("there is no such command"),
            Self::BadInteger => write!(
                f,
                "times are whole seconds up to {SECONDS_MAX}, limits whole numbers up to {}, both in decimal",
                u32::MAX
            ),
            Self::BadKey => {
                write!(f, "a key has 1 to {NAME_LEN_MAX} bytes, none of them a blank, a tab or a line end")
            }
            Self::NegativeTimeout => f.write_str("a timeout is zero seconds or more"),
            Self::EmptyToken => f.write_str("the third line needs a token"),
            Self::BadArguments => f.write_str("the third line has too few, too many or unknown arguments"),
            Self::BadLease => f.write_str("a lease is at least one second"),
            Self::BadLimit => f.write_str("a limit is at least one"),
            Self::BadSubject => f.write_str("a signal needs one subject, without blanks and without `*` and `>`"),
            Self::BadPattern => f.write_str(
                "a pattern has no blanks; `*` and `>` are whole tokens between dots, and `>` only the last one",
            ),
            Self::EmptyPayload => f.write_str("a signal needs a payload that is not blank"),
        }
    }
}

impl core::error::Error for Refusal {}
