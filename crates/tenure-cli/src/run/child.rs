//! The command.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use nix::sys::signal::{Signal, killpg, raise};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, getpgrp};
use tenure_core::TOKEN_LEN;
use tokio::process::Command;

use super::guard::Guard;
use super::held::Held;
use super::{exec, job, terminal};
use crate::exit::{self, Exit, Failure};

/// A command that runs in a process group of its own.
pub(super) struct Child {
    process: tokio::process::Child,
    guard: Option<Guard>,
    group: Pid,
    has_terminal: bool,
}

impl Child {
    /// Starts the command, which finds in its environment what it holds.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future kills the command, if it was started.
    pub(super) async fn start(command: &[OsString], held: &[Held]) -> Result<Self, Failure> {
        let has_terminal = terminal::is_ours_alone();
        let mut launch = exec::launch(command, has_terminal);
        announce(&mut launch, held);
        launch.process_group(0).kill_on_drop(true);
        Self::launch(launch, has_terminal)
            .await
            .map_err(|error| Failure::from(Exit::Refused, "cannot start the command", error))
    }

    async fn launch(mut launch: Command, has_terminal: bool) -> io::Result<Self> {
        let mut guard = Guard::start()?;
        let process = launch.spawn()?;
        let id = process.id().and_then(|id| i32::try_from(id).ok());
        let group = Pid::from_raw(id.ok_or(io::ErrorKind::NotFound)?);
        guard.watch(group).await?;
        Ok(Self { process, guard: Some(guard), group, has_terminal })
    }

    /// Lets what the command has left behind be.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does the same, but may leave the guard to be reaped by someone else.
    pub(super) async fn leave(mut self) {
        if let Some(guard) = self.guard.take() {
            guard.dismiss().await;
        }
    }

    /// Waits for its end, and returns its exit code.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(super) async fn ended(&mut self) -> io::Result<u8> {
        self.process.wait().await.map(exit_code)
    }

    /// Sends a signal to its whole group.
    pub(super) fn signal(&self, signal: Signal) {
        // There is nobody left to tell when the group is gone.
        let _ = killpg(self.group, signal);
    }

    /// Sends it a signal from elsewhere, which it shall hear even while it is stopped if that is meant to end it.
    pub(super) fn forward(&self, signal: Signal) {
        self.signal(signal);
        if matches!(signal, Signal::SIGTERM | Signal::SIGINT | Signal::SIGHUP | Signal::SIGQUIT) {
            self.signal(Signal::SIGCONT);
        }
    }

    /// The signal by which a terminal has stopped it since this was last asked.
    pub(super) fn stopped(&self) -> Option<Signal> {
        // Not WEXITED: its end belongs to `ended`.
        match waitid(Id::Pid(self.group), WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG) {
            Ok(WaitStatus::Stopped(_, by)) => {
                Some(by).filter(|by| matches!(by, Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU))
            }
            Ok(_) | Err(_) => None,
        }
    }

    /// What to do about a stop of the command: to give it the terminal that it asks for, or to stop as it did.
    pub(super) fn follow(&self, by: Signal) {
        let asks = matches!(by, Signal::SIGTTIN | Signal::SIGTTOU);
        if asks && terminal::is_ours() {
            terminal::give(self.group);
            self.signal(Signal::SIGCONT);
        } else if if asks { job::has_a_shell() } else { terminal::belongs_to(self.group) } {
            // This process hears it as well, and does the rest in `stop`. Without a shell nobody could ever give the
            // terminal that is asked for.
            let _ = killpg(getpgrp(), by);
        }
    }

    /// Stops the command and then this process, for the shell to notice. Returns when it is continued; at once where
    /// nobody would do that.
    pub(super) fn stop(&self) {
        if job::has_a_shell() {
            self.signal(Signal::SIGSTOP);
            terminal::take_back(self.group);
            let _ = raise(Signal::SIGSTOP);
        }
    }

    /// Lets it go on, with the terminal if that is ours.
    pub(super) fn go_on(&self) {
        if self.has_terminal && terminal::is_ours() {
            terminal::give(self.group);
        }
        self.signal(Signal::SIGCONT);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        terminal::take_back(self.group);
    }
}

/// Tells the command what it holds; several values in the order of the keys.
fn announce(launch: &mut Command, held: &[Held]) {
    let guards = || held.iter().map(Held::guard);
    let names: Vec<&[u8]> = guards().map(tenure::Guard::key).collect();
    let tokens: Vec<[u8; TOKEN_LEN]> = guards().map(|guard| guard.token().to_text()).collect();
    let fences: Vec<String> = guards().map(|guard| guard.fence().to_string()).collect();
    launch.env("TENURE_KEY", OsString::from_vec(names.join(&b' ')));
    launch.env("TENURE_TOKEN", OsString::from_vec(tokens.join(&b' ')));
    launch.env("TENURE_FENCE", fences.join(" "));
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    status.signal().map_or(code.unwrap_or(u8::MAX), exit::by_signal_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_ended_by_a_signal_returns_what_a_shell_would() {
        assert_eq!(exit_code(ExitStatus::from_raw(0)), 0);
        assert_eq!(exit_code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(exit_code(ExitStatus::from_raw(9)), 137);
        assert_eq!(exit_code(ExitStatus::from_raw(15)), 143);
        assert_eq!(exit_code(ExitStatus::from_raw(35)), 163, "one without a name");
    }
}
