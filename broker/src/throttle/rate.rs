//! How much there was of something in a second, over the last ten seconds and the one under way: what Kafka measures
//! quotas by (`org.apache.kafka.common.metrics.stats.Rate` and `SampledStat`).

/// Length of one sample in milliseconds (`quota.window.size.seconds`).
pub(super) const SAMPLE_MS: i64 = 1000;
/// Samples that are looked at (`quota.window.num`): ten whole ones and the one under way.
pub(super) const SAMPLES: i64 = 11;
/// After so many milliseconds without an event there is nothing left to look at.
pub(super) const FORGOTTEN_MS: i64 = SAMPLES * SAMPLE_MS;

#[derive(Clone, Debug)]
struct Sample {
    sum: f64,
    /// When it began, and its last event; in milliseconds.
    started: i64,
    last: i64,
}

impl Sample {
    fn new(now: i64) -> Self {
        Self { sum: 0.0, started: now, last: now }
    }
}

/// The sums of the last samples, in a ring. Takes 12 samples at most; times are milliseconds, and never run back.
#[derive(Clone, Debug, Default)]
pub(super) struct Rate {
    samples: Vec<Sample>,
    current: usize,
}

impl Rate {
    /// Adds to the sample under way.
    pub(super) fn record(&mut self, value: f64, now: i64) {
        let complete = self.samples.get(self.current).is_some_and(|sample| now - sample.started >= SAMPLE_MS);
        if complete {
            // One more than is looked at: the oldest may have begun before the window and reach into it.
            self.current = (self.current + 1) % (SAMPLES as usize + 1);
        }
        match self.samples.get_mut(self.current) {
            Some(sample) if complete => *sample = Sample::new(now),
            Some(_) => {}
            None => self.samples.push(Sample::new(now)),
        }
        if let Some(sample) = self.samples.get_mut(self.current) {
            sample.sum += value;
            sample.last = now;
        }
    }

    /// How long the connection is to be silent until the rate is `bound` a second again, if nothing more comes
    /// (`QuotaUtils.throttleTime`): in milliseconds, 0 where the rate is not above it.
    pub(super) fn throttle_ms(&mut self, bound: f64, now: i64) -> i32 {
        self.forget(now);
        let window = self.window_ms(now) as f64;
        let rate = self.samples.iter().map(|sample| sample.sum).sum::<f64>() / (window / 1000.0);
        if rate <= bound {
            return 0;
        }
        // As a number of 32 bits goes into the answer, a longer time is cut to its greatest.
        ((rate - bound) / bound * window).round() as i32
    }

    /// When the last event was.
    pub(super) fn last_event(&self) -> i64 {
        self.samples.get(self.current).map_or(i64::MIN, |sample| sample.last)
    }

    fn forget(&mut self, now: i64) {
        for sample in self.samples.iter_mut().filter(|sample| now - sample.last >= FORGOTTEN_MS) {
            *sample = Sample::new(now);
        }
    }

    /// The time since the oldest sample began, and at least the ten whole samples, so that who has just come is not
    /// measured by a part of a second.
    fn window_ms(&self, now: i64) -> i64 {
        let elapsed = self.samples.iter().map(|sample| now - sample.started).max().unwrap_or_default();
        let missing = (SAMPLES - 1 - elapsed / SAMPLE_MS).max(0);
        (elapsed + missing * SAMPLE_MS).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_is_measured_over_ten_seconds() {
        let mut rate = Rate::default();
        rate.record(1000.0, 0);
        assert_eq!(rate.throttle_ms(100.0, 0), 0);
        rate.record(300.0, 0);
        // 1300 in ten seconds are 30 above 100: three seconds more.
        assert_eq!(rate.throttle_ms(100.0, 0), 3000);
        // Half a second later the window is half a second longer.
        assert_eq!(rate.throttle_ms(100.0, 500), 2500);
        // With less than ten whole samples the window begins anew each second, as Kafka's does.
        assert_eq!(rate.throttle_ms(100.0, 3000), 3000);
        assert_eq!(rate.throttle_ms(100.0, 11_000), 0);
    }

    #[test]
    fn what_was_taken_back_was_never_there() {
        let mut rate = Rate::default();
        rate.record(5000.0, 10);
        rate.record(-5000.0, 10);
        rate.record(900.0, 20);
        assert_eq!(rate.throttle_ms(100.0, 20), 0);
    }

    #[test]
    fn a_sample_is_forgotten_eleven_seconds_after_its_last_event() {
        let mut rate = Rate::default();
        rate.record(100_000.0, 0);
        assert!(rate.throttle_ms(100.0, 10_999) > 0);
        assert_eq!(rate.throttle_ms(100.0, 11_000), 0);
    }

    #[test]
    fn a_time_that_is_too_long_is_the_longest_that_can_be_told() {
        let mut rate = Rate::default();
        rate.record(1e12, 0);
        assert_eq!(rate.throttle_ms(1.0, 0), i32::MAX);
    }

    proptest! {
        /// Ten seconds' worth of the bound is never throttled; more than the bound over the longest window there can be
        /// always is.
        #[test]
        fn the_bound_is_kept_over_a_window_of_ten_to_twelve_seconds(
            events in proptest::collection::vec((0i64..4000, 1u32..100_000), 1..60), bound in 1000u32..50_000,
        ) {
            let (mut rate, mut now, bound, mut all) = (Rate::default(), 0, f64::from(bound), Vec::new());
            for (pause, value) in events {
                now += pause;
                all.push((now, f64::from(value)));
                rate.record(f64::from(value), now);
                prop_assert!(rate.samples.len() <= SAMPLES as usize + 1);
                let told = rate.throttle_ms(bound, now);
                let within = |age: i64| all.iter().filter(|(at, _)| now - at < age).map(|(_, value)| value).sum::<f64>();
                if within(12_000) <= bound * 10.0 {
                    prop_assert_eq!(told, 0);
                }
                if within(10_000) > bound * 12.0 {
                    prop_assert!(told > 0);
                }
            }
        }

        /// A rate that was idle for the time after which it may be dropped is as a new one.
        #[test]
        fn who_was_idle_is_as_new(
            events in proptest::collection::vec((0i64..3000, 1u32..100_000), 1..40), value in 1u32..10_000_000, bound in 1u32..50_000,
        ) {
            let (mut used, mut now) = (Rate::default(), 0);
            for (pause, value) in events {
                now += pause;
                used.record(f64::from(value), now);
            }
            now = used.last_event() + FORGOTTEN_MS;
            let mut fresh = Rate::default();
            for rate in [&mut used, &mut fresh] {
                rate.record(f64::from(value), now);
            }
            prop_assert_eq!(used.throttle_ms(bound.into(), now), fresh.throttle_ms(bound.into(), now));
        }
    }
}
