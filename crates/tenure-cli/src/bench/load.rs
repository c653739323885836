//! One round of closed-loop load against one server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::args::{Mode, Protocol};
use super::client::{self, Client, Replies};
use super::clock;
use super::cpu::CpuSource;
use super::problem::Problem;
use super::requests::Requests;
use super::tally::{Latencies, Tally};
use super::{library, mux};
use crate::exit::{Exit, Failure};

/// The share of the measured time that is spent before it, and the least of it: caches, the queue of a contended key
/// and the allocator need a moment to settle.
const WARM_UP_SHARE: u32 = 10;
const WARM_UP_MIN: Duration = Duration::from_millis(200);

/// How long a connection may take to finish the pair it is at when the time is over.
const FINISH_MAX: Duration = Duration::from_secs(30);

/// How long a grant lives: far longer than it is held.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// What is measured.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) plan: Plan,
    pub(super) target: Target,
}

/// What runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) protocol: Protocol,
    pub(super) mode: Mode,
    pub(super) connections: usize,
    pub(super) in_flight: usize,
    /// The measured time.
    pub(super) time: Duration,
    /// A number that the keys of this run carry.
    pub(super) run: u32,
}

/// Whom it runs against.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) token: Option<Vec<u8>>,
    pub(super) replies: Replies,
    pub(super) cpu: CpuSource,
}

/// What came out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) pairs: u64,
    pub(super) pairs_per_s: f64,
    pub(super) cpu_us_per_pair: Option<f64>,
    pub(super) latencies: Latencies,
}

/// The server's CPU time and the pairs done, at one instant.
struct Snapshot {
    at: Instant,
    pairs: u64,
    cpu: Option<Duration>,
}

impl Side {
    /// The same service and as many claims, each on a line connection of its own.
    pub(super) fn on_lines(&self) -> Self {
        let connections = self.plan.connections * self.plan.in_flight;
        let plan = Plan { protocol: Protocol::Line, connections, in_flight: 1, ..self.plan };
        Self { plan, target: self.target.clone() }
    }
}

/// The connections of a round, each until it has met a problem or is told to end.
type Running = JoinSet<Result<(), Problem>>;

/// Runs one round: opens all connections, warms up, measures, and lets every connection finish its pairs.
pub(super) async fn round(side: &Side) -> Result<Measured, Failure> {
    let Side { plan, target } = side;
    let tally = Arc::new(Tally::new());
    let mut running = start(plan, target, &tally).await.map_err(Problem::into_failure)?;
    run_for((plan.time / WARM_UP_SHARE).max(WARM_UP_MIN), &mut running).await?;
    let before = snapshot(target, &tally).await?;
    tally.measure();
    run_for(plan.time, &mut running).await?;
    let after = snapshot(target, &tally).await?;
    tally.stop();
    finish(running).await?;
    Ok(measured(&before, &after, tally.latencies()))
}

async fn start(plan: &Plan, target: &Target, tally: &Arc<Tally>) -> Result<Running, Problem> {
    let mut running = JoinSet::new();
    match plan.protocol {
        Protocol::Line => {
            for client in open(plan, target).await? {
                running.spawn(drive(client, plan.in_flight, Arc::clone(tally)));
            }
        }
        Protocol::Library => {
            for lock in library::open(plan, target).await? {
                running.spawn(library::drive(lock, Arc::clone(tally)));
            }
        }
        Protocol::Mux => {
            for client in open_mux(plan, target).await? {
                running.spawn(client.drive(Arc::clone(tally)));
            }
        }
    }
    Ok(running)
}

async fn open(plan: &Plan, target: &Target) -> Result<Vec<Client>, Problem> {
    let mut clients = Vec::with_capacity(plan.connections);
    for connection in 0..plan.connections {
        let stream = client::connect(target.address, target.token.as_deref()).await?;
        let requests = Requests::new(plan.run, plan.mode, connection, plan.in_flight);
        clients.push(Client::new(stream, target.replies, requests, plan.in_flight));
    }
    Ok(clients)
}

async fn open_mux(plan: &Plan, target: &Target) -> Result<Vec<mux::Client>, Problem> {
    let mut clients = Vec::with_capacity(plan.connections);
    for connection in 0..plan.connections {
        clients.push(mux::Client::open(plan, target, connection).await?);
    }
    Ok(clients)
}

async fn drive(mut client: Client, in_flight: usize, tally: Arc<Tally>) -> Result<(), Problem> {
    while !tally.is_stopped() {
        let begun = clock::now();
        client.pairs().await?;
        tally.record(in_flight, begun.elapsed());
    }
    Ok(())
}

/// Lets the load run. No connection ends before it is told to, unless it has met a problem.
async fn run_for(time: Duration, running: &mut Running) -> Result<(), Failure> {
    tokio::select! {
        () = clock::pass(time) => Ok(()),
        Some(ended) = running.join_next() => check(ended),
    }
}

async fn finish(mut running: Running) -> Result<(), Failure> {
    let all = async {
        while let Some(ended) = running.join_next().await {
            check(ended)?;
        }
        Ok(())
    };
    tokio::time::timeout(FINISH_MAX, all).await.unwrap_or_else(|_| {
        let seconds = FINISH_MAX.as_secs();
        Err(Failure::new(
            Exit::Unavailable,
            format!("the service left connections without an answer for {seconds} s: does something else hold the key?"),
        ))
    })
}

fn check(ended: Result<Result<(), Problem>, tokio::task::JoinError>) -> Result<(), Failure> {
    match ended {
        Ok(outcome) => outcome.map_err(Problem::into_failure),
        Err(error) => Err(Failure::from(Exit::Refused, "the bench itself failed", error)),
    }
}

async fn snapshot(target: &Target, tally: &Tally) -> Result<Snapshot, Failure> {
    let cpu = target.cpu.read().await?;
    Ok(Snapshot { at: clock::now(), pairs: tally.pairs(), cpu })
}

fn measured(before: &Snapshot, after: &Snapshot, latencies: Latencies) -> Measured {
    let pairs = after.pairs - before.pairs;
    let seconds = (after.at - before.at).as_secs_f64();
    let cpu = before.cpu.zip(after.cpu).map(|(before, after)| after.saturating_sub(before));
    Measured {
        pairs,
        pairs_per_s: pairs as f64 / seconds,
        cpu_us_per_pair: cpu.filter(|_| pairs > 0).map(|cpu| cpu.as_secs_f64() * 1e6 / pairs as f64),
        latencies,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Latencies = Latencies { p50_us: 0.0, p99_us: 0.0, p999_us: 0.0 };

    fn snapshot(at: Instant, pairs: u64, cpu_us: Option<u64>) -> Snapshot {
        Snapshot { at, pairs, cpu: cpu_us.map(Duration::from_micros) }
    }

    #[test]
    fn as_many_claims_on_lines_have_a_connection_each() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let side = Side {
            plan: Plan {
                protocol: Protocol::Mux,
                mode: Mode::Own,
                connections: 3,
                in_flight: 50,
                time: Duration::from_secs(1),
                run: 7,
            },
            target: Target { address, token: None, replies: Replies::Served, cpu: CpuSource::Process(1) },
        };
        let lines = side.on_lines();
        assert_eq!(
            (lines.plan.protocol, lines.plan.connections, lines.plan.in_flight),
            (Protocol::Line, 150, 1)
        );
        assert_eq!((lines.plan.time, lines.target.address), (side.plan.time, address));
    }

    #[test]
    fn rate_and_cpu_are_those_between_two_instants() {
        let begun = clock::now();
        let before = snapshot(begun, 100, Some(50));
        let after = snapshot(begun + Duration::from_secs(2), 1100, Some(4050));
        let measured = measured(&before, &after, NONE);
        assert_eq!((measured.pairs, measured.pairs_per_s), (1000, 500.0));
        assert!((measured.cpu_us_per_pair.expect("known") - 4.0).abs() < 1e-9);
    }

    #[test]
    fn cpu_that_the_server_does_not_tell_is_unknown() {
        let begun = clock::now();
        let later = begun + Duration::from_secs(1);
        let unknown = measured(&snapshot(begun, 0, None), &snapshot(later, 10, None), NONE);
        assert_eq!(unknown.cpu_us_per_pair, None);
        let nothing_done = measured(&snapshot(begun, 0, Some(1)), &snapshot(later, 0, Some(2)), NONE);
        assert_eq!(nothing_done.cpu_us_per_pair, None);
    }
}
