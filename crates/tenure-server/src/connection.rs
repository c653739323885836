//! One connection: bytes in, requests through the session, bytes out.
//!
//! The task of a connection is one poll function and little else, so that an idle connection is small. Whatever arrived is
//! read once into a buffer of the thread, every whole request in it is answered, and the answers leave in one write.

mod alarm;
mod output;
mod scratch;

use crate::clock::Clock;
use crate::mailbox::Mailbox;
use crate::report::Report;
use crate::session::{Flow, Session};
use crate::shared::{Place, Shared};
use alarm::Alarm;
use output::Output;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tenure_core::Instant;
use tenure_wire::line::{Decoded, decode};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes of further requests that are kept while one blocks. Whoever sends more is cut: only a reader that goes on
/// reading sees that its peer has gone.
pub(crate) const PIPELINED_MAX: usize = 128 * 1024;
/// How long a peer that failed to show the secret is kept before it is cut.
const REFUSAL_PAUSE: Duration = Duration::from_millis(100);
/// How long the last answer has to arrive before the socket is closed over what the peer is still sending.
const LINGER: Duration = Duration::from_secs(1);

/// Serves a connection until it ends. Dropping the future ends the connection and all that goes with it.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, shared: Arc<Shared>, place: Place) {
    let mut connection = Connection::new(stream, shared);
    poll_fn(|cx| connection.poll(cx)).await;
    drop(connection);
    drop(place);
}

struct Connection<S> {
    stream: S,
    mailbox: Arc<Mailbox>,
    session: Session,
    clock: Clock,
    /// What arrived and is not a whole request yet, or waits behind one that blocks.
    input: Vec<u8>,
    output: Output,
    report: Option<Box<Report>>,
    phase: Phase,
    /// Since when the peer owes the rest of a request, or the next one.
    since: Instant,
    alarm: Alarm,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Serving,
    /// The last answer is on its way; the socket closes after the pause.
    Ending {
        pause: Duration,
    },
    /// What still comes is thrown away until then.
    Lingering {
        until: Instant,
    },
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn new(stream: S, shared: Arc<Shared>) -> Self {
        let (clock, mailbox) = (shared.clock, Arc::new(Mailbox::default()));
        let since = clock.now();
        let first = since.after(shared.config.read_timeout);
        Self {
            stream,
            session: Session::open(shared, Arc::clone(&mailbox)),
            mailbox,
            clock,
            input: Vec::new(),
            output: Output::default(),
            report: None,
            phase: Phase::Serving,
            since,
            alarm: Alarm::new(clock, first),
        }
    }

    /// Goes as far as it can; ready when the connection is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        scratch::lend_output(&mut self.output);
        let over = self.advance(cx);
        scratch::take_output(&mut self.output);
        over
    }

    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.output.poll_flush(&mut self.stream, cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => return self.poll_stalled(cx),
            }
            match self.phase {
                Phase::Serving => {}
                Phase::Ending { pause } => ready!(self.poll_end(pause, cx)),
                Phase::Lingering { until } => return self.poll_linger(until, cx),
            }
            if self.report.is_some() {
                self.write_report();
                continue;
            }
            if self.serve_kept() {
                continue;
            }
            let read = self.poll_read(cx);
            // A peer that never pauses does not hear later of what it did not ask for: the runtime makes it pause.
            let heard = if read.is_pending() { self.poll_mail(cx) } else { read };
            match heard {
                Poll::Ready(true) => return Poll::Ready(()),
                Poll::Ready(false) => {}
                Poll::Pending => ready!(self.poll_silence(cx)),
            }
        }
    }

    /// The peer does not take its answers: nothing goes on but the time it has for that.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.mailbox.is_cut(cx.waker()) {
            return Poll::Ready(());
        }
        let since = self.output.stalled_since(self.clock);
        match self.session.shared().config.write_timeout {
            Some(timeout) => self.poll_deadline(since.after(timeout), cx),
            None => Poll::Pending,
        }
    }

    /// Waits out the pause, says that no more will come, and lets the last answer arrive.
    fn poll_end(&mut self, pause: Duration, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.poll_deadline(self.since.after(pause), cx));
        // A peer that is gone already hears nothing; the linger ends at once then.
        let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
        self.phase = Phase::Lingering { until: self.clock.now().after(LINGER) };
        Poll::Ready(())
    }

    fn poll_linger(&mut self, until: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let gone = scratch::with_input(|buffer| {
            loop {
                let mut read = ReadBuf::new(buffer);
                match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read)) {
                    Ok(()) if !read.filled().is_empty() => {}
                    Ok(()) | Err(_) => return Poll::Ready(()),
                }
            }
        });
        if gone.is_ready() { gone } else { self.poll_deadline(until, cx) }
    }

    fn write_report(&mut self) {
        let Some(report) = &mut self.report else { return };
        if !report.write_next(self.session.shared(), self.output.buffer()) {
            self.report = None;
        }
    }

    /// Takes a piece of mail; true when it says to end.
    fn poll_mail(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let Some(mail) = ready!(self.mailbox.poll_next(cx.waker())) else { return Poll::Ready(true) };
        let (now, was_blocked) = (self.clock.now(), self.session.is_blocked());
        self.session.receive(now, mail, self.output.buffer());
        if was_blocked && !self.session.is_blocked() {
            self.since = now;
        }
        Poll::Ready(false)
    }

    /// Serves what was kept from earlier; false when there is nothing in it to serve now.
    fn serve_kept(&mut self) -> bool {
        if self.input.is_empty() || self.session.is_blocked() {
            return false;
        }
        let mut input = std::mem::take(&mut self.input);
        let served = self.serve(self.clock.now(), &input);
        if served < input.len() {
            input.drain(..served);
            self.input = input;
        }
        served > 0 || !matches!(self.phase, Phase::Serving)
    }

    /// Reads what is there and serves it; true when the peer has gone.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        scratch::with_input(|buffer| {
            let mut read = ReadBuf::new(buffer);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read)) {
                Ok(()) if !read.filled().is_empty() => {
                    self.take_in(read.filled());
                    Poll::Ready(false)
                }
                Ok(()) | Err(_) => Poll::Ready(true),
            }
        })
    }

    /// Refuses a peer that owes a request, or the rest of one, for too long. One whose request blocks owes nothing.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.session.is_blocked() {
            return Poll::Pending;
        }
        ready!(self.poll_deadline(self.since.after(self.session.shared().config.read_timeout), cx));
        self.act(|session, out| session.refuse(out));
        Poll::Ready(())
    }

    fn take_in(&mut self, arrived: &[u8]) {
        let now = self.clock.now();
        if self.input.is_empty() {
            self.since = now;
        }
        if !self.input.is_empty() || self.session.is_blocked() {
            self.input.extend_from_slice(arrived);
            if self.session.is_blocked() && self.input.len() > PIPELINED_MAX {
                self.act(|session, out| session.refuse(out));
            }
            return;
        }
        let served = self.serve(now, arrived);
        self.input.extend_from_slice(&arrived[served..]);
    }

    /// Answers the whole requests at the start of `bytes`, up to one that blocks, reports or ends it all; how many bytes
    /// they were.
    fn serve(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let mut served = 0;
        while matches!(self.phase, Phase::Serving) && !self.session.is_blocked() && self.report.is_none() {
            match decode(&bytes[served..]) {
                Decoded::Incomplete => break,
                Decoded::TooLong => self.act(|session, out| session.refuse(out)),
                Decoded::Request { command, len } => {
                    served += len;
                    self.act(|session, out| match command {
                        Ok(command) => session.handle(now, command, out),
                        Err(refusal) => session.misunderstand(refusal, out),
                    });
                }
            }
        }
        if served > 0 {
            self.since = now;
        }
        served
    }

    fn act(&mut self, act: impl FnOnce(&mut Session, &mut Vec<u8>) -> Flow) {
        match act(&mut self.session, self.output.buffer()) {
            Flow::Next | Flow::Blocked => {}
            Flow::Report(report) => self.report = Some(Box::new(report)),
            Flow::Close => self.end(Duration::ZERO),
            Flow::Refuse => self.end(REFUSAL_PAUSE),
        }
    }

    fn end(&mut self, pause: Duration) {
        self.since = self.clock.now();
        self.phase = Phase::Ending { pause };
    }

    /// Ready at `at`.
    fn poll_deadline(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.alarm.poll(self.clock, at, cx));
            if self.clock.now() >= at {
                return Poll::Ready(());
            }
        }
    }
}
