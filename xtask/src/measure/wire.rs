//! A client that holds many locks on one connection.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;

use crate::process::Failure;

/// How many requests are on their way at the same time.
const BATCH: usize = 500;

/// How long the locks are leased: longer than any measurement.
const LEASE_S: u32 = 3600;

/// One connection.
pub(super) struct Wire {
    stream: BufReader<TcpStream>,
    line: String,
}

impl Wire {
    /// Opens it.
    pub(super) fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        Ok(Self { stream: BufReader::with_capacity(1024, stream), line: String::new() })
    }

    /// Acquires locks `name` with these numbers: sixteen bytes each, when `name` has four.
    pub(super) fn acquire_all(&mut self, name: &str, numbers: Range<usize>) -> Result<(), Failure> {
        let mut requests = String::new();
        for begin in numbers.clone().step_by(BATCH) {
            let batch = begin..(begin + BATCH).min(numbers.end);
            requests.clear();
            for number in batch.clone() {
                requests += &format!("l\n{name}{number:012}\n0 {LEASE_S}\n");
            }
            self.send(&requests)?;
            for _ in batch {
                self.read_ok()?;
            }
        }
        Ok(())
    }

    /// Acquires a lock and gives its token.
    pub(super) fn acquire(&mut self, key: &str) -> Result<String, Failure> {
        self.send(&format!("l\n{key}\n0 {LEASE_S}\n"))?;
        let answer = self.read_ok()?;
        answer.split(' ').nth(1).map(str::to_owned).ok_or_else(|| unexpected(answer))
    }

    /// Releases it.
    pub(super) fn release(&mut self, key: &str, token: &str) -> Result<(), Failure> {
        self.send(&format!("r\n{key}\n{token}\n"))?;
        self.read_ok().map(drop)
    }

    /// Asks for nothing but an answer.
    pub(super) fn ping(&mut self) -> Result<(), Failure> {
        self.send("ping\n_\n_\n")?;
        self.read_ok().map(drop)
    }

    /// What the daemon says about its keys.
    pub(super) fn stats(&mut self) -> Result<serde_json::Value, Failure> {
        self.send("stats\n_\n_\n")?;
        let answer = self.read_ok()?;
        serde_json::from_str(answer.trim_start_matches("ok ")).map_err(|_| unexpected(answer))
    }

    fn send(&mut self, requests: &str) -> Result<(), Failure> {
        self.stream.get_mut().write_all(requests.as_bytes()).map_err(broken)
    }

    fn read_ok(&mut self) -> Result<&str, Failure> {
        self.line.clear();
        self.stream.read_line(&mut self.line).map_err(broken)?;
        let answer = self.line.trim_end();
        if answer == "ok" || answer.starts_with("ok ") { Ok(answer) } else { Err(unexpected(answer)) }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it stands where an error is mapped")]
fn broken(error: std::io::Error) -> Failure {
    Failure::new(format!("the connection to the daemon broke: {error}"))
}

fn unexpected(answer: &str) -> Failure {
    Failure::new(format!("the daemon answered `{answer}`"))
}
