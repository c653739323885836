//! The command.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use nix::sys::signal::{Signal, killpg, raise};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tokio::process::Command;

use super::keeper::Keeper;
use super::{exec, terminal};
use crate::exit::{self, Exit, Failure};

/// A command that runs in a process group of its own.
pub(super) struct Child {
    process: tokio::process::Child,
    group: Pid,
    has_terminal: bool,
}

impl Child {
    /// Starts the command, which finds in its environment what it holds.
    pub(super) fn start(command: &[OsString], keepers: &[Keeper]) -> Result<Self, Failure> {
        let has_terminal = terminal::is_ours();
        let mut launch = exec::launch(command, has_terminal);
        announce(&mut launch, keepers);
        let failed = |error| Failure::from(Exit::Refused, "cannot start the command", error);
        let process = launch.process_group(0).kill_on_drop(true).spawn().map_err(failed)?;
        let id = process.id().and_then(|id| i32::try_from(id).ok());
        let id = id.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        Ok(Self { process, group: Pid::from_raw(id), has_terminal })
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

    /// The signal by which the terminal has stopped it since this was last asked.
    pub(super) fn stopped(&self) -> Option<Signal> {
        if !self.has_terminal {
            return None;
        }
        // Not WEXITED: its end belongs to `ended`.
        match waitid(Id::Pid(self.group), WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG) {
            Ok(WaitStatus::Stopped(_, by)) => {
                Some(by).filter(|by| matches!(by, Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU))
            }
            Ok(_) | Err(_) => None,
        }
    }

    /// Stops this process as the command was stopped, for the shell to notice. Returns when it is continued.
    pub(super) fn stop_with(&self, by: Signal) {
        terminal::take_back(self.group);
        let _ = raise(by);
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
        if self.has_terminal {
            terminal::take_back(self.group);
        }
    }
}

/// Tells the command what it holds; several values in the order of the keys.
fn announce(launch: &mut Command, keepers: &[Keeper]) {
    let held = || keepers.iter().map(Keeper::held);
    let names: Vec<&[u8]> = held().map(|held| held.name()).collect();
    let tokens: Vec<&[u8]> = held().map(|held| held.token()).collect();
    let fences: Option<Vec<String>> = held().map(|held| held.fence()).collect();
    launch.env("TENURE_KEY", OsString::from_vec(names.join(&b' ')));
    launch.env("TENURE_TOKEN", OsString::from_vec(tokens.join(&b' ')));
    match fences {
        Some(fences) => launch.env("TENURE_FENCE", fences.join(" ")),
        // Not that of a command around this one, either.
        None => launch.env_remove("TENURE_FENCE"),
    };
}

fn exit_code(status: ExitStatus) -> u8 {
    let ended_by = status.signal().and_then(|signal| Signal::try_from(signal).ok());
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    ended_by.map_or(code.unwrap_or(u8::MAX), exit::by_signal)
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
    }
}
