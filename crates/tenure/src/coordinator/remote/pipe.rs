//! Bytes to a service and from it.

use crate::net::Stream;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tenure_wire::mux::FRAME_LEN_MAX;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

/// How much is read at once, at most: the longest frame and its length field fit.
const INBOX_LEN: usize = FRAME_LEN_MAX + 4;

/// A buffer that was longer once is given back.
const OUTBOX_KEPT: usize = 256 * 1024;

/// A connection, what has arrived on it and was not looked at, and what has not left yet.
pub(super) struct Pipe {
    stream: Box<dyn Stream>,
    inbox: Box<[u8]>,
    start: usize,
    end: usize,
    leaving: Vec<u8>,
    left: usize,
    flushed: bool,
}

impl Pipe {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        let inbox = vec![0; INBOX_LEN].into_boxed_slice();
        Self { stream, inbox, start: 0, end: 0, leaving: Vec::new(), left: 0, flushed: true }
    }

    /// What has arrived and was not looked at.
    pub(super) fn unread(&self) -> &[u8] {
        &self.inbox[self.start..self.end]
    }

    /// So much of it was looked at.
    pub(super) fn consume(&mut self, len: usize) {
        self.start = self.start.saturating_add(len).min(self.end);
    }

    /// Reads what has arrived; zero at the end.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.inbox.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let mut room = ReadBuf::new(&mut self.inbox[self.end..]);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut room))?;
        let len = room.filled().len();
        self.end += len;
        Poll::Ready(Ok(len))
    }

    /// Takes what is to leave next, for an empty buffer.
    pub(super) fn load(&mut self, outbox: &mut Vec<u8>) {
        self.leaving.clear();
        self.leaving.shrink_to(OUTBOX_KEPT);
        std::mem::swap(&mut self.leaving, outbox);
        (self.left, self.flushed) = (0, false);
    }

    /// Ready when everything has left.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.left < self.leaving.len() {
            let len = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.leaving[self.left..]))?;
            if len == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.left += len;
        }
        if !self.flushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when the service has been told that nothing more will come.
    pub(super) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    /// Throws away what arrives until nothing more will, so that what was sent last is not lost by closing.
    pub(super) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            self.consume(self.end);
            if ready!(self.poll_read(cx))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe").field("unread", &self.unread().len()).finish_non_exhaustive()
    }
}
