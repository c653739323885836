//! The daemon that is measured, and what the system knows of it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use super::clock;
use super::pinned::field;
use crate::process::{self, Failure};

/// Above everything that is measured, so that no limit is reached on the way.
const LIMITS: [&str; 8] = [
    "--max-locks",
    "1200000",
    "--max-connections",
    "15000",
    "--max-waiters",
    "15000",
    "--read-timeout",
    "3600",
];

/// A running daemon with a state folder of its own. It is killed when it is dropped.
pub(super) struct Daemon {
    child: Child,
    address: SocketAddr,
    state: PathBuf,
}

impl Daemon {
    /// Starts it, and waits until it can be reached.
    pub(super) fn start(program: &Path) -> Result<Self, Failure> {
        let address = free_address()?;
        let state = std::env::temp_dir().join(format!("tenure-measure-{}", address.port()));
        let mut command = process::program(program);
        command.args(["serve", "--port", &address.port().to_string(), "--gc-max-idle", "1", "--state-dir"]);
        command.arg(&state).args(LIMITS).stdout(Stdio::null());
        let child =
            command.spawn().map_err(|error| Failure::new(format!("the daemon did not start: {error}")))?;
        let mut daemon = Self { child, address, state };
        if clock::until(|| daemon.has_ended() || TcpStream::connect(address).is_ok()) && !daemon.has_ended() {
            Ok(daemon)
        } else {
            Err(Failure::new("the daemon did not start listening: what it says stands above"))
        }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The CPU time of all its threads so far.
    pub(super) fn cpu(&self) -> Result<Duration, Failure> {
        let lost = |error| Failure::new(format!("the daemon's CPU time cannot be read: {error}"));
        let mut total = Duration::ZERO;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id())).map_err(lost)? {
            let text = fs::read_to_string(task.map_err(lost)?.path().join("schedstat")).map_err(lost)?;
            total += Duration::from_nanos(
                text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0),
            );
        }
        Ok(total)
    }

    /// The CPU time, once it has nothing left to do.
    pub(super) fn cpu_at_rest(&self) -> Result<Duration, Failure> {
        clock::settled(Duration::from_millis(300), || self.cpu().ok().map(|cpu| cpu.as_millis()))
            .ok_or_else(|| Failure::new("the daemon did not come to rest"))?;
        self.cpu()
    }

    /// Its resident memory, in bytes.
    pub(super) fn memory(&self) -> Result<f64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let kib =
            field(&status, "VmRSS").and_then(|value| value.strip_suffix(" kB")?.trim().parse::<f64>().ok());
        kib.map(|kib| kib * 1024.0)
            .ok_or_else(|| Failure::new("the daemon's memory cannot be read: has it ended?"))
    }

    /// Its resident memory, once it does not change any more.
    pub(super) fn memory_at_rest(&self) -> Result<f64, Failure> {
        clock::settled(Duration::from_secs(3), || self.memory().ok())
            .ok_or_else(|| Failure::new("the daemon's memory did not come to rest"))?;
        self.memory()
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to clean up but its folder.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.state);
    }
}

fn free_address() -> Result<SocketAddr, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| Failure::new(format!("there is no free port: {error}")))
}
