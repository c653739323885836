//! The time between the start and the end of the command.

use std::io;
use std::time::Duration;

use nix::sys::signal::Signal;
use tenure::Clock;
use tokio::signal::unix::{self, SignalKind};

use super::child::Child;
use super::held::{self, Held, Lost};
use super::signals::Signals;
use crate::exit::{Exit, Failure};
use crate::say;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself, or by a signal from elsewhere, with this exit code.
    ByItself(u8),
    /// It was made to, because the lock was lost.
    WithoutLock,
}

/// How long a terminal may take to show why the command was ended.
const TELL_MAX: Duration = Duration::from_secs(1);

/// The signals that stop this process or the command, or let them go on.
pub(super) struct Stops {
    jobs: Signals,
    children: unix::Signal,
    continued: unix::Signal,
}

impl Stops {
    /// From now on this process does not stop by itself, and leave its command running.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            jobs: Signals::listen_to_stops()?,
            children: unix::signal(SignalKind::child())?,
            continued: unix::signal(SignalKind::from_raw(Signal::SIGCONT as i32))?,
        })
    }
}

/// Passes signals on until the command ends by itself, or ends it when a key is lost.
pub(super) async fn until_ended(
    child: &mut Child,
    held: &[Held],
    clock: &Clock,
    stops: &mut Stops,
    signals: &mut Signals,
) -> Result<Ended, Failure> {
    supervise(child, held, clock, stops, signals)
        .await
        .map_err(|error| Failure::from(Exit::Refused, "cannot watch the command", error))
}

async fn supervise(
    child: &mut Child,
    held: &[Held],
    clock: &Clock,
    stops: &mut Stops,
    signals: &mut Signals,
) -> io::Result<Ended> {
    loop {
        tokio::select! {
            biased;
            code = child.ended() => return code.map(Ended::ByItself),
            lost = held::lost(held, clock) => {
                end(child, &lost, clock, signals).await?;
                return Ok(Ended::WithoutLock);
            }
            signal = signals.next() => child.forward(signal),
            _ = stops.children.recv() => if let Some(by) = child.stopped() {
                child.follow(by);
            },
            _ = stops.jobs.next() => {
                child.stop();
                go_on(child, held, clock);
            }
            _ = stops.continued.recv() => go_on(child, held, clock),
        }
    }
}

/// Lets a stopped command go on, if it still holds its keys: time has passed, and what was lost is told next.
fn go_on(child: &Child, held: &[Held], clock: &Clock) {
    let now = clock.now();
    if held.iter().all(|held| now < held.term_at() && !held.guard().is_lost()) {
        child.go_on();
    }
}

/// Ends the command: politely, and in time by force.
async fn end(child: &mut Child, lost: &Lost, clock: &Clock, signals: &mut Signals) -> io::Result<()> {
    let kill_at = lost.kill_at(clock.now());
    child.forward(Signal::SIGTERM);
    let told = say::say_aside(format!("{lost}; ending the command"));
    loop {
        tokio::select! {
            biased;
            code = child.ended() => {
                code?;
                break;
            }
            () = clock.sleep_until(kill_at) => break,
            signal = signals.next() => child.forward(signal),
        }
    }
    // What the command has started and left behind holds the lock no more than it does.
    child.signal(Signal::SIGKILL);
    child.ended().await?;
    let _ = tokio::time::timeout(TELL_MAX, told).await;
    Ok(())
}
