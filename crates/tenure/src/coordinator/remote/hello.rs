//! How a connection begins.

use super::link::Link;
use super::pipe::Pipe;
use super::refused;
use crate::{Clock, Error, ErrorKind, Instant, net};
use std::future::poll_fn;
use std::time::Duration;
use tenure_wire::mux::{
    FRAME_LEN_MAX, Framed, Hello, Message, PREFACE, Request, RequestId, Response, VERSION, decode_message,
    encode_request, next_frame,
};

/// The number of the first request.
const HELLO: RequestId = 1;

/// How TLS says that it does not understand: the beginning of a record of that kind.
const TLS_ALERT: [u8; 2] = [0x15, 0x03];

/// The most of what another kind of service says that is shown.
const SHOWN_MAX: usize = 80;

/// A connection that a service has let in.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) pipe: Pipe,
    /// The service ends a connection that is silent for so long.
    pub(super) silence_max: Duration,
    /// An instant before the service answered for the first time, on the clock that grants are believed in by.
    pub(super) greeted: Instant,
}

/// Makes a connection. What came in earlier ones of the session is done, or never will be, when it is there.
pub(super) async fn open(link: &Link, session: u128) -> Result<Connected, Error> {
    let patience = link.options.connect_timeout;
    let began = Clock::system().now();
    let stream = net::connect(&link.address, &link.options.tls_roots, patience).await?;
    let left = patience.saturating_sub(Clock::system().now().since(began));
    let greeting = tokio::time::timeout(left, greet(link, Pipe::new(stream), session));
    greeting.await.unwrap_or_else(|_| {
        let text = format!("the service at {} does not answer", link.address);
        Err(Error::new(ErrorKind::Unavailable, text))
    })
}

async fn greet(link: &Link, mut pipe: Pipe, session: u128) -> Result<Connected, Error> {
    let greeted = link.now();
    pipe.load(&mut hello(link, session)?);
    let gone = |error| {
        Error::with_source(ErrorKind::Unavailable, format!("the service at {} is gone", link.address), error)
    };
    poll_fn(|cx| pipe.poll_write(cx)).await.map_err(gone)?;
    loop {
        if let Some((len, silence_max)) = welcome(link, pipe.unread())? {
            pipe.consume(len);
            return Ok(Connected { pipe, silence_max, greeted });
        }
        if poll_fn(|cx| pipe.poll_read(cx)).await.map_err(gone)? == 0 {
            return Err(another_kind(link, pipe.unread()));
        }
    }
}

fn hello(link: &Link, session: u128) -> Result<Vec<u8>, Error> {
    let note = &link.options.note;
    let hello = Request::Hello(Hello {
        version_min: VERSION,
        version_max: VERSION,
        session,
        auth: link.options.auth.as_ref().map_or(&[], |token| token.as_bytes()),
        label: &note.label,
        host: &note.host,
        pid: note.pid,
    });
    let mut bytes = PREFACE.to_vec();
    let too_long = "the secret and the label are too long to introduce oneself with";
    encode_request(&mut bytes, HELLO, &hello)
        .map_err(|error| Error::with_source(ErrorKind::Invalid, too_long, error))?;
    Ok(bytes)
}

/// How long the welcome is and what it says; `None` while it is not there.
fn welcome(link: &Link, bytes: &[u8]) -> Result<Option<(usize, Duration)>, Error> {
    let frame = match next_frame(bytes, FRAME_LEN_MAX) {
        Framed::Incomplete => return Ok(None),
        Framed::TooLong { .. } | Framed::Malformed => return Err(another_kind(link, bytes)),
        Framed::Whole(frame) => frame,
    };
    match decode_message(&frame) {
        Ok(Message::Response(_, Response::Welcome(welcome))) if welcome.version == VERSION => {
            Ok(Some((frame.len, welcome.silence_max)))
        }
        Ok(Message::Response(_, Response::Welcome(welcome))) => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "the service at {} ({}) speaks version {} of the protocol, and this client {VERSION}: use versions that fit",
                link.address,
                welcome.server.escape_debug(),
                welcome.version
            ),
        )),
        Ok(Message::Response(_, Response::Refused(refused))) => Err(refused::explain(&refused)),
        Ok(_) | Err(_) => Err(another_kind(link, bytes)),
    }
}

/// The error for whoever does not greet as a service of ours does.
fn another_kind(link: &Link, said: &[u8]) -> Error {
    let address = &link.address;
    if said.starts_with(&TLS_ALERT) {
        let tls = net::Address { tls: true, ..address.clone() };
        return Error::new(
            ErrorKind::Unavailable,
            format!("the service at {address} speaks TLS: name it {tls}"),
        );
    }
    if said.is_empty() {
        // One that has no room for another connection, or has yet to begin, closes it like that as well.
        let text = format!(
            "the service at {address} closed the connection: it is no Tenure daemon that knows the multiplexed protocol, or \
             takes nobody in now"
        );
        return Error::new(ErrorKind::Unavailable, text);
    }
    let shown = said[..said.len().min(SHOWN_MAX)].escape_ascii();
    let text = format!(
        "the service at {address} answered \"{shown}\": it is no Tenure daemon that knows the multiplexed protocol"
    );
    Error::new(ErrorKind::Unsupported, text)
}
