//! The multiplexed protocol: many claims on one connection.
//!
//! A client sends [`PREFACE`] and then frames; a server sends frames. The first request is [`Request::Hello`]. Every request
//! has a number that its response carries too; what the server says without having been asked is a [`Push`].
//!
//! A frame is a length (four bytes), which counts what follows, a kind (one byte), the number of the request (four bytes, zero
//! in a push) and the fields of that kind. Numbers are unsigned and big-endian, texts and bytes follow their length (two
//! bytes). What stands behind the last field that a reader knows is skipped, so later versions can add fields.
//!
//! A server calls [`next_frame`] on what it has read, [`decode_request`], [`encode_response`] and [`encode_push`]; a client
//! [`encode_request`] and [`decode_message`]. What a busy connection says is read and written without an allocation.
//!
//! `docs/protocol.md` describes it for those who write it in another language, and `tests/vectors/mux.txt` has every message
//! in bytes.

mod decode;
mod encode;
mod fault;
mod frame;
mod kind;
mod message;
mod number;
mod read;
mod report;
mod write;

pub use decode::{decode_message, decode_request};
pub use encode::{encode_push, encode_request, encode_response};
pub use fault::{BadFrame, TooLong};
pub use frame::{Frame, Framed, next_frame};
pub use message::{
    Enqueue, Hello, Message, Patience, Push, Refused, RefusedCode, Request, RequestId, Response, Welcome,
};

/// What a connection begins with. No request of the line protocol begins with a zero byte.
pub const PREFACE: [u8; 8] = *b"\0tenure\n";

/// The version of the protocol that this crate speaks, and the lowest one.
pub const VERSION: u16 = 1;

/// The longest frame, its length field not counted, before a connection has been let in: a hello has room in it, and a
/// stranger can make a server hold no more than this.
pub const FRAME_LEN_MAX_BEFORE_HELLO: usize = 1024;

/// The longest frame, its length field not counted, after that.
pub const FRAME_LEN_MAX: usize = 64 * 1024;

/// The most bytes that the channel and the payload of a signal have together: a push with them fits a frame, beside its kind,
/// its number and two lengths.
pub const SIGNAL_LEN_MAX: usize = FRAME_LEN_MAX - (1 + 4 + 2 + 2);

/// The longest reason for taking a grant away, in bytes.
pub const REASON_LEN_MAX: usize = 256;
