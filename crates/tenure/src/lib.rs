//! Coordination that programs can hold on to.
#![cfg_attr(not(test), deny(missing_docs))]

mod clock;
pub mod coordinator;
pub mod entropy;
mod error;
pub mod hub;
pub mod line;
mod lost;
pub mod net;
mod options;
mod refusal;

pub use clock::Clock;
pub use error::{Error, ErrorKind};
pub use lost::Loss;
pub use options::{AuthToken, Options};
pub use tenure_core::{ClaimId, Fence, Instant, Token};
