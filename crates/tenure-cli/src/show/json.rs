//! A key for programs. Spans are seconds; fences are text, because that is what JSON has for numbers of 64 bits.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use tenure_core::{Inspection, Note, OwnerId, Space};

use super::page;
use crate::{say, space};

/// All the keys of one name.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    pub(super) keys: Vec<Key>,
}

/// A key.
#[derive(Debug, Serialize)]
pub(super) struct Key {
    space: &'static str,
    key: String,
    /// The bytes of a name that is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_hex: Option<String>,
    limit: u32,
    held: u32,
    holders_len: u32,
    waiters_len: u32,
    holders: Vec<Holder>,
    waiters: Vec<Waiter>,
    past: Vec<Past>,
}

/// Whose something is.
#[derive(Debug, Serialize)]
pub(crate) struct Owner {
    owner_conn_id: u64,
    #[serde(flatten)]
    told: Told,
}

/// What an owner tells of itself; empty and zero for nothing.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    label: String,
    host: String,
    pid: u32,
}

#[derive(Debug, Serialize)]
struct Holder {
    fence: String,
    permits: u32,
    held_for_s: f64,
    expires_in_s: f64,
    #[serde(flatten)]
    owner: Owner,
}

#[derive(Debug, Serialize)]
struct Waiter {
    permits: u32,
    waiting_for_s: f64,
    #[serde(flatten)]
    owner: Owner,
}

#[derive(Debug, Serialize)]
struct Past {
    fence: String,
    held_for_s: f64,
    ended_ago_s: f64,
    ending: &'static str,
    #[serde(flatten)]
    owner: Owner,
}

impl Key {
    /// A key of this name.
    pub(super) fn new(space: Space, name: &[u8], key: &Inspection) -> Self {
        Self {
            space: space::name(space),
            key: String::from_utf8_lossy(name).into_owned(),
            key_hex: hex(name),
            limit: key.limit.get(),
            held: key.held,
            holders_len: key.holders_len,
            waiters_len: key.queue_len,
            holders: holders(key),
            waiters: waiters(key),
            past: past(key),
        }
    }
}

fn holders(key: &Inspection) -> Vec<Holder> {
    let told = key.holders.iter().map(|holder| Holder {
        fence: holder.fence.to_string(),
        permits: holder.permits,
        held_for_s: seconds(holder.since),
        expires_in_s: seconds(holder.remaining),
        owner: Owner::new(holder.owner, holder.note.as_deref()),
    });
    told.collect()
}

fn waiters(key: &Inspection) -> Vec<Waiter> {
    let told = key.waiters.iter().map(|waiter| Waiter {
        permits: waiter.permits,
        waiting_for_s: seconds(waiter.since),
        owner: Owner::new(waiter.owner, waiter.note.as_deref()),
    });
    told.collect()
}

fn past(key: &Inspection) -> Vec<Past> {
    let told = key.past.iter().map(|past| Past {
        fence: past.fence.to_string(),
        held_for_s: seconds(past.held_for),
        ended_ago_s: seconds(past.ago),
        ending: page::ending(past.ending),
        owner: Owner::new(past.owner, past.note.as_deref()),
    });
    told.collect()
}

impl Owner {
    fn new(owner: OwnerId, note: Option<&Note>) -> Self {
        Self { owner_conn_id: owner.get(), told: Told::new(note) }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.label.is_empty() {
            write!(f, " to {}", say::shown(self.label.as_bytes()))?;
        }
        if !self.host.is_empty() {
            write!(f, " on {}", say::shown(self.host.as_bytes()))?;
        }
        if self.pid != 0 { write!(f, " (process {})", self.pid) } else { Ok(()) }
    }
}

impl Told {
    /// What a note says.
    pub(crate) fn new(note: Option<&Note>) -> Self {
        let note = note.cloned().unwrap_or_default();
        Self { label: note.label.into(), host: note.host.into(), pid: note.pid }
    }
}

/// In milliseconds, as the wire has them.
fn seconds(span: Duration) -> f64 {
    span.as_millis() as f64 / 1_000.0
}

/// The bytes of a name that is not UTF-8.
fn hex(name: &[u8]) -> Option<String> {
    std::str::from_utf8(name).is_err().then(|| name.iter().map(|byte| format!("{byte:02x}")).collect())
}
