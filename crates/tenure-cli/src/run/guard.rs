//! What a killed `tenure run` leaves running is ended by another process: this program again, which waits for the
//! end of `tenure run` and then kills the group of the command.

use std::io::{self, Read as _};
use std::process::{ExitCode, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin};

use super::exec;
use crate::exit::{Exit, Failure};

/// Arguments of the hidden `tenure guard`: none; it reads the group from a pipe that ends when `tenure run` does.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// The guard of one command.
pub(super) struct Guard {
    process: Child,
    pipe: ChildStdin,
}

impl Guard {
    /// Starts it, in a group of its own that no key of the terminal and no signal to a job reaches.
    pub(super) fn start() -> io::Result<Self> {
        let mut launch = exec::this_program("guard");
        launch.process_group(0).kill_on_drop(true);
        // Nothing of ours stays open because of it.
        launch.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
        let mut process = launch.spawn()?;
        let pipe = process.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { process, pipe })
    }

    /// Tells it the group that must not outlive this process.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the group unguarded.
    pub(super) async fn watch(&mut self, group: Pid) -> io::Result<()> {
        self.pipe.write_all(format!("{group}\n").as_bytes()).await?;
        self.pipe.flush().await
    }

    /// Ends it: what a command leaves behind by its own will may stay.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends it as well.
    pub(super) async fn dismiss(mut self) {
        // It may have been killed by someone else, which comes to the same.
        let _ = self.process.kill().await;
    }
}

/// Waits for the end of `tenure run`, and ends what it left.
pub(crate) fn run() -> Result<ExitCode, Failure> {
    let mut told = String::new();
    io::stdin()
        .read_to_string(&mut told)
        .map_err(|error| Failure::from(Exit::Refused, "cannot watch `tenure run`", error))?;
    if let Some(group) = group(&told) {
        // There may be nothing left.
        let _ = killpg(group, Signal::SIGKILL);
    }
    Ok(ExitCode::SUCCESS)
}

/// The group that was told; none if `tenure run` ended before it started a command.
fn group(told: &str) -> Option<Pid> {
    let group = told.strip_suffix('\n')?.parse().ok()?;
    // Those stand for something else than a group.
    (group > 1).then(|| Pid::from_raw(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_what_was_told_completely() {
        assert_eq!(group("1234\n"), Some(Pid::from_raw(1234)));
        for nothing in ["", "12", "0\n", "1\n", "-1\n", "x\n"] {
            assert_eq!(group(nothing), None, "{nothing:?}");
        }
    }
}
