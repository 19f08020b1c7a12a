use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

/// Latencies are kept to three digits, up to ten minutes.
const LATENCY_US_MAX: u64 = 600_000_000;

/// What became of the records, as it becomes known.
#[derive(Debug)]
pub(crate) struct Tally {
    records: u64,
    bytes: u64,
    failed: BTreeMap<String, u64>,
    latency_us: Histogram<u64>,
    last: Option<Instant>,
}

impl Tally {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let latency_us = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3)?;
        Ok(Self { records: 0, bytes: 0, failed: BTreeMap::new(), latency_us, last: None })
    }

    pub(crate) fn delivered(&mut self, bytes: u64, latency: Duration, now: Instant) {
        self.records += 1;
        self.bytes += bytes;
        self.latency_us.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        self.last = Some(now);
    }

    pub(crate) fn failed(&mut self, reason: String, records: u64) {
        *self.failed.entry(reason).or_default() += records;
    }

    /// The sums so far; time runs from `started` to the last acknowledgement.
    pub(crate) fn summary(&self, started: Instant) -> Summary {
        let seconds = self.last.map_or(Duration::ZERO, |last| last.saturating_duration_since(started)).as_secs_f64();
        let per_second = |amount: f64| if seconds > 0.0 { amount / seconds } else { 0.0 };
        Summary {
            records: self.records,
            bytes: self.bytes,
            seconds: round(seconds, 1e6),
            records_per_s: round(per_second(self.records as f64), 10.0),
            mb_per_s: round(per_second(self.bytes as f64 / 1e6), 1e3),
            ack_us_p50: self.latency_us.value_at_quantile(0.5),
            ack_us_p99: self.latency_us.value_at_quantile(0.99),
            failed: self.failed.values().sum(),
            reasons: self.failed.clone(),
        }
    }
}

fn round(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

/// What was sent, how fast, and what was not. As JSON it is the line that `--json` prints.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Records acknowledged.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// From the first record sent to the last acknowledged.
    pub seconds: f64,
    /// Acknowledged records a second.
    pub records_per_s: f64,
    /// Acknowledged megabytes (1,000,000 bytes) a second.
    pub mb_per_s: f64,
    /// Half of the records were acknowledged within so many microseconds of being handed to the client.
    pub ack_us_p50: u64,
    /// 99 of a hundred were.
    pub ack_us_p99: u64,
    /// Records that were not delivered, or not known to be.
    pub failed: u64,
    /// Why, and how many each.
    #[serde(skip)]
    pub reasons: BTreeMap<String, u64>,
}

impl Summary {
    /// One line on why records failed; `None` if none did.
    pub fn failure(&self) -> Option<String> {
        if self.failed == 0 {
            return None;
        }
        let mut text = format!("{} not delivered:", records(self.failed));
        for (index, (reason, count)) in self.reasons.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            // Writing to a String cannot fail.
            let _ = write!(text, "{comma} {count} × {reason}");
        }
        Some(text)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} acknowledged in {:.2} s: {:.0} records/s, {:.1} MB/s, acknowledgement p50 {} p99 {}",
            records(self.records),
            self.seconds,
            self.records_per_s,
            self.mb_per_s,
            latency(self.ack_us_p50),
            latency(self.ack_us_p99),
        )
    }
}

fn records(count: u64) -> String {
    format!("{count} record{}", if count == 1 { "" } else { "s" })
}

/// Microseconds for people.
pub(crate) fn latency(us: u64) -> String {
    match us {
        0..1000 => format!("{us} µs"),
        1000..1_000_000 => format!("{:.1} ms", us as f64 / 1e3),
        _ => format!("{:.1} s", us as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_exactly_the_promised_fields_in_order() {
        let started = Instant::now();
        let mut tally = Tally::new().unwrap();
        for n in 1..=100 {
            tally.delivered(1000, Duration::from_micros(n * 10), started + Duration::from_millis(n * 10));
        }
        tally.failed("too large".to_owned(), 2);
        tally.failed("lost".to_owned(), 1);
        tally.failed("too large".to_owned(), 1);
        let summary = tally.summary(started);
        assert_eq!(
            serde_json::to_string(&summary).unwrap(),
            r#"{"records":100,"bytes":100000,"seconds":1.0,"records_per_s":100.0,"mb_per_s":0.1,"ack_us_p50":500,"ack_us_p99":990,"failed":4}"#
        );
        assert_eq!(summary.failure().unwrap(), "4 records not delivered: 1 × lost, 3 × too large");
    }

    #[test]
    fn nothing_sent_is_no_division_by_zero() {
        let summary = Tally::new().unwrap().summary(Instant::now());
        assert_eq!(summary, Summary::default());
        assert_eq!(summary.failure(), None);
    }

    #[test]
    fn a_latency_beyond_the_histogram_counts_at_its_end() {
        let now = Instant::now();
        let mut tally = Tally::new().unwrap();
        tally.delivered(1, Duration::from_secs(86_400), now);
        assert!(tally.summary(now).ack_us_p50 >= LATENCY_US_MAX);
    }
}
