//! Appending to a topic exactly once: an idempotent producer whose sequences go on over batches and restarts.
//!
//! A micro-batch's records are the same, in the same order, whenever it runs. So what the log already took of them,
//! told by the sequence that it has of this producer, is passed over when a planned batch runs again.

use std::sync::Arc;

use brooklet_model::{
    Batch, BatchBuilder, Compression, NewRecord, Offset, ProducerEpoch, ProducerId, Timestamp, TopicId,
};
use brooklet_storage::{NewTopic, PartitionLog, Storage, Topic};

use crate::changelog::{OutputPosition, now};
use crate::error::QueryError;
use crate::source::topic_or_create;
use crate::step::{Gate, Step};

/// A query's output has one writer for ever: nothing needs to be fenced.
const EPOCH: ProducerEpoch = ProducerEpoch(0);
/// What a batch's header and a record's own lengths may add.
const OVERHEAD_BYTES: usize = 128;

/// Writes a query's records to one topic.
pub(super) struct TopicAppender {
    storage: Arc<Storage>,
    /// As it is made where it is missing.
    new_topic: NewTopic,
    producer: ProducerId,
    batch_bytes: usize,
    /// Of the batch under way.
    writers: Vec<Writer>,
    topic: TopicId,
    timestamp: Timestamp,
}

impl TopicAppender {
    pub(super) fn new(storage: Arc<Storage>, new_topic: NewTopic, producer: ProducerId, batch_bytes: usize) -> Self {
        Self { storage, new_topic, producer, batch_bytes, writers: Vec::new(), topic: TopicId::nil(), timestamp: 0 }
    }

    /// When the batch under way began, in milliseconds since 1970.
    pub(super) fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Partitions that the batch under way writes to.
    pub(super) fn partitions(&self) -> usize {
        self.writers.len()
    }

    /// What one record may take in a partition, in bytes.
    pub(super) fn record_bytes_max(&self, partition: usize) -> usize {
        self.writers.get(partition).map_or(0, |writer| writer.log.config().max_message_bytes)
    }

    /// Where the next records go: into the topic as it is now, made if it is missing.
    pub(super) fn position(&self, last: &OutputPosition) -> Result<OutputPosition, QueryError> {
        let topic = self.topic()?;
        let mut sequences = if last.topic == topic.id { last.sequences.clone() } else { Vec::new() };
        sequences.resize(topic.partitions.len().max(sequences.len()), 0);
        Ok(OutputPosition { topic: topic.id, sequences, ..OutputPosition::default() })
    }

    /// Where the records of a batch go that was planned before a restart.
    pub(super) fn planned(&self, planned: &OutputPosition) -> Result<OutputPosition, QueryError> {
        if self.topic()?.id == planned.topic { Ok(planned.clone()) } else { self.position(planned) }
    }

    pub(super) fn begin(&mut self, position: &OutputPosition) -> Result<(), QueryError> {
        let topic = self.topic()?;
        if topic.id != position.topic {
            return Err(self.failed("it was deleted and made anew while a batch was written"));
        }
        // As many partitions as when the batch was planned: a later run must send each row to the same one.
        let places = topic.partitions.iter().zip(&position.sequences);
        self.writers = places.map(|(log, next)| Writer::new(log.clone(), self, *next)).collect();
        if self.writers.len() < position.sequences.len() {
            return Err(self.failed("it has fewer partitions than it had"));
        }
        self.topic = topic.id;
        self.timestamp = now();
        Ok(())
    }

    /// Adds a record; true if records were appended.
    pub(super) fn push(&mut self, partition: usize, record: NewRecord<'_>) -> Result<bool, QueryError> {
        let pushed = match self.writers.get_mut(partition) {
            Some(writer) => writer.push(record),
            None => Err("it has no partition".to_owned()),
        };
        pushed.map_err(|error| self.failed(&error))
    }

    pub(super) async fn finish(&mut self, gate: &mut Gate) -> Result<OutputPosition, QueryError> {
        let mut writers = std::mem::take(&mut self.writers);
        let mut sequences = Vec::with_capacity(writers.len());
        for writer in &mut writers {
            if writer.flush().map_err(|error| self.failed(&error))? {
                gate.pass(Step::Emitted)?;
            }
            sequences.push(writer.next);
        }
        for writer in &writers {
            if let Some(end) = writer.end {
                writer.log.durable(end).await.map_err(|error| self.failed(&error.to_string()))?;
            }
        }
        Ok(OutputPosition { topic: self.topic, sequences, ..OutputPosition::default() })
    }

    fn topic(&self) -> Result<Arc<Topic>, QueryError> {
        topic_or_create(&self.storage, self.new_topic.clone()).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &str) -> QueryError {
        QueryError::Output { topic: self.new_topic.name.clone(), error: error.to_owned() }
    }
}

/// Writes to one partition.
struct Writer {
    log: Arc<PartitionLog>,
    producer: ProducerId,
    bytes_max: usize,
    builder: BatchBuilder,
    /// Records that the log already has.
    taken: i32,
    /// Sequence of the next record.
    next: i32,
    /// End of what was appended.
    end: Option<Offset>,
}

impl Writer {
    fn new(log: Arc<PartitionLog>, sink: &TopicAppender, next: i32) -> Self {
        let (taken, next) = match log.producer_state(sink.producer) {
            None => (0, next),
            Some(state) => match after(state.last_sequence, 1).wrapping_sub(next) & i32::MAX {
                taken if taken <= i32::MAX / 2 => (taken, next),
                // The log has lost what it had taken (the machine lost power): go on where it is.
                _ => (0, after(state.last_sequence, 1)),
            },
        };
        let end = (taken > 0).then(|| log.log_end_offset());
        let bytes_max = log.config().max_message_bytes.min(sink.batch_bytes);
        Self { log, producer: sink.producer, bytes_max, builder: BatchBuilder::new(), taken, next, end }
    }

    /// Adds a record; true if records were appended.
    fn push(&mut self, record: NewRecord<'_>) -> Result<bool, String> {
        if self.taken > 0 {
            self.taken -= 1;
            self.next = after(self.next, 1);
            return Ok(false);
        }
        let headers: usize = record.headers.iter().map(|(key, value)| key.len() + value.map_or(0, <[u8]>::len)).sum();
        let bytes = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len) + headers + OVERHEAD_BYTES;
        let appended = self.builder.bytes() + bytes > self.bytes_max && self.flush()?;
        if self.builder.is_empty() {
            self.builder = BatchBuilder::new().producer(self.producer, EPOCH, self.next);
        }
        self.builder.push(record);
        self.next = after(self.next, 1);
        Ok(appended)
    }

    fn flush(&mut self) -> Result<bool, String> {
        let builder = std::mem::take(&mut self.builder);
        if builder.is_empty() {
            return Ok(false);
        }
        let bytes = builder.finish(Compression::None).map_err(|error| error.to_string())?;
        let batch = Batch::parse(&bytes).map_err(|error| error.to_string())?;
        let appended = self.log.append(batch).map_err(|error| error.to_string())?;
        self.end = Some(appended.last_offset.plus(1));
        Ok(true)
    }
}

/// The sequence `records` later; Kafka's sequences wrap after `i32::MAX`.
fn after(sequence: i32, records: i32) -> i32 {
    sequence.wrapping_add(records) & i32::MAX
}
