//! What connections cost that do nothing.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use super::clock::Stopwatch;
use super::daemon::Daemon;
use super::table::{Row, Wanted};
use super::wire::Wire;
use crate::process::Failure;

/// How many connects follow one another.
const CONNECTS: usize = 9_000;

/// How many connections are idle.
const IDLE: usize = 10_000;

pub(super) fn measure(program: &Path) -> Result<Vec<Row>, Failure> {
    let took = connects(&Daemon::start(program)?)?;
    let (fresh, served) = idle(&Daemon::start(program)?)?;
    Ok(vec![
        Row::new("9,000 connects one after the other", took, "s", Wanted::AtMost(1.0)),
        Row::new("memory for an idle connection", fresh / 1024.0, "KiB", Wanted::AtMost(4.0)),
        Row::new(
            "memory for an idle connection that was served before",
            served / 1024.0,
            "KiB",
            Wanted::AtMost(4.0),
        ),
    ])
}

/// The seconds that it took until all were open and the last one was answered.
fn connects(daemon: &Daemon) -> Result<f64, Failure> {
    let watch = Stopwatch::start();
    let open = open(daemon.address(), CONNECTS)?;
    Wire::connect(daemon.address())?.ping()?;
    let took = watch.elapsed().as_secs_f64();
    drop(open);
    Ok(took)
}

/// The bytes for each, before it has said anything and after it was answered once.
fn idle(daemon: &Daemon) -> Result<(f64, f64), Failure> {
    Wire::connect(daemon.address())?.ping()?;
    let before = daemon.memory_at_rest()?;
    let open = open(daemon.address(), IDLE)?;
    let fresh = daemon.memory_at_rest()?;
    drop(open);
    daemon.memory_at_rest()?;
    let mut served = Vec::with_capacity(IDLE);
    for _ in 0..IDLE {
        let mut wire = Wire::connect(daemon.address())?;
        wire.ping()?;
        served.push(wire);
    }
    let after = daemon.memory_at_rest()?;
    Ok(((fresh - before) / IDLE as f64, (after - before) / IDLE as f64))
}

fn open(address: SocketAddr, count: usize) -> Result<Vec<TcpStream>, Failure> {
    let connect =
        |_| TcpStream::connect(address).map_err(|error| Failure::new(format!("a connect failed: {error}")));
    (0..count).map(connect).collect()
}
