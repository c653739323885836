//! Who may read from the terminal: one process group, the one in the foreground.

use std::fs::File;
use std::io::IsTerminal as _;

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};

/// Whether this process's group has the foreground, and nobody else of the group has a use for it: who reads what
/// this process writes may be a pager.
pub(super) fn is_ours_alone() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && is_ours()
}

/// Whether this process's group has the foreground.
pub(super) fn is_ours() -> bool {
    belongs_to(getpgrp())
}

/// Whether a group has the foreground.
pub(super) fn belongs_to(group: Pid) -> bool {
    open().is_some_and(|terminal| tcgetpgrp(terminal) == Ok(group))
}

/// Takes the foreground for this process's group.
pub(super) fn claim() {
    give(getpgrp());
}

/// Takes the foreground back from a group; not if someone else has it by now, such as the shell.
pub(super) fn take_back(from: Pid) {
    if belongs_to(from) {
        give(getpgrp());
    }
}

/// Puts a group into the foreground.
pub(super) fn give(group: Pid) {
    let mut stop = SigSet::empty();
    stop.add(Signal::SIGTTOU);
    // Who is in the background is stopped by SIGTTOU for trying, unless it is blocked.
    if let Ok(before) = stop.thread_swap_mask(SigmaskHow::SIG_BLOCK) {
        // Failing to is no reason to end: the terminal may have hung up.
        let _ = open().map(|terminal| tcsetpgrp(terminal, group));
        let _ = before.thread_set_mask();
    }
}

/// The terminal of this session, wherever the standard streams lead.
fn open() -> Option<File> {
    File::options().read(true).write(true).open("/dev/tty").ok()
}
