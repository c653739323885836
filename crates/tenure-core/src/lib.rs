//! The pure core of Tenure: state machines for locks, semaphores and fair queues.
//!
//! Nothing here reads a clock, draws entropy, spawns a task or touches a file: time comes in as an [`Instant`],
//! secrets and identifiers are chosen by the caller. The same calls with the same arguments give the same answers,
//! which is what makes simulation and replay possible.
//!
//! - [`Queue`] is the state of one key: its limit, holders, waiters in order, and the last fence.
//! - [`Engine`] keeps many queues, the leases that end them, and the owners that they end with.
//! - [`Subscriptions`] decides who hears a signal.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod deadlines;
mod engine;
mod fences;
mod few;
mod index;
mod key;
mod note;
mod owner;
mod planted;
mod queue;
mod signal;
mod slab;
mod time;
mod token;

pub use engine::{
    Bond, Cancelled, Change, Ending, Engine, Enqueued, Event, Grant, Happened, Holder, HolderInfo,
    Inspection, Limits, Observation, PAST_MAX, PastInfo, Patience, QueueView, Refusal, Released, Renewed,
    Request, SHOWN_MAX, SharedKey, Summary, Waited, WaiterInfo,
};
pub use fences::FenceRange;
pub use key::{BadName, Key, Limit, NAME_LEN_MAX, Space};
pub use note::{HOST_LEN_MAX, LABEL_LEN_MAX, Note};
pub use owner::{BadClaimId, ClaimId, OwnerId};
pub use queue::{Granted, Queue, Share};
pub use signal::{BadSubject, Delivery, Published, Subject, Subscriptions, check_pattern, is_payload};
pub use time::{Instant, TTL_MAX, TTL_MIN};
pub use token::{BadToken, Fence, Secret, TOKEN_LEN, Token};
