//! Bytes from a service, line by line.

use std::time::Duration;

use tenure::net::Address;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::{gone, silent};
use crate::exit::{Exit, Failure};

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
}

impl Inbox {
    /// Forgets the current line and reads until there is another. Dropping the future loses nothing.
    ///
    /// With a limit, a service that sends nothing for so long has failed.
    pub(super) async fn read_line(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        limit: Option<(Duration, &Address)>,
    ) -> Result<(), Failure> {
        self.bytes.drain(..std::mem::take(&mut self.line_end));
        let mut searched = 0;
        loop {
            if let Some(at) = self.bytes[searched..].iter().position(|byte| *byte == b'\n') {
                self.line_end = searched + at + 1;
                return Ok(());
            }
            searched = self.bytes.len();
            if searched > LINE_LEN_MAX {
                return Err(Failure::new(Exit::Refused, "the service sends a line that does not end"));
            }
            self.bytes.reserve(READ_LEN);
            let reading = stream.read_buf(&mut self.bytes);
            let read = match limit {
                None => reading.await,
                Some((time, at)) => tokio::time::timeout(time, reading).await.map_err(|_| silent(at))?,
            };
            if read.map_err(gone)? == 0 {
                return Err(Failure::new(Exit::Unavailable, closed(&self.bytes)));
            }
        }
    }

    /// The current line.
    pub(super) fn line(&self) -> &[u8] {
        &self.bytes[..self.line_end]
    }
}

fn closed(last_words: &[u8]) -> &'static str {
    if is_tls_alert(last_words) {
        "the service speaks TLS: name it tenures://HOST:PORT"
    } else {
        "the service closed the connection"
    }
}

/// How a TLS server answers those who speak plainly: with a record that says that it does not understand.
pub(super) fn is_tls_alert(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x15, 0x03])
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
        for line in ["ok 1\n", "\n", "sig a b c\n"] {
            inbox.read_line(&mut here, None).await.expect("a line");
            assert_eq!(inbox.line(), line.as_bytes());
        }
        sender.await.expect("sent");
        let closed = inbox.read_line(&mut here, None).await.expect_err("half a line");
        assert_eq!(closed.to_string(), "the service closed the connection");
    }
}
