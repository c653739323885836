use crate::support::{Daemon, Program};

const PROGRAM: &str = env!("CARGO_BIN_EXE_two_phase");

#[tokio::test]
async fn whoever_prints_hears_who_waits_and_hands_over() {
    let daemon = Daemon::start();
    // So many pages that it would print for hours.
    let mut anna = Program::start(PROGRAM, &daemon.url(), &["anna", "100000"]);
    assert_eq!(anna.line().await, "anna has the printer");
    let mut bert = Program::start(PROGRAM, &daemon.url(), &["bert", "1"]);
    assert!(bert.line().await.starts_with("bert waits, 0 before it, and told "));

    let anna = anna.end().await;
    assert!(anna.status.success(), "{}", anna.stderr);
    assert!(anna.stdout[0].starts_with("anna printed "), "{:?}", anna.stdout);
    assert!(anna.stdout[0].ends_with(" pages, and hands over to bert"), "{:?}", anna.stdout);

    assert_eq!(bert.line().await, "bert has the printer");
    let bert = bert.end().await;
    assert!(bert.status.success(), "{}", bert.stderr);
    assert_eq!(bert.stdout, ["bert printed 1 pages"]);
}

#[tokio::test]
async fn whoever_comes_alone_prints_it_all() {
    let ended = Program::start(PROGRAM, "memory:", &["anna", "2"]).end().await;
    assert!(ended.status.success(), "{}", ended.stderr);
    assert_eq!(ended.stdout, ["anna has the printer", "anna printed 2 pages"]);
}
