//! Answers on their way out.

use crate::clock::Clock;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tenure_core::Instant;
use tokio::io::AsyncWrite;

/// What has been answered and not been sent yet.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    sent: usize,
    /// Since when the peer owes it to take the rest.
    stalled: Option<Instant>,
}

impl Output {
    /// Where to write answers.
    pub(super) const fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Since when the peer owes it to take the rest.
    pub(super) fn stalled_since(&mut self, clock: Clock) -> Instant {
        *self.stalled.get_or_insert_with(|| clock.now())
    }

    pub(super) fn poll_flush(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.bytes.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while self.sent < self.bytes.len() {
            let sent = ready!(Pin::new(&mut *stream).poll_write(cx, &self.bytes[self.sent..]))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += sent;
        }
        ready!(Pin::new(stream).poll_flush(cx))?;
        self.bytes.clear();
        (self.sent, self.stalled) = (0, None);
        Poll::Ready(Ok(()))
    }
}
