//! The rows of reports.

use super::glob;
use crate::shared::Shared;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use std::sync::Arc;
use tenure_core::{Instant, Note, QueueView, Space};

/// The holders of one key that `inspect` tells of; of others it tells how many there are.
pub(super) const HOLDERS_TOLD_MAX: usize = 64;

/// The parts of `stats`, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Locks,
    Semaphores,
    IdleLocks,
    IdleSemaphores,
}

/// A key in `stats`.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum StatsRow {
    Lock { key: String, owner_conn_id: u64, lease_expires_in_s: f64, waiters: usize },
    Semaphore { key: String, limit: u32, holders: usize, waiters: usize },
    Idle { key: String, idle_s: f64 },
}

/// A key in `inspect`.
#[derive(Serialize)]
pub(super) struct InspectRow {
    space: &'static str,
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_hex: Option<String>,
    limit: u32,
    /// The first of them.
    holders: Vec<HolderRow>,
    holders_len: usize,
    waiters: usize,
    idle_s: Option<f64>,
}

#[derive(Serialize)]
struct HolderRow {
    /// As text: JavaScript has no numbers of 64 bits.
    fence: String,
    owner_conn_id: u64,
    permits: u32,
    expires_in_s: f64,
    #[serde(flatten)]
    told: Option<Told>,
}

/// What an owner tells of itself: its label, its host and its process; empty and zero for nothing.
struct Told(Arc<Note>);

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("label", &self.0.label)?;
        map.serialize_entry("host", &self.0.host)?;
        map.serialize_entry("pid", &self.0.pid)?;
        map.end()
    }
}

/// A pattern that somebody listens to, in `stats`.
#[derive(Serialize)]
pub(super) struct ChannelRow {
    pattern: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    listeners: usize,
}

impl Section {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Locks => "locks",
            Self::Semaphores => "semaphores",
            Self::IdleLocks => "idle_locks",
            Self::IdleSemaphores => "idle_semaphores",
        }
    }

    pub(super) const fn next(self) -> Option<Self> {
        match self {
            Self::Locks => Some(Self::Semaphores),
            Self::Semaphores => Some(Self::IdleLocks),
            Self::IdleLocks => Some(Self::IdleSemaphores),
            Self::IdleSemaphores => None,
        }
    }

    fn of(view: QueueView<'_>) -> Self {
        match (view.key().space(), view.idle_since().is_some()) {
            (Space::Lock, false) => Self::Locks,
            (Space::Semaphore | Space::RwLock, false) => Self::Semaphores,
            (Space::Lock, true) => Self::IdleLocks,
            (Space::Semaphore | Space::RwLock, true) => Self::IdleSemaphores,
        }
    }
}

pub(super) fn stats_row(view: QueueView<'_>, now: Instant, section: Section) -> Option<StatsRow> {
    if Section::of(view) != section {
        return None;
    }
    let (key, waiters) = (text(view.key().name()), view.queue_len());
    Some(match section {
        Section::Locks => {
            let holder = view.holders().next();
            let owner_conn_id = holder.map_or(0, |holder| holder.owner.get());
            let lease_expires_in_s = holder.map_or(0.0, |holder| holder.deadline.since(now).as_secs_f64());
            StatsRow::Lock { key, owner_conn_id, lease_expires_in_s, waiters }
        }
        Section::Semaphores => {
            StatsRow::Semaphore { key, limit: view.limit().get(), holders: view.holders_len(), waiters }
        }
        Section::IdleLocks | Section::IdleSemaphores => StatsRow::Idle { key, idle_s: idle(view, now)? },
    })
}

pub(super) fn inspect_row(view: QueueView<'_>, now: Instant, pattern: &[u8]) -> Option<InspectRow> {
    let name = view.key().name();
    if !glob::matches(pattern, name) {
        return None;
    }
    let holders = view.holders().zip(view.notes()).take(HOLDERS_TOLD_MAX).map(|(holder, note)| HolderRow {
        fence: holder.fence.to_string(),
        owner_conn_id: holder.owner.get(),
        permits: holder.permits,
        expires_in_s: holder.deadline.since(now).as_secs_f64(),
        told: note.map(|note| Told(Arc::clone(note))),
    });
    Some(InspectRow {
        space: match view.key().space() {
            Space::Lock => "lock",
            Space::Semaphore => "semaphore",
            Space::RwLock => "rwlock",
        },
        key: text(name),
        key_hex: std::str::from_utf8(name).is_err().then(|| hex(name)),
        limit: view.limit().get(),
        holders: holders.collect(),
        holders_len: view.holders_len(),
        waiters: view.queue_len(),
        idle_s: idle(view, now),
    })
}

pub(super) fn channels(shared: &Shared) -> Vec<ChannelRow> {
    let rows = shared.signals.channels().into_iter().map(|channel| ChannelRow {
        pattern: text(&channel.pattern),
        group: channel.group.as_deref().map(text),
        listeners: channel.listeners,
    });
    rows.collect()
}

fn idle(view: QueueView<'_>, now: Instant) -> Option<f64> {
    view.idle_since().map(|since| now.since(since).as_secs_f64())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
