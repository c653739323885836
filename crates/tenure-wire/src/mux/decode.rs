//! From bytes to messages.

use super::kind::{push, request, response};
use super::read::Reader;
use super::{
    BadFrame, Enqueue, Frame, Hello, Message, Push, REASON_LEN_MAX, Refused, Request, Response, Welcome,
    number, report,
};

/// Reads a request. Whether its TTL is one that the server gives is for the server to say.
///
/// # Errors
///
/// [`BadFrame`] when it is none.
#[inline]
pub fn decode_request<'a>(frame: &Frame<'a>) -> Result<Request<'a>, BadFrame> {
    if frame.id == 0 {
        return Err(BadFrame::Malformed("the number of a request is not zero"));
    }
    let mut reader = Reader::new(frame.body);
    let fields = &mut reader;
    Ok(match frame.kind {
        request::HELLO => Request::Hello(hello(fields)?),
        request::PING => Request::Ping,
        request::ENQUEUE => Request::Enqueue(enqueue(fields)?),
        request::RESUME => Request::Resume { claim: fields.claim()?, key: fields.key()? },
        request::CANCEL => Request::Cancel { claim: fields.claim()? },
        request::RELEASE => Request::Release { claim: fields.claim()? },
        request::RELEASE_TOKEN => Request::ReleaseToken { token: fields.token()?, key: fields.key()? },
        request::RENEW => Request::Renew { claim: fields.claim()?, ttl: fields.time()? },
        request::POSITION => Request::Position { claim: fields.claim()? },
        request::FOLLOW => Request::Follow { claim: fields.claim()?, on: fields.flag()? },
        request::INSPECT => Request::Inspect { key: fields.key()? },
        request::LIST => Request::List { cursor: fields.u32()?, prefix: fields.bytes()? },
        request::WATCH => Request::Watch { key: fields.key()? },
        request::UNWATCH => Request::Unwatch { key: fields.key()? },
        request::STEAL => steal(fields)?,
        request::SIGNAL => Request::Signal { channel: fields.bytes()?, payload: fields.bytes()? },
        request::LISTEN => Request::Listen { pattern: fields.bytes()?, group: fields.bytes()? },
        request::UNLISTEN => Request::Unlisten { pattern: fields.bytes()?, group: fields.bytes()? },
        request::INFO => Request::Info,
        kind => return Err(BadFrame::UnknownKind(kind)),
    })
}

fn hello<'a>(fields: &mut Reader<'a>) -> Result<Hello<'a>, BadFrame> {
    Ok(Hello {
        version_min: fields.u16()?,
        version_max: fields.u16()?,
        session: fields.u128()?,
        pid: fields.u32()?,
        auth: fields.bytes()?,
        label: fields.label()?,
        host: fields.host()?,
    })
}

fn enqueue<'a>(fields: &mut Reader<'a>) -> Result<Enqueue<'a>, BadFrame> {
    Ok(Enqueue {
        claim: fields.claim()?,
        permits: match fields.u32()? {
            0 => return Err(BadFrame::Malformed("a claim asks for at least one permit")),
            permits => permits,
        },
        limit: fields.limit()?,
        ttl: fields.time()?,
        bond: number::bond(fields.u8()?)?,
        patience: number::patience(fields.u8()?)?,
        key: fields.key()?,
        label: fields.label()?,
    })
}

fn steal<'a>(fields: &mut Reader<'a>) -> Result<Request<'a>, BadFrame> {
    Ok(Request::Steal {
        fence: fields.option(Reader::fence)?,
        key: fields.key()?,
        reason: fields.short(REASON_LEN_MAX, "a reason has at most 256 bytes")?,
    })
}

/// Reads what a server says.
///
/// # Errors
///
/// [`BadFrame`] when it is nothing that a server says. A push of a kind that this version does not know is
/// [`Message::Unknown`].
#[inline]
pub fn decode_message<'a>(frame: &Frame<'a>) -> Result<Message<'a>, BadFrame> {
    let mut fields = Reader::new(frame.body);
    if frame.kind >= push::FIRST {
        return pushed(frame.kind, &mut fields);
    }
    Ok(Message::Response(frame.id, responded(frame.kind, &mut fields)?))
}

fn responded<'a>(kind: u8, fields: &mut Reader<'a>) -> Result<Response<'a>, BadFrame> {
    Ok(match kind {
        response::WELCOME => Response::Welcome(welcome(fields)?),
        response::PONG => Response::Pong,
        response::DONE => Response::Done,
        response::GRANTED => Response::Granted { token: fields.token()?, ttl: fields.time()? },
        response::QUEUED => Response::Queued { position: fields.u32()? },
        response::BUSY => Response::Busy,
        response::GONE => Response::Gone,
        response::RENEWED => Response::Renewed { ttl: fields.time()? },
        response::RELEASED => Response::Released,
        response::COUNT => Response::Count(fields.u64()?),
        response::INSPECTION => Response::Inspection(report::read_inspection(fields)?),
        response::PAGE => {
            Response::Page { next: fields.option(Reader::u32)?, keys: fields.list(report::read_summary)? }
        }
        response::INFO => Response::Info(fields.text()?),
        response::REFUSED => Response::Refused(refused(fields)?),
        kind => return Err(BadFrame::UnknownKind(kind)),
    })
}

fn welcome<'a>(fields: &mut Reader<'a>) -> Result<Welcome<'a>, BadFrame> {
    Ok(Welcome {
        version: fields.u16()?,
        owner: fields.u64()?,
        silence_max: fields.time()?,
        server: fields.text()?,
    })
}

fn refused<'a>(fields: &mut Reader<'a>) -> Result<Refused<'a>, BadFrame> {
    Ok(Refused { code: number::code(fields.u16()?), detail: fields.u32()?, message: fields.text()? })
}

fn pushed<'a>(kind: u8, fields: &mut Reader<'a>) -> Result<Message<'a>, BadFrame> {
    Ok(Message::Push(match kind {
        push::GRANTED => {
            Push::Granted { claim: fields.claim()?, token: fields.token()?, ttl: fields.time()? }
        }
        push::LOST => Push::Lost {
            claim: fields.claim()?,
            ending: number::ending(fields.u8()?)?,
            reason: fields.text()?,
            // No grant has the fence zero.
            fence: Some(fields.fence()?).filter(|fence| fence.get() != 0),
        },
        push::POSITION => Push::Position { claim: fields.claim()?, position: fields.u32()? },
        push::SIGNAL => Push::Signal { channel: fields.bytes()?, payload: fields.bytes()? },
        push::CHANGED => Push::Changed { key: fields.key()?, observation: report::read_observation(fields)? },
        push::MISSED => Push::Missed,
        push::DRAINING => Push::Draining,
        push::PING => Push::Ping,
        _ => return Ok(Message::Unknown),
    }))
}
