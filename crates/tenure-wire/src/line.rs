//! The line protocol: a request is three lines (command, key, argument), an answer is one.
//!
//! It is the protocol of dflockd, byte for byte, with three commands more: `bind`, `inspect` and `info`. Requests may
//! be sent before earlier ones are answered; answers come in the order of the requests. Lines that begin with `sig `
//! are signals, and come between answers at any time.
//!
//! A server calls [`decode`] on what it has read, and [`Answer::encode`]; a client [`Command::encode`] and
//! [`parse_answer`].
//!
//! ```
//! use tenure_wire::line::{Command, Decoded, decode};
//!
//! let input = b"l\nnightly-backup\n10\nr\nnight";
//! let Decoded::Request { command: Ok(Command::Acquire { wait, .. }), len } = decode(input) else { unreachable!() };
//! assert_eq!(wait.as_secs(), 10);
//! assert_eq!(decode(&input[len..]), Decoded::Incomplete);
//! ```

mod answer;
mod arguments;
mod command;
mod decode;
mod encode;
mod reply;

pub use self::answer::{Answer, encode_report, encode_signal};
pub use self::arguments::SECONDS_MAX;
pub use self::command::{Command, Refusal};
pub use self::decode::{Decoded, decode};
pub use self::encode::Unsendable;
pub use self::reply::{Failure, Grant, LEASE_UNTOLD, Reply, parse_answer, parse_lease};

/// The longest line, in bytes, without the line feed that ends it.
pub const LINE_LEN_MAX: usize = 256;

/// The longest third line of `auth` and `signal`, which carry a secret or a payload.
pub const LONG_LINE_LEN_MAX: usize = 65_536;

/// The longest request, in bytes, with its line feeds. As many are always enough to decide what a request is.
pub const REQUEST_LEN_MAX: usize = 2 * (LINE_LEN_MAX + 1) + LONG_LINE_LEN_MAX + 1;
