//! Bytes from a service, line by line.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The longest line that is read: room for the report on a million keys, and an end to what a stranger may send.
const LINE_LEN_MAX: usize = 512 << 20;

/// How much is read at once, at least.
const READ_LEN: usize = 4096;

/// What has arrived: the current line, and whatever came after it.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    /// Where the line that was read last ends, behind its line feed.
    line_end: usize,
    /// How much of what comes after it is known to have no line feed.
    searched: usize,
}

/// What became of reading a bit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// There is a line.
    Line,
    /// There is more of one.
    Some,
    /// Nothing will come any more.
    End,
    /// There is no end to the line.
    TooLong,
}

impl Inbox {
    /// Forgets the current line.
    pub(super) fn next(&mut self) {
        self.bytes.drain(..std::mem::take(&mut self.line_end));
        self.searched = 0;
    }

    /// Reads some, unless there is a line. Dropping the future loses nothing.
    pub(super) async fn read(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Arrived> {
        if let Some(at) = self.bytes[self.searched..].iter().position(|byte| *byte == b'\n') {
            self.line_end = self.searched + at + 1;
            return Ok(Arrived::Line);
        }
        self.searched = self.bytes.len();
        if self.searched > LINE_LEN_MAX {
            return Ok(Arrived::TooLong);
        }
        self.bytes.reserve(READ_LEN);
        let read = stream.read_buf(&mut self.bytes).await?;
        Ok(if read == 0 { Arrived::End } else { Arrived::Some })
    }

    /// The current line.
    pub(super) fn line(&self) -> &[u8] {
        &self.bytes[..self.line_end]
    }

    /// What came without a line end before the end.
    pub(super) fn last_words(&self) -> &[u8] {
        &self.bytes[self.line_end..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_told_apart_however_they_arrive() {
        let (mut here, there) = tokio::io::duplex(4);
        let sender = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt as _;
            let mut there = there;
            there.write_all(b"ok 1\n\nsig a b c\nhalf").await.expect("sent");
        });
        let mut inbox = Inbox::default();
        let mut lines = Vec::new();
        let end = loop {
            match inbox.read(&mut here).await.expect("a stream in memory") {
                Arrived::Line => {
                    lines.push(inbox.line().to_vec());
                    inbox.next();
                }
                Arrived::Some => {}
                end @ (Arrived::End | Arrived::TooLong) => break end,
            }
        };
        sender.await.expect("sent");
        assert_eq!(lines, [&b"ok 1\n"[..], b"\n", b"sig a b c\n"]);
        assert_eq!((end, inbox.last_words()), (Arrived::End, &b"half"[..]));
    }
}
