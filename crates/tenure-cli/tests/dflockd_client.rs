//! The published Python client of dflockd, unchanged, against this daemon.
//!
//! The tests themselves are in `tests/python`. `cargo xtask test` installs the two releases that they drive: the last
//! one with signals, and the newest one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]
#![allow(clippy::print_stdout, reason = "the report of the Python tests")]

mod harness;

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::Daemon;

const SECRET: &str = "a secret of the tests";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs one folder of tests with one release of the client.
fn run(release: &str, folder: &str) {
    let python = workspace().join(".venv").join(release).join("bin/python");
    let (open, guarded) = (Daemon::start(&[]), Daemon::start(&["--auth-token", SECRET]));
    let crowded = Daemon::start(&["--max-locks", "1", "--max-waiters", "1"]);
    let mut unittest = Command::new(&python);
    unittest
        .args(["-m", "unittest", "discover", "--start-directory", folder])
        .current_dir(workspace().join("tests/python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TENURE_TEST_PORT", open.addr().port().to_string())
        .env("TENURE_TEST_GUARDED_PORT", guarded.addr().port().to_string())
        .env("TENURE_TEST_CROWDED_PORT", crowded.addr().port().to_string())
        .env("TENURE_TEST_SECRET", SECRET);
    let output = unittest.output().unwrap_or_else(|error| {
        panic!("{} does not start ({error}); run `cargo xtask test`", python.display())
    });
    let report = String::from_utf8_lossy(&output.stderr);
    println!("{}{report}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "dflockd-client {release} fails in {folder}:\n{report}");
    assert!(report.contains("\nRan ") && !report.contains("\nRan 0 tests"), "{report}");
    assert!(!report.contains("skipped="), "{report}");
}

#[test]
fn what_every_version_does_works_with_1_9() {
    run("1.9", "every_version");
}

#[test]
fn what_every_version_does_works_with_2_1() {
    run("2.1", "every_version");
}

#[test]
fn signals_work_with_1_9() {
    run("1.9", "version_1_9");
}

#[test]
fn fences_and_errors_work_with_2_1() {
    run("2.1", "version_2_1");
}
