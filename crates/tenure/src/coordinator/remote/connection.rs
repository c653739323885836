//! One connection: what leaves, what arrives, and whether the service is there.

use super::answer::Heard;
use super::effects::Effects;
use super::hello::Connected;
use super::interests::Interest;
use super::link::Link;
use super::pipe::Pipe;
use super::slots::About;
use super::state::Phase;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tenure_wire::mux::{FRAME_LEN_MAX, Framed, Request, decode_message, next_frame};
use tokio::time::{Interval, MissedTickBehavior};

/// How often at most is looked whether the service is there. A holder with a lease of half a minute has time for another
/// connection when one is found dead within three of these.
const TICK_MAX: Duration = Duration::from_secs(5);

/// How often at least, however short a silence the service allows.
const TICK_MIN: Duration = Duration::from_millis(5);

/// A client that has sent nothing since the last tick sends a ping, so it is never silent for two of them.
const TICKS_OF_SILENCE: u32 = 6;

/// After how many ticks with an answer outstanding and no byte from the service it is taken for gone.
const SILENT_MAX: u32 = 3;

/// How often to read before others have their turn.
const READS: usize = 4;

/// How a connection ends.
#[derive(Debug)]
pub(super) enum Over {
    /// It broke, for that reason.
    Broken { superseded: bool, why: String },
    /// The client was closed, and everything has been sent.
    Closed,
}

/// A connection at work.
#[derive(Debug)]
pub(super) struct Connection<'a> {
    link: &'a Link,
    pipe: Pipe,
    ticks: Interval,
    /// What has arrived at once, and what follows from it; their memory is used again.
    heard: Vec<Heard>,
    effects: Effects,
    /// Others had their turn since there was something to send.
    yielded: bool,
    sent: bool,
    received: bool,
    silent_ticks: u32,
}

impl<'a> Connection<'a> {
    pub(super) fn new(link: &'a Link, connected: Connected) -> Self {
        let period = (connected.silence_max / TICKS_OF_SILENCE).clamp(TICK_MIN, TICK_MAX);
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            link,
            pipe: connected.pipe,
            ticks,
            heard: Vec::new(),
            effects: Effects::default(),
            yielded: false,
            sent: true,
            received: true,
            silent_ticks: 0,
        }
    }

    /// Moves bytes until the connection is over.
    pub(super) async fn run(&mut self) -> Over {
        // The greeting may have brought more than the welcome.
        if let Err(over) = self.receive() {
            return over;
        }
        poll_fn(|cx| self.poll(cx)).await
    }

    /// Says goodbye, and waits until the service has heard everything.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.pipe.poll_finish(cx)).await?;
        poll_fn(|cx| self.pipe.poll_drain(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Over> {
        if let Err(over) = self.read_some(cx) {
            return Poll::Ready(over);
        }
        if self.ticks.poll_tick(cx).is_ready() {
            cx.waker().wake_by_ref();
            if let Err(over) = self.tick() {
                return Poll::Ready(over);
            }
        }
        self.poll_send(cx)
    }

    fn read_some(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        for _ in 0..READS {
            match self.pipe.poll_read(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0)) => return Err(broken("the service has closed it")),
                Poll::Ready(Ok(_)) => self.receive()?,
                Poll::Ready(Err(error)) => return Err(broken(error)),
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// Does what follows from what has arrived.
    fn receive(&mut self) -> Result<(), Over> {
        self.received = true;
        let over = self.decode().err();
        let heard = self.hear();
        // Those who were answered hear of it in any case.
        self.effects.apply();
        if self.effects.has_lost() {
            let mut state = self.link.state();
            self.effects.told().for_each(|claim| state.claims.forget(&claim));
        }
        over.map_or(heard, Err)
    }

    /// Understands every whole frame, without the lock.
    fn decode(&mut self) -> Result<(), Over> {
        loop {
            let frame = match next_frame(self.pipe.unread(), FRAME_LEN_MAX) {
                Framed::Incomplete => return Ok(()),
                Framed::TooLong { len } => {
                    return Err(broken(format_args!("the service sent a frame of {len} bytes")));
                }
                Framed::Malformed => return Err(broken("the service sent what is no frame")),
                Framed::Whole(frame) => frame,
            };
            let message = decode_message(&frame).ok().and_then(Heard::new);
            let len = frame.len;
            match message {
                None => return Err(broken("the service sent what nobody understands")),
                Some(Heard::Goodbye { superseded, error }) => {
                    return Err(Over::Broken { superseded, why: error.to_string() });
                }
                Some(Heard::Signal(signal)) => {
                    let news = self.link.interests().signal(signal);
                    news.send();
                }
                Some(Heard::Changed { space, name, observation }) => {
                    let news = self.link.interests().changed(&Interest::Key { space, name }, &observation);
                    news.send();
                }
                Some(Heard::Missed) => {
                    let news = self.link.interests().missed();
                    news.send();
                }
                Some(Heard::Unknown) => {}
                Some(heard) => self.heard.push(heard),
            }
            self.pipe.consume(len);
        }
    }

    fn hear(&mut self) -> Result<(), Over> {
        if self.heard.is_empty() {
            return Ok(());
        }
        // Earlier than whatever is sent because of it.
        let now = self.link.now();
        let mut state = self.link.state();
        for heard in self.heard.drain(..) {
            if state.hear(heard, now, &mut self.effects).is_err() {
                return Err(broken("the service answered what nobody asked"));
            }
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), Over> {
        self.link.sweep();
        let now = self.link.now();
        let mut state = self.link.state();
        state.slots.trim();
        state.claims.trim();
        let waits = state.slots.in_flight() > 0;
        self.silent_ticks = if waits && !self.received { self.silent_ticks + 1 } else { 0 };
        if self.silent_ticks >= SILENT_MAX {
            return Err(broken("the service does not answer"));
        }
        if !self.sent
            && let Phase::Up = state.phase
        {
            state.send_unasked(About::Sign, &Request::Ping, now);
        }
        (self.sent, self.received) = (false, false);
        Ok(())
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Over> {
        loop {
            match self.pipe.poll_write(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(broken(error)),
                Poll::Ready(Ok(())) => {}
            }
            let mut state = self.link.state();
            if state.outbox.is_empty() {
                if let Phase::Closed(_) = state.phase {
                    return Poll::Ready(Over::Closed);
                }
                state.task = Some(cx.waker().clone());
                self.yielded = false;
                return Poll::Pending;
            }
            if !std::mem::replace(&mut self.yielded, true) {
                // Whoever is ready to ask too does so first: one write carries it all.
                drop(state);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.pipe.load(&mut state.outbox);
            (self.yielded, self.sent) = (false, true);
        }
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        // Where the runtime ends, what the last guards gave back leaves now or never.
        let mut cx = Context::from_waker(Waker::noop());
        if self.pipe.poll_write(&mut cx).is_ready() {
            self.pipe.load(&mut self.link.state().outbox);
            // A socket that is closed over what was not read throws away what it was to send.
            while matches!(self.pipe.poll_read(&mut cx), Poll::Ready(Ok(1..))) {
                self.pipe.consume(usize::MAX);
            }
            let _ = self.pipe.poll_write(&mut cx);
        }
    }
}

fn broken(why: impl std::fmt::Display) -> Over {
    Over::Broken { superseded: false, why: why.to_string() }
}
