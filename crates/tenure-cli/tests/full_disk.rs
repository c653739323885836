//! A disk that is full. Mounting a small one takes root, or a user namespace in which this user is root.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod harness;

use std::io::Write;
use std::path::Path;
use std::process::Command;

use harness::{Daemon, refusal, serve, until};
use tempfile::TempDir;

/// Set in a process that is in a user namespace of its own.
const APART: &str = "FULL_DISK_APART";

/// A disk of 256 KiB in memory.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// Mounts a small disk for a test. Where that is refused, the test is run again where it is not, and there is nothing
    /// left to do here.
    fn mount<T>(test: &T) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=256k", "tenure-full-disk"]).arg(folder.path());
        if mount.status().is_ok_and(|status| status.success()) {
            return Some(Self(folder));
        }
        run_apart(std::any::type_name_of_val(test));
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes until nothing more fits.
    fn fill(&self) {
        let mut filler = std::fs::File::create(self.path().join("filler")).unwrap();
        for size in [4096, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn clear(&self) {
        std::fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

/// Runs a test in a user namespace of its own.
fn run_apart(test: &str) {
    let refused = "a small disk takes the right to mount: run the tests as root, or allow user namespaces";
    assert!(std::env::var_os(APART).is_none(), "{refused}");
    let (_, name) = test.split_once("::").unwrap();
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--mount"]).arg(std::env::current_exe().unwrap());
    let output = unshare.args(["--exact", name]).env(APART, "1").output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}{stderr}{refused}");
}

#[test]
fn a_daemon_that_has_its_state_needs_no_more_room() {
    let Some(disk) = SmallDisk::mount(&a_daemon_that_has_its_state_needs_no_more_room) else { return };
    let state = disk.path().join("state");
    let daemon = Daemon::on(&state, &[]);
    let first = daemon.connect().acquire("l", "k", "0");
    disk.fill();
    let mut client = daemon.connect();
    let second = client.acquire("l", "other", "0");
    assert!(second.fence > first.fence);
    daemon.kill();
    let restarted = Daemon::on(&state, &[]);
    let third = restarted.connect().acquire("l", "k", "0");
    assert!(third.fence > second.fence, "the range of the new run is on the full disk");
}

/// Gives the room of a file back to the disk; the file reads as zeros until it is written again, for which it needs room.
fn punch(file: &Path) {
    let mut fallocate = Command::new("fallocate");
    fallocate.args(["--punch-hole", "--offset", "0", "--length", "4096"]).arg(file);
    assert!(fallocate.status().is_ok_and(|status| status.success()), "fallocate, of util-linux");
}

#[test]
fn a_disk_that_refuses_stops_grants_when_the_fences_at_hand_are_used_and_they_go_on_when_it_takes_them() {
    let Some(disk) = SmallDisk::mount(
        &a_disk_that_refuses_stops_grants_when_the_fences_at_hand_are_used_and_they_go_on_when_it_takes_them,
    ) else {
        return;
    };
    let state = disk.path().join("state");
    let daemon = Daemon::on(&state, &["--fence-range", "10"]);
    let mut client = daemon.connect();
    let held = client.acquire("l", "held", "0 600");
    punch(&state.join("fences"));
    disk.fill();
    let mut granted = Vec::new();
    let refused = loop {
        let answer = client.ask("l", &format!("k{}", granted.len()), "0 600");
        match answer.starts_with("ok ") {
            true => granted.push(answer),
            false => break answer,
        }
    };
    assert_eq!(refused, "error");
    assert_eq!(granted.len(), 9, "the first range, and no more");
    assert_eq!(client.ask("n", "held", &format!("{} 600", held.token)), "ok 600");
    let mut waiter = daemon.connect();
    waiter.request("l", "held", "30");
    until("it waits", || client.json("inspect", "held")["keys"][0]["waiters"] == 1);
    assert_eq!(client.ask("r", "held", &held.token), "ok");
    disk.clear();
    let next = waiter.line();
    assert!(next.starts_with("ok "), "{next}");
    assert!(next.as_str() > granted[8].as_str(), "tokens of one length begin with their fence");
}

#[test]
fn a_new_daemon_on_a_full_disk_says_what_it_lacks() {
    let Some(disk) = SmallDisk::mount(&a_new_daemon_on_a_full_disk_says_what_it_lacks) else { return };
    let state = disk.path().join("state");
    disk.fill();
    let (code, stderr) = refusal(&mut serve(&state, &[]));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains(state.to_str().unwrap()), "it does not name the folder: {stderr}");
    assert!(stderr.contains("No space left on device"), "it does not name the reason: {stderr}");
    disk.clear();
    Daemon::on(&state, &[]).connect().acquire("l", "k", "0");
}

#[test]
fn a_state_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let state = file.join("state");
    let (code, stderr) = refusal(&mut serve(&state, &[]));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains(file.to_str().unwrap()), "{stderr}");
}
