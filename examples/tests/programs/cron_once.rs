use crate::support::{Daemon, Program, number};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cron_once");

/// A job that tells its fence, ends when it is told to, and leaves a line behind then.
fn job(daemon: &Daemon, file: &std::path::Path) -> Program {
    let file = file.to_str().expect("text");
    let script = "echo $TENURE_FENCE; read line; echo $line >> \"$0\"";
    Program::start(PROGRAM, &daemon.url(), &["backup", "sh", "-c", script, file])
}

#[tokio::test]
async fn of_two_at_once_exactly_one_runs() {
    let (daemon, folder) = (Daemon::start(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("ran");
    let (mut one, mut other) = (job(&daemon, &file), job(&daemon, &file));
    let (first, second) = tokio::join!(one.line(), other.line());
    let is_left_out = |line: &str| line == "backup: somebody else is at it";
    assert!(is_left_out(&first) != is_left_out(&second), "{first:?} and {second:?}");
    let (mut runs, waits_not, line) =
        if is_left_out(&first) { (other, one, second) } else { (one, other, first) };

    let left_out = waits_not.end().await;
    assert!(left_out.status.success() && left_out.stdout.is_empty(), "{}", left_out.stderr);

    let fence = line.strip_prefix("backup: running, with fence ").expect("it runs");
    assert_eq!(runs.line().await, fence, "the job knows its fence");
    runs.tell("ran").await;
    let ran = runs.end().await;
    assert!(ran.status.success(), "{}", ran.stderr);
    assert_eq!(ran.stdout, ["backup: done"]);
    assert_eq!(std::fs::read_to_string(&file).expect("it ran"), "ran\n");
}

#[tokio::test]
async fn the_next_run_has_a_higher_fence() {
    let (daemon, folder) = (Daemon::start(), tempfile::tempdir().expect("a folder"));
    let mut last = 0;
    for _ in 0..2 {
        let mut job = job(&daemon, &folder.path().join("ran"));
        let fence = number(&job.line_with("backup: running").await);
        assert!(fence > last);
        last = fence;
        job.tell("ran").await;
        assert!(job.end().await.status.success());
    }
}

#[tokio::test]
async fn a_job_that_fails_says_so_and_leaves_the_lock() {
    let daemon = Daemon::start();
    let failed = Program::start(PROGRAM, &daemon.url(), &["backup", "sh", "-c", "exit 3"]).end().await;
    assert_eq!(failed.status.code(), Some(1));
    assert!(failed.stderr.contains("exit status: 3"), "{}", failed.stderr);
    assert!(!daemon.client().await.lock("backup").is_locked().await.expect("asked"));

    let missing = Program::start(PROGRAM, &daemon.url(), &["backup", "/no/such/program"]).end().await;
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(Program::start(PROGRAM, &daemon.url(), &["backup"]).end().await.status.code(), Some(2));
}

#[tokio::test]
async fn a_job_whose_lock_is_taken_away_is_killed() {
    let (daemon, folder) = (Daemon::start(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("ran");
    let mut job = job(&daemon, &file);
    job.line_with("backup: running").await;
    let lock = daemon.client().await.lock("backup");
    assert_eq!(lock.steal("the machine goes down").await.expect("asked"), 1);

    let ended = job.end().await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("the machine goes down"), "{}", ended.stderr);
    assert!(!file.exists(), "it did not get to its end");
}
