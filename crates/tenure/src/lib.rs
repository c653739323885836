//! Locks, semaphores and elections across tasks, processes and hosts, whose guards know when they are lost.
//!
//! ```
//! use std::time::Duration;
//! use tenure::Tenure;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), tenure::Error> {
//!     let tenure = Tenure::connect("memory:").await?; // or tenure://locks.internal:6388
//!     let lock = tenure.lock("nightly-backup").ttl(Duration::from_secs(10));
//!
//!     // Waits its turn, works, and releases; drops the work where it stands when the lock is lost.
//!     lock.with_lock(async |guard| back_up(guard.fence()).await).await?;
//!
//!     // By hand, and only if nobody else is at it.
//!     if let Some(guard) = lock.try_acquire().await? {
//!         tokio::select! {
//!             () = back_up(guard.fence()) => println!("{:?}", guard.release().await?),
//!             loss = guard.lost() => eprintln!("stopped: {loss}"),
//!         }
//!     }
//!     Ok(())
//! }
//! # async fn back_up(_: tenure::Fence) {}
//! ```
//!
//! # What there is
//!
//! | to | there is |
//! | --- | --- |
//! | let one act at a time | [`Tenure::lock`] |
//! | let so many act at a time | [`Tenure::semaphore`] |
//! | let many read, or one write | [`Tenure::rw_lock`] |
//! | have one leader whom everyone can see | [`Tenure::election`] |
//! | wait in line and do something else meanwhile | [`Lock::enqueue`], [`Ticket`] |
//! | go on after a crash | [`Lock::claim_id`], [`Lock::resume`] |
//! | see who has what | [`Lock::inspect`], [`Lock::watch`], [`Tenure::list`] |
//! | take a lock away | [`Lock::steal`] |
//! | tell others that something happened | [`Tenure::signal`], [`Tenure::listen`] |
//! | speak dflockd's protocol, over a socket of your own | [`line::Client`] |
//!
//! All of it is the same wherever it happens: in this process (`memory:`), or with a daemon (`tenure://…`). See
//! [`Tenure::connect`] for the URLs, and [`coordinator`] for a place of your own.
//!
//! # What a lock promises
//!
//! - **One holder at a time**, in the order in which they asked. While anyone waits, a newcomer waits too.
//! - **A guard knows when it is lost.** It believes by its own clock, which counts the time that the machine was suspended,
//!   and stops before anyone else can be granted the lock: [`Guard::is_lost`], [`Guard::lost`].
//! - **Whoever dies is succeeded** when the lease ends: 30 s unless [told otherwise](Lock::ttl).
//! - **A broken connection loses nothing** by itself. The library connects again, and claims find themselves by their ids,
//!   in line as well as granted, as long as their leases last.
//!
//! # What it does not
//!
//! - **A lease alone does not protect a resource.** A program can be stopped between looking at its guard and acting, and go
//!   on after its lease has ended. Every grant has a [fence](Guard::fence), a number that rises with each grant of a key: give
//!   it to the resource, and let that refuse lower ones than it has seen.
//! - **Nothing is re-entrant.** Whoever holds a lock and asks for it again waits behind itself.
//! - **`memory:` is this process.** It goes with it.
//!
//! # Cancel safety
//!
//! Every future here may be dropped at any point. Whoever drops one that waits leaves the line; what was granted meanwhile is
//! given back in the background. Each function says what is special about it.
//!
//! # Errors
//!
//! What is expected is a value: `None` from [`Lock::try_acquire`], a [`Ticket`] from [`Lock::enqueue`]. An [`Error`] has a
//! [kind](Error::kind) that says what to do. Where nobody can be asked, the library asks again, as [`Retry`] says, with the
//! same claim: nothing is taken twice.
//!
//! # Monitoring
//!
//! There are [`tracing`] spans and events for acquiring, waiting, renewing, losing and releasing, with the key, the fence and
//! the beginning of the claim's id. [`metrics`] has them in numbers:
//!
//! | metric | what it is |
//! | --- | --- |
//! | `tenure_wait_seconds` | histogram: from asking to holding |
//! | `tenure_hold_seconds` | histogram: from holding to giving back |
//! | `tenure_queue_position` | histogram: how many stood before a claim that joined a line |
//! | `tenure_lost_total` | counter: guards that were lost, by `cause` |
//!
//! # Tests
//!
//! `memory:` with a [manual clock](Clock::manual) is a world of its own whose time goes when the test says so.
//! [`NoOp`](coordinator::NoOp) is for programs whose tests need no lock.
#![cfg_attr(not(test), deny(missing_docs))]

mod builder;
mod clock;
mod connect;
pub mod coordinator;
mod election;
pub mod entropy;
mod error;
mod gate;
mod guard;
pub mod hub;
mod keeper;
pub mod line;
mod list;
mod lock;
mod lost;
pub mod net;
mod options;
mod refusal;
mod retry;
mod runtime;
mod rw_lock;
mod semaphore;
mod settings;
mod shard;
mod stake;
mod telemetry;
mod terms;
mod ticket;
mod unfold;
mod url;
mod watch;

pub use builder::Builder;
pub use clock::Clock;
pub use connect::Tenure;
pub use coordinator::{Released, Seen, Signal};
pub use election::{Election, Leader, Leaders, Leadership};
pub use error::{Error, ErrorKind};
pub use guard::Guard;
pub use list::List;
pub use lock::Lock;
pub use lost::Loss;
pub use options::{AuthToken, Options};
pub use retry::Retry;
pub use rw_lock::RwLock;
pub use semaphore::Semaphore;
pub use shard::shard;
pub use tenure_core::{
    BadClaimId, Bond, ClaimId, Ending, Fence, Happened, HolderInfo, Inspection, Instant, Limit, Note,
    Observation, OwnerId, PastInfo, Space, Summary, Token, WaiterInfo,
};
pub use ticket::{Enqueued, Positions, Ticket};
pub use watch::{Signals, Watch};
