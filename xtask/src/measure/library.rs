//! What the library costs: within a process, and a daemon that keeps its locks.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::clock::{self, Stopwatch};
use super::daemon::Daemon;
use super::table::{Row, Wanted};
use super::wire::Wire;
use crate::process::{self, Failure};

/// How many locks one client holds.
const HELD: usize = 10_000;

/// How long the daemon is watched: more than two leases, so what is held after it has been renewed several times.
const WATCHED: Duration = Duration::from_secs(65);

/// The share of a core, in per cent, that renewing them costs the daemon.
pub(super) fn renewals(program: &Path) -> Result<Vec<Row>, Failure> {
    let daemon = Daemon::start(program)?;
    let holder = Holder::start(program, &daemon)?;
    let (before, watch) = (daemon.cpu()?, Stopwatch::start());
    clock::until(|| watch.elapsed() >= WATCHED);
    let share = (daemon.cpu()? - before).as_secs_f64() / watch.elapsed().as_secs_f64() * 100.0;
    let held = Wire::connect(daemon.address())?.stats()?["locks"].as_array().map_or(0, Vec::len);
    if held != HELD {
        return Err(Failure::new(format!(
            "{held} locks are held after {WATCHED:?}, of {HELD}: nothing can be said"
        )));
    }
    holder.end()?;
    let name = "10,000 locks of one client, held and renewed at a TTL of 30 s: server CPU, of one core";
    Ok(vec![Row::new(name, share, "%", Wanted::AtMost(2.0))])
}

/// An acquire and release that leaves the process for nobody, over what a semaphore of tokio's takes.
pub(super) fn local(program: &Path) -> Result<Vec<Row>, Failure> {
    let text = process::output(process::program(program).args(["bench-library", "local"]))?;
    let report: Value = serde_json::from_str(&text)
        .map_err(|_| Failure::new(format!("the bench printed no report: {text}")))?;
    let figure = |name: &str| {
        report[name].as_f64().ok_or_else(|| Failure::new(format!("the bench's report has no {name}")))
    };
    let name = "in process, acquire and release";
    Ok(vec![
        Row::new(format!("{name}, of a tokio semaphore's"), figure("ratio")?, "×", Wanted::AtMost(10.0)),
        Row::new(format!("{name}, of an owned permit's"), figure("owned_ratio")?, "×", Wanted::Nothing),
        Row::new(name, figure("lock_ns_per_pair")?, "ns", Wanted::Nothing),
        Row::new(
            format!("{name}, tokio's semaphore"),
            figure("semaphore_ns_per_pair")?,
            "ns",
            Wanted::Nothing,
        ),
    ])
}

/// A client that does nothing but hold its locks. It is killed when it is dropped.
struct Holder(Child);

impl Holder {
    /// Starts it, and waits until it holds them.
    fn start(program: &Path, daemon: &Daemon) -> Result<Self, Failure> {
        let failed = |error| Failure::new(format!("the client that holds locks did not start: {error}"));
        let mut command = process::program(program);
        command.args(["bench-library", "hold", "--locks", &HELD.to_string()]);
        command.args(["--url", &format!("tenure://{}", daemon.address())]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let mut holder = Self(child);
        let mut line = String::new();
        if let Some(out) = holder.0.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(failed)?;
        }
        if line.trim() == "held" {
            Ok(holder)
        } else {
            Err(Failure::new("the client holds no locks: what it says stands above"))
        }
    }

    /// Lets it release what it holds, which it must still do.
    fn end(mut self) -> Result<(), Failure> {
        drop(self.0.stdin.take());
        match self.0.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(_) | Err(_) => Err(Failure::new("the client lost its locks: what it says stands above")),
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
