//! What is counted while the load runs.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use hdrhistogram::Histogram;

/// Latencies are kept to three digits, from a nanosecond to an hour.
const LATENCY_MAX: Duration = Duration::from_secs(3600);
const DIGITS: u8 = 3;

const WARM_UP: u8 = 0;
const MEASURE: u8 = 1;
const STOP: u8 = 2;

/// What all connections of the load share. They run on one thread, so its lock is never waited for.
pub(super) struct Tally {
    phase: AtomicU8,
    counts: Mutex<Counts>,
}

struct Counts {
    pairs: u64,
    latencies: Histogram<u64>,
}

/// What the slowest of so many pairs took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Latencies {
    /// Half of them.
    pub(super) p50_us: f64,
    /// 99 of a hundred.
    pub(super) p99_us: f64,
    /// 999 of a thousand.
    pub(super) p999_us: f64,
}

impl Tally {
    /// Nothing counted yet, and the load is warming up.
    pub(super) fn new() -> Self {
        let bound = u64::try_from(LATENCY_MAX.as_nanos()).unwrap_or(u64::MAX);
        let latencies = Histogram::new_with_max(bound, DIGITS).expect("constants that the histogram takes");
        Self { phase: AtomicU8::new(WARM_UP), counts: Mutex::new(Counts { pairs: 0, latencies }) }
    }

    /// From now on latencies count.
    pub(super) fn measure(&self) {
        self.phase.store(MEASURE, Ordering::Relaxed);
    }

    /// Every connection finishes the pair that it is at, and ends.
    pub(super) fn stop(&self) {
        self.phase.store(STOP, Ordering::Relaxed);
    }

    /// Whether it is time to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.phase.load(Ordering::Relaxed) == STOP
    }

    /// So many pairs went together and took so long.
    pub(super) fn record(&self, pairs: usize, took: Duration) {
        self.counts().add(pairs as u64, took, self.is_measuring());
    }

    /// Each of some pairs took so long.
    pub(super) fn record_each(&self, took: impl Iterator<Item = Duration>) {
        let measuring = self.is_measuring();
        let mut counts = self.counts();
        took.for_each(|took| counts.add(1, took, measuring));
    }

    /// Pairs so far, the warm-up included.
    pub(super) fn pairs(&self) -> u64 {
        self.counts().pairs
    }

    /// The latencies of the measured time.
    pub(super) fn latencies(&self) -> Latencies {
        let counts = self.counts();
        let at = |quantile| counts.latencies.value_at_quantile(quantile) as f64 / 1e3;
        Latencies { p50_us: at(0.5), p99_us: at(0.99), p999_us: at(0.999) }
    }

    fn is_measuring(&self) -> bool {
        self.phase.load(Ordering::Relaxed) == MEASURE
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().expect("nobody panics with it")
    }
}

impl Counts {
    fn add(&mut self, pairs: u64, took: Duration, measuring: bool) {
        self.pairs += pairs;
        if measuring {
            let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            self.latencies.saturating_record_n(nanos, pairs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_count_at_all_times_and_latencies_only_while_measured() {
        let tally = Tally::new();
        tally.record(1, Duration::from_secs(1));
        tally.measure();
        for _ in 0..98 {
            tally.record(1, Duration::from_micros(10));
        }
        tally.record_each([Duration::from_micros(500); 2].into_iter());
        tally.stop();
        tally.record(1, Duration::from_secs(1));
        assert_eq!(tally.pairs(), 102);
        let near = |value: f64, wanted: f64| (value - wanted).abs() < wanted / 500.0;
        let latencies = tally.latencies();
        assert!(near(latencies.p50_us, 10.0), "{latencies:?}");
        assert!(near(latencies.p99_us, 500.0), "{latencies:?}");
        assert!(near(latencies.p999_us, 500.0), "{latencies:?}");
    }

    #[test]
    fn the_end_is_seen() {
        let tally = Tally::new();
        assert!(!tally.is_stopped());
        tally.stop();
        assert!(tally.is_stopped());
    }

    #[test]
    fn nothing_measured_is_zero_and_too_long_is_the_longest() {
        let tally = Tally::new();
        assert_eq!(tally.latencies(), Latencies { p50_us: 0.0, p99_us: 0.0, p999_us: 0.0 });
        tally.measure();
        tally.record(1, Duration::from_secs(1_000_000));
        assert!(tally.latencies().p50_us >= 3.5e9);
    }
}
