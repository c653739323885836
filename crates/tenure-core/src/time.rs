//! Time as an argument.

use core::time::Duration;

/// The shortest lease: what every wire can express.
pub const TTL_MIN: Duration = Duration::from_millis(1);

/// The longest lease that a client of ours asks for. A grant that is to outlast a day's silence of its holder is no lease.
pub const TTL_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A point in time: nanoseconds since an origin that whoever keeps the clock chose.
///
/// It is not tied to any clock. Only the differences between instants of one clock mean anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The origin of the clock.
    pub const ORIGIN: Self = Self(0);
    /// The last instant there is, 584 years after the origin.
    pub const MAX: Self = Self(u64::MAX);

    /// The instant so many nanoseconds after the origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The instant `span` later, or [`Instant::MAX`] where that is beyond it.
    ///
    /// ```
    /// use core::time::Duration;
    /// use tenure_core::Instant;
    ///
    /// let later = Instant::ORIGIN.after(Duration::from_secs(33));
    /// assert_eq!(later.since(Instant::ORIGIN), Duration::from_secs(33));
    /// assert_eq!(later.after(Duration::MAX), Instant::MAX);
    /// ```
    #[must_use]
    pub const fn after(self, span: Duration) -> Self {
        let nanos = span.as_nanos();
        if nanos > u64::MAX as u128 { Self::MAX } else { Self(self.0.saturating_add(nanos as u64)) }
    }

    /// How long ago `earlier` was; zero when it has not come yet.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}
