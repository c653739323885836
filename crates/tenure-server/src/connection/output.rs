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

    /// Gives a buffer back, empty, for others to use. What is left to send stays.
    pub(super) fn give_back(&mut self) -> Vec<u8> {
        let left = self.bytes.len() - self.sent;
        if left > 0 && self.bytes.capacity() < 2 * left {
            return Vec::new();
        }
        let rest = self.bytes[self.sent..].to_vec();
        let mut buffer = std::mem::replace(&mut self.bytes, rest);
        self.sent = 0;
        buffer.clear();
        buffer
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_to_send_takes_no_more_room_than_twice_itself() {
        let mut output = Output::default();
        *output.buffer() = Vec::with_capacity(64 * 1024);
        output.buffer().extend_from_slice(b"sent and left");
        output.sent = "sent and ".len();
        let given = output.give_back();
        assert!(given.is_empty() && given.capacity() >= 64 * 1024, "the room is for others");
        assert_eq!((&output.bytes[output.sent..], output.bytes.capacity()), (&b"left"[..], 4));
        assert_eq!(output.give_back().capacity(), 0, "there is nothing to win any more");
        output.sent = 4;
        assert!(output.give_back().capacity() == 4 && output.is_empty());
    }
}
