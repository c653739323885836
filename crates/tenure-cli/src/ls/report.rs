//! What a service tells of its keys.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The keys.
#[derive(Debug, Deserialize)]
pub(super) struct Report {
    pub(super) keys: Vec<Row>,
}

/// The keys as they were told.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Untouched {
    pub(super) keys: Vec<Value>,
}

/// A key.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub(super) space: String,
    pub(super) key: String,
    /// The bytes of a name that is not UTF-8.
    pub(super) key_hex: Option<String>,
    pub(super) limit: u32,
    pub(super) holders: Vec<Holder>,
    /// How many there are, when not all of them are told.
    #[serde(default)]
    pub(super) holders_len: usize,
    pub(super) waiters: u64,
    /// How long nobody has held or awaited it.
    pub(super) idle_s: Option<f64>,
}

/// One who holds it.
#[derive(Debug, Deserialize)]
pub(super) struct Holder {
    /// Text, because that is what JSON has for numbers of 64 bits.
    pub(super) fence: String,
    pub(super) owner_conn_id: u64,
    pub(super) permits: u32,
    pub(super) expires_in_s: f64,
    /// What it tells of itself; empty and zero for nothing.
    #[serde(default)]
    pub(super) label: String,
    #[serde(default)]
    pub(super) host: String,
    #[serde(default)]
    pub(super) pid: u32,
}
