//! One connection: bytes in, requests through its door, bytes out.
//!
//! The task of a connection is one poll function and little else, so that an idle connection is small. Whatever arrived is
//! read once into a buffer of the thread, every whole request in it is answered, and the answers leave in one write.

mod alarm;
mod goodbye;
mod output;
mod scratch;

use crate::clock::Clock;
use crate::door::{Door, Flow};
use crate::mailbox::Mailbox;
use crate::report::Report;
use crate::shared::{Place, Shared};
use alarm::Alarm;
use goodbye::say_goodbye;
use output::Output;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tenure_core::Instant;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes of further requests that are kept while one blocks. Whoever sends more is cut: only a reader that goes on
/// reading sees that its peer has gone.
pub(crate) const PIPELINED_MAX: usize = 128 * 1024;
/// How often a connection reads before others have their turn: once for what came, and once to see that there is no more.
const READS_MAX: usize = 2;

/// How long whoever gives many others something to hear leaves the processor to them.
const REST: Duration = Duration::from_millis(1);

/// Serves a connection until it ends. Dropping the future ends the connection and all that goes with it.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, shared: Arc<Shared>, place: Place) {
    let mut connection = Connection::new(stream, shared);
    let end = poll_fn(|cx| connection.poll(cx)).await;
    // Nobody waits for what an ended connection holds while its last answer is on its way.
    connection.door.leave().await;
    if let End::Told { pause } = end {
        say_goodbye(connection, pause).await;
    }
    drop(place);
}

struct Connection<S> {
    stream: S,
    mailbox: Arc<Mailbox>,
    /// Whom the mailbox wakes as long as there is no mail in it.
    waker: Option<Waker>,
    door: Door,
    clock: Clock,
    /// What arrived and is not a whole request yet, or waits behind one that blocks.
    input: Vec<u8>,
    output: Output,
    report: Option<Box<Report>>,
    end: Option<End>,
    /// Until when others have their turn.
    rest: Option<Instant>,
    accepted: Instant,
    /// Since when the peer owes the rest of a request, or the next one.
    since: Instant,
    /// The time, if it was read since the task last woke.
    seen: Option<Instant>,
    alarm: Alarm,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The peer has gone, or is cut.
    Gone,
    /// The peer is told a last answer, and the socket closes after a pause.
    Told { pause: Duration },
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn new(stream: S, shared: Arc<Shared>) -> Self {
        let (clock, mailbox) = (shared.clock, Arc::new(Mailbox::default()));
        let since = clock.now();
        let first = since.after(shared.config.read_timeout);
        Self {
            stream,
            door: Door::open(shared, Arc::clone(&mailbox)),
            mailbox,
            waker: None,
            clock,
            input: Vec::new(),
            output: Output::default(),
            report: None,
            end: None,
            rest: None,
            accepted: since,
            since,
            seen: None,
            alarm: Alarm::new(clock, first),
        }
    }

    /// Goes as far as it can in one turn; ready when the connection is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.seen = None;
        scratch::lend_output(&mut self.output);
        let end = self.advance(cx);
        scratch::take_output(&mut self.output);
        end
    }

    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let mut reads = 0;
        loop {
            if let Some(end) = self.end {
                return Poll::Ready(end);
            }
            match self.output.poll_flush(&mut self.stream, cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(End::Gone),
                Poll::Pending => return self.poll_stalled(cx),
            }
            if self.write_report() || self.take_mail(cx) {
                continue;
            }
            ready!(self.poll_rest(cx));
            if self.serve_kept() {
                continue;
            }
            if reads == READS_MAX {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            reads += 1;
            if self.poll_read(cx).is_pending() && !self.wait_for_mail(cx) {
                ready!(self.poll_due(cx));
            }
        }
    }

    /// The peer does not take its answers: nothing goes on but the time it has for that.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if self.mailbox.is_cut(cx.waker()) {
            return Poll::Ready(End::Gone);
        }
        let since = self.output.stalled_since(self.clock);
        match self.door.shared().config.write_timeout {
            Some(timeout) => self.poll_deadline(since.after(timeout), cx).map(|()| End::Gone),
            None => Poll::Pending,
        }
    }

    /// Ready when it is this connection's turn again.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(until) = self.rest {
            ready!(self.poll_deadline(until, cx));
            self.rest = None;
        }
        Poll::Ready(())
    }

    /// Writes the next piece of a report; false when there is none on its way.
    fn write_report(&mut self) -> bool {
        let Some(report) = &mut self.report else { return false };
        if !report.write_next(self.door.shared(), self.output.buffer()) {
            self.report = None;
        }
        true
    }

    /// Takes the mail that is there; false when there is none.
    fn take_mail(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.mailbox.has_mail() {
            return false;
        }
        while self.wait_for_mail(cx) && self.end.is_none() && self.door.goes_on(self.output.buffer()) {}
        true
    }

    /// Takes a piece of mail; false when there is none, and the task wakes for the next.
    fn wait_for_mail(&mut self, cx: &mut Context<'_>) -> bool {
        let known = self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if known && !self.mailbox.has_mail() {
            return false;
        }
        let Poll::Ready(mail) = self.mailbox.poll_next(cx.waker()) else {
            self.waker = Some(cx.waker().clone());
            return false;
        };
        let Some(mail) = mail else {
            self.end = Some(End::Gone);
            return true;
        };
        let (now, was_blocked) = (self.read_clock(), self.door.is_blocked());
        let flow = self.door.receive(now, mail, self.output.buffer());
        self.follow(flow);
        if was_blocked && !self.door.is_blocked() {
            self.since = now;
        }
        true
    }

    /// Serves what was kept from earlier; false when there is nothing in it to serve now.
    fn serve_kept(&mut self) -> bool {
        if self.input.is_empty() || self.door.is_blocked() {
            return false;
        }
        let mut input = std::mem::take(&mut self.input);
        let now = self.read_clock();
        let served = self.serve(now, &input);
        if served < input.len() {
            input.drain(..served);
            self.input = input;
        }
        served > 0 || self.end.is_some() || self.rest.is_some()
    }

    /// Reads what is there and serves it.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        scratch::with_input(|buffer| {
            let mut read = ReadBuf::new(buffer);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read)) {
                Ok(()) if !read.filled().is_empty() => self.take_in(read.filled()),
                Ok(()) | Err(_) => self.end = Some(End::Gone),
            }
            Poll::Ready(())
        })
    }

    /// Lets the door do what time alone brings about: in the end, to refuse a peer that is silent for too long.
    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(due) = self.door.due(self.since) else { return Poll::Pending };
        ready!(self.poll_deadline(due, cx));
        let now = self.read_clock();
        let flow = self.door.handle_due(now, self.since, self.output.buffer());
        self.follow(flow);
        Poll::Ready(())
    }

    fn take_in(&mut self, arrived: &[u8]) {
        let now = self.read_clock();
        // The time for a hello runs from the start.
        if self.input.is_empty() && self.door.is_introduced() {
            self.since = now;
        }
        if !self.input.is_empty() || self.door.is_blocked() {
            self.input.extend_from_slice(arrived);
            if self.door.is_blocked() && self.input.len() > PIPELINED_MAX {
                self.refuse();
            }
            return;
        }
        let served = self.serve(now, arrived);
        self.input.extend_from_slice(&arrived[served..]);
    }

    /// Lets the door do the whole requests at the start of `bytes`; how many bytes they were.
    fn serve(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let (served, flow) = self.door.serve(now, bytes, self.output.buffer());
        if !self.door.is_introduced() {
            self.since = self.accepted;
        } else if served > 0 {
            self.since = now;
        }
        self.follow(flow);
        served
    }

    fn refuse(&mut self) {
        let flow = self.door.refuse(self.output.buffer());
        self.follow(flow);
    }

    fn follow(&mut self, flow: Flow) {
        match flow {
            Flow::Next | Flow::Blocked => {}
            Flow::Rest => self.rest = Some(self.clock.now().after(REST)),
            Flow::Report(report) => self.report = Some(Box::new(report)),
            Flow::Close { pause } => self.end = Some(End::Told { pause }),
        }
    }

    fn read_clock(&mut self) -> Instant {
        let now = self.clock.now();
        self.seen = Some(now);
        now
    }

    /// Ready at `at`.
    fn poll_deadline(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.alarm.poll(self.clock, self.seen, at, cx));
            if self.clock.now() >= at {
                return Poll::Ready(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use tenure::hub::Hub;
    use tenure_core::{Engine, Fence, FenceRange, Limits};
    use tenure_wire::mux::{Hello, PREFACE, Request, encode_request};

    #[tokio::test]
    async fn the_time_for_a_hello_runs_from_the_start_however_it_comes() {
        let limits =
            Limits { queues_max: 9, claims_max: 9, queue_len_max: 9, idle_max: Duration::from_secs(60) };
        let engine = Engine::new(limits, FenceRange::new(Fence::new(1), Fence::new(100)), 7);
        let shared = Shared::new(Config::default(), Arc::new(Hub::new(engine, 0)), Clock::start());
        let mut connection = Connection::new(tokio::io::empty(), Arc::new(shared));
        let hello =
            Hello { version_min: 1, version_max: 1, session: 0, auth: b"", label: "", host: "", pid: 0 };
        let mut frame = Vec::new();
        encode_request(&mut frame, 1, &Request::Hello(hello)).expect("a hello");
        connection.take_in(&PREFACE);
        for byte in &frame {
            assert_eq!(connection.since, connection.accepted, "it owes the hello");
            assert!(connection.output.is_empty());
            connection.take_in(&[*byte]);
            connection.serve_kept();
        }
        assert!(!connection.output.is_empty() && connection.since > connection.accepted, "it was let in");
    }
}
