//! What the command prints.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use serde::Serialize;
use tokio::task::JoinHandle;

use crate::exit::{self, Exit, Failure};

/// Prints a line on stderr. Nobody can be told when that fails.
///
/// A terminal that stops who writes to it in the background lets this one line through: what has to be said about a
/// lock cannot wait until the user looks.
pub(crate) fn say(text: impl Display) {
    let mut stop = SigSet::empty();
    stop.add(Signal::SIGTTOU);
    let before = stop.thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let _ = writeln!(anstream::stderr(), "tenure: {text}");
    let _ = before.map(|before| before.thread_set_mask());
}

/// Prints a line on stderr without holding up the task that has it to say: a terminal can be stopped, a pipe be full.
pub(crate) fn say_aside(text: String) -> JoinHandle<()> {
    tokio::task::spawn_blocking(move || say(text))
}

/// Prints on stdout.
///
/// When nobody reads that any more the process ends, quietly, like every other program in a pipe.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            std::process::exit(exit::by_signal(Signal::SIGPIPE).into())
        }
        Err(error) => Err(Failure::from(Exit::Refused, "cannot print", error)),
    }
}

/// Prints a value as JSON, on a line of its own.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut json =
        serde_json::to_vec(value).map_err(|error| Failure::from(Exit::Refused, "cannot print", error))?;
    json.push(b'\n');
    print(&json)
}

/// A text on one line, and without what would give a terminal commands.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let printable = |c: char| if c.is_control() || reorders(c) { char::REPLACEMENT_CHARACTER } else { c };
    String::from_utf8_lossy(bytes).chars().map(printable).collect()
}

/// Whether a terminal shows what follows in another order than it was written in, so that one name passes for another.
const fn reorders(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_commands_a_terminal() {
        assert_eq!(shown(b"a\x1b[2Jb\nc\xff"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
        assert_eq!(shown("a\u{202e}b\u{2066}c".as_bytes()), "a\u{fffd}b\u{fffd}c");
        assert_eq!(shown("schlüssel".as_bytes()), "schlüssel");
    }
}
