//! One connection: what is sent, what comes, and whether the two still match.

use super::inbox::{Arrived, Inbox};
use crate::coordinator::Signal;
use crate::net::Stream;
use crate::{Error, ErrorKind};
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;
use tenure_wire::line::{Command, Reply, parse_answer};
use tokio::io::AsyncWriteExt as _;

/// How many signals are kept for who asks for other things first. A service sends 64 to who does not read, and cuts.
const SIGNALS_MAX: usize = 1024;

/// One connection.
pub(super) struct Link {
    stream: Box<dyn Stream>,
    inbox: Inbox,
    outbox: Vec<u8>,
    state: State,
    silence_max: Option<Duration>,
    signals: VecDeque<Signal>,
    signals_missed: u64,
    /// Who is at the other end, for people.
    pub(super) peer: String,
}

/// Whether the next answer will be the one to the next request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It will.
    Ready,
    /// A request was sent, or half of it, and nobody has seen its answer.
    Asking,
    /// Nothing will come.
    Broken,
}

impl Link {
    pub(super) fn new(stream: Box<dyn Stream>, peer: String) -> Self {
        Self {
            stream,
            inbox: Inbox::default(),
            outbox: Vec::new(),
            state: State::Ready,
            silence_max: None,
            signals: VecDeque::new(),
            signals_missed: 0,
            peer,
        }
    }

    pub(super) const fn limit_silence(&mut self, silence_max: Option<Duration>) {
        self.silence_max = silence_max;
    }

    /// Sends a request, which the service may take `wait` to answer, and reads its answer.
    ///
    /// Dropping the future spoils the link, unless nothing was sent: every later call answers an error.
    pub(super) async fn ask(&mut self, command: &Command<'_>, wait: Duration) -> Result<Reply<'_>, Error> {
        self.check()?;
        self.outbox.clear();
        command
            .encode(&mut self.outbox)
            .map_err(|error| Error::with_source(ErrorKind::Invalid, "this cannot be asked", error))?;
        self.state = State::Asking;
        self.send().await?;
        // Whoever waits does so for whole seconds.
        let wait = Duration::from_secs(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)));
        loop {
            self.read_line(self.silence_max.map(|time| time.saturating_add(wait))).await?;
            if !self.keep_signal() {
                break;
            }
        }
        self.state = State::Ready;
        Ok(parse_answer(self.inbox.line()))
    }

    /// The next signal. Dropping the future loses nothing.
    pub(super) async fn signal(&mut self) -> Result<Signal, Error> {
        loop {
            if let Some(signal) = self.signals.pop_front() {
                return Ok(signal);
            }
            self.check()?;
            self.read_line(None).await?;
            if !self.keep_signal() {
                let line = self.inbox.line().to_vec();
                return Err(self.broken(super::refusal::unasked(&line)));
            }
        }
    }

    pub(super) const fn signals_missed(&self) -> u64 {
        self.signals_missed
    }

    fn check(&self) -> Result<(), Error> {
        match self.state {
            State::Ready => Ok(()),
            State::Asking => Err(Error::new(
                ErrorKind::Unavailable,
                "an earlier request on this connection was dropped before its answer: open another connection",
            )),
            State::Broken => Err(Error::new(
                ErrorKind::Unavailable,
                format!("{} is gone: open another connection", self.peer),
            )),
        }
    }

    async fn send(&mut self) -> Result<(), Error> {
        let sending = async {
            self.stream.write_all(&self.outbox).await?;
            self.stream.flush().await
        };
        let sent = match self.silence_max {
            None => Some(sending.await),
            Some(time) => tokio::time::timeout(time, sending).await.ok(),
        };
        match sent {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(self.gone(error)),
            None => Err(self.silent()),
        }
    }

    /// Forgets the current line and reads until there is another. Dropping the future loses nothing.
    async fn read_line(&mut self, silence_max: Option<Duration>) -> Result<(), Error> {
        self.inbox.next();
        loop {
            let reading = self.inbox.read(&mut self.stream);
            let arrived = match silence_max {
                None => Some(reading.await),
                Some(time) => tokio::time::timeout(time, reading).await.ok(),
            };
            match arrived {
                Some(Ok(Arrived::Line)) => return Ok(()),
                Some(Ok(Arrived::Some)) => {}
                Some(Ok(Arrived::End)) => {
                    let error = super::refusal::closed(self.inbox.last_words());
                    return Err(self.broken(error));
                }
                Some(Ok(Arrived::TooLong)) => {
                    let message = format!("{} sends a line that does not end", self.peer);
                    return Err(self.broken(Error::new(ErrorKind::Unsupported, message)));
                }
                Some(Err(error)) => return Err(self.gone(error)),
                None => return Err(self.silent()),
            }
        }
    }

    /// Puts the current line aside if it is a signal.
    fn keep_signal(&mut self) -> bool {
        let Reply::Signal { subject, payload } = parse_answer(self.inbox.line()) else { return false };
        let signal = Signal { channel: subject.to_vec(), payload: payload.to_vec() };
        if self.signals.len() == SIGNALS_MAX {
            self.signals.pop_front();
            self.signals_missed += 1;
        }
        self.signals.push_back(signal);
        true
    }

    fn gone(&mut self, error: std::io::Error) -> Error {
        let message = format!("{} is gone", self.peer);
        self.broken(Error::with_source(ErrorKind::Indeterminate, message, error))
    }

    fn silent(&mut self) -> Error {
        let message = format!("{} does not answer", self.peer);
        self.broken(Error::new(ErrorKind::Indeterminate, message))
    }

    const fn broken(&mut self, error: Error) -> Error {
        self.state = State::Broken;
        error
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Ready => "ready",
            State::Asking => "spoilt",
            State::Broken => "broken",
        };
        write!(f, "{}, {state}, {} signals", self.peer, self.signals.len())
    }
}
