//! The last steps between `tenure run` and the command, made in the new process itself: this program is started again,
//! sees to it that it dies when `tenure run` dies, and becomes the command.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getppid};

use super::terminal;
use crate::exit::{self, Exit, Failure};
use crate::say;

/// This program, even when its file was replaced or removed since it was started.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Arguments of the hidden `tenure exec`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The process that has to live
    #[arg(long)]
    parent: i32,

    /// Take the foreground of the terminal
    #[arg(long)]
    foreground: bool,

    /// What to run
    #[arg(required = true, last = true)]
    command: Vec<OsString>,
}

/// How to start [`run`] with those arguments from this process.
pub(super) fn launch(command: &[OsString], foreground: bool) -> tokio::process::Command {
    let mut launch = this_program("exec");
    launch.arg(format!("--parent={}", Pid::this()));
    if foreground {
        launch.arg("--foreground");
    }
    launch.arg("--").args(command);
    launch
}

/// How to start a hidden step of this program.
pub(super) fn this_program(step: &str) -> tokio::process::Command {
    let mut launch = tokio::process::Command::new(THIS_PROGRAM);
    launch.arg0("tenure").arg(step);
    launch
}

/// Becomes the command; returns only when that cannot be.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    prctl::set_pdeathsig(Signal::SIGKILL)
        .map_err(|error| Failure::from(Exit::Refused, "cannot tie the command to this process", error))?;
    // It may have died before the line above.
    if getppid() != Pid::from_raw(args.parent) {
        return Ok(ExitCode::from(exit::by_signal(Signal::SIGKILL)));
    }
    if args.foreground {
        terminal::claim();
    }
    let [program, arguments @ ..] = args.command.as_slice() else {
        return Ok(ExitCode::from(exit::NOT_FOUND));
    };
    let error = Command::new(program).args(arguments).exec();
    let program = program.to_string_lossy();
    if error.kind() == ErrorKind::NotFound {
        say::say(format!("{program}: there is no such command, or its interpreter is missing"));
        return Ok(ExitCode::from(exit::NOT_FOUND));
    }
    say::say(format!("{program}: cannot be executed: {error}"));
    Ok(ExitCode::from(exit::NOT_EXECUTABLE))
}
