//! Another server of this same binary, to run the same load against.

use std::io::{self, BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

use super::client::Replies;
use super::cpu::CpuSource;
use super::load::Target;
use crate::exit::{Exit, Failure};

/// What the service is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A server that sends every byte back.
    Echo,
    /// A server of a single lock.
    Fifo,
}

/// A running one. It has the CPUs that the bench has, and ends with it.
pub(super) struct Baseline {
    child: Child,
    kind: Kind,
    port: u16,
}

impl Baseline {
    /// Starts it, and waits until it listens.
    pub(super) fn start(kind: Kind) -> Result<Self, Failure> {
        let failed = |error| Failure::from(Exit::Refused, "the server to compare with did not start", error);
        let mut child = spawn(kind).map_err(failed)?;
        match read_port(&mut child) {
            Ok(port) => Ok(Self { child, kind, port }),
            Err(error) => {
                end(&mut child);
                Err(failed(error))
            }
        }
    }

    /// Where the load goes, and whose CPU counts.
    pub(super) fn target(&self) -> Target {
        Target {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            token: None,
            replies: match self.kind {
                Kind::Echo => Replies::Echo,
                Kind::Fifo => Replies::Served,
            },
            cpu: CpuSource::Process(self.child.id()),
        }
    }
}

impl Drop for Baseline {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn spawn(kind: Kind) -> io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("bench-echo");
    if kind == Kind::Fifo {
        command.arg("--fifo");
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
}

fn read_port(child: &mut Child) -> io::Result<u16> {
    let mut line = String::new();
    let out = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    BufReader::new(out).read_line(&mut line)?;
    line.trim().parse().map_err(|_| io::ErrorKind::InvalidData.into())
}

/// It may have ended by itself already.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
