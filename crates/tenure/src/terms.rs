//! What a lock is asked for with.

use crate::coordinator::Wanted;
use crate::coordinator::believed;
use crate::retry::Retry;
use crate::{Error, ErrorKind, Space};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tenure_core::{Bond, ClaimId, Key, LABEL_LEN_MAX, Limit, Note, TTL_MAX, TTL_MIN};

/// How long a grant lives unless it is renewed, unless told otherwise.
const TTL: Duration = Duration::from_secs(30);

/// How somebody wants to have a key. Nothing is checked before somebody asks.
#[derive(Clone)]
pub(crate) struct Terms {
    pub(crate) ttl: Duration,
    pub(crate) renew_every: Option<Duration>,
    pub(crate) wait: Option<Duration>,
    pub(crate) permits: u32,
    pub(crate) claim_id: Option<ClaimId>,
    pub(crate) note: Option<Arc<Note>>,
    pub(crate) retry: Retry,
    pub(crate) bond: Bond,
}

/// Which key, and how many permits it has in all.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) space: Space,
    pub(crate) name: Arc<[u8]>,
    pub(crate) limit: u32,
}

impl Named {
    /// The key, if it can be one.
    pub(crate) fn key(&self) -> Result<Key<'_>, Error> {
        Key::new(self.space, &self.name).map_err(|why| invalid(why.to_string()))
    }
}

impl Terms {
    pub(crate) const fn new(retry: Retry, bond: Bond, note: Option<Arc<Note>>) -> Self {
        Self { ttl: TTL, renew_every: None, wait: None, permits: 1, claim_id: None, note, retry, bond }
    }

    /// How often to renew.
    pub(crate) fn renew_every(&self) -> Duration {
        self.renew_every.unwrap_or(self.ttl / 3)
    }

    /// What to ask for, if it makes sense.
    pub(crate) fn wanted(&self, named: &Named, permits: u32) -> Result<Wanted, Error> {
        named.key()?;
        self.check_times()?;
        if self.bond == Bond::Lease {
            return Err(invalid(
                "a claim ends with its lease (Bond::Resumable) or with its connection too (Bond::Connection); \
                 Bond::Lease is for the line protocol",
            ));
        }
        let limit = Limit::new(named.limit).ok_or_else(|| invalid("a semaphore has at least one permit"))?;
        if permits == 0 || permits > limit.get() {
            let limit = limit.get();
            return Err(invalid(format!("{permits} permits were asked for, and it has to be 1 to {limit}")));
        }
        if self.note.as_ref().is_some_and(|note| note.label.len() > LABEL_LEN_MAX) {
            return Err(invalid(format!("a label has at most {LABEL_LEN_MAX} bytes")));
        }
        Ok(Wanted {
            space: named.space,
            name: Arc::clone(&named.name),
            permits,
            limit,
            ttl: self.ttl,
            bond: self.bond,
            note: self.note.clone(),
        })
    }

    fn check_times(&self) -> Result<(), Error> {
        let ttl = self.ttl;
        if !(TTL_MIN..=TTL_MAX).contains(&ttl) {
            return Err(invalid(format!("the ttl is {ttl:?}, and it has to be {TTL_MIN:?} to {TTL_MAX:?}")));
        }
        let (every, latest) = (self.renew_every(), believed(ttl));
        if every.is_zero() || every >= latest {
            return Err(invalid(format!(
                "renewing every {every:?} does not keep a lease of {ttl:?}: it has to be more often than every {latest:?}, \
                 when its holder stops believing in it"
            )));
        }
        Ok(())
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever knows the id of a claim has it, so that is in no print.
        f.debug_struct("Terms")
            .field("ttl", &self.ttl)
            .field("renew_every", &self.renew_every())
            .field("wait", &self.wait)
            .field("permits", &self.permits)
            .field("retry", &self.retry)
            .field("bond", &self.bond)
            .finish_non_exhaustive()
    }
}

/// The error of whoever asks for what makes no sense.
pub(crate) fn invalid(why: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Invalid, why.to_string())
}
