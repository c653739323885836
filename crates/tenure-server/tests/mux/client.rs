//! A client that speaks the multiplexed protocol frame by frame.

use crate::line::SOON;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use tenure_core::{Bond, ClaimId, Key, Limit, Space, Token};
use tenure_wire::mux::{
    Enqueue, FRAME_LEN_MAX, Framed, Hello, Message, PREFACE, Patience, Push, Refused, RefusedCode, Request,
    RequestId, Response, VERSION, Welcome, decode_message, encode_request, next_frame,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than any test takes.
pub(crate) const TTL: Duration = Duration::from_secs(600);

pub(crate) const HELLO: Hello<'static> =
    Hello { version_min: VERSION, version_max: VERSION, session: 0, auth: b"", label: "", host: "", pid: 0 };

pub(crate) struct Mux<S = TcpStream> {
    pub(crate) stream: S,
    input: Vec<u8>,
    last: RequestId,
    pushes: VecDeque<Push<'static>>,
}

impl Mux {
    /// A connection that has said nothing yet.
    pub(crate) async fn silent(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.expect("a connection"))
    }

    /// A connection that was let in.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::connect_as(address, &HELLO).await
    }

    pub(crate) async fn connect_as(address: SocketAddr, hello: &Hello<'_>) -> Self {
        let mut client = Self::silent(address).await;
        client.welcome(hello).await;
        client
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Mux<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self { stream, input: Vec::new(), last: 0, pushes: VecDeque::new() }
    }

    pub(crate) async fn welcome(&mut self, hello: &Hello<'_>) -> Welcome<'static> {
        match self.introduce(hello).await {
            Response::Welcome(welcome) => welcome,
            other => panic!("no welcome: {other:?}"),
        }
    }

    /// Sends the preface and a hello; what that is answered.
    pub(crate) async fn introduce(&mut self, hello: &Hello<'_>) -> Response<'static> {
        self.write(&PREFACE).await;
        self.ask(&Request::Hello(*hello)).await
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        timeout(SOON, self.stream.write_all(bytes)).await.expect("taken in time").expect("sent");
        self.stream.flush().await.expect("sent");
    }

    /// The bytes of a request, with the next number.
    pub(crate) fn frame(&mut self, request: &Request<'_>) -> (RequestId, Vec<u8>) {
        self.last += 1;
        let mut bytes = Vec::new();
        encode_request(&mut bytes, self.last, request).expect("a request that fits a frame");
        (self.last, bytes)
    }

    pub(crate) async fn send(&mut self, request: &Request<'_>) -> RequestId {
        let (id, bytes) = self.frame(request);
        self.write(&bytes).await;
        id
    }

    pub(crate) async fn ask(&mut self, request: &Request<'_>) -> Response<'static> {
        let id = self.send(request).await;
        self.answer(id).await
    }

    /// The next response, which has to be that to this request. Pushes before it are kept.
    pub(crate) async fn answer(&mut self, id: RequestId) -> Response<'static> {
        loop {
            match self.next().await {
                Some(Message::Response(answered, response)) => {
                    assert_eq!(answered, id, "{response:?}");
                    return response;
                }
                Some(Message::Push(push)) => self.pushes.push_back(push),
                Some(Message::Unknown) => panic!("a push of no known kind"),
                None => panic!("the connection ended before the answer"),
            }
        }
    }

    /// The next push but a ping.
    pub(crate) async fn push(&mut self) -> Push<'static> {
        loop {
            let push = match self.pushes.pop_front() {
                Some(push) => push,
                None => match self.next().await {
                    Some(Message::Push(push)) => push,
                    other => panic!("no push: {other:?}"),
                },
            };
            if push != Push::Ping {
                return push;
            }
        }
    }

    /// What comes next; `None` at the end of the connection.
    pub(crate) async fn next(&mut self) -> Option<Message<'static>> {
        loop {
            if let Some(message) = self.whole() {
                return Some(message);
            }
            let read = timeout(SOON, self.stream.read_buf(&mut self.input)).await.expect("something in time");
            if !matches!(read, Ok(1..)) {
                return None;
            }
        }
    }

    fn whole(&mut self) -> Option<Message<'static>> {
        let len = match next_frame(&self.input, FRAME_LEN_MAX) {
            Framed::Whole(frame) => frame.len,
            Framed::Incomplete => return None,
            other => panic!("no frame: {other:?}"),
        };
        // A test is over before it matters that this is never given back.
        let bytes: &'static [u8] = Vec::leak(self.input.drain(..len).collect());
        let Framed::Whole(frame) = next_frame(bytes, FRAME_LEN_MAX) else { panic!("it was whole") };
        Some(decode_message(&frame).expect("a message"))
    }

    /// Waits for the refusal that the connection ends with, and for its end.
    pub(crate) async fn turned_away(&mut self) -> RefusedCode {
        let code = loop {
            match self.next().await {
                Some(Message::Response(_, Response::Refused(refused))) => break refused.code,
                Some(Message::Push(_)) => {}
                other => panic!("no refusal: {other:?}"),
            }
        };
        assert_eq!(self.next().await, None, "the end");
        code
    }

    /// Asks again and again until that is the answer.
    pub(crate) async fn ask_until(&mut self, request: &Request<'_>, done: impl Fn(&Response<'_>) -> bool) {
        let asked = timeout(SOON, async {
            while !done(&self.ask(request).await) {
                tokio::task::yield_now().await;
            }
        });
        asked.await.expect("the answer that is waited for");
    }
}

pub(crate) fn lock(name: &str) -> Key<'_> {
    Key::new(Space::Lock, name.as_bytes()).expect("a short name")
}

pub(crate) fn semaphore(name: &str) -> Key<'_> {
    Key::new(Space::Semaphore, name.as_bytes()).expect("a short name")
}

pub(crate) const fn id(number: u128) -> ClaimId {
    ClaimId::new(number)
}

/// A claim on a lock that waits, and can be resumed.
pub(crate) fn claim(number: u128, key: Key<'_>) -> Enqueue<'_> {
    Enqueue {
        claim: id(number),
        key,
        permits: 1,
        limit: Limit::ONE,
        ttl: TTL,
        bond: Bond::Resumable,
        patience: Patience::Endless,
        label: "",
    }
}

pub(crate) fn enqueue(number: u128, key: Key<'_>) -> Request<'_> {
    Request::Enqueue(claim(number, key))
}

pub(crate) fn bound(number: u128, key: Key<'_>) -> Request<'_> {
    Request::Enqueue(Enqueue { bond: Bond::Connection, ..claim(number, key) })
}

/// The token of a grant.
pub(crate) fn token(response: &Response<'_>) -> Token {
    match response {
        Response::Granted { token, .. } => *token,
        other => panic!("no grant: {other:?}"),
    }
}

pub(crate) fn code(response: &Response<'_>) -> RefusedCode {
    refused(response).code
}

pub(crate) fn refused<'a>(response: &Response<'a>) -> Refused<'a> {
    match response {
        Response::Refused(refused) => *refused,
        other => panic!("no refusal: {other:?}"),
    }
}

/// How many connections the daemon tells of.
pub(crate) fn connections(info: &Response<'_>) -> u64 {
    let Response::Info(info) = info else { panic!("no figures") };
    let info: serde_json::Value = serde_json::from_str(info).expect("JSON");
    info["connections"].as_u64().expect("a number")
}
