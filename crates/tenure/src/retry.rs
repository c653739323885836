//! How often to ask again.

use crate::{Clock, Error};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
const TIMES: u32 = 3;

/// How often to ask again when the way to a coordinator fails, and how long to wait in between.
///
/// Only what [may help](Error::is_transient) is tried again: nobody could be asked, or the answer never came. What was
/// asked is asked again with the same claim, so nothing is taken twice. The pauses double up to a longest one, and
/// each is a random part of that ("full jitter"), so that many who failed together do not come back together.
///
/// The default is 3 times, after up to 100 ms, 200 ms and 400 ms.
///
/// ```
/// use std::time::Duration;
/// use tenure::Retry;
///
/// let retry = Retry::times(5).first(Duration::from_millis(10)).longest(Duration::from_millis(50));
/// assert!(retry.pause(0).is_some_and(|pause| pause <= Duration::from_millis(10)));
/// assert!(retry.pause(4).is_some_and(|pause| pause <= Duration::from_millis(50)));
/// assert_eq!(retry.pause(5), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    times: Option<u32>,
    first: Duration,
    longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self::times(TIMES)
    }
}

impl Retry {
    /// Not to ask again.
    #[must_use]
    pub const fn none() -> Self {
        Self::times(0)
    }

    /// To ask again so many times.
    #[must_use]
    pub const fn times(times: u32) -> Self {
        Self { times: Some(times), first: FIRST, longest: LONGEST }
    }

    /// To ask again until there is an answer.
    #[must_use]
    pub const fn forever() -> Self {
        Self { times: None, first: FIRST, longest: LONGEST }
    }

    /// The longest that the first pause may be: 100 ms unless told otherwise.
    #[must_use]
    pub const fn first(mut self, pause: Duration) -> Self {
        self.first = pause;
        self
    }

    /// The longest that any pause may be: 5 s unless told otherwise.
    #[must_use]
    pub const fn longest(mut self, pause: Duration) -> Self {
        self.longest = pause;
        self
    }

    /// How long to wait after a failure when there were `failures` before it; `None` to give up.
    #[must_use]
    pub fn pause(&self, failures: u32) -> Option<Duration> {
        if self.times.is_some_and(|times| failures >= times) {
            return None;
        }
        let longest =
            self.first.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX)).min(self.longest);
        Some(longest.mul_f64(fastrand::f64()))
    }

    /// Asks until there is an answer, or an error that asking again does not help.
    pub(crate) async fn run<T, F>(&self, clock: &Clock, mut ask: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        match ask().await {
            Err(error) if error.is_transient() => self.again(error, Error::is_transient, clock, ask).await,
            answer => answer,
        }
    }

    /// Asks again after an error, until there is an answer, or an error that is none of those that it may help.
    pub(crate) async fn again<T, F>(
        &self,
        mut error: Error,
        may_help: fn(&Error) -> bool,
        clock: &Clock,
        mut ask: impl FnMut() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut failures = 0;
        while let Some(pause) = self.pause(failures) {
            tracing::debug!(%error, failures, ?pause, "asking again");
            clock.sleep(pause).await;
            error = match ask().await {
                Err(error) if may_help(&error) => error,
                answer => return answer,
            };
            failures += 1;
        }
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    async fn attempts(retry: Retry, kind: ErrorKind, fail: u32) -> (u32, bool) {
        let retry = retry.first(Duration::ZERO);
        let mut asked = 0;
        let ask = || {
            asked += 1;
            std::future::ready(if asked > fail { Ok(()) } else { Err(Error::new(kind.clone(), "no")) })
        };
        let answer = retry.run(&Clock::manual(), ask).await.is_ok();
        (asked, answer)
    }

    #[tokio::test]
    async fn what_may_help_is_tried_as_often_as_was_said() {
        assert_eq!(attempts(Retry::default(), ErrorKind::Unavailable, 3).await, (4, true));
        assert_eq!(attempts(Retry::default(), ErrorKind::Indeterminate, 9).await, (4, false));
        assert_eq!(attempts(Retry::none(), ErrorKind::Draining, 9).await, (1, false));
        assert_eq!(attempts(Retry::forever(), ErrorKind::Unavailable, 40).await, (41, true));
    }

    #[tokio::test]
    async fn what_does_not_help_is_not_tried_again() {
        for kind in [ErrorKind::Denied, ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::Full] {
            assert_eq!(attempts(Retry::forever(), kind, 9).await, (1, false));
        }
    }

    #[test]
    fn pauses_grow_to_the_longest_and_are_spread_below_it() {
        let retry = Retry::forever();
        for failures in [0, 1, 5, 31, 32, u32::MAX] {
            let bound = (0.1 * 2_f64.powf(f64::from(failures))).min(5.0);
            let pauses: Vec<f64> =
                (0..200).map(|_| retry.pause(failures).expect("for ever").as_secs_f64()).collect();
            assert!(pauses.iter().all(|pause| *pause <= bound), "{failures}");
            assert!(
                pauses.iter().any(|pause| *pause < bound / 2.0)
                    && pauses.iter().any(|pause| *pause > bound / 2.0)
            );
        }
    }
}
