//! One connection of the load that speaks the multiplexed protocol.

mod claims;

use std::sync::Arc;

use tenure_wire::mux::{
    Framed, Hello, Message, PREFACE, Request, Response, VERSION, decode_message, encode_request, next_frame,
};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use self::claims::Claims;
use super::client::{self, Replies};
use super::clock;
use super::inbox::Inbox;
use super::load::{Plan, Target};
use super::problem::Problem;
use super::tally::Tally;

/// The longest frame that the requests of the bench can bring: a refusal with its reason, or a welcome.
const FRAME_MAX: usize = 1024;

/// Room for all that the service has to say about a claim at one time.
const ANSWER_LEN: usize = 64;

/// The number of a connection's first request. Those of the claims count from one.
const HELLO: u32 = u32::MAX;

/// An open connection and everything that it sends and receives. A pair allocates nothing.
pub(super) struct Client {
    stream: TcpStream,
    inbox: Inbox,
    claims: Claims,
}

impl Client {
    /// Opens connection number `connection`, and introduces it where the other side serves it.
    pub(super) async fn open(plan: &Plan, target: &Target, connection: usize) -> Result<Self, Problem> {
        let mut stream = client::connect(target.address, None).await?;
        let mut inbox = Inbox::new(plan.in_flight * ANSWER_LEN + 2 * FRAME_MAX);
        if target.replies == Replies::Served {
            greet(&mut stream, &mut inbox, target.token.as_deref()).await?;
        }
        Ok(Self { stream, inbox, claims: Claims::new(plan, target.replies, connection, clock::now()) })
    }

    /// Acquires and releases until it is time to end: reads what there is, and answers all of it in one write.
    pub(super) async fn drive(mut self, tally: Arc<Tally>) -> Result<(), Problem> {
        self.claims.begin(clock::now())?;
        while !self.claims.have_ended() {
            self.stream.write_all(self.claims.requests()).await?;
            client::fill(&mut self.stream, &mut self.inbox).await?;
            let used = self.claims.receive(self.inbox.rest(), clock::now(), !tally.is_stopped())?;
            self.inbox.take(used);
            tally.record_each(self.claims.took());
        }
        Ok(())
    }
}

/// Introduces a connection.
async fn greet(stream: &mut TcpStream, inbox: &mut Inbox, token: Option<&[u8]>) -> Result<(), Problem> {
    stream.write_all(&hello(token)?).await?;
    loop {
        client::fill(stream, inbox).await?;
        if let Some(len) = welcomed(inbox.rest())? {
            inbox.take(len);
            return Ok(());
        }
    }
}

fn hello(token: Option<&[u8]>) -> Result<Vec<u8>, Problem> {
    let mut bytes = PREFACE.to_vec();
    let hello = Hello {
        version_min: VERSION,
        version_max: VERSION,
        session: u128::from(tenure::entropy::number()) << 64 | u128::from(tenure::entropy::number()),
        auth: token.unwrap_or_default(),
        label: "tenure bench",
        host: "",
        pid: std::process::id(),
    };
    encode_request(&mut bytes, HELLO, &Request::Hello(hello))?;
    Ok(bytes)
}

/// How long the welcome is; `None` while it is not there.
fn welcomed(bytes: &[u8]) -> Result<Option<usize>, Problem> {
    let frame = match next_frame(bytes, FRAME_MAX) {
        Framed::Incomplete => return Ok(None),
        Framed::TooLong { .. } | Framed::Malformed => return Err(Problem::bytes("hello", bytes)),
        Framed::Whole(frame) => frame,
    };
    match decode_message(&frame) {
        Ok(Message::Response(HELLO, Response::Welcome(welcome))) if welcome.version == VERSION => {
            Ok(Some(frame.len))
        }
        Ok(Message::Response(_, Response::Refused(refused))) => Err(Problem::refused("hello", &refused)),
        Ok(_) | Err(_) => Err(Problem::bytes("hello", bytes)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tenure_wire::mux::{Refused, RefusedCode, Welcome, encode_response};

    use super::*;

    fn said(response: &Response<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_response(&mut bytes, HELLO, response).expect("it fits");
        bytes
    }

    #[test]
    fn a_welcome_is_there_when_all_of_it_is() {
        let bytes = said(&Response::Welcome(Welcome {
            version: VERSION,
            owner: 7,
            silence_max: Duration::from_secs(23),
            server: "tenure",
        }));
        assert!(matches!(welcomed(&bytes[..bytes.len() - 1]), Ok(None)));
        assert!(matches!(welcomed(&bytes), Ok(Some(len)) if len == bytes.len()));
    }

    #[test]
    fn a_refused_hello_says_why() {
        let refused = Refused { code: RefusedCode::Denied, detail: 0, message: "not the secret" };
        let failure = welcomed(&said(&Response::Refused(refused))).expect_err("refused").into_failure();
        assert!(failure.to_string().contains("not the secret"), "{failure}");
    }

    #[test]
    fn a_service_that_speaks_lines_only_is_shown() {
        let failure = welcomed(b"error\n").expect_err("no frame").into_failure().to_string();
        assert!(failure.contains("error\\n") && failure.contains("multiplexed"), "{failure}");
    }
}
