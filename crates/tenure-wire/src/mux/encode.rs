//! From messages to bytes.

use super::kind::{push, request, response};
use super::write::Writer;
use super::{
    Enqueue, FRAME_LEN_MAX, FRAME_LEN_MAX_BEFORE_HELLO, Hello, Push, Refused, Request, RequestId, Response,
    TooLong, Welcome, number, report,
};
use alloc::vec::Vec;

/// Appends a request as a frame. Its number is not zero. Leases are rounded up to whole milliseconds.
///
/// # Errors
///
/// [`TooLong`] when it does not fit into a frame, or a [`Request::Hello`] into the first one; then nothing is appended.
#[inline]
pub fn encode_request(out: &mut Vec<u8>, id: RequestId, request: &Request<'_>) -> Result<(), TooLong> {
    let len_max = if let Request::Hello(_) = request { FRAME_LEN_MAX_BEFORE_HELLO } else { FRAME_LEN_MAX };
    let mut writer = Writer::new(out, id);
    let kind = request_fields(&mut writer, request);
    writer.finish(kind, len_max)
}

/// Appends the response to the request of that number as a frame. Times are rounded down to whole milliseconds: nobody
/// may believe in a grant for longer than it lives.
///
/// # Errors
///
/// [`TooLong`] when it does not fit into a frame; then nothing is appended.
#[inline]
pub fn encode_response(out: &mut Vec<u8>, id: RequestId, response: &Response<'_>) -> Result<(), TooLong> {
    let mut writer = Writer::new(out, id);
    let kind = response_fields(&mut writer, response);
    writer.finish(kind, FRAME_LEN_MAX)
}

/// Appends a push as a frame. Times are rounded down to whole milliseconds.
///
/// # Errors
///
/// [`TooLong`] when it does not fit into a frame; then nothing is appended.
#[inline]
pub fn encode_push(out: &mut Vec<u8>, push: &Push<'_>) -> Result<(), TooLong> {
    let mut writer = Writer::new(out, 0);
    let kind = push_fields(&mut writer, push);
    writer.finish(kind, FRAME_LEN_MAX)
}

/// Writes the fields of a request, and says which kind they belong to.
fn request_fields(writer: &mut Writer<'_>, request: &Request<'_>) -> u8 {
    match request {
        Request::Hello(hello) => hello_fields(writer, hello),
        Request::Ping => request::PING,
        Request::Enqueue(enqueue) => enqueue_fields(writer, enqueue),
        Request::Resume { claim, key } => {
            writer.claim(*claim);
            writer.key(*key);
            request::RESUME
        }
        Request::Cancel { claim } => {
            writer.claim(*claim);
            request::CANCEL
        }
        Request::Release { claim } => {
            writer.claim(*claim);
            request::RELEASE
        }
        Request::ReleaseToken { key, token } => {
            writer.token(*token);
            writer.key(*key);
            request::RELEASE_TOKEN
        }
        Request::Renew { claim, ttl } => {
            writer.claim(*claim);
            writer.at_least(*ttl);
            request::RENEW
        }
        Request::Position { claim } => {
            writer.claim(*claim);
            request::POSITION
        }
        Request::Follow { claim, on } => {
            writer.claim(*claim);
            writer.flag(*on);
            request::FOLLOW
        }
        Request::Inspect { key } => {
            writer.key(*key);
            request::INSPECT
        }
        Request::List { prefix, cursor } => {
            writer.u32(*cursor);
            writer.bytes(prefix);
            request::LIST
        }
        Request::Watch { key } => {
            writer.key(*key);
            request::WATCH
        }
        Request::Unwatch { key } => {
            writer.key(*key);
            request::UNWATCH
        }
        Request::Steal { key, fence, reason } => {
            writer.option(*fence, Writer::fence);
            writer.key(*key);
            writer.text(reason);
            request::STEAL
        }
        Request::Signal { channel, payload } => {
            writer.bytes(channel);
            writer.bytes(payload);
            request::SIGNAL
        }
        Request::Listen { pattern, group } => {
            writer.bytes(pattern);
            writer.bytes(group);
            request::LISTEN
        }
        Request::Unlisten { pattern, group } => {
            writer.bytes(pattern);
            writer.bytes(group);
            request::UNLISTEN
        }
        Request::Info => request::INFO,
    }
}

fn hello_fields(writer: &mut Writer<'_>, hello: &Hello<'_>) -> u8 {
    writer.u16(hello.version_min);
    writer.u16(hello.version_max);
    writer.u128(hello.session);
    writer.u32(hello.pid);
    writer.bytes(hello.auth);
    writer.text(hello.label);
    writer.text(hello.host);
    request::HELLO
}

fn enqueue_fields(writer: &mut Writer<'_>, enqueue: &Enqueue<'_>) -> u8 {
    writer.claim(enqueue.claim);
    writer.u32(enqueue.permits);
    writer.limit(enqueue.limit);
    writer.at_least(enqueue.ttl);
    writer.u8(number::of_bond(enqueue.bond));
    writer.u8(number::of_patience(enqueue.patience));
    writer.key(enqueue.key);
    writer.text(enqueue.label);
    request::ENQUEUE
}

/// Writes the fields of a response, and says which kind they belong to.
fn response_fields(writer: &mut Writer<'_>, response: &Response<'_>) -> u8 {
    match response {
        Response::Welcome(welcome) => welcome_fields(writer, welcome),
        Response::Pong => response::PONG,
        Response::Done => response::DONE,
        Response::Granted { token, ttl } => {
            writer.token(*token);
            writer.at_most(*ttl);
            response::GRANTED
        }
        Response::Queued { position } => {
            writer.u32(*position);
            response::QUEUED
        }
        Response::Busy => response::BUSY,
        Response::Gone => response::GONE,
        Response::Renewed { ttl } => {
            writer.at_most(*ttl);
            response::RENEWED
        }
        Response::Released => response::RELEASED,
        Response::Count(count) => {
            writer.u64(*count);
            response::COUNT
        }
        Response::Inspection(inspection) => {
            report::write_inspection(writer, inspection);
            response::INSPECTION
        }
        Response::Page { keys, next } => {
            writer.option(*next, Writer::u32);
            writer.list(keys, report::write_summary);
            response::PAGE
        }
        Response::Info(json) => {
            writer.text(json);
            response::INFO
        }
        Response::Refused(refused) => refused_fields(writer, refused),
    }
}

fn welcome_fields(writer: &mut Writer<'_>, welcome: &Welcome<'_>) -> u8 {
    writer.u16(welcome.version);
    writer.u64(welcome.owner);
    writer.at_most(welcome.silence_max);
    writer.text(welcome.server);
    response::WELCOME
}

fn refused_fields(writer: &mut Writer<'_>, refused: &Refused<'_>) -> u8 {
    writer.u16(number::of_code(refused.code));
    writer.u32(refused.detail);
    writer.text(refused.message);
    response::REFUSED
}

/// Writes the fields of a push, and says which kind they belong to.
fn push_fields(writer: &mut Writer<'_>, push: &Push<'_>) -> u8 {
    match push {
        Push::Granted { claim, token, ttl } => {
            writer.claim(*claim);
            writer.token(*token);
            writer.at_most(*ttl);
            push::GRANTED
        }
        Push::Lost { claim, ending, reason, fence } => {
            writer.claim(*claim);
            writer.u8(number::of_ending(*ending));
            writer.text(reason);
            writer.u64(fence.map_or(0, tenure_core::Fence::get));
            push::LOST
        }
        Push::Position { claim, position } => {
            writer.claim(*claim);
            writer.u32(*position);
            push::POSITION
        }
        Push::Signal { channel, payload } => {
            writer.bytes(channel);
            writer.bytes(payload);
            push::SIGNAL
        }
        Push::Changed { key, observation } => {
            writer.key(*key);
            report::write_observation(writer, observation);
            push::CHANGED
        }
        Push::Missed => push::MISSED,
        Push::Draining => push::DRAINING,
        Push::Ping => push::PING,
    }
}
