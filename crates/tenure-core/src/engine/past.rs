//! What a key remembers of grants that have ended.

use super::PAST_MAX;
use crate::{Ending, Fence, Instant, Note, OwnerId};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The grants of a key that ended last, the latest last.
#[derive(Clone, Debug, Default)]
pub(super) struct Past(Vec<PastGrant>);

/// A grant that has ended.
#[derive(Clone, Debug)]
pub(super) struct PastGrant {
    pub(super) fence: Fence,
    pub(super) owner: OwnerId,
    pub(super) since: Instant,
    pub(super) ended: Instant,
    pub(super) ending: Ending,
    pub(super) note: Option<Arc<Note>>,
}

impl Past {
    pub(super) fn push(&mut self, grant: PastGrant) {
        match self.0.len() {
            // Most keys of many have one owner in their life.
            0 => self.0.reserve_exact(1),
            PAST_MAX => drop(self.0.remove(0)),
            _ => {}
        }
        self.0.push(grant);
    }

    /// The latest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &PastGrant> {
        self.0.iter().rev()
    }
}
