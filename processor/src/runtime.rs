//! The micro-batch loop of one query.
//!
//! A batch is: its plan, durable · read and count · rows to the sink, durable · changes and commit. The process may end
//! between any two of these: the next start runs the planned batch again, over the same records, and the sink passes
//! over what it has already.

mod bad;
mod wait;

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_storage::{NewTopic, PartitionLog, Storage, Topic};
use tokio::sync::watch;

use crate::changelog::{self, Base, Changelog, Commit, PlannedBatch, Range, Sizes};
use crate::error::QueryError;
use crate::groups::GroupTable;
use crate::operators::{Operators, Read};
use crate::options::{Progress, QueryOptions, StartFrom, Trigger};
use crate::plan::Plan;
use crate::sink::Output;
use crate::source;
use crate::step::{Gate, Step};
use bad::BadRecords;
use wait::Waiter;

/// A query at work; lives on its thread.
pub(crate) struct Runtime {
    storage: Arc<Storage>,
    plan: Plan,
    options: QueryOptions,
    base: Base,
    groups: GroupTable,
    changelog: Changelog,
    operators: Operators,
    output: Output,
    bad: BadRecords,
    gate: Gate,
    progress: watch::Sender<Progress>,
    /// Planned before a restart, and not committed.
    pending: Option<PlannedBatch>,
}

/// What a query is made of.
pub(crate) struct Parts {
    pub(crate) storage: Arc<Storage>,
    pub(crate) name: String,
    pub(crate) plan: Plan,
    pub(crate) options: QueryOptions,
    pub(crate) sizes: Sizes,
    pub(crate) log: Arc<PartitionLog>,
    pub(crate) console: Box<dyn std::io::Write + Send>,
    pub(crate) gate: Gate,
    pub(crate) progress: watch::Sender<Progress>,
}

impl Runtime {
    /// Reads the checkpoint back.
    pub(crate) async fn open(parts: Parts) -> Result<Self, QueryError> {
        let Parts { storage, name, plan, options, sizes, log, console, gate, progress } = parts;
        // What a query of this process wrote just before may not be served yet, and must not be taken for missing.
        changelog::durable(&log).await?;
        let mut groups = GroupTable::new(plan.key_count);
        let bytes_max = options.state_bytes_max;
        let replayed = changelog::replay(&log, plan.key_count, &mut |key, count| {
            let restored = groups.restore(key.iter().copied(), count);
            if restored.is_err() || groups.bytes() > bytes_max {
                return Err(changelog::ChangelogError::StateTooLarge(bytes_max));
            }
            Ok(())
        })?;
        let Some(replayed) = replayed else {
            return Err(QueryError::Failed(format!("the checkpoint of {name} has no beginning")));
        };
        let changelog = Changelog::resume(log, sizes, &replayed);
        changelog.forget_before(replayed.snapshot)?;
        let output =
            Output::new(&storage, &plan, console, replayed.base.producer, options.partitions, sizes.batch_bytes);
        let operators = Operators::new(&plan, options.unfolded_bytes_max, options.on_data_loss);
        let bad = BadRecords::new(name, plan.source.topic.clone());
        let changelog::Replayed { base, pending, .. } = replayed;
        let runtime =
            Self { storage, plan, options, base, groups, changelog, operators, output, bad, gate, progress, pending };
        runtime.tell_progress();
        Ok(runtime)
    }

    /// Runs until it is stopped, or all that was available is done.
    pub(crate) async fn run(&mut self, stop: watch::Receiver<bool>) -> Result<(), QueryError> {
        let until = match self.options.trigger {
            Trigger::AvailableNow => self.topic()?.map(|topic| source::ends(&topic)),
            Trigger::Asap | Trigger::Interval(_) => None,
        };
        if let Some(planned) = self.pending.take() {
            let output = self.output.planned(&planned.output)?;
            self.run_batch(PlannedBatch { output, ..planned }).await?;
        }
        let mut waiter = Waiter::new(&self.storage, self.options.trigger, stop);
        loop {
            let topic = self.topic()?;
            if let Some(topic) = &topic {
                waiter.watch(topic);
                if let Some(ranges) = self.next_ranges(topic, until.as_ref())? {
                    if !waiter.trigger().await? {
                        continue;
                    }
                    let number = self.base.next_batch;
                    let output = self.output.position(&self.base.output)?;
                    let planned = PlannedBatch { number, topic: topic.id, ranges, output };
                    self.run_batch(planned).await?;
                    continue;
                }
            }
            if self.options.trigger == Trigger::AvailableNow {
                return Ok(());
            }
            waiter.wait().await?;
            if let Some(topic) = &topic {
                self.check_readable(topic)?;
            }
        }
    }

    /// The source; `None` if it is gone, and may come back.
    fn topic(&self) -> Result<Option<Arc<Topic>>, QueryError> {
        let name = &self.plan.source.topic;
        match self.storage.topic(name) {
            Some(topic) => Ok(Some(topic)),
            None => {
                source::lost(self.options.on_data_loss, || format!("topic {name} was deleted"))?;
                Ok(None)
            }
        }
    }

    /// What the next batch covers; `None` if there is nothing to do. The first batch runs without records too.
    fn next_ranges(&self, topic: &Topic, until: Option<&BTreeMap<i32, i64>>) -> Result<Option<Vec<Range>>, QueryError> {
        let ranges = source::available(topic, &self.base, until, self.options.on_data_loss)?;
        if self.base.next_batch == 0 && self.options.from == StartFrom::Latest {
            // As Spark's: the end of the topic is both where the first batch begins and where it ends.
            return Ok(Some(ranges.into_iter().map(|range| Range { to: range.from, ..range }).collect()));
        }
        let ranges = source::bounded(ranges, self.options.batch_records_max);
        // Where records are gone, the new position is kept by a batch, even an empty one.
        let moved = |range: &Range| self.base.positions.get(&range.partition).is_some_and(|known| *known != range.from);
        let some = self.base.next_batch == 0
            || self.base.topic != topic.id
            || ranges.iter().any(|range| range.records() > 0 || moved(range));
        Ok(some.then_some(ranges))
    }

    async fn run_batch(&mut self, planned: PlannedBatch) -> Result<(), QueryError> {
        self.changelog.plan(&planned)?;
        self.changelog.durable().await?;
        self.gate.pass(Step::Planned)?;

        let read = self.read(&planned)?;
        let output =
            self.output.write(&self.plan, planned.number, &self.groups, &planned.output, &mut self.gate).await?;

        let mut totals = self.base.totals;
        totals.records_in += read.records;
        totals.bad_records += read.bad;
        let commit = Commit { number: planned.number, totals, output };
        self.changelog.commit(&commit, &self.groups, &mut self.gate)?;
        self.base.advance(&planned, commit);
        self.gate.pass(Step::Committed)?;
        self.bad.report(&read);
        self.tell_progress();

        if self.changelog.snapshot_is_due() {
            self.changelog.snapshot(&self.base, &self.groups, &mut self.gate).await?;
        }
        Ok(())
    }

    fn read(&mut self, planned: &PlannedBatch) -> Result<Read, QueryError> {
        self.groups.begin_batch();
        if self.plan.key_count == 0 {
            // The one row of a global count is there in every batch.
            let _ = self.groups.touch([]);
        }
        let mut read = Read::default();
        if planned.ranges.iter().all(|range| range.records() == 0) {
            return Ok(read);
        }
        let Some(topic) = self.storage.topic_by_id(planned.topic) else {
            let name = &self.plan.source.topic;
            source::lost(self.options.on_data_loss, || format!("topic {name} was deleted"))?;
            return Ok(read);
        };
        let bytes_max = self.options.state_bytes_max;
        for range in &planned.ranges {
            let Some(log) = usize::try_from(range.partition).ok().and_then(|index| topic.partitions.get(index)) else {
                let name = &self.plan.source.topic;
                source::lost(self.options.on_data_loss, || format!("{name} has no partition {}", range.partition))?;
                continue;
            };
            self.operators.read_range(log, *range, &mut self.groups, bytes_max, &mut read, &mut self.gate)?;
        }
        Ok(read)
    }

    /// A log that is closed wakes whoever waits for it and has nothing to read: waiting again would never end.
    fn check_readable(&self, topic: &Topic) -> Result<(), QueryError> {
        for log in topic.partitions.iter().filter(|log| !log.is_deleted()) {
            if let Err(brooklet_storage::ReadError::Storage(error)) = log.read(log.high_watermark(), 1) {
                let partition = log.id().partition;
                return Err(QueryError::Source { topic: topic.name.to_string(), partition, error });
            }
        }
        Ok(())
    }

    fn tell_progress(&self) {
        self.progress.send_replace(Progress {
            batches: self.base.next_batch,
            records_in: self.base.totals.records_in,
            bad_records: self.base.totals.bad_records,
            groups: self.groups.len() as u64,
            state_bytes: self.groups.bytes() as u64,
        });
    }
}

/// The source topic as it is made where it is missing.
pub(crate) fn new_source(name: &str, partitions: i32) -> NewTopic {
    NewTopic { name: name.to_owned(), partitions, overrides: BTreeMap::new(), internal: false }
}
