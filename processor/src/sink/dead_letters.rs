//! Bad records sent on to a topic, as they came, with where they came from in headers.

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_model::{NewRecord, ProducerId, Record};
use brooklet_storage::{NewTopic, Storage};

use super::appender::TopicAppender;
use crate::bad::BadRecord;
use crate::changelog::OutputPosition;
use crate::error::QueryError;
use crate::step::Gate;

/// What headers and lengths may add to a record.
const OVERHEAD_BYTES: usize = 4096;

/// Writes dead letters. A letter has the key, the value and the headers of the bad record, and after them
/// `__brooklet.errors.query`, `.topic`, `.partition`, `.offset`, `.reason`, `.message`, and `.time` in milliseconds since
/// 1970: texts all, as Kafka Connect has them (`DeadLetterQueueReporter`). Of a batch that cannot be read there is one
/// letter, with the offset of its first record and no value.
pub(crate) struct DeadLetters {
    appender: TopicAppender,
    query: String,
}

/// The topic as it is made where it is missing: a letter is never too large for it.
pub(crate) fn new_topic(name: &str, partitions: i32) -> NewTopic {
    let overrides = BTreeMap::from([("max.message.bytes".to_owned(), i32::MAX.to_string())]);
    NewTopic { name: name.to_owned(), partitions, overrides, internal: false }
}

impl DeadLetters {
    /// Letters of `query` to the topic `name`.
    pub(crate) fn new(
        storage: Arc<Storage>,
        query: &str,
        name: &str,
        producer: ProducerId,
        partitions: i32,
        batch_bytes: usize,
    ) -> Self {
        Self {
            appender: TopicAppender::new(storage, new_topic(name, partitions), producer, batch_bytes),
            query: query.to_owned(),
        }
    }

    /// Where the next letters go.
    pub(crate) fn position(&self, last: &OutputPosition) -> Result<OutputPosition, QueryError> {
        self.appender.position(last)
    }

    /// Where the letters of a batch go that was planned before a restart.
    pub(crate) fn planned(&self, planned: &OutputPosition) -> Result<OutputPosition, QueryError> {
        self.appender.planned(planned)
    }

    /// Begins a batch's letters.
    pub(crate) fn begin(&mut self, position: &OutputPosition) -> Result<(), QueryError> {
        self.appender.begin(position)
    }

    /// Sends a bad record on; true if something was written. `record` is missing where it cannot be read.
    pub(crate) fn push(&mut self, bad: &BadRecord, record: Option<&Record<'_>>) -> Result<bool, QueryError> {
        let texts = [
            bad.partition.to_string(),
            bad.offset.to_string(),
            bad.reason.name().to_owned(),
            bad.what.clone(),
            self.appender.timestamp().to_string(),
        ];
        let names = ["partition", "offset", "reason", "message", "time"].map(|name| format!("{PREFIX}{name}"));
        let mut headers: Vec<(&[u8], Option<&[u8]>)> = Vec::new();
        if let Some(record) = record {
            headers.extend(record.headers.iter().map_while(Result::ok));
        }
        headers.push((QUERY.as_bytes(), Some(self.query.as_bytes())));
        headers.push((TOPIC.as_bytes(), Some(bad.topic.as_bytes())));
        headers.extend(names.iter().zip(&texts).map(|(name, text)| (name.as_bytes(), Some(text.as_bytes()))));
        let partition = usize::try_from(bad.partition).unwrap_or(0) % self.appender.partitions().max(1);
        let (key, mut value) = record.map_or((None, None), |record| (record.key, record.value));
        let bytes: usize = headers.iter().map(|(key, value)| key.len() + value.map_or(0, <[u8]>::len)).sum();
        let others = bytes + key.map_or(0, <[u8]>::len) + OVERHEAD_BYTES;
        if value.is_some_and(|value| value.len() + others > self.appender.record_bytes_max(partition)) {
            // A topic that was made by others may take less; where the record stands is told all the same.
            value = None;
            headers.push((DROPPED.as_bytes(), Some(b"true")));
        }
        self.appender.push(partition, NewRecord { timestamp: bad.timestamp, key, value, headers: &headers })
    }

    /// Ends a batch's letters, and returns where the next ones go.
    pub(crate) async fn finish(&mut self, gate: &mut Gate) -> Result<OutputPosition, QueryError> {
        self.appender.finish(gate).await
    }
}

const PREFIX: &str = "__brooklet.errors.";
const QUERY: &str = "__brooklet.errors.query";
const TOPIC: &str = "__brooklet.errors.topic";
/// There if the letter topic takes no record as large as this one's value.
const DROPPED: &str = "__brooklet.errors.value.dropped";
