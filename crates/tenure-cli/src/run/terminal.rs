//! Who may read from the terminal: one process group, the one in the foreground.

use std::io::IsTerminal as _;

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};

/// Whether stdin is a terminal whose foreground is this process's group.
pub(super) fn is_ours() -> bool {
    let stdin = std::io::stdin();
    stdin.is_terminal() && tcgetpgrp(&stdin) == Ok(getpgrp())
}

/// Takes the foreground for this process's group.
pub(super) fn claim() {
    give(getpgrp());
}

/// Takes the foreground back from a group; not if someone else has it by now, such as the shell.
pub(super) fn take_back(from: Pid) {
    if tcgetpgrp(std::io::stdin()) == Ok(from) {
        give(getpgrp());
    }
}

/// Puts a group into the foreground.
pub(super) fn give(group: Pid) {
    let mut stop = SigSet::empty();
    stop.add(Signal::SIGTTOU);
    // Who is in the background is stopped by SIGTTOU for trying, unless it is blocked.
    if let Ok(before) = stop.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK) {
        // Failing to is no reason to end: the terminal may have hung up.
        let _ = tcsetpgrp(std::io::stdin(), group);
        let _ = before.thread_set_mask();
    }
}
