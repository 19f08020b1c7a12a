//! A query's status as JSON: the form in which it is told, and what `brooklet status --json` prints.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use brooklet_processor::{BadReason, BadRecord, QueryStatus};
use serde::{Deserialize, Serialize};

/// A query at one moment. Times are RFC 3339 in UTC.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) name: String,
    /// The normal form of its text.
    pub(crate) query: String,
    /// Topics that it reads.
    pub(crate) topics: Vec<String>,
    /// Topics that it joins as tables.
    pub(crate) tables: Vec<String>,
    /// restoring, running, waiting (to be started again), failed, ended
    pub(crate) phase: String,
    pub(crate) batches: u64,
    pub(crate) records_in: u64,
    pub(crate) rows_out: u64,
    pub(crate) late_rows: u64,
    pub(crate) records_in_per_second: f64,
    pub(crate) rows_out_per_second: f64,
    pub(crate) lag_records: u64,
    /// Since when the oldest unread record is there, by its own time.
    pub(crate) lag_seconds: Option<f64>,
    pub(crate) positions: Vec<Position>,
    pub(crate) watermark: Option<String>,
    pub(crate) groups: u64,
    pub(crate) state_bytes: u64,
    /// Milliseconds.
    pub(crate) batch_ms: BatchTimes,
    /// By reason.
    pub(crate) bad_records: BTreeMap<String, u64>,
    pub(crate) last_bad_records: Vec<Bad>,
    pub(crate) restarts: u64,
    pub(crate) last_error: Option<Error>,
}

/// Where the query is in a partition.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) next: i64,
    pub(crate) end: i64,
}

/// Of the last hundred batches.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BatchTimes {
    pub(crate) last: Option<f64>,
    pub(crate) median: Option<f64>,
    pub(crate) max: Option<f64>,
}

/// A bad record.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Bad {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) time: Option<String>,
    pub(crate) reason: String,
    pub(crate) message: String,
    /// The first bytes of it, what is no UTF-8 replaced.
    pub(crate) value: Option<String>,
}

/// A failure.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Error {
    pub(crate) time: Option<String>,
    pub(crate) error: String,
}

impl Report {
    pub(crate) fn new(status: QueryStatus) -> Self {
        let millis = |duration: Option<Duration>| duration.map(|duration| duration.as_secs_f64() * 1e3);
        let position = |at: brooklet_processor::Position| {
            let brooklet_processor::Position { topic, partition, next, end } = at;
            Position { topic, partition, next, end }
        };
        let reasons = BadReason::ALL.iter().map(|reason| (reason.name().to_owned(), status.bad.of(*reason)));
        Self {
            lag_records: status.lag_records(),
            lag_seconds: status.lag.map(|lag| lag.as_secs_f64()),
            positions: status.positions.into_iter().map(position).collect(),
            watermark: status.watermark.and_then(time_of_micros),
            batch_ms: BatchTimes {
                last: millis(status.batch_last),
                median: millis(status.batch_median),
                max: millis(status.batch_max),
            },
            bad_records: reasons.filter(|(_, count)| *count > 0).collect(),
            last_bad_records: status.last_bad.into_iter().map(Bad::new).collect(),
            last_error: status
                .last_error
                .map(|failure| Error { time: time_of_millis(failure.time), error: failure.error }),
            name: status.name,
            query: status.query,
            topics: status.topics,
            tables: status.tables,
            phase: status.phase.name().to_owned(),
            batches: status.batches,
            records_in: status.records_in,
            rows_out: status.rows_out,
            late_rows: status.late_rows,
            records_in_per_second: status.records_in_per_second,
            rows_out_per_second: status.rows_out_per_second,
            groups: status.groups,
            state_bytes: status.state_bytes,
            restarts: status.restarts,
        }
    }
}

impl Bad {
    fn new(bad: BadRecord) -> Self {
        Self {
            topic: bad.topic.to_string(),
            partition: bad.partition,
            offset: bad.offset.0,
            time: time_of_millis(bad.timestamp),
            reason: bad.reason.name().to_owned(),
            message: bad.what,
            value: bad.value.map(|value| String::from_utf8_lossy(&value).into_owned()),
        }
    }
}

fn time_of_millis(millis: i64) -> Option<String> {
    time_of_micros(millis.checked_mul(1000)?)
}

/// `None` for a time before 1970 or after 9999, which no clock tells.
fn time_of_micros(micros: i64) -> Option<String> {
    let since = Duration::from_micros(u64::try_from(micros).ok()?);
    let time = UNIX_EPOCH.checked_add(since).filter(|_| since.as_secs() < 253_402_300_800)?;
    Some(humantime::format_rfc3339_millis(time).to_string())
}
