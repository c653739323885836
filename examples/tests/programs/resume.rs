use crate::support::{Daemon, Program, number};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const PROGRAM: &str = env!("CARGO_BIN_EXE_resume");

fn run(daemon: &Daemon, file: &Path, work_ms: &str) -> Program {
    Program::start(PROGRAM, &daemon.url(), &[file.to_str().expect("text"), work_ms])
}

#[tokio::test]
async fn after_a_kill_the_next_run_goes_on_with_the_same_fence() {
    let (daemon, folder) = (Daemon::start(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("claim");
    let mut first = run(&daemon, &file, "60000");
    let fence = number(&first.line_with("begins").await);
    let mode = std::fs::metadata(&file).expect("the id").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "an id is a secret");
    first.kill().await;

    let mut second = run(&daemon, &file, "1");
    assert_eq!(second.line().await, format!("goes on, with fence {fence}"));
    let ended = second.end().await;
    assert!(ended.status.success(), "{}", ended.stderr);
    assert_eq!(ended.stdout, ["done"]);
    assert!(!file.exists(), "there is nothing to go on with");
    assert!(!daemon.client().await.lock("import").is_locked().await.expect("asked"));
}

#[tokio::test]
async fn when_it_is_gone_the_next_run_says_so_and_begins_with_a_higher_fence() {
    let (daemon, folder) = (Daemon::start(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("claim");
    let mut first = run(&daemon, &file, "60000");
    let fence = number(&first.line_with("begins").await);
    first.kill().await;
    let lock = daemon.client().await.lock("import");
    assert_eq!(lock.steal("it is dead").await.expect("asked"), 1);

    let mut second = run(&daemon, &file, "1");
    assert_eq!(second.line().await, "what the last run held is gone");
    assert!(number(&second.line_with("begins").await) > fence);
    assert!(second.end().await.status.success());
}

#[tokio::test]
async fn an_id_that_nothing_was_granted_to_is_no_obstacle() {
    let (daemon, folder) = (Daemon::start(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("claim");
    std::fs::write(&file, "00000000000000000000000000000007\n").expect("written");
    let ended = run(&daemon, &file, "1").end().await;
    assert!(ended.status.success(), "{}", ended.stderr);
    assert_eq!(ended.stdout.len(), 3, "{:?}", ended.stdout);
    assert_eq!(ended.stdout[0], "what the last run held is gone");
}

#[tokio::test]
async fn a_run_that_loses_the_lock_fails_and_says_why() {
    let (daemon, folder) = (Daemon::start(), tempfile::tempdir().expect("a folder"));
    let mut program = run(&daemon, &folder.path().join("claim"), "60000");
    program.line_with("begins").await;
    daemon.client().await.lock("import").steal("it takes too long").await.expect("asked");
    let ended = program.end().await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("it takes too long"), "{}", ended.stderr);
}
