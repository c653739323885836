//! Reports in pieces: a million keys are told without holding anyone up, and without being in memory at once.

mod glob;
mod rows;

use crate::shared::Shared;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rows::{HOLDERS_TOLD_MAX, Section, inspect_row, stats_row};
use serde::Serialize;
use serde_json::json;

/// Keys and holders looked at in one go, with everyone else waiting.
const LOOKED_AT_MAX: usize = 128;

/// A report on its way.
#[derive(Debug)]
pub(crate) struct Report {
    step: Step,
    /// The slot to go on from.
    cursor: u32,
    /// Whether a row has been written in this section.
    rows: bool,
}

#[derive(Debug)]
enum Step {
    Stats,
    Section(Section),
    Inspect(Box<[u8]>),
    Matching(Box<[u8]>),
    Info,
    Done,
}

impl Report {
    pub(crate) const fn stats() -> Self {
        Self::at(Step::Stats)
    }

    pub(crate) fn inspect(glob: &[u8]) -> Self {
        Self::at(Step::Inspect(glob.into()))
    }

    pub(crate) const fn info() -> Self {
        Self::at(Step::Info)
    }

    const fn at(step: Step) -> Self {
        Self { step, cursor: 0, rows: false }
    }

    /// Writes the next piece; false when that was the last.
    pub(crate) fn write_next(&mut self, shared: &Shared, out: &mut Vec<u8>) -> bool {
        match &self.step {
            Step::Stats => {
                out.extend_from_slice(b"ok {\"connections\":");
                write_json(out, &shared.connections());
                self.begin(Section::Locks, out);
            }
            Step::Section(section) => self.write_section(*section, shared, out),
            Step::Inspect(glob) => {
                out.extend_from_slice(b"ok {\"keys\":[");
                self.step = Step::Matching(glob.clone());
            }
            Step::Matching(glob) => {
                let glob = glob.clone();
                if self.write_rows(shared, out, |view, now| inspect_row(view, now, &glob)) {
                    out.extend_from_slice(b"]}\n");
                    self.step = Step::Done;
                }
            }
            Step::Info => {
                write_info(shared, out);
                self.step = Step::Done;
            }
            Step::Done => {}
        }
        !matches!(self.step, Step::Done)
    }

    fn begin(&mut self, section: Section, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(section.name().as_bytes());
        out.extend_from_slice(b"\":[");
        *self = Self::at(Step::Section(section));
    }

    fn write_section(&mut self, section: Section, shared: &Shared, out: &mut Vec<u8>) {
        if !self.write_rows(shared, out, |view, now| stats_row(view, now, section)) {
            return;
        }
        out.push(b']');
        match section.next() {
            Some(next) => self.begin(next, out),
            None => {
                out.extend_from_slice(b",\"signal_channels\":");
                write_json(out, &rows::channels(shared));
                out.extend_from_slice(b"}\n");
                self.step = Step::Done;
            }
        }
    }

    /// Writes the rows of the next keys; true when there are no more.
    fn write_rows<R: Serialize>(
        &mut self,
        shared: &Shared,
        out: &mut Vec<u8>,
        row: impl Fn(tenure_core::QueueView<'_>, tenure_core::Instant) -> Option<R>,
    ) -> bool {
        let now = shared.clock.now();
        shared.hub.call(|engine| {
            engine.handle_timeout(now);
            let mut looked_at = 0;
            for (slot, view) in engine.queues(self.cursor) {
                if looked_at >= LOOKED_AT_MAX {
                    return false;
                }
                looked_at += 1 + view.holders_len().min(HOLDERS_TOLD_MAX);
                self.cursor = slot + 1;
                let Some(row) = row(view, now) else { continue };
                if std::mem::replace(&mut self.rows, true) {
                    out.push(b',');
                }
                write_json(out, &row);
            }
            true
        })
    }
}

fn write_info(shared: &Shared, out: &mut Vec<u8>) {
    out.extend_from_slice(b"ok ");
    write_json(out, &info(shared));
    out.push(b'\n');
}

/// What `info` tells of the daemon.
fn info(shared: &Shared) -> serde_json::Value {
    json!({
        "server": "tenure",
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "cpu_us": cpu_micros(),
        "uptime_s": shared.uptime().as_secs_f64(),
        "read_timeout_s": shared.config.read_timeout.as_secs_f64(),
    })
}

/// The same and how much there is, for the multiplexed protocol.
pub(crate) fn info_with_sizes(shared: &Shared) -> String {
    let mut info = info(shared);
    let (keys, claims, owners) = shared.hub.look(tenure_core::Engine::sizes);
    info["connections"] = shared.connections().into();
    info["keys"] = keys.into();
    info["claims"] = claims.into();
    info["owners"] = owners.into();
    info.to_string()
}

/// What the daemon has used of the processors so far, as the system counts it.
fn cpu_micros() -> i64 {
    getrusage(UsageWho::RUSAGE_SELF)
        .map_or(0, |usage| usage.user_time().num_microseconds() + usage.system_time().num_microseconds())
}

fn write_json(out: &mut Vec<u8>, value: &impl Serialize) {
    // A vector takes whatever is written, and rows have nothing in them that JSON has no words for.
    if let Err(error) = serde_json::to_writer(out, value) {
        unreachable!("a row cannot be written: {error}");
    }
}
