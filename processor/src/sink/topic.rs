//! The topic sink: rows as JSON values, under the key of their group.

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_model::{NewRecord, ProducerId};
use brooklet_storage::{NewTopic, Storage};

use super::OutputRow;
use super::appender::TopicAppender;
use super::json_row::{KeyWriter, ValueWriter};
use super::partitioner::partition;
use crate::changelog::OutputPosition;
use crate::error::QueryError;
use crate::plan::Plan;
use crate::step::Gate;

pub(crate) struct TopicSink {
    appender: TopicAppender,
    key: Option<KeyWriter>,
    value: ValueWriter,
    key_bytes: Vec<u8>,
    value_bytes: Vec<u8>,
}

/// A plan's output topic as it is made where it is missing. Of a query with groups the last row of each is what
/// matters; rows without a key are all kept.
pub(crate) fn new_topic(plan: &Plan, name: &str, partitions: i32) -> NewTopic {
    let policy = if plan.grouping.is_some() { "compact" } else { "delete" };
    NewTopic {
        name: name.to_owned(),
        partitions,
        overrides: BTreeMap::from([("cleanup.policy".to_owned(), policy.to_owned())]),
        internal: false,
    }
}

impl TopicSink {
    pub(super) fn new(
        storage: Arc<Storage>,
        plan: &Plan,
        name: &str,
        producer: ProducerId,
        partitions: i32,
        batch_bytes: usize,
    ) -> Self {
        Self {
            appender: TopicAppender::new(storage, new_topic(plan, name, partitions), producer, batch_bytes),
            key: KeyWriter::new(plan),
            value: ValueWriter::new(plan),
            key_bytes: Vec::new(),
            value_bytes: Vec::new(),
        }
    }

    pub(super) fn position(&self, last: &OutputPosition) -> Result<OutputPosition, QueryError> {
        self.appender.position(last)
    }

    pub(super) fn planned(&self, planned: &OutputPosition) -> Result<OutputPosition, QueryError> {
        self.appender.planned(planned)
    }

    pub(super) fn begin(&mut self, position: &OutputPosition) -> Result<(), QueryError> {
        self.appender.begin(position)
    }

    /// Adds a row; true if rows were appended.
    pub(super) fn push(&mut self, row: &OutputRow<'_>) -> Result<bool, QueryError> {
        self.value_bytes.clear();
        self.value.write(row, &mut self.value_bytes);
        if let Some(key) = &self.key {
            self.key_bytes.clear();
            key.write(row, &mut self.key_bytes);
        }
        let key = self.key.is_some().then_some(self.key_bytes.as_slice());
        // A row without a key goes where its value says, so that it goes there again when the batch runs again.
        let place = partition(key.unwrap_or(&self.value_bytes), self.appender.partitions());
        let timestamp = self.appender.timestamp();
        self.appender.push(place, NewRecord { timestamp, key, value: Some(&self.value_bytes), headers: &[] })
    }

    pub(super) async fn finish(&mut self, gate: &mut Gate) -> Result<OutputPosition, QueryError> {
        self.appender.finish(gate).await
    }
}
