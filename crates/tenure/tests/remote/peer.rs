//! A service that says what a test tells it to.
#![allow(clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test stops at what it did not expect")]

use std::time::Duration;
use tenure::coordinator::Remote;
use tenure::net::Address;
use tenure::{ClaimId, Error, Options};
use tenure_core::{Fence, Secret, Token};
use tenure_wire::mux::{
    FRAME_LEN_MAX, Framed, Hello, PREFACE, Patience, Push, Request, RequestId, Response, VERSION, Welcome,
    decode_request, encode_push, encode_response, next_frame,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How long to wait for what must happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Where a service would be.
pub(crate) struct Peer {
    listener: TcpListener,
}

/// A connection to it.
pub(crate) struct Talk {
    stream: TcpStream,
    inbox: Vec<u8>,
    /// The session that the client introduced itself with.
    pub(crate) session: u128,
}

/// What a client asked, as far as tests look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Enqueue(ClaimId, Patience),
    Resume(ClaimId),
    Cancel(ClaimId),
    Release(ClaimId),
    Renew(ClaimId),
    Position(ClaimId),
    Follow(ClaimId),
    Unfollow(ClaimId),
    Inspect(Vec<u8>),
    Watch(Vec<u8>),
    Unwatch(Vec<u8>),
    Listen(Vec<u8>, Vec<u8>),
    Unlisten(Vec<u8>, Vec<u8>),
    Steal,
    Signal,
    Ping,
    Info,
}

impl Peer {
    pub(crate) async fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.expect("a port") }
    }

    /// A service where another one was.
    pub(crate) async fn at(address: &Address) -> Self {
        let listener = TcpListener::bind((address.host.as_str(), address.port)).await;
        Self { listener: listener.expect("the port is free again") }
    }

    pub(crate) fn address(&self) -> Address {
        let port = self.listener.local_addr().expect("its address").port();
        Address { tls: false, host: "127.0.0.1".to_owned(), port }
    }

    /// The next connection, before anything was said on it.
    pub(crate) async fn take(&self) -> TcpStream {
        let accepting = within("a connection", self.listener.accept());
        accepting.await.expect("accepted").0
    }

    /// The next connection, let in by a service that allows a silence of half a minute.
    pub(crate) async fn accept(&self) -> Talk {
        self.accept_patiently(Duration::from_secs(30)).await
    }

    /// The next connection, let in by a service that allows so much silence.
    pub(crate) async fn accept_patiently(&self, silence_max: Duration) -> Talk {
        let (mut talk, id) = self.accept_unanswered().await;
        let welcome = Welcome { version: VERSION, owner: 1, silence_max, server: "a test" };
        talk.answer(id, &Response::Welcome(welcome)).await;
        talk
    }

    /// The next connection, and the number of its hello.
    pub(crate) async fn accept_unanswered(&self) -> (Talk, RequestId) {
        let mut talk = Talk { stream: self.take().await, inbox: Vec::new(), session: 0 };
        let mut preface = PREFACE;
        within("the preface", talk.stream.read_exact(&mut preface)).await.expect("read");
        assert_eq!(preface, PREFACE);
        let (id, session) = talk.hear(|id, request| (id, session(request))).await;
        talk.session = session;
        (talk, id)
    }

    /// A client, and its connection.
    pub(crate) async fn meet(&self, options: &Options) -> (std::sync::Arc<Remote>, Talk) {
        let (remote, talk) = tokio::join!(self.connect(options), self.accept());
        (remote.expect("connected"), talk)
    }

    /// A client, and its connection to a service that allows so much silence.
    pub(crate) async fn meet_patiently(&self, silence_max: Duration) -> (std::sync::Arc<Remote>, Talk) {
        let options = Options::default();
        let (remote, talk) = tokio::join!(self.connect(&options), self.accept_patiently(silence_max));
        (remote.expect("connected"), talk)
    }

    pub(crate) async fn connect(&self, options: &Options) -> Result<std::sync::Arc<Remote>, Error> {
        within("a client", Remote::connect(self.address(), options)).await
    }
}

fn session(request: &Request<'_>) -> u128 {
    match request {
        Request::Hello(Hello { session, .. }) => *session,
        other => panic!("not a hello: {other:?}"),
    }
}

impl Talk {
    /// The next request.
    pub(crate) async fn next(&mut self) -> (RequestId, Asked) {
        self.hear(|id, request| (id, asked(request))).await
    }

    /// The next request, which has to be that one; its number.
    pub(crate) async fn expect(&mut self, expected: Asked) -> RequestId {
        let (id, asked) = self.next().await;
        assert_eq!(asked, expected);
        id
    }

    /// The next request is that one and is answered like this.
    pub(crate) async fn serve(&mut self, expected: Asked, response: Response<'_>) {
        let id = self.expect(expected).await;
        self.answer(id, &response).await;
    }

    pub(crate) async fn hear<R>(&mut self, understand: impl FnOnce(RequestId, &Request<'_>) -> R) -> R {
        loop {
            if let Framed::Whole(frame) = next_frame(&self.inbox, FRAME_LEN_MAX) {
                let understood = understand(frame.id, &decode_request(&frame).expect("a request"));
                let len = frame.len;
                self.inbox.drain(..len);
                return understood;
            }
            let reading = self.stream.read_buf(&mut self.inbox);
            let len = within("a request", reading).await.expect("read");
            assert_ne!(len, 0, "the client has closed the connection");
        }
    }

    /// Waits until the client closes the connection, whatever it says before.
    pub(crate) async fn end(self) {
        let _ = self.rest().await;
    }

    /// What the client says before it closes the connection.
    pub(crate) async fn rest(mut self) -> Vec<u8> {
        let _ = within("the end", self.stream.read_to_end(&mut self.inbox)).await;
        self.inbox
    }

    pub(crate) async fn answer(&mut self, id: RequestId, response: &Response<'_>) {
        let mut bytes = Vec::new();
        encode_response(&mut bytes, id, response).expect("encoded");
        self.write(&bytes).await;
    }

    pub(crate) async fn push(&mut self, push: &Push<'_>) {
        let mut bytes = Vec::new();
        encode_push(&mut bytes, push).expect("encoded");
        self.write(&bytes).await;
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        within("room", self.stream.write_all(bytes)).await.expect("written");
    }
}

fn asked(request: &Request<'_>) -> Asked {
    match *request {
        Request::Enqueue(ref enqueue) => Asked::Enqueue(enqueue.claim, enqueue.patience),
        Request::Resume { claim, .. } => Asked::Resume(claim),
        Request::Cancel { claim } => Asked::Cancel(claim),
        Request::Release { claim } => Asked::Release(claim),
        Request::Renew { claim, .. } => Asked::Renew(claim),
        Request::Position { claim } => Asked::Position(claim),
        Request::Follow { claim, on: true } => Asked::Follow(claim),
        Request::Follow { claim, on: false } => Asked::Unfollow(claim),
        Request::Inspect { key } => Asked::Inspect(key.name().to_vec()),
        Request::Watch { key } => Asked::Watch(key.name().to_vec()),
        Request::Unwatch { key } => Asked::Unwatch(key.name().to_vec()),
        Request::Listen { pattern, group } => Asked::Listen(pattern.to_vec(), group.to_vec()),
        Request::Unlisten { pattern, group } => Asked::Unlisten(pattern.to_vec(), group.to_vec()),
        Request::Steal { .. } => Asked::Steal,
        Request::Signal { .. } => Asked::Signal,
        Request::Ping => Asked::Ping,
        Request::Info => Asked::Info,
        ref other => panic!("no test asks that: {other:?}"),
    }
}

/// A token of that fence.
pub(crate) fn token(fence: u64) -> Token {
    Token { fence: Fence::new(fence), secret: Secret::new(42) }
}

/// What a service says that grants for half a minute, with that fence.
pub(crate) fn granted(fence: u64) -> Response<'static> {
    Response::Granted { token: token(fence), ttl: TTL }
}

/// The lease of claims in these tests.
pub(crate) const TTL: Duration = Duration::from_secs(30);

/// What happens within the deadline.
pub(crate) async fn within<T>(what: &str, happens: impl Future<Output = T>) -> T {
    let ready = tokio::time::timeout(DEADLINE, happens).await;
    ready.unwrap_or_else(|_| panic!("there was no sign of {what}"))
}
