//! What a query tells of itself while it runs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use brooklet_model::{BatchHeader, HEADER_LEN, Offset, Timestamp};
use brooklet_storage::Storage;
use parking_lot::Mutex;

use crate::bad::{BadCounts, BadRecord, BadRecords};
use crate::changelog::{Base, now};
use crate::plan::Plan;

/// Rates are of this much of the past.
const RATE_WINDOW: Duration = Duration::from_secs(10);
/// Between two samples of what was counted.
const SAMPLE_PAUSE: Duration = Duration::from_secs(1);
/// Batches whose durations are known.
const BATCHES_KEPT: usize = 100;

/// Where a query is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It reads its checkpoint back.
    #[default]
    Restoring,
    /// It runs batches, or waits for records.
    Running,
    /// It failed, and will be started again by itself.
    Waiting,
    /// It failed, and will not.
    Failed,
    /// It was stopped, or has done all that it was to do.
    Ended,
}

impl Phase {
    /// As `status` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Restoring => "restoring",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Ended => "ended",
        }
    }
}

/// Why a query failed, and when (milliseconds since 1970).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub time: Timestamp,
    /// Why.
    pub error: String,
}

/// A query at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryStatus {
    /// Its name.
    pub name: String,
    /// The normal form of its text.
    pub query: String,
    /// The topics that it reads.
    pub topics: Vec<String>,
    /// The topics that it joins as tables.
    pub tables: Vec<String>,
    /// Where it is in its life.
    pub phase: Phase,
    /// Micro-batches since its first start.
    pub batches: u64,
    /// Records read since its first start.
    pub records_in: u64,
    /// Rows written since its first start.
    pub rows_out: u64,
    /// Rows that came too late, since its first start.
    pub late_rows: u64,
    /// Bad records since its first start.
    pub bad: BadCounts,
    /// The last few bad records since this start, the oldest first.
    pub last_bad: Vec<BadRecord>,
    /// Records read a second, of the last ten seconds.
    pub records_in_per_second: f64,
    /// Rows written a second, of the last ten seconds.
    pub rows_out_per_second: f64,
    /// Where it is in each partition of its topics.
    pub positions: Vec<Position>,
    /// How long the oldest record that is not read yet has been there, by its own time.
    pub lag: Option<Duration>,
    /// In microseconds since 1970; `None` where the query has none.
    pub watermark: Option<i64>,
    /// Groups in the state.
    pub groups: u64,
    /// Memory of the state, in bytes.
    pub state_bytes: u64,
    /// How long the last batch took.
    pub batch_last: Option<Duration>,
    /// The median of the last hundred batches.
    pub batch_median: Option<Duration>,
    /// The longest of the last hundred batches.
    pub batch_max: Option<Duration>,
    /// How often it was started again after a failure.
    pub restarts: u64,
    /// The last failure, also if it was overcome.
    pub last_error: Option<Failure>,
}

/// Where a query is in a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset that is read next.
    pub next: i64,
    /// The end of the partition.
    pub end: i64,
}

impl QueryStatus {
    /// Offsets that are there and not read yet.
    pub fn lag_records(&self) -> u64 {
        self.positions.iter().map(|at| u64::try_from(at.end.saturating_sub(at.next)).unwrap_or(0)).sum()
    }
}

/// What a batch came to, beside what [`Base`] says.
pub(crate) struct BatchReport {
    pub(crate) took: Duration,
    pub(crate) bad: BadRecords,
    pub(crate) groups: u64,
    pub(crate) state_bytes: u64,
}

/// Where a query's thread writes how it is, and anyone reads it.
#[derive(Clone, Default)]
pub(crate) struct StatusBoard(Arc<Mutex<Board>>);

#[derive(Default)]
struct Board {
    status: QueryStatus,
    has_watermark: bool,
    /// By topic; of one that is read twice the lesser.
    positions: BTreeMap<String, BTreeMap<i32, i64>>,
    /// The topic of each source.
    sources: Vec<String>,
    bad: BadRecords,
    took: VecDeque<Duration>,
    /// What was counted until when.
    samples: VecDeque<(Instant, u64, u64)>,
}

impl StatusBoard {
    pub(crate) fn new(name: &str, plan: &Plan) -> Self {
        let status = QueryStatus {
            name: name.to_owned(),
            query: plan.text.clone(),
            topics: plan.source_topics().map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect(),
            tables: plan.table_topics().map(str::to_owned).collect(),
            ..QueryStatus::default()
        };
        let has_watermark = plan.branches().any(|branch| branch.watermark.is_some());
        let sources = plan.source_topics().map(str::to_owned).collect();
        Self(Arc::new(Mutex::new(Board { status, has_watermark, sources, ..Board::default() })))
    }

    /// The checkpoint was read back.
    pub(crate) fn restored(&self, base: &Base, groups: u64, state_bytes: u64) {
        let mut board = self.0.lock();
        board.status.phase = Phase::Running;
        board.take(base, groups, state_bytes);
        board.samples = VecDeque::from([(Instant::now(), base.totals.records_in, base.totals.rows_out)]);
    }

    /// A batch was committed.
    pub(crate) fn committed(&self, base: &Base, report: BatchReport) {
        let mut board = self.0.lock();
        board.take(base, report.groups, report.state_bytes);
        board.bad.extend(report.bad);
        if board.took.len() >= BATCHES_KEPT {
            board.took.pop_front();
        }
        board.took.push_back(report.took);
        board.sample();
    }

    /// The query failed; `again` if it will be started again.
    pub(crate) fn failed(&self, error: &str, again: bool) {
        let mut board = self.0.lock();
        board.status.last_error = Some(Failure { time: now(), error: error.to_owned() });
        board.status.phase = if again { Phase::Waiting } else { Phase::Failed };
    }

    pub(crate) fn starts_again(&self) {
        let mut board = self.0.lock();
        board.status.restarts += 1;
        board.status.phase = Phase::Restoring;
    }

    pub(crate) fn ended(&self) {
        self.0.lock().status.phase = Phase::Ended;
    }

    /// How the query is now.
    pub(crate) fn read(&self, storage: &Storage) -> QueryStatus {
        let (mut status, positions) = {
            let mut board = self.0.lock();
            board.sample();
            (board.status(), board.positions.clone())
        };
        let topics: Vec<_> = status.topics.iter().filter_map(|name| storage.topic(name)).collect();
        if topics.is_empty() {
            return status;
        }
        let mut oldest: Option<Timestamp> = None;
        for log in topics.iter().flat_map(|topic| &topic.partitions) {
            let (id, end) = (log.id(), log.high_watermark().0);
            let known = positions.get(&*id.topic).and_then(|positions| positions.get(&id.partition)).copied();
            let next = known.unwrap_or_else(|| log.log_start_offset().0);
            status.positions.push(Position { topic: id.topic.to_string(), partition: id.partition, next, end });
            if next < end {
                // What cannot be read is the query's to tell.
                let read = log.read(Offset(next), 1).ok();
                let head = read.and_then(|slice| slice.first(HEADER_LEN).into_bytes().ok());
                let head = head.and_then(|bytes| BatchHeader::parse(&bytes).ok());
                oldest = [oldest, head.map(|head| head.base_timestamp)].into_iter().flatten().min();
            }
        }
        status.lag = match oldest {
            Some(time) => Some(Duration::from_millis(u64::try_from(now().saturating_sub(time)).unwrap_or(0))),
            None => (status.lag_records() == 0).then_some(Duration::ZERO),
        };
        status
    }
}

impl Board {
    fn take(&mut self, base: &Base, groups: u64, state_bytes: u64) {
        let status = &mut self.status;
        status.batches = base.next_batch;
        status.records_in = base.totals.records_in;
        status.rows_out = base.totals.rows_out;
        status.late_rows = base.totals.late_rows;
        status.bad = base.totals.bad;
        status.watermark = self.has_watermark.then_some(base.watermark.now);
        status.groups = groups;
        status.state_bytes = state_bytes;
        self.positions.clear();
        for (topic, positions) in self.sources.iter().zip(&base.sources) {
            let known = self.positions.entry(topic.clone()).or_default();
            for (partition, next) in &positions.next {
                known.entry(*partition).and_modify(|known| *known = (*known).min(*next)).or_insert(*next);
            }
        }
    }

    fn sample(&mut self) {
        let now = Instant::now();
        if self.samples.back().is_none_or(|(time, ..)| now.duration_since(*time) >= SAMPLE_PAUSE) {
            self.samples.push_back((now, self.status.records_in, self.status.rows_out));
        }
        // One that is older than the window stays, so that there is always something to compare with.
        while self.samples.get(1).is_some_and(|(time, ..)| now.duration_since(*time) >= RATE_WINDOW) {
            self.samples.pop_front();
        }
    }

    fn status(&self) -> QueryStatus {
        let mut status = self.status.clone();
        status.last_bad = self.bad.last.iter().cloned().collect();
        if let Some((since, records_in, rows_out)) = self.samples.front() {
            let seconds = since.elapsed().max(Duration::from_millis(1)).as_secs_f64();
            status.records_in_per_second = status.records_in.saturating_sub(*records_in) as f64 / seconds;
            status.rows_out_per_second = status.rows_out.saturating_sub(*rows_out) as f64 / seconds;
        }
        let mut took: Vec<Duration> = self.took.iter().copied().collect();
        status.batch_last = took.last().copied();
        took.sort_unstable();
        status.batch_median = took.get(took.len() / 2).copied();
        status.batch_max = took.last().copied();
        status
    }
}
