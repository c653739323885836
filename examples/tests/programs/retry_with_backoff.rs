use crate::support::{Daemon, Program};
use tokio::net::TcpSocket;

const PROGRAM: &str = env!("CARGO_BIN_EXE_retry_with_backoff");

const TAKEN: [&str; 3] =
    ["attempt 1: taken, again in 100ms", "attempt 2: taken, again in 200ms", "attempt 3: taken, gave up"];

#[tokio::test]
async fn it_tries_three_times_gives_up_and_has_it_when_it_is_free() {
    let ended = Program::start(PROGRAM, "memory:", &[]).end().await;
    assert!(ended.status.success(), "{}", ended.stderr);
    assert_eq!(ended.stdout[..3], TAKEN);
    assert_eq!(ended.stdout.len(), 4);
    assert!(ended.stdout[3].starts_with("it is free again: attempt 1 gave fence "), "{:?}", ended.stdout);
}

#[tokio::test]
async fn a_service_that_is_not_there_yet_is_asked_again() {
    // Nobody listens there, and nobody else can.
    let taken = TcpSocket::new_v4().expect("a socket");
    taken.bind(([127, 0, 0, 1], 0).into()).expect("bound");
    let address = taken.local_addr().expect("an address");
    let mut program = Program::start(PROGRAM, &format!("tenure://{address}"), &[]);
    program.line_with("nobody is there, again in ").await;
    drop(taken);
    let _daemon = Daemon::at(address);
    program.line_with(TAKEN[2]).await;
    assert!(program.end().await.status.success());
}

#[tokio::test]
async fn a_service_that_never_comes_is_given_up_on() {
    let ended = Program::start(PROGRAM, "tenure://127.0.0.1:1", &[]).end().await;
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(ended.stdout.iter().filter(|line| line.starts_with("nobody is there")).count(), 5);
    assert!(ended.stderr.contains("no service at tenure://127.0.0.1:1"), "{}", ended.stderr);
}
