use crate::support::{Daemon, Program};

const PROGRAM: &str = env!("CARGO_BIN_EXE_fenced_write");

async fn shows_what_a_fence_is_for(url: &str) {
    let ended = Program::start(PROGRAM, url, &[]).end().await;
    assert!(ended.status.success(), "{}", ended.stderr);
    assert_eq!(
        ended.stdout,
        [
            "without the fence: 100 and 1 were paid in, and the ledger says 1",
            "with the fence: a late write was refused; 100 and 1 were paid in, and the ledger says 101",
        ]
    );
}

#[tokio::test]
async fn without_the_fence_data_is_lost_and_with_it_none_is() {
    shows_what_a_fence_is_for("memory:").await;
}

#[tokio::test]
async fn a_daemon_makes_no_difference_to_that() {
    let daemon = Daemon::start();
    shows_what_a_fence_is_for(&daemon.url()).await;
}
