//! Where a micro-batch's rows go: the groups that it touched, once each with their new count, in Spark's order.

mod console;
mod json_row;
mod partitioner;
mod topic;

use std::collections::BinaryHeap;
use std::io::Write;
use std::sync::Arc;

use brooklet_model::ProducerId;
use brooklet_storage::Storage;

use crate::changelog::OutputPosition;
use crate::console::ROWS_SHOWN;
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
        match self {
            Self::Console(out) => {
                // One more than is shown: the renderer says whether there are more.
                let rows = first_in_order(groups, ROWS_SHOWN + 1);
                console::write(out.as_mut(), plan, batch, groups, &rows).map_err(QueryError::Console)?;
                gate.pass(Step::Emitted)?;
                Ok(OutputPosition::default())
            }
            Self::Topic(sink) => sink.write(plan, groups, &in_order(groups), position, gate).await,
        }
    }
}

/// The touched groups by Spark's shuffle partition, and within one by their first record in the batch.
fn in_order(groups: &GroupTable) -> Vec<GroupId> {
    let mut rows = groups.touched().to_vec();
    rows.sort_by_cached_key(|id| spark_partition(groups.key(*id)));
    rows
}

/// The first `rows_max` of [`in_order`], without sorting the others.
fn first_in_order(groups: &GroupTable, rows_max: usize) -> Vec<GroupId> {
    let mut first = BinaryHeap::with_capacity(rows_max + 1);
    for (place, id) in groups.touched().iter().enumerate() {
        first.push((spark_partition(groups.key(*id)), place, *id));
        if first.len() > rows_max {
            first.pop();
        }
    }
    first.into_sorted_vec().into_iter().map(|(_, _, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rows_are_those_of_the_whole_order() {
        let mut groups = GroupTable::new(1);
        for number in 0..500 {
            groups.count_one([Some(format!("level {number}").as_bytes())]).unwrap();
        }
        let all = in_order(&groups);
        for rows_max in [0, 1, 21, 500, 600] {
            assert_eq!(first_in_order(&groups, rows_max), all[..rows_max.min(500)]);
        }
    }
}
