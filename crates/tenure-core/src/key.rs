//! What a resource is called, and how many may hold it.

use core::fmt;
use core::num::NonZeroU32;

/// The longest name of a resource, in bytes.
///
/// Long enough for a path or a URL with an identifier, short enough that a million keys stay in memory.
pub const NAME_LEN_MAX: usize = 512;

/// The name space that a key belongs to: a lock and a semaphore of the same name never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Locks: queues whose limit is one.
    Lock,
    /// Semaphores: queues whose limit their first user chose.
    Semaphore,
    /// Read-write locks: queues of the highest limit, where a reader takes one permit and a writer takes all.
    RwLock,
}

/// The name of a resource: a name space and one to [`NAME_LEN_MAX`] bytes.
///
/// Names are bytes and are compared as bytes, so two keys never collapse into one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<'a> {
    space: Space,
    name: &'a [u8],
}

/// Why bytes are not the name of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadName {
    /// There is nothing.
    Empty,
    /// There are more than [`NAME_LEN_MAX`] bytes.
    TooLong,
}

impl<'a> Key<'a> {
    /// Names a resource.
    ///
    /// # Errors
    ///
    /// [`BadName`] when there are no bytes or too many.
    ///
    /// ```
    /// use tenure_core::{Key, Space};
    ///
    /// assert!(Key::new(Space::Lock, b"nightly-backup").is_ok());
    /// assert!(Key::new(Space::Lock, b"").is_err());
    /// ```
    pub const fn new(space: Space, name: &'a [u8]) -> Result<Self, BadName> {
        match name.len() {
            0 => Err(BadName::Empty),
            1..=NAME_LEN_MAX => Ok(Self { space, name }),
            _ => Err(BadName::TooLong),
        }
    }

    /// A key from the parts of one that was checked before.
    pub(crate) const fn of(space: Space, name: &'a [u8]) -> Self {
        Self { space, name }
    }

    /// The name space.
    #[must_use]
    pub const fn space(self) -> Space {
        self.space
    }

    /// The bytes of the name.
    #[must_use]
    pub const fn name(self) -> &'a [u8] {
        self.name
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}(\"{}\")", self.space, self.name.escape_ascii())
    }
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "a key needs at least one byte"),
            Self::TooLong => write!(f, "a key has at most {NAME_LEN_MAX} bytes"),
        }
    }
}

impl core::error::Error for BadName {}

/// How many permits a key has in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Limit(NonZeroU32);

impl Limit {
    /// The limit of a lock.
    pub const ONE: Self = Self(NonZeroU32::MIN);

    /// A limit of `permits`; `None` for zero.
    #[must_use]
    pub const fn new(permits: u32) -> Option<Self> {
        match NonZeroU32::new(permits) {
            Some(permits) => Some(Self(permits)),
            None => None,
        }
    }

    /// The number of permits.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_at_the_limit_is_taken_and_one_byte_more_is_not() {
        assert!(Key::new(Space::Lock, &[b'k'; NAME_LEN_MAX]).is_ok());
        assert_eq!(Key::new(Space::Lock, &[b'k'; NAME_LEN_MAX + 1]), Err(BadName::TooLong));
    }

    #[test]
    fn a_lock_and_a_semaphore_of_one_name_are_two_keys() {
        assert_ne!(Key::new(Space::Lock, b"k"), Key::new(Space::Semaphore, b"k"));
    }

    #[test]
    fn a_limit_of_zero_is_refused() {
        assert_eq!(Limit::new(0), None);
        assert_eq!(Limit::new(3).map(Limit::get), Some(3));
    }
}
