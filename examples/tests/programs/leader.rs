use crate::support::{Daemon, Program, number, within_span};
use nix::sys::signal::{Signal, kill};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_leader");
const TTL: Duration = Duration::from_secs(2);

fn stand(daemon: &Daemon, name: &str) -> Program {
    Program::start(PROGRAM, &daemon.url(), &[name, &TTL.as_millis().to_string()])
}

/// Waits until so many stand in line.
async fn in_line(daemon: &Daemon, len: u32) {
    let lock = daemon.client().await.lock("scheduler");
    let mut watch = lock.watch().await.expect("watched");
    let stands = async {
        while lock.inspect().await.expect("asked").is_none_or(|seen| seen.queue_len < len) {
            watch.next().await.expect("more happens");
        }
    };
    within_span(Duration::from_secs(30), "the line", stands).await;
}

#[tokio::test]
async fn when_the_leader_is_killed_the_next_leads_within_the_ttl_and_a_second() {
    let daemon = Daemon::start();
    let mut anna = stand(&daemon, "anna");
    let first = number(&anna.line_with("anna leads").await);
    let mut bert = stand(&daemon, "bert");
    in_line(&daemon, 1).await;
    bert.line_with("the leader is anna").await;
    let mut carl = stand(&daemon, "carl");
    in_line(&daemon, 2).await;
    carl.line_with("the leader is anna").await;

    anna.kill().await;
    let leads = bert.line_with("bert leads");
    let second = number(&within_span(TTL + Duration::from_secs(1), "a leader", leads).await);
    assert!(second > first, "{second} after {first}");
    carl.line_with("the leader is bert").await;
}

#[tokio::test]
async fn a_leader_that_is_interrupted_resigns_at_once() {
    let daemon = Daemon::start();
    let mut anna = Program::start(PROGRAM, &daemon.url(), &["anna", "3600000"]);
    anna.line_with("anna leads").await;
    let mut bert = stand(&daemon, "bert");
    in_line(&daemon, 1).await;
    kill(anna.pid(), Signal::SIGINT).expect("it runs");
    // Its lease would last an hour.
    bert.line_with("bert leads").await;
    assert!(anna.end().await.status.success());
}
