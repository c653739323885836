//! The daemon: the real program, on a port that the system chose.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::client::Client;
use super::peer::Peer;

/// A running daemon. It is killed when it is dropped.
pub(crate) struct Daemon {
    peer: Peer,
    addr: SocketAddr,
    _state: Option<TempDir>,
}

/// The program under test, without anything of this shell's environment that would configure it.
pub(crate) fn tenure() -> Command {
    isolated(Command::new(env!("CARGO_BIN_EXE_tenure")))
}

fn isolated(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("TENURE_") || name.starts_with("DFLOCKD_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs `tenure serve` with flags that it must not start with: how it ends, and what it says.
pub(crate) fn refusal(command: &mut Command) -> (Option<i32>, String) {
    let mut peer = Peer::start(command);
    let status = peer.end();
    (status.code(), peer.stderr())
}

impl Daemon {
    /// Starts a daemon with a state folder of its own.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::with(flags, |_| {})
    }

    /// Starts a daemon with a state folder of its own and changes to how it is run.
    pub(crate) fn with(flags: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let state = TempDir::new().unwrap();
        let mut command = serve(state.path(), flags);
        change(&mut command);
        Self { _state: Some(state), ..Self::launch(&mut command) }
    }

    /// Starts a daemon on a state folder that may outlive it.
    pub(crate) fn on(state: &Path, flags: &[&str]) -> Self {
        Self::launch(&mut serve(state, flags))
    }

    /// Starts a daemon where one has been, on its state folder.
    pub(crate) fn at(addr: SocketAddr, state: &Path) -> Self {
        let mut command = tenure();
        command.args(["serve", "--port", &addr.port().to_string(), "--state-dir"]).arg(state);
        Self::launch(&mut command)
    }

    /// Starts a daemon that keeps nothing.
    pub(crate) fn in_memory(flags: &[&str]) -> Self {
        Self::launch(tenure().args(["serve", "--port", "0", "--in-memory"]).args(flags))
    }

    /// Starts a daemon that may open `files` files and no more.
    pub(crate) fn with_few_files(files: u32, flags: &[&str]) -> Self {
        let state = TempDir::new().unwrap();
        let mut command = isolated(Command::new("sh"));
        command.args(["-c", &format!("ulimit -n {files}; exec \"$@\""), "sh"]);
        command.arg(env!("CARGO_BIN_EXE_tenure"));
        serve_arguments(&mut command, state.path(), flags);
        Self { _state: Some(state), ..Self::launch(&mut command) }
    }

    /// Runs a command that starts a daemon, and waits until it says where it listens.
    pub(crate) fn launch(command: &mut Command) -> Self {
        let mut peer = Peer::start(command);
        loop {
            let line = peer.line();
            if let Some(addr) = listening_on(&line) {
                return Self { peer, addr, _state: None };
            }
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.addr)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.peer.pid()
    }

    /// What it wrote to its standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.peer.stderr()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.peer.signal(signal);
    }

    /// `kill -9`.
    pub(crate) fn kill(self) {
        self.peer.kill();
    }

    /// Waits until it ends by itself.
    pub(crate) fn end(&mut self) -> ExitStatus {
        self.peer.end()
    }

    /// The processor time that it has used, in user and system mode, as the kernel counts it.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.peer.pid())).unwrap();
        let (_, behind_the_name) = stat.rsplit_once(") ").unwrap();
        let ticks: u64 =
            behind_the_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        // Linux reports in hundredths of a second on every architecture, whatever its own tick is.
        Duration::from_millis(ticks * 10)
    }
}

/// The command that starts a daemon with this state folder on any free port.
pub(crate) fn serve(state: &Path, flags: &[&str]) -> Command {
    let mut command = tenure();
    serve_arguments(&mut command, state, flags);
    command
}

fn serve_arguments(command: &mut Command, state: &Path, flags: &[&str]) {
    command.args(["serve", "--port", "0", "--state-dir"]).arg(state).args(flags);
}

fn listening_on(line: &str) -> Option<SocketAddr> {
    let (_, behind) = line.split_once("listening on ")?;
    let addr = behind.split_whitespace().next()?;
    addr.trim_end_matches(['.', ',']).parse().ok()
}
