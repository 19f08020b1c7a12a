use std::time::{Duration, Instant};

use crate::args::Rate;

/// Sleeping shorter than this costs more than it gains: at high rates records leave in small bursts.
const SLEEP_MIN: Duration = Duration::from_millis(1);

/// When the next record is due at a steady rate. Time lost is caught up with.
pub(crate) struct Pace {
    rate: Rate,
    started: Instant,
    sent: u64,
}

impl Pace {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, started: now, sent: 0 }
    }

    /// How long to wait before the next record, which is counted; `None` if it may leave at once.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Duration> {
        let seconds = self.sent as f64 / self.rate.records_per_second();
        self.sent += 1;
        // A rate of one record in a million years is still a duration.
        let due = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let ahead = due.checked_sub(now.saturating_duration_since(self.started))?;
        let spaced = self.rate.records_per_second() <= 1000.0;
        (ahead >= SLEEP_MIN || (spaced && !ahead.is_zero())).then_some(ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_due_at_the_rate() {
        let start = Instant::now();
        let mut pace = Pace::new("10".parse().unwrap(), start);
        assert_eq!(pace.next(start), None);
        assert_eq!(pace.next(start), Some(Duration::from_millis(100)));
        assert_eq!(pace.next(start + Duration::from_millis(150)), Some(Duration::from_millis(50)));
        assert_eq!(pace.next(start + Duration::from_secs(1)), None, "late: no wait");
    }

    #[test]
    fn high_rates_leave_in_bursts_and_keep_their_mean() {
        let start = Instant::now();
        let mut pace = Pace::new("100000".parse().unwrap(), start);
        let mut now = start;
        let mut sleeps = 0;
        for _ in 0..100_001 {
            if let Some(wait) = pace.next(now) {
                now += wait;
                sleeps += 1;
            }
        }
        assert!(now - start > Duration::from_millis(998) && now - start <= Duration::from_secs(1), "{:?}", now - start);
        assert!(sleeps <= 1000, "{sleeps}");
    }

    #[test]
    fn a_tiny_rate_does_not_overflow() {
        let start = Instant::now();
        let mut pace = Pace::new("1e-300".parse().unwrap(), start);
        pace.next(start);
        assert_eq!(pace.next(start), Some(Duration::MAX));
    }
}
