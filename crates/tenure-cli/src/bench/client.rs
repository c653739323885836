//! One connection of the load that speaks the line protocol.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::inbox::Inbox;
use super::problem::Problem;
use super::requests::Requests;

/// The longest answer that the requests of the bench can bring, with room to show one that was not expected.
const ANSWER_MAX: usize = 256;

/// What the other side does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replies {
    /// It serves it, and answers.
    Served,
    /// It sends the same bytes back.
    Echo,
}

/// An open connection and everything that it sends and receives. A pair allocates nothing.
pub(super) struct Client {
    stream: TcpStream,
    inbox: Inbox,
    requests: Requests,
    in_flight: usize,
    replies: Replies,
}

impl Client {
    /// The client of an open connection.
    pub(super) fn new(stream: TcpStream, replies: Replies, requests: Requests, in_flight: usize) -> Self {
        let inbox = Inbox::new((in_flight * 64).max(ANSWER_MAX));
        Self { stream, inbox, requests, in_flight, replies }
    }

    /// Acquires everything in one write, and then releases it in another.
    pub(super) async fn pairs(&mut self) -> Result<(), Problem> {
        self.stream.write_all(self.requests.acquires()).await?;
        match self.replies {
            Replies::Served => self.grants().await?,
            Replies::Echo => self.echoed(self.requests.acquires().len()).await?,
        }
        self.stream.write_all(self.requests.releases()).await?;
        match self.replies {
            Replies::Served => self.releases().await,
            Replies::Echo => self.echoed(self.requests.releases().len()).await,
        }
    }

    async fn grants(&mut self) -> Result<(), Problem> {
        for slot in 0..self.in_flight {
            let answer = next_line(&mut self.stream, &mut self.inbox).await?;
            if !self.requests.granted(slot, answer) {
                return Err(Problem::answer("acquire", answer));
            }
        }
        self.nothing_more()
    }

    async fn releases(&mut self) -> Result<(), Problem> {
        for _ in 0..self.in_flight {
            let answer = next_line(&mut self.stream, &mut self.inbox).await?;
            if answer != b"ok" {
                return Err(Problem::answer("release", answer));
            }
        }
        self.nothing_more()
    }

    async fn echoed(&mut self, mut missing: usize) -> Result<(), Problem> {
        while missing > 0 {
            fill(&mut self.stream, &mut self.inbox).await?;
            let count = self.inbox.take_all();
            missing = missing.checked_sub(count).ok_or(Problem::Unasked)?;
        }
        Ok(())
    }

    fn nothing_more(&self) -> Result<(), Problem> {
        if self.inbox.rest().is_empty() { Ok(()) } else { Err(Problem::Unasked) }
    }
}

/// Opens a connection, and shows the token where there is one.
pub(super) async fn connect(address: SocketAddr, token: Option<&[u8]>) -> Result<TcpStream, Problem> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    if let Some(token) = token {
        let answer = ask(&mut stream, &[b"auth\n_\n", token, b"\n"].concat(), ANSWER_MAX).await?;
        if answer != b"ok" {
            return Err(Problem::answer("auth", &answer));
        }
    }
    Ok(stream)
}

/// Sends one request and reads its answer, of at most `answer_max` bytes.
pub(super) async fn ask(
    stream: &mut TcpStream,
    request: &[u8],
    answer_max: usize,
) -> Result<Vec<u8>, Problem> {
    let mut inbox = Inbox::new(answer_max);
    stream.write_all(request).await?;
    Ok(next_line(stream, &mut inbox).await?.to_vec())
}

async fn next_line<'a>(stream: &mut TcpStream, inbox: &'a mut Inbox) -> Result<&'a [u8], Problem> {
    while !inbox.rest().contains(&b'\n') {
        fill(stream, inbox).await?;
    }
    inbox.take_line().ok_or(Problem::Closed)
}

/// Reads what there is, at least a byte.
pub(super) async fn fill(stream: &mut TcpStream, inbox: &mut Inbox) -> Result<(), Problem> {
    if inbox.space().is_empty() {
        return Err(Problem::answer("a request", inbox.rest()));
    }
    match stream.read(inbox.space()).await {
        Ok(0) => Err(Problem::Closed),
        Ok(count) => {
            inbox.arrived(count);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Err(Problem::Closed),
        Err(error) => Err(error.into()),
    }
}
