//! The micro-batch loop of one query.
//!
//! A batch is: its plan, durable · read and group · evict · rows to the sink, durable · changes and commit. The process
//! may end between any two of these: the next start runs the planned batch again, over the same records, and the sink
//! passes over what it has already.

mod wait;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use brooklet_storage::{NewTopic, PartitionLog, Storage, Topic};
use tokio::sync::watch;

use crate::bad::BadReporter;
use crate::changelog::{
    self, Base, Changelog, Commit, OutputPosition, PlannedBatch, Range, Sizes, TopicRanges, Totals,
};
use crate::error::QueryError;
use crate::operators::{Input, Operators, Target};
use crate::options::{OnDataLoss, Progress, QueryOptions, StartFrom, Trigger};
use crate::pipeline::{BatchResult, Passed, Pipeline, Sinks};
use crate::plan::Plan;
use crate::query::new_producer;
use crate::sink::{DeadLetters, Output};
use crate::source;
use crate::status::{BatchReport, StatusBoard};
use crate::step::{Gate, Step};
use wait::Waiter;

/// A query at work; lives on its thread.
pub(crate) struct Runtime {
    storage: Arc<Storage>,
    pipeline: Pipeline,
    options: QueryOptions,
    base: Base,
    changelog: Changelog,
    output: Output,
    dead_letters: Option<DeadLetters>,
    bad: BadReporter,
    gate: Gate,
    tell: Tell,
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
    pub(crate) tell: Tell,
}

/// Whom a query tells how it is.
#[derive(Clone)]
pub(crate) struct Tell {
    pub(crate) progress: watch::Sender<Progress>,
    pub(crate) status: StatusBoard,
}

impl Runtime {
    /// Reads the checkpoint back.
    pub(crate) async fn open(parts: Parts) -> Result<Self, QueryError> {
        let Parts { storage, name, plan, options, sizes, log, console, gate, tell } = parts;
        // What a query of this process wrote just before may not be served yet, and must not be taken for missing.
        changelog::durable(&log).await?;
        let mut pipeline = Pipeline::new(plan, &options);
        let replayed = changelog::replay(&log, &mut pipeline.stores, options.state_bytes_max)?;
        let Some(replayed) = replayed else {
            return Err(QueryError::Failed(format!("the checkpoint of {name} has no beginning")));
        };
        let mut changelog = Changelog::resume(log, sizes, &replayed);
        changelog.forget_before(replayed.snapshot)?;
        let changelog::Replayed { mut base, mut pending, .. } = replayed;
        base.state.clone_from(&pipeline.plan.state);
        let mut gate = gate;
        if base.query != pipeline.plan.text {
            // What the query was before may have written a part of the batch under way. As another producer this one
            // takes none of that for its own; the batch is planned anew.
            base.query.clone_from(&pipeline.plan.text);
            base.producer = new_producer();
            (base.output, base.dead_letters) = (OutputPosition::default(), OutputPosition::default());
            pending = None;
            changelog.snapshot(&base, &pipeline.stores, &mut gate).await?;
            tracing::info!(query = name, "the query was changed, and goes on with its state");
        }
        let plan = &pipeline.plan;
        let output = Output::new(&storage, plan, console, base.producer, &options, sizes.batch_bytes)?;
        let dead_letters = options.dead_letters.as_ref().map(|topic| {
            let (producer, partitions) = (base.producer, options.partitions);
            DeadLetters::new(storage.clone(), &name, topic, producer, partitions, sizes.batch_bytes)
        });
        let bad = BadReporter::new(name);
        let runtime =
            Self { storage, pipeline, options, base, changelog, output, dead_letters, bad, gate, tell, pending };
        let State { groups, bytes } = runtime.state();
        runtime.tell.status.restored(&runtime.base, groups, bytes);
        runtime.tell_progress();
        Ok(runtime)
    }

    /// Runs until it is stopped, or all that was available is done.
    pub(crate) async fn run(&mut self, stop: watch::Receiver<bool>) -> Result<(), QueryError> {
        let until = match self.options.trigger {
            Trigger::AvailableNow | Trigger::Once => Some(self.ends()?),
            Trigger::Asap | Trigger::Interval(_) => None,
        };
        if let Some(planned) = self.pending.take() {
            let output = self.output.planned(&planned.output)?;
            let dead_letters = match &self.dead_letters {
                Some(letters) => letters.planned(&planned.dead_letters)?,
                None => planned.dead_letters,
            };
            self.run_batch(PlannedBatch { output, dead_letters, ..planned }).await?;
        }
        let mut waiter = Waiter::new(&self.storage, self.options.trigger, stop);
        loop {
            let topics = self.topics()?;
            topics.iter().flatten().for_each(|topic| waiter.watch(topic));
            if let Some(sources) = self.next_ranges(&topics, until.as_deref())? {
                if !waiter.trigger().await? {
                    continue;
                }
                let tables = self.table_ranges()?;
                let number = self.base.next_batch;
                let output = self.output.position(&self.base.output)?;
                let dead_letters = match &self.dead_letters {
                    Some(letters) => letters.position(&self.base.dead_letters)?,
                    None => self.base.dead_letters.clone(),
                };
                self.run_batch(PlannedBatch { number, sources, tables, output, dead_letters }).await?;
                if self.options.trigger == Trigger::Once {
                    return Ok(());
                }
                continue;
            }
            if self.options.trigger.ends() {
                return Ok(());
            }
            waiter.wait().await?;
            topics.iter().flatten().try_for_each(|topic| self.check_readable(topic))?;
        }
    }

    /// The sources; `None` for one that is gone, and may come back.
    fn topics(&self) -> Result<Vec<Option<Arc<Topic>>>, QueryError> {
        self.pipeline.plan.source_topics().map(|name| self.topic(name)).collect()
    }

    /// Where the sources end now.
    fn ends(&self) -> Result<Vec<BTreeMap<i32, i64>>, QueryError> {
        Ok(self.topics()?.iter().map(|topic| topic.as_deref().map(source::ends).unwrap_or_default()).collect())
    }

    fn topic(&self, name: &str) -> Result<Option<Arc<Topic>>, QueryError> {
        let topic = self.storage.topic(name);
        if topic.is_none() {
            source::lost(self.options.on_data_loss, || format!("topic {name} was deleted"))?;
        }
        Ok(topic)
    }

    /// What the next batch covers; `None` if there is nothing to do. The first batch runs without records too, and the
    /// one after the watermark has moved.
    fn next_ranges(
        &self,
        topics: &[Option<Arc<Topic>>],
        until: Option<&[BTreeMap<i32, i64>]>,
    ) -> Result<Option<Vec<TopicRanges>>, QueryError> {
        let is_first = self.base.next_batch == 0;
        let mut due = is_first || self.base.watermark.no_data_due;
        let mut sources = Vec::with_capacity(topics.len());
        for (number, (topic, known)) in topics.iter().zip(&self.base.sources).enumerate() {
            let Some(topic) = topic else {
                sources.push(TopicRanges { topic: known.topic, ranges: Vec::new() });
                continue;
            };
            let until = until.and_then(|until| until.get(number));
            let TopicRanges { topic, ranges } = source::available(topic, known, until, self.options.on_data_loss)?;
            if is_first && self.options.from == StartFrom::Latest {
                // As Spark's: the end of the topic is both where the first batch begins and where it ends.
                let ranges = ranges.into_iter().map(|range| Range { to: range.from, ..range }).collect();
                sources.push(TopicRanges { topic, ranges });
                continue;
            }
            // Of one batch alone there is no next one that could take what is left.
            let once = self.options.trigger == Trigger::Once;
            let ranges = source::bounded(ranges, if once { u64::MAX } else { self.options.batch_records_max });
            // Where records are gone, the new position is kept by a batch, even an empty one.
            let moved = |range: &Range| known.next.get(&range.partition).is_some_and(|known| *known != range.from);
            due |= known.topic != topic || ranges.iter().any(|range| range.records() > 0 || moved(range));
            sources.push(TopicRanges { topic, ranges });
        }
        Ok(due.then_some(sources))
    }

    /// What the next batch reads of the tables: all that is there. A table that has changed is no reason for a batch.
    fn table_ranges(&self) -> Result<Vec<TopicRanges>, QueryError> {
        let on_data_loss = self.options.on_data_loss;
        let topics = self.pipeline.plan.table_topics().zip(&self.base.tables);
        let ranges = topics.map(|(name, known)| match self.topic(name)? {
            Some(topic) => source::available(&topic, known, None, on_data_loss),
            None => Ok(TopicRanges { topic: known.topic, ranges: Vec::new() }),
        });
        ranges.collect()
    }

    async fn run_batch(&mut self, planned: PlannedBatch) -> Result<(), QueryError> {
        let began = Instant::now();
        self.changelog.plan(&planned)?;
        self.changelog.durable().await?;
        self.gate.pass(Step::Planned)?;

        self.output.begin(&planned.output)?;
        if let Some(letters) = &mut self.dead_letters {
            letters.begin(&planned.dead_letters)?;
        }
        let BatchResult { read, passed } = self.read_and_emit(&planned)?;
        let output = self.output.finish(planned.number, &mut self.gate).await?;
        let dead_letters = match &mut self.dead_letters {
            Some(letters) => letters.finish(&mut self.gate).await?,
            None => planned.dead_letters.clone(),
        };

        let before = &self.base.totals;
        let totals = Totals {
            records_in: before.records_in + read.records,
            bad: before.bad.plus(read.bad.counts),
            rows_out: passed.rows,
            limited: passed.limited,
            late_rows: before.late_rows + read.late,
        };
        let watermark = self.pipeline.watermark_after(&self.base.watermark, &read);
        let commit = Commit { number: planned.number, totals, output, dead_letters, watermark };
        self.changelog.commit(&commit, &self.pipeline.stores, &mut self.gate)?;
        self.base.advance(&planned, commit);
        self.gate.pass(Step::Committed)?;
        self.bad.report(&read.bad);
        let State { groups, bytes } = self.state();
        let report = BatchReport { took: began.elapsed(), bad: read.bad, groups, state_bytes: bytes };
        self.tell.status.committed(&self.base, report);
        self.tell_progress();

        if self.changelog.snapshot_is_due() {
            self.changelog.snapshot(&self.base, &self.pipeline.stores, &mut self.gate).await?;
        }
        Ok(())
    }

    /// Runs the operators over the batch's records, and hands the rows that come of it to the sink.
    fn read_and_emit(&mut self, planned: &PlannedBatch) -> Result<BatchResult, QueryError> {
        let plan = &self.pipeline.plan;
        let topic = |input, name: &str, ranges| Ok::<_, QueryError>((input, self.batch_topic(name, ranges)?, ranges));
        let tables = plan.table_topics().zip(&planned.tables).enumerate();
        let tables = tables.map(|(number, (name, ranges))| topic(Input::Table(number), name, ranges));
        let tables = tables.collect::<Result<Vec<_>, _>>()?;
        let sources = plan.source_topics().zip(&planned.sources).enumerate();
        let sources = sources.map(|(number, (name, ranges))| topic(Input::Source(number), name, ranges));
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        let Self { pipeline, options, base, output, dead_letters, gate, .. } = self;
        let sinks = Sinks { output, dead_letters: dead_letters.as_mut() };
        let before = Passed { rows: base.totals.rows_out, limited: base.totals.limited.clone() };
        pipeline.run_batch(sinks, gate, &base.watermark, before, |operators, target| {
            for ((input, topic, ranges), known) in tables.iter().zip(&base.tables) {
                if ranges.topic != known.topic {
                    operators.forget_table(*input, target);
                }
                read_topic(operators, *input, topic.as_deref(), ranges, options.on_data_loss, target)?;
            }
            operators.end_tables(target);
            sources.iter().try_for_each(|(input, topic, ranges)| {
                read_topic(operators, *input, topic.as_deref(), ranges, options.on_data_loss, target)
            })
        })
    }

    /// The topic that a batch was planned over; `None` if it is gone, or the batch has none of its records.
    fn batch_topic(&self, name: &str, planned: &TopicRanges) -> Result<Option<Arc<Topic>>, QueryError> {
        if planned.is_empty() {
            return Ok(None);
        }
        let topic = self.storage.topic_by_id(planned.topic);
        if topic.is_none() {
            source::lost(self.options.on_data_loss, || format!("topic {name} was deleted"))?;
        }
        Ok(topic)
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

    fn state(&self) -> State {
        State { groups: self.pipeline.stores.len() as u64, bytes: self.pipeline.stores.bytes() as u64 }
    }

    fn tell_progress(&self) {
        let State { groups, bytes } = self.state();
        self.tell.progress.send_replace(Progress {
            batches: self.base.next_batch,
            records_in: self.base.totals.records_in,
            bad_records: self.base.totals.bad.total(),
            groups,
            state_bytes: bytes,
        });
    }
}

/// Takes what was planned of a topic.
fn read_topic(
    operators: &mut Operators,
    input: Input,
    topic: Option<&Topic>,
    planned: &TopicRanges,
    on_data_loss: OnDataLoss,
    target: &mut Target<'_, '_>,
) -> Result<(), QueryError> {
    let Some(topic) = topic else { return Ok(()) };
    for range in planned.ranges.iter().filter(|range| range.records() > 0) {
        let log = usize::try_from(range.partition).ok().and_then(|index| topic.partitions.get(index));
        match log {
            Some(log) => operators.read_range(input, log, *range, target)?,
            None => source::lost(on_data_loss, || format!("{} has no partition {}", topic.name, range.partition))?,
        }
    }
    Ok(())
}

/// How large the state is.
struct State {
    groups: u64,
    bytes: u64,
}

/// The source topic as it is made where it is missing.
pub(crate) fn new_source(name: &str, partitions: i32) -> NewTopic {
    NewTopic { name: name.to_owned(), partitions, overrides: BTreeMap::new(), internal: false }
}
