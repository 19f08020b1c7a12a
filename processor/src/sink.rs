//! Where a micro-batch's rows go: the groups that it touched, once each with their new count, in Spark's order.

mod console;
mod json_row;
mod partitioner;
mod topic;

use std::io::Write;
use std::sync::Arc;

use brooklet_model::ProducerId;
use brooklet_storage::Storage;

use crate::changelog::OutputPosition;
use crate::error::QueryError;
use crate::groups::{GroupId, GroupTable};
use crate::order::spark_partition;
use crate::plan::{Plan, Sink};
use crate::step::{Gate, Step};
use topic::TopicSink;
pub(crate) use topic::new_topic;

/// A plan's sink, ready to be written to.
pub(crate) enum Output {
    Console(Box<dyn Write + Send>),
    Topic(TopicSink),
}

impl Output {
    pub(crate) fn new(
        storage: &Arc<Storage>,
        plan: &Plan,
        console: Box<dyn Write + Send>,
        producer: ProducerId,
        partitions: i32,
        batch_bytes: usize,
    ) -> Self {
        match &plan.sink {
            Sink::Console => Self::Console(console),
            Sink::Topic(name) => {
                Self::Topic(TopicSink::new(storage.clone(), name.clone(), producer, partitions, batch_bytes))
            }
        }
    }

    /// The output topic as it is now (made if it is missing), and where its next records go.
    pub(crate) fn position(&self, last: &OutputPosition) -> Result<OutputPosition, QueryError> {
        match self {
            Self::Console(_) => Ok(OutputPosition::default()),
            Self::Topic(sink) => sink.position(last),
        }
    }

    /// Where the rows of a batch go that was planned before a restart: where they went then, if that is still there.
    pub(crate) fn planned(&self, planned: &OutputPosition) -> Result<OutputPosition, QueryError> {
        match self {
            Self::Console(_) => Ok(OutputPosition::default()),
            Self::Topic(sink) => sink.planned(planned),
        }
    }

    /// Writes the rows of the batch, and returns where the next ones go; safe by the storage's rules when it returns.
    pub(crate) async fn write(
        &mut self,
        plan: &Plan,
        batch: u64,
        groups: &GroupTable,
        position: &OutputPosition,
        gate: &mut Gate,
    ) -> Result<OutputPosition, QueryError> {
        let rows = in_order(groups);
        match self {
            Self::Console(out) => {
                console::write(out.as_mut(), plan, batch, groups, &rows).map_err(QueryError::Console)?;
                gate.pass(Step::Emitted)?;
                Ok(OutputPosition::default())
            }
            Self::Topic(sink) => sink.write(plan, groups, &rows, position, gate).await,
        }
    }
}

/// The touched groups by Spark's shuffle partition, and within one by their first record in the batch.
fn in_order(groups: &GroupTable) -> Vec<GroupId> {
    let mut rows = groups.touched().to_vec();
    rows.sort_by_cached_key(|id| spark_partition(groups.key(*id)));
    rows
}
