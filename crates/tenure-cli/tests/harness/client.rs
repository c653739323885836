//! A client that knows lines and nothing else, so that nothing of the daemon is tested against itself.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use super::wait::{PATIENCE, Stopwatch};

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    /// What was read and belongs to lines that nobody asked for yet.
    pending: Vec<u8>,
}

/// A grant, as the daemon told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) token: String,
    pub(crate) fence: u64,
    pub(crate) lease: u64,
}

impl Client {
    pub(crate) fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&addr, PATIENCE).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream, pending: Vec::new() }
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends bytes to a daemon that may have closed the connection.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Sends one request and does not wait for its answer.
    pub(crate) fn request(&mut self, command: &str, key: &str, argument: &str) {
        self.send(format!("{command}\n{key}\n{argument}\n"));
    }

    /// Sends one request and reads its answer.
    pub(crate) fn ask(&mut self, command: &str, key: &str, argument: &str) -> String {
        self.request(command, key, argument);
        self.line()
    }

    /// Sends one request that must be granted.
    pub(crate) fn acquire(&mut self, command: &str, key: &str, argument: &str) -> Grant {
        Grant::read(&self.ask(command, key, argument))
    }

    /// Sends `stats` and reads its answer.
    pub(crate) fn stats(&mut self) -> serde_json::Value {
        self.json("stats", "_")
    }

    /// Sends a request whose answer carries JSON.
    pub(crate) fn json(&mut self, command: &str, key: &str) -> serde_json::Value {
        let answer = self.ask(command, key, "");
        let Some(json) = answer.strip_prefix("ok ") else { panic!("{command} was answered {answer}") };
        serde_json::from_str(json).unwrap()
    }

    /// The next line, without its line feed.
    pub(crate) fn line(&mut self) -> String {
        String::from_utf8(self.line_bytes()).unwrap()
    }

    /// The next grant.
    pub(crate) fn grant(&mut self) -> Grant {
        Grant::read(&self.line())
    }

    fn line_bytes(&mut self) -> Vec<u8> {
        let started = Stopwatch::start();
        let mut searched = 0;
        loop {
            if let Some(at) = self.pending[searched..].iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.pending.drain(..=searched + at).collect();
                line.pop();
                return line;
            }
            searched = self.pending.len();
            match self.read(started.patience_left()) {
                Ok(0) => panic!("the connection ended instead of a line, behind {:?}", self.pending_text()),
                Ok(_) => {}
                Err(error) => panic!("no line came ({error}), only {:?}", self.pending_text()),
            }
        }
    }

    /// Everything until the daemon ends the connection, in whichever way.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let started = Stopwatch::start();
        loop {
            match self.read(started.patience_left()) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => {
                    panic!("the connection did not end ({error}), behind {:?}", self.pending_text())
                }
            }
        }
        std::mem::take(&mut self.pending)
    }

    /// Fails unless the daemon ends the connection without another byte.
    pub(crate) fn assert_closed(&mut self) {
        let rest = self.rest();
        assert!(rest.is_empty(), "before the end came {:?}", String::from_utf8_lossy(&rest));
    }

    /// Whether the next thing that comes is this line. False when the connection ends instead.
    pub(crate) fn answers(&mut self, line: &str) -> bool {
        let started = Stopwatch::start();
        while !self.pending.contains(&b'\n') {
            if !matches!(self.read(started.patience_left()), Ok(1..)) {
                return false;
            }
        }
        self.line() == line
    }

    /// Whether nothing has arrived so far.
    pub(crate) fn is_silent(&mut self) -> bool {
        if !self.pending.is_empty() {
            return false;
        }
        self.stream.set_nonblocking(true).unwrap();
        let read = self.read_now();
        self.stream.set_nonblocking(false).unwrap();
        matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// Whether the daemon has ended the connection, looked at without waiting. What it sent before is kept.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let ended = loop {
            match self.read_now() {
                Ok(0) => break true,
                Ok(_) => {}
                Err(error) => break error.kind() != ErrorKind::WouldBlock,
            }
        };
        self.stream.set_nonblocking(false).unwrap();
        ended
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Says so to a daemon that may have closed the connection.
    pub(crate) fn try_finish(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    fn read(&mut self, within: Duration) -> std::io::Result<usize> {
        self.stream.set_read_timeout(Some(within)).unwrap();
        self.read_now()
    }

    fn read_now(&mut self) -> std::io::Result<usize> {
        let mut chunk = [0; 16 * 1024];
        let read = self.stream.read(&mut chunk)?;
        self.pending.extend_from_slice(&chunk[..read]);
        Ok(read)
    }

    fn pending_text(&self) -> String {
        String::from_utf8_lossy(&self.pending).into_owned()
    }
}

impl Grant {
    /// Reads `ok <token> <lease>` or `acquired <token> <lease>`, and nothing else.
    pub(crate) fn read(answer: &str) -> Self {
        let fields: Vec<&str> = answer.split(' ').collect();
        let ["ok" | "acquired", token, lease] = fields.as_slice() else { panic!("no grant: {answer}") };
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        assert!(token.len() == 32 && token.bytes().all(hex), "no token: {token}");
        Self {
            token: (*token).to_owned(),
            fence: u64::from_str_radix(&token[..16], 16).unwrap(),
            lease: lease.parse().unwrap(),
        }
    }
}
