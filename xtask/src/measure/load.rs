//! What `tenure bench` measures.

use std::path::Path;

use serde_json::Value;

use super::daemon::Daemon;
use super::table::{Row, Wanted};
use crate::process::{self, Failure};

/// The measured time of each server, in seconds; the bench takes it in three rounds, in turn.
const SECONDS: u32 = 9;

/// 65,000 hand-overs a second where the ideal server does 80,000.
const HAND_OVERS: f64 = 65.0 / 80.0;

/// Every connection with a key of its own, against an echo server.
pub(super) fn own(program: &Path) -> Result<Vec<Row>, Failure> {
    let daemon = Daemon::start(program)?;
    let mut rows = Vec::new();
    for connections in [1, 10, 100, 500] {
        let report = bench(program, &daemon, connections, &["--echo"])?;
        let wanted = if connections == 100 { Wanted::AtMost(1.2) } else { Wanted::Nothing };
        let name = format!("own keys, connections: {connections}");
        rows.push(Row::new(
            format!("{name}, server CPU, of the echo server's"),
            report.figure("cpu_ratio")?,
            "×",
            wanted,
        ));
        let rate = report.figure("rate_ratio")?;
        rows.push(Row::new(format!("{name}, rate, of the echo server's"), rate, "×", Wanted::AtLeast(0.85)));
        rows.extend(report.costs(&name, "echo")?);
    }
    Ok(rows)
}

/// All connections on one key, against a server of a single lock.
pub(super) fn contended(program: &Path) -> Result<Vec<Row>, Failure> {
    let daemon = Daemon::start(program)?;
    let mut rows = Vec::new();
    for connections in [10, 100, 500] {
        let report = contend(program, &daemon, connections)?;
        let name = format!("one key, connections: {connections}");
        let rate = report.figure("rate_ratio")?;
        let what = format!("{name}, rate, of the ideal single lock's");
        rows.push(Row::new(what, rate, "×", Wanted::AtLeast(HAND_OVERS)));
        let (own, ideal) = (report.figure("pairs_per_s")?, report.other("fifo", "pairs_per_s")?);
        rows.push(Row::new(format!("{name}, hand-overs"), own, "/s", Wanted::Nothing));
        rows.push(Row::new(format!("{name}, the ideal single lock's"), ideal, "/s", Wanted::Nothing));
    }
    Ok(rows)
}

/// What a hand-over costs when ten thousand wait, over when ten do. The ideal server keeps its queue for nothing, so
/// what it gains in cost is what ten thousand sockets cost the system.
pub(super) fn waiters(program: &Path) -> Result<Vec<Row>, Failure> {
    let daemon = Daemon::start(program)?;
    let few = contend(program, &daemon, 10)?;
    let many = contend(program, &daemon, 10_000)?;
    let cost = "server_cpu_us_per_pair";
    let own = many.figure(cost)? / few.figure(cost)?;
    let ideal = many.other("fifo", cost)? / few.other("fifo", cost)?;
    let name = "server CPU per hand-over, 10,000 waiters over 10";
    Ok(vec![
        Row::new(name, own, "×", Wanted::Nothing),
        Row::new(format!("{name}, the ideal single lock's"), ideal, "×", Wanted::Nothing),
        Row::new(format!("{name}, what the queue adds to it"), own / ideal, "×", Wanted::AtMost(1.2)),
    ])
}

/// Several requests on their way on each connection.
pub(super) fn pipelined(program: &Path) -> Result<Vec<Row>, Failure> {
    let daemon = Daemon::start(program)?;
    let report = bench(program, &daemon, 10, &["--in-flight", "16", "--echo"])?;
    let name = "pipelined, 10 connections, 16 in flight: server CPU per pair";
    Ok(vec![
        Row::new(name, report.figure("server_cpu_us_per_pair")?, "µs", Wanted::AtMost(1.5)),
        Row::new(
            format!("{name}, echo"),
            report.other("echo", "server_cpu_us_per_pair")?,
            "µs",
            Wanted::Nothing,
        ),
    ])
}

/// One multiplexed connection, against as many line connections as it has claims on their way; and the library on one.
pub(super) fn mux(program: &Path) -> Result<Vec<Row>, Failure> {
    let daemon = Daemon::start(program)?;
    let mut rows = Vec::new();
    for (protocol, mode, keys, rate, cpu) in [
        ("mux", "own", "own keys", Wanted::AtLeast(5.0), Wanted::AtMost(0.3)),
        ("mux", "contended", "one key", Wanted::Nothing, Wanted::Nothing),
        ("library", "own", "own keys", Wanted::Nothing, Wanted::Nothing),
    ] {
        let report = bench(program, &daemon, 1, &["--protocol", protocol, "--line", "--mode", mode])?;
        let name = format!("{protocol}, 1 connection, 100 in flight, {keys}");
        let ratio = |what| format!("{name}: {what}, of 100 line connections'");
        rows.push(Row::new(ratio("rate"), report.figure("rate_ratio")?, "×", rate));
        rows.push(Row::new(ratio("server CPU per pair"), report.figure("cpu_ratio")?, "×", cpu));
        let (own, line) = (report.figure("pairs_per_s")?, report.other("line", "pairs_per_s")?);
        rows.push(Row::new(format!("{name}: pairs"), own, "/s", Wanted::Nothing));
        rows.push(Row::new(format!("{name}: pairs, line"), line, "/s", Wanted::Nothing));
        rows.extend(report.costs(&name, "line")?);
    }
    Ok(rows)
}

fn contend(program: &Path, daemon: &Daemon, connections: u32) -> Result<Report, Failure> {
    bench(program, daemon, connections, &["--mode", "contended", "--fifo"])
}

fn bench(program: &Path, daemon: &Daemon, connections: u32, flags: &[&str]) -> Result<Report, Failure> {
    let mut command = process::program(program);
    command.args(["bench", "--json", "--url", &format!("tenure://{}", daemon.address())]);
    command
        .args(["--connections", &connections.to_string(), "--duration", &format!("{SECONDS}s")])
        .args(flags);
    let text = process::output(&mut command)?;
    serde_json::from_str(&text)
        .map(Report)
        .map_err(|_| Failure::new(format!("the bench printed no report: {text}")))
}

/// What the bench printed.
struct Report(Value);

impl Report {
    fn figure(&self, name: &str) -> Result<f64, Failure> {
        number(&self.0[name], name)
    }

    fn other(&self, server: &str, name: &str) -> Result<f64, Failure> {
        number(&self.0[server][name], name)
    }

    /// The server's CPU per pair, its own and the other server's.
    fn costs(&self, name: &str, server: &str) -> Result<[Row; 2], Failure> {
        let cost = "server_cpu_us_per_pair";
        let what = format!("{name}, server CPU per pair");
        Ok([
            Row::new(what.clone(), self.figure(cost)?, "µs", Wanted::Nothing),
            Row::new(format!("{what}, {server}"), self.other(server, cost)?, "µs", Wanted::Nothing),
        ])
    }
}

fn number(value: &Value, name: &str) -> Result<f64, Failure> {
    value.as_f64().ok_or_else(|| Failure::new(format!("the bench's report has no {name}")))
}
