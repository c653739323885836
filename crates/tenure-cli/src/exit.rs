//! What the command says and returns when it did not do what was asked.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use nix::sys::signal::Signal;

/// The exit codes of every sub-command, but for the ones that a command run under a lock chooses itself.
pub(crate) const TABLE: &str = "\
Exit codes:
  0    done
  1    refused, or misconfigured
  2    not understood, or it makes no sense: see --help
  69   the service could not be reached, does not answer, went away, or is about to stop
  75   not acquired (run -n, run -w; run -E chooses another)
  76   the lock was lost while the command ran
  77   the service asks for a token, and this was not it
  126  the command exists but cannot be executed
  127  there is no such command
  128+ the command, or the wait for the lock, was ended by signal number code - 128";

/// The exit code for arguments that are not understood; clap's own.
pub(crate) const USAGE: u8 = 2;

/// The exit code when a lock was not acquired; the temporary failure of `sysexits.h`.
pub(crate) const NOT_ACQUIRED: u8 = 75;

/// The exit code when a lock was lost while a command ran under it.
pub(crate) const LOST: u8 = 76;

/// The exit code for a command that cannot be executed; every shell's.
pub(crate) const NOT_EXECUTABLE: u8 = 126;

/// The exit code for a command that does not exist; every shell's.
pub(crate) const NOT_FOUND: u8 = 127;

/// The exit code of what a signal has ended; every shell's.
pub(crate) fn by_signal(signal: Signal) -> u8 {
    by_signal_number(signal as i32)
}

/// The same for any signal: those for real time have no names.
pub(crate) fn by_signal_number(signal: i32) -> u8 {
    u8::try_from(signal).map_or(u8::MAX, |number| number.saturating_add(128))
}

/// Why the command failed, by its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The service, or the system, refused.
    Refused,
    /// What was asked for makes no sense.
    Usage,
    /// The service could not be reached, or went away.
    Unavailable,
    /// The service wants another token.
    Denied,
    /// The lock was lost.
    Lost,
}

impl Exit {
    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Refused => 1,
            Self::Usage => USAGE,
            Self::Unavailable => 69,
            Self::Lost => LOST,
            Self::Denied => 77,
        }
    }
}

/// Why the command failed: one sentence, the cause below it, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure that has no cause below it.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), source: None }
    }

    /// A failure, and the error that it comes from.
    pub(crate) fn from(
        exit: Exit,
        message: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { exit, message: message.into(), source: Some(source.into()) }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.exit.code())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// An error and everything below it, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(cause) = below {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        below = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_printed_with_what_is_below_it() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let failure = Failure::from(Exit::Unavailable, "no service at tenure://a:1", refused);
        assert_eq!(chain(&failure), "no service at tenure://a:1: connection refused");
    }

    #[test]
    fn every_code_stands_in_the_table() {
        let exits = [Exit::Refused, Exit::Usage, Exit::Unavailable, Exit::Lost, Exit::Denied].map(Exit::code);
        for code in exits.into_iter().chain([NOT_ACQUIRED, NOT_EXECUTABLE, NOT_FOUND]) {
            assert!(TABLE.contains(&format!("\n  {code:<5}")), "{code}");
        }
    }
}
