use crate::support::{Daemon, Program};
use tokio::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_readme");

#[test]
fn the_readme_shows_this_program_and_no_other() {
    let readme = include_str!("../../../README.md");
    let shown = readme.split_once("```rust\n").expect("a program").1.split_once("```").expect("its end").0;
    let source = include_str!("../../src/bin/readme.rs");
    let header =
        source.strip_suffix(shown).expect("the README shows src/bin/readme.rs from its first `use` on");
    let is_header = |line: &str| line.is_empty() || line.starts_with("//!") || line.starts_with("#![");
    assert!(header.lines().all(is_header), "the README leaves out more than the header");
}

#[tokio::test]
async fn programs_at_once_lose_no_addition() {
    let (daemon, folder) = (Daemon::start(), tempfile::tempdir().expect("a folder"));
    let start = || {
        let mut command = Command::new(PROGRAM);
        command.env("TENURE_URL", daemon.url()).current_dir(&folder);
        Program::spawn(command)
    };
    // The first makes the table: SQLite refuses those who make it at once.
    assert_eq!(start().line().await, "the total is 1");
    let mut totals = Vec::new();
    for program in [start(), start(), start()] {
        let ended = program.end().await;
        assert!(ended.status.success(), "{}", ended.stderr);
        totals.extend(ended.stdout);
    }
    totals.sort_unstable();
    assert_eq!(totals, ["the total is 2", "the total is 3", "the total is 4"]);
}
