//! What is asked for.

use crate::{Error, ErrorKind};
use tenure_core::{Limit, Space};

/// A lock, or a semaphore and how many permits it has in all: 1 to 256 bytes, none of them a blank, a tab or a line end,
/// which is checked when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    space: Space,
    name: &'a [u8],
    limit: u32,
}

impl<'a> Key<'a> {
    /// A lock.
    #[must_use]
    pub fn lock(name: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { space: Space::Lock, name: name.as_ref(), limit: 1 }
    }

    /// A semaphore. All who use it have to name the same limit, from one up.
    #[must_use]
    pub fn semaphore(name: &'a (impl AsRef<[u8]> + ?Sized), limit: u32) -> Self {
        Self { space: Space::Semaphore, name: name.as_ref(), limit }
    }

    pub(super) fn parts(self) -> Result<(tenure_core::Key<'a>, Limit), Error> {
        let key = tenure_core::Key::new(self.space, self.name)
            .map_err(|error| Error::with_source(ErrorKind::Invalid, "this cannot be a key", error))?;
        let limit = Limit::new(self.limit).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, "a semaphore has a limit of one permit at least")
        })?;
        Ok((key, limit))
    }
}
