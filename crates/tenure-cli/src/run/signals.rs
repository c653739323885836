//! The signals that a command gets to see.

use std::io;
use std::task::Poll;

use nix::sys::signal::Signal;
use tokio::signal::unix::{self, SignalKind};

/// What is passed on.
const FORWARDED: [Signal; 6] =
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2];

/// What stops a job: keys of its terminal, and a terminal that is not its own for now.
const STOPPING: [Signal; 3] = [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU];

/// The signals that came.
pub(super) struct Signals(Vec<(Signal, unix::Signal)>);

impl Signals {
    /// From now on signals are told here instead of ending this process; but for those that are ignored, which whoever
    /// started it (`nohup`, a shell's `&`) wants ignored by the command as well.
    pub(super) fn listen() -> io::Result<Self> {
        Self::listen_to(&FORWARDED)
    }

    /// From now on, what would stop this process alone, and leave its command running, is told here.
    pub(super) fn listen_to_stops() -> io::Result<Self> {
        Self::listen_to(&STOPPING)
    }

    fn listen_to(signals: &[Signal]) -> io::Result<Self> {
        let ignored = ignored();
        let heard = signals.iter().copied().filter(|signal| ignored & bit(*signal) == 0);
        heard
            .map(|signal| Ok((signal, unix::signal(SignalKind::from_raw(signal as i32))?)))
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// The next one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Signal {
        std::future::poll_fn(|context| {
            let mut came = self.0.iter_mut().filter_map(|(signal, stream)| match stream.poll_recv(context) {
                Poll::Ready(Some(())) => Some(*signal),
                Poll::Ready(None) | Poll::Pending => None,
            });
            came.next().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// The signals that this process ignores, as a set of bits.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn bit(signal: Signal) -> u64 {
    1 << (signal as i32 - 1)
}
