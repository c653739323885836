//! `tenure run`, from the outside: real commands, real signals, a real daemon that dies and stops.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

#[path = "../harness/mod.rs"]
mod harness;

mod command;
mod losing;
mod secure;
mod several;
mod terminal;
mod waiting;

use std::path::Path;
use std::process::Command;

use harness::{Daemon, Peer, until};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// `tenure run` against a daemon.
fn tenure_run(daemon: &Daemon, arguments: &[&str]) -> Command {
    let mut command = harness::tenure();
    command.arg("run").args(["--url", &format!("tenure://{}", daemon.addr())]).args(arguments);
    command
}

/// `tenure run` of a shell script under some keys, with flags before them.
fn script(daemon: &Daemon, keys: &[&str], script: &str) -> Peer {
    Peer::start(tenure_run(daemon, keys).args(["--", "sh", "-c", script]))
}

/// How `tenure run` ends, and what it says.
fn outcome(daemon: &Daemon, arguments: &[&str]) -> (Option<i32>, String) {
    let mut peer = Peer::start(&mut tenure_run(daemon, arguments));
    let status = peer.end();
    (status.code(), peer.stderr())
}

/// Whether the lock can be had right now. It is given back.
fn is_free(daemon: &Daemon, key: &str) -> bool {
    daemon.connect().ask("l", key, "0 60").starts_with("ok ")
}

/// How many wait for a lock.
fn waiters(daemon: &Daemon, key: &str) -> u64 {
    let stats = daemon.connect().stats();
    let locks = stats["locks"].as_array().unwrap();
    locks.iter().find(|lock| lock["key"] == key).map_or(0, |lock| lock["waiters"].as_u64().unwrap())
}

/// Stops a process, and waits until each of its threads has stopped: on a busy machine some run on for a while.
fn stop(pid: u32) {
    kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGSTOP).unwrap();
    until("it has stopped", || {
        let mut threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        threads.all(|thread| state(&thread.unwrap().path()) == Some('T'))
    });
}

/// The letter for what a process or thread does, by its folder under `/proc`.
fn state(folder: &Path) -> Option<char> {
    let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Waits until a process is gone, be it that nobody has asked for its exit code yet.
fn until_gone(pid: &str) {
    until(&format!("process {pid} is gone"), || is_gone(pid));
}

fn is_gone(pid: &str) -> bool {
    let is_zombie = state(&Path::new("/proc").join(pid)) == Some('Z');
    is_zombie || kill(Pid::from_raw(pid.parse().unwrap()), None) == Err(Errno::ESRCH)
}
