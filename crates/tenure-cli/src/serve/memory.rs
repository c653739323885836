//! Giving memory back.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::say;

/// How many milliseconds the allocator keeps what was freed before the system has it back. It looks at this when the
/// process starts, and only when somebody allocates does it see that the time is over: a daemon that released a million
/// locks and is quiet then would keep their memory.
const PURGE_DELAY: &str = "MIMALLOC_PURGE_DELAY";

/// Starts this program anew, in this process, with an allocator that gives freed memory back at once. Returns if that was
/// chosen already, by this or by whoever started the daemon, or cannot be; the daemon works either way.
pub(super) fn give_back_at_once() {
    if env::var_os(PURGE_DELAY).is_some() {
        return;
    }
    let (Ok(program), mut arguments) = (env::current_exe(), env::args_os()) else { return };
    let Some(name) = arguments.next() else { return };
    let error = Command::new(program).arg0(name).args(arguments).env(PURGE_DELAY, "0").exec();
    say::say(format!("freed memory may stay with the daemon while it is idle: {error}"));
}
