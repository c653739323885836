//! What a million held locks cost: in memory, for everybody else, and when their holder leaves.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::clock::Stopwatch;
use super::daemon::Daemon;
use super::table::{Row, Wanted};
use super::wire::Wire;
use crate::process::Failure;

/// How many locks are held.
const HELD: usize = 1_000_000;

/// How many of them one client takes with it when it disconnects.
const DISCONNECTED: usize = 100_000;

/// How many acquires are timed.
const SAMPLES: usize = 2_000;

/// Whether somebody came and went just before the acquire that is timed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passers {
    None,
    One,
}

pub(super) fn measure(program: &Path) -> Result<Vec<Row>, Failure> {
    let daemon = Daemon::start(program)?;
    let mut prober = Wire::connect(daemon.address())?;
    let quiet = [Passers::None, Passers::One].map(|passers| acquires(&mut prober, daemon.address(), passers));
    let before = daemon.memory_at_rest()?;
    let mut holder = Wire::connect(daemon.address())?;
    holder.acquire_all("held", 0..HELD)?;
    let held = daemon.memory_at_rest()?;
    let full = [Passers::None, Passers::One].map(|passers| acquires(&mut prober, daemon.address(), passers));
    let per_lock = disconnect(&daemon)?;
    drop(holder);
    let after = given_back(&daemon)?;
    let mut rows = latencies(quiet, full)?;
    rows.extend([
        Row::new("a disconnect: server CPU per lock it held", per_lock, "µs", Wanted::AtMost(5.0)),
        Row::new(
            "1,000,000 locks held: memory for each",
            (held - before) / HELD as f64,
            "bytes",
            Wanted::AtMost(400.0),
        ),
        Row::new("all released and collected: memory, of before", after / before, "×", Wanted::Nothing),
        Row::new(
            "all released and collected: what is not given back, of what they took",
            (after - before) / (held - before) * 100.0,
            "%",
            Wanted::AtMost(20.0),
        ),
    ]);
    Ok(rows)
}

type Timed = Result<Vec<Duration>, Failure>;

fn latencies(quiet: [Timed; 2], full: [Timed; 2]) -> Result<Vec<Row>, Failure> {
    let [quiet_alone, quiet_after] = quiet;
    let [full_alone, full_after] = full;
    let (quiet_alone, quiet_after, full_alone, full_after) =
        (quiet_alone?, quiet_after?, full_alone?, full_after?);
    let half = |times: &[Duration]| micros(times[times.len() / 2]);
    let most = |times: &[Duration]| micros(times[times.len() * 99 / 100]);
    let passed = "an acquire right after a connect and disconnect";
    let row = |what: String, ratio, bound| Row::new(what, ratio, "×", Wanted::AtMost(bound));
    Ok(vec![
        row("an acquire, 1,000,000 held over none: p50".into(), half(&full_alone) / half(&quiet_alone), 1.2),
        row(format!("{passed}, 1,000,000 held over none: p50"), half(&full_after) / half(&quiet_after), 1.2),
        row(format!("{passed}, 1,000,000 held over none: p99"), most(&full_after) / most(&quiet_after), 2.0),
        row(
            format!("{passed}, over one before, 1,000,000 held: p50"),
            half(&full_after) / half(&full_alone),
            1.2,
        ),
    ])
}

/// What acquires of a free key took, in order.
fn acquires(prober: &mut Wire, address: SocketAddr, passers: Passers) -> Timed {
    let mut times = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        if passers == Passers::One {
            Wire::connect(address)?.ping()?;
        }
        let watch = Stopwatch::start();
        let token = prober.acquire("probe")?;
        times.push(watch.elapsed());
        prober.release("probe", &token)?;
    }
    times.sort();
    Ok(times)
}

/// The CPU per lock, in microseconds, of giving back what a client held that is gone.
fn disconnect(daemon: &Daemon) -> Result<f64, Failure> {
    let mut client = Wire::connect(daemon.address())?;
    client.acquire_all("gone", 0..DISCONNECTED)?;
    let before = daemon.cpu_at_rest()?;
    drop(client);
    Ok(micros(daemon.cpu_at_rest()? - before) / DISCONNECTED as f64)
}

/// The memory once everything is released and collected.
fn given_back(daemon: &Daemon) -> Result<f64, Failure> {
    daemon.cpu_at_rest()?;
    let after = daemon.memory_at_rest()?;
    let stats = Wire::connect(daemon.address())?.stats()?;
    let kept = ["locks", "idle_locks"].map(|name| stats[name].as_array().map_or(0, Vec::len));
    if kept == [0, 0] {
        Ok(after)
    } else {
        Err(Failure::new(format!(
            "{} locks are still held and {} are idle: nothing can be said",
            kept[0], kept[1]
        )))
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
