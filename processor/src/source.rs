//! The source topic: which offsets the next micro-batch covers, and what to do when records are gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_storage::{NewTopic, PartitionLog, Storage, StorageError, Topic};

use crate::changelog::{Range, TopicPositions, TopicRanges};
use crate::error::QueryError;
use crate::options::{OnDataLoss, StartFrom};

/// The topic of this name, made if it is missing.
pub(crate) fn topic_or_create(storage: &Storage, new: NewTopic) -> Result<Arc<Topic>, String> {
    if let Some(topic) = storage.topic(&new.name) {
        return Ok(topic);
    }
    match storage.create_topic(new) {
        Ok(topic) | Err(brooklet_storage::CreateTopicError::Exists(topic)) => Ok(topic),
        Err(error) => Err(error.to_string()),
    }
}

/// Where a query without a checkpoint begins.
pub(crate) fn first_positions(topic: &Topic, from: StartFrom) -> Result<BTreeMap<i32, i64>, StorageError> {
    let offset = |log: &PartitionLog| -> Result<i64, StorageError> {
        match from {
            StartFrom::Latest => Ok(log.high_watermark().0),
            StartFrom::Earliest => Ok(log.log_start_offset().0),
            StartFrom::Timestamp(time) => {
                let end = log.high_watermark().0;
                Ok(log.offset_for_timestamp(time)?.map_or(end, |(offset, _)| offset.0))
            }
        }
    };
    topic.partitions.iter().map(|log| Ok((log.id().partition, offset(log)?))).collect()
}

/// The offsets at which the partitions end now.
pub(crate) fn ends(topic: &Topic) -> BTreeMap<i32, i64> {
    topic.partitions.iter().map(|log| (log.id().partition, log.high_watermark().0)).collect()
}

/// What is there to be read, of each partition: from the query's position, or the start of a partition that it does
/// not know yet, to `until` (the partition's end, if it is not given). `to` is `from` where nothing is new.
pub(crate) fn available(
    topic: &Topic,
    positions: &TopicPositions,
    until: Option<&BTreeMap<i32, i64>>,
    on_data_loss: OnDataLoss,
) -> Result<TopicRanges, QueryError> {
    let recreated = topic.id != positions.topic;
    if recreated {
        lost(on_data_loss, || format!("topic {} was deleted and made anew", topic.name))?;
    }
    let mut ranges = Vec::with_capacity(topic.partitions.len());
    for log in &topic.partitions {
        let partition = log.id().partition;
        let (start, end) = (log.log_start_offset().0, log.high_watermark().0);
        let known = positions.next.get(&partition).copied().filter(|_| !recreated);
        let from = match known {
            None => start,
            Some(position) if position < start => {
                lost(on_data_loss, || format!("the records {position} to {} of {} are gone", start - 1, log.id()))?;
                start
            }
            Some(position) if position > end => {
                lost(on_data_loss, || format!("{} ends at {end}, and the query was at {position} already", log.id()))?;
                end
            }
            Some(position) => position,
        };
        let to = until.map_or(end, |until| until.get(&partition).copied().unwrap_or(from).min(end)).max(from);
        ranges.push(Range { partition, from, to });
    }
    Ok(TopicRanges { topic: topic.id, ranges })
}

/// Cuts the ranges to `records_max` together, each in proportion to what it has.
pub(crate) fn bounded(mut ranges: Vec<Range>, records_max: u64) -> Vec<Range> {
    let total: u64 = ranges.iter().map(Range::records).sum();
    if total <= records_max {
        return ranges;
    }
    let mut left = records_max;
    for range in &mut ranges {
        let share = u128::from(range.records()) * u128::from(records_max) / u128::from(total);
        let share = (share as u64).max(u64::from(range.records() > 0)).min(left);
        left -= share;
        range.to = range.from.saturating_add_unsigned(share);
    }
    ranges
}

/// Ends the query or goes on, as it was told to.
pub(crate) fn lost(on_data_loss: OnDataLoss, what: impl FnOnce() -> String) -> Result<(), QueryError> {
    match on_data_loss {
        OnDataLoss::Fail => Err(QueryError::DataLoss(what())),
        OnDataLoss::Continue => {
            tracing::warn!(lost = what(), "records are gone; the query goes on without them");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_past_the_end_goes_back_to_the_end() {
        let storage = crate::testing::memory();
        let topic = crate::testing::topic(&storage, "logs", 2);
        crate::testing::send(&storage, "logs", 0, &["{}", "{}"]);
        let positions = TopicPositions { topic: topic.id, next: BTreeMap::from([(0, 9)]) };
        let lost = available(&topic, &positions, None, OnDataLoss::Fail).unwrap_err().to_string();
        assert!(lost.starts_with("logs-0 ends at 2, and the query was at 9 already"), "{lost}");
        let ranges = available(&topic, &positions, None, OnDataLoss::Continue).unwrap().ranges;
        assert_eq!(ranges, [Range { partition: 0, from: 2, to: 2 }, Range { partition: 1, from: 0, to: 0 }]);
    }

    #[test]
    fn a_bound_is_shared_and_every_partition_moves() {
        let range = |partition, to| Range { partition, from: 0, to };
        let cut = |ranges: &[Range], max| bounded(ranges.to_vec(), max).iter().map(Range::records).collect::<Vec<_>>();
        assert_eq!(cut(&[range(0, 5), range(1, 5)], 10), [5, 5]);
        assert_eq!(cut(&[range(0, 90), range(1, 10), range(2, 0)], 10), [9, 1, 0]);
        assert_eq!(cut(&[range(0, 1_000_000), range(1, 1)], 10), [9, 1]);
        assert_eq!(cut(&[range(0, 1), range(1, 1), range(2, 1)], 1), [1, 0, 0]);
    }
}
