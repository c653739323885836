//! Whether somebody would continue this process if it stopped.

use nix::unistd::{Pid, getpgid, getpgrp, getppid, getsid};

/// Whether this process's group has a parent in the same session that can see it stop, such as a shell. A group
/// without one is not stopped by the system either.
pub(super) fn has_a_shell() -> bool {
    let session = getsid(None);
    let mut ancestor = Some(getppid());
    while let Some(process) = ancestor {
        if getsid(Some(process)) != session {
            return false;
        }
        if getpgid(Some(process)) != Ok(getpgrp()) {
            return true;
        }
        ancestor = parent(process);
    }
    false
}

fn parent(process: Pid) -> Option<Pid> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind the name, which may hold anything, stand the state and then the parent.
    let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?;
    parent.parse().ok().map(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_of_a_process_is_found() {
        assert_eq!(parent(Pid::this()), Some(getppid()));
    }
}
