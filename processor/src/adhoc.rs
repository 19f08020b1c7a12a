//! A query over what is there, by the operators of a stream: read once, and then its rows; or, over a source that goes
//! on, batch by batch. It keeps nothing.

use std::io::Write;

use brooklet_model::{Headers, Offset, Record, TimestampType};
use brooklet_storage::{PartitionLog, Storage};

use crate::changelog::{Range, Watermark};
use crate::error::QueryError;
use crate::operators::{Input, Operators, Origin, Read, Target};
use crate::options::QueryOptions;
use crate::pipeline::{Passed, Pipeline, Sinks};
use crate::plan::Plan;
use crate::sink::Output;
use crate::step::Gate;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One table with borders, with all rows and all of their text.
    Table,
    /// Spark's console, batch by batch.
    Console,
    /// An object a line.
    Json,
    /// With a line of names.
    Csv,
}

/// What a query over what is there has read and written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdHocProgress {
    /// Records read.
    pub records_in: u64,
    /// Of these, the ones that are not JSON objects or could not be read.
    pub bad_records: u64,
    /// Rows written.
    pub rows_out: u64,
}

/// A query without a checkpoint.
pub struct AdHocQuery {
    pipeline: Pipeline,
    output: Output,
    gate: Gate,
    watermark: Watermark,
    batch: u64,
    passed: Passed,
    progress: AdHocProgress,
}

/// A record of a topic of any broker.
#[derive(Clone, Copy, Debug)]
pub struct SourceRecord<'a> {
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// The time is the broker's, not the producer's.
    pub is_append_time: bool,
    /// Its key, if it has one.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its headers, in order.
    pub headers: &'a [(&'a [u8], Option<&'a [u8]>)],
}

/// The memory of the state is looked at once in so many records.
const RECORDS_PER_CHECK: u64 = 1024;

/// Takes the records of a batch.
pub struct Feed<'f, 't, 'e> {
    input: Input,
    operators: &'f mut Operators,
    target: &'f mut Target<'t, 'e>,
    headers: Vec<u8>,
    records: u64,
}

impl Feed<'_, '_, '_> {
    /// From here on the records are those of a table that the query joins, by its number among
    /// [`Plan::table_topics`]. All of them come before those of the topics that are queried.
    pub fn begin_table(&mut self, table: usize) {
        self.input = Input::Table(table);
    }

    /// From here on the records are those of a topic that is queried, by its number among [`Plan::source_topics`]: of the
    /// first one if nothing is said.
    pub fn begin_source(&mut self, source: usize) {
        if let Input::Table(_) = self.input {
            self.operators.end_tables(self.target);
        }
        self.input = Input::Source(source);
    }

    /// Takes one record that came from elsewhere than a log of this process.
    ///
    /// # Errors
    /// The state has outgrown its memory, or the rows cannot be written.
    pub fn take(&mut self, record: &SourceRecord<'_>) -> Result<(), QueryError> {
        let mut headers = std::mem::take(&mut self.headers);
        let taken = self.take_with(record, &mut headers);
        self.headers = headers;
        self.records += 1;
        if self.records.is_multiple_of(RECORDS_PER_CHECK) {
            self.target.check_memory()?;
        }
        taken
    }

    fn take_with(&mut self, record: &SourceRecord<'_>, headers: &mut Vec<u8>) -> Result<(), QueryError> {
        let Some(topic) = self.operators.topic(self.input) else { return Ok(()) };
        let timestamp_type =
            if record.is_append_time { TimestampType::LogAppendTime } else { TimestampType::CreateTime };
        let origin = Origin { topic: &topic, partition: record.partition, timestamp_type };
        let record = Record {
            offset: Offset(record.offset),
            timestamp: record.timestamp,
            key: record.key,
            value: record.value,
            headers: Headers::encoded(record.headers, headers),
        };
        self.operators.take(self.input, &record, origin, self.target)
    }

    /// Takes all records that a log has now.
    ///
    /// # Errors
    /// As [`Feed::take`], or the log cannot be read.
    pub fn take_log(&mut self, log: &PartitionLog) -> Result<(), QueryError> {
        let (Offset(from), Offset(to)) = (log.log_start_offset(), log.high_watermark());
        self.operators.read_range(self.input, log, Range { partition: log.id().partition, from, to }, self.target)
    }
}

impl AdHocQuery {
    /// A query whose rows go to `out`. Its plan's sink does not matter.
    pub fn new(plan: Plan, options: &QueryOptions, format: Format, out: Box<dyn Write + Send>) -> Self {
        Self {
            output: Output::ad_hoc(&plan, format, out),
            pipeline: Pipeline::new(plan, options),
            gate: Gate::new(|_| true),
            watermark: Watermark::default(),
            batch: 0,
            passed: Passed::default(),
            progress: AdHocProgress::default(),
        }
    }

    /// Runs over all records that a topic of a data folder has.
    ///
    /// # Errors
    /// There is no such topic, it cannot be read, or the rows cannot be written.
    pub async fn run_on_storage(&mut self, storage: &Storage) -> Result<AdHocProgress, QueryError> {
        let topic = |name: &str| storage.topic(name).ok_or_else(|| QueryError::NoTopic(name.to_owned()));
        let plan = &self.pipeline.plan;
        let sources = plan.source_topics().map(topic).collect::<Result<Vec<_>, _>>()?;
        let tables = plan.table_topics().map(topic).collect::<Result<Vec<_>, _>>()?;
        self.run_batch(|feed| {
            for (number, table) in tables.iter().enumerate() {
                feed.begin_table(number);
                table.partitions.iter().try_for_each(|log| feed.take_log(log))?;
            }
            for (number, source) in sources.iter().enumerate() {
                feed.begin_source(number);
                source.partitions.iter().try_for_each(|log| feed.take_log(log))?;
            }
            Ok(())
        })
        .await
    }

    /// Runs a batch of the records that `feed` hands over, and writes its rows.
    ///
    /// # Errors
    /// What `feed` returns, or the rows cannot be written.
    pub async fn run_batch(
        &mut self,
        feed: impl FnOnce(&mut Feed<'_, '_, '_>) -> Result<(), QueryError>,
    ) -> Result<AdHocProgress, QueryError> {
        let Self { pipeline, output, gate, watermark, batch, passed, progress } = self;
        output.begin(&Default::default())?;
        let sinks = Sinks { output, dead_letters: None };
        let result = pipeline.run_batch(sinks, gate, watermark, passed.clone(), |operators, target| {
            feed(&mut Feed { input: Input::Source(0), operators, target, headers: Vec::new(), records: 0 })
        })?;
        output.finish(*batch, gate).await?;
        *watermark = pipeline.watermark_after(watermark, &result.read);
        *batch += 1;
        let Read { records, bad, .. } = result.read;
        progress.records_in += records;
        progress.bad_records += bad.counts.total();
        progress.rows_out = result.passed.rows;
        *passed = result.passed;
        Ok(*progress)
    }

    /// Whether the watermark has moved, so that a batch without records brings more.
    pub fn is_due(&self) -> bool {
        self.watermark.no_data_due
    }

    /// What was read and written.
    pub fn progress(&self) -> AdHocProgress {
        self.progress
    }
}
