//! Bad records: those that a query reads with null columns, by reason, and the last few of them to look at.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use brooklet_model::{Offset, Record, Timestamp};

use crate::json::Scanned;

/// How many bad records are kept to look at.
const KEPT: usize = 5;
/// How much of a record's value is kept, in bytes.
const VALUE_BYTES_KEPT: usize = 200;
/// Between two warnings.
const PAUSE: Duration = Duration::from_secs(5);

/// Why a record is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadReason {
    /// Its value is not a JSON object.
    NotAnObject,
    /// A time in it has a form that Spark before 3.0 read, and reads no longer.
    OutdatedTime,
    /// Its batch is damaged, or unfolds to more bytes than it may.
    Unreadable,
}

impl BadReason {
    /// All of them, in the order in which they are counted.
    pub const ALL: [Self; 3] = [Self::NotAnObject, Self::OutdatedTime, Self::Unreadable];

    /// As headers and `status` have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAnObject => "not-a-json-object",
            Self::OutdatedTime => "outdated-time",
            Self::Unreadable => "unreadable-batch",
        }
    }
}

/// How many records are bad, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BadCounts(pub(crate) [u64; BadReason::ALL.len()]);

impl BadCounts {
    /// How many of a reason.
    pub fn of(&self, reason: BadReason) -> u64 {
        self.0.get(reason as usize).copied().unwrap_or(0)
    }

    /// How many at all.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(crate) fn add(&mut self, reason: BadReason, count: u64) {
        if let Some(known) = self.0.get_mut(reason as usize) {
            // A damaged checkpoint may claim any number.
            *known = known.saturating_add(count);
        }
    }

    pub(crate) fn plus(mut self, other: Self) -> Self {
        BadReason::ALL.iter().for_each(|reason| self.add(*reason, other.of(*reason)));
        self
    }
}

/// A bad record, to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRecord {
    /// Its topic.
    pub topic: Arc<str>,
    /// Its partition.
    pub partition: i32,
    /// Its offset; of a batch that cannot be read, the first one.
    pub offset: Offset,
    /// Milliseconds since 1970.
    pub timestamp: Timestamp,
    /// Why it is bad.
    pub reason: BadReason,
    /// What is wrong, in words.
    pub what: String,
    /// Its value, or the first bytes of it; `None` where it has none or cannot be read.
    pub value: Option<Vec<u8>>,
}

impl BadRecord {
    /// What makes a record bad whose value was scanned; `None` if nothing does.
    #[inline]
    pub(crate) fn of(json: &Scanned<'_>, record: &Record<'_>, topic: &Arc<str>, partition: i32) -> Option<Self> {
        if json.malformed() {
            return Some(Self::new(record, topic, partition, BadReason::NotAnObject, "it is not a JSON object"));
        }
        json.outdated().then(|| {
            let what = "a time in it has a form that Spark reads no longer";
            Self::new(record, topic, partition, BadReason::OutdatedTime, what)
        })
    }

    #[cold]
    fn new(record: &Record<'_>, topic: &Arc<str>, partition: i32, reason: BadReason, what: &str) -> Self {
        let Record { offset, timestamp, .. } = *record;
        Self { topic: topic.clone(), partition, offset, timestamp, reason, what: what.to_owned(), value: None }
    }

    /// With as much of the value as is kept.
    pub(crate) fn with_value(mut self, value: Option<&[u8]>) -> Self {
        self.value = value.map(|value| value.get(..VALUE_BYTES_KEPT).unwrap_or(value).to_vec());
        self
    }
}

/// The bad records of a micro-batch, or of a query's run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BadRecords {
    pub(crate) counts: BadCounts,
    /// The oldest first.
    pub(crate) last: VecDeque<BadRecord>,
}

impl BadRecords {
    /// Counts `count` records that are bad for one reason, and keeps one of them.
    pub(crate) fn add(&mut self, count: u64, record: BadRecord) {
        self.counts.add(record.reason, count);
        self.keep(record);
    }

    /// Takes those of a later batch.
    pub(crate) fn extend(&mut self, later: Self) {
        self.counts = self.counts.plus(later.counts);
        later.last.into_iter().for_each(|record| self.keep(record));
    }

    fn keep(&mut self, record: BadRecord) {
        if self.last.len() >= KEPT {
            self.last.pop_front();
        }
        self.last.push_back(record);
    }
}

/// Tells of bad records, at most once in a few seconds. What is gathered when no more come is told at the end.
pub(crate) struct BadReporter {
    query: String,
    untold: BadRecords,
    told: Option<Instant>,
}

impl BadReporter {
    pub(crate) fn new(query: String) -> Self {
        Self { query, untold: BadRecords::default(), told: None }
    }

    pub(crate) fn report(&mut self, bad: &BadRecords) {
        if bad.counts.total() > 0 {
            self.untold.extend(bad.clone());
        }
        if self.told.is_none_or(|told| told.elapsed() >= PAUSE) {
            self.tell();
        }
    }

    fn tell(&mut self) {
        let BadRecords { counts, mut last } = std::mem::take(&mut self.untold);
        let Some(BadRecord { topic, partition, offset, what, .. }) = last.pop_back() else { return };
        self.told = Some(Instant::now());
        tracing::warn!(query = self.query, topic = &*topic, count = counts.total(), partition, %offset, what,
            "bad records are counted with null columns; the last one is");
    }
}

impl Drop for BadReporter {
    fn drop(&mut self) {
        self.tell();
    }
}
