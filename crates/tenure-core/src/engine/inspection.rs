//! A key as people look at it.

use crate::{Fence, Limit, Note, OwnerId};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// The most holders, and the most waiters, that an inspection tells of; it counts them all.
pub const SHOWN_MAX: usize = 64;

/// The grants that a key remembers after their end.
pub const PAST_MAX: usize = 4;

/// A key at one moment. Times are spans up to, or from, that moment: no instant of one clock leaves its machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// How many permits the key has in all.
    pub limit: Limit,
    /// How many of them are out.
    pub held: u32,
    /// How many grants there are.
    pub holders_len: u32,
    /// How many claims wait.
    pub queue_len: u32,
    /// The grants in their order, the first [`SHOWN_MAX`] of them.
    pub holders: Vec<HolderInfo>,
    /// The claims in line in their order, the first [`SHOWN_MAX`] of them.
    pub waiters: Vec<WaiterInfo>,
    /// The grants that ended last, the latest first, at most [`PAST_MAX`].
    pub past: Vec<PastInfo>,
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolderInfo {
    /// Its fence.
    pub fence: Fence,
    /// How many permits it has.
    pub permits: u32,
    /// How long it has been held.
    pub since: Duration,
    /// How long its lease lasts if it is not renewed.
    pub remaining: Duration,
    /// Whose it is: the number of a connection.
    pub owner: OwnerId,
    /// What its owner told of itself.
    pub note: Option<Arc<Note>>,
}

/// A claim in line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaiterInfo {
    /// How many permits it asks for.
    pub permits: u32,
    /// How long it has waited.
    pub since: Duration,
    /// Whose it is: the number of a connection.
    pub owner: OwnerId,
    /// What its owner told of itself.
    pub note: Option<Arc<Note>>,
}

/// A grant that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastInfo {
    /// Its fence.
    pub fence: Fence,
    /// How long it was held.
    pub held_for: Duration,
    /// How long ago it ended.
    pub ago: Duration,
    /// How it ended.
    pub ending: Ending,
    /// Whose it was: the number of a connection.
    pub owner: OwnerId,
    /// What its owner told of itself.
    pub note: Option<Arc<Note>>,
}

/// How a grant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was given back.
    Released,
    /// Its lease ended.
    Lapsed,
    /// It went with its owner's connection.
    Disconnected,
    /// Somebody took it away.
    Stolen,
}

/// One key among many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The name space of its key.
    pub space: crate::Space,
    /// The name of its key.
    pub name: Vec<u8>,
    /// How many permits the key has in all.
    pub limit: Limit,
    /// How many of them are out.
    pub held: u32,
    /// How many grants there are.
    pub holders_len: u32,
    /// How many claims wait.
    pub queue_len: u32,
    /// The first of the grants, if there is one.
    pub holder: Option<HolderInfo>,
}

/// What happened to a key, for those who watch it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What happened.
    pub happened: Happened,
    /// How many grants there are now.
    pub holders_len: u32,
    /// How many claims wait now.
    pub queue_len: u32,
}

/// What happened to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A claim got its permits.
    Granted {
        /// The fence of the grant.
        fence: Fence,
        /// What its owner told of itself.
        note: Option<Arc<Note>>,
    },
    /// A grant ended.
    Ended {
        /// Its fence.
        fence: Fence,
        /// How.
        ending: Ending,
        /// Why, as whoever took it away said; empty otherwise.
        reason: Arc<str>,
    },
    /// A claim joined the line, or left it without a grant.
    Queue,
}
