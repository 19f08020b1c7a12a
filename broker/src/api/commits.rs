//! What OffsetCommit and TxnOffsetCommit have in common: the partitions that exist are committed, and each of those asked
//! for gets its code.

use std::sync::Arc;

use brooklet_coordinator::groups::{CommitPartition, Reply};
use brooklet_model::TopicPartition;
use kafka_protocol::ResponseError;

use super::group_text::shared_str;
use crate::coordinators::CoordinatorError;
use crate::error;
use crate::shared::Shared;

/// An offset that a client asks to commit.
pub(super) struct Asked<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) leader_epoch: i32,
    pub(super) metadata: Option<&'a str>,
}

/// Those for partitions that exist, in order. The partitions of a topic stand together.
pub(super) fn existing<'a>(shared: &Shared, asked: impl Iterator<Item = Asked<'a>>) -> Vec<CommitPartition> {
    let mut found = Vec::new();
    let mut topic: Option<(&str, Arc<str>, usize)> = None;
    for it in asked {
        let (_, name, count) = match topic.take() {
            Some(same @ (known, ..)) if known == it.topic => topic.insert(same),
            _ => {
                let count = shared.storage.topic(it.topic).map_or(0, |topic| topic.partitions.len());
                topic.insert((it.topic, shared_str(it.topic), count))
            }
        };
        if usize::try_from(it.partition).is_ok_and(|index| index < *count) {
            found.push(CommitPartition {
                partition: TopicPartition::new(name.clone(), it.partition),
                offset: it.offset,
                leader_epoch: it.leader_epoch,
                metadata: shared_str(it.metadata.unwrap_or_default()),
            });
        }
    }
    found
}

/// The code of each of `count` partitions.
pub(super) fn codes(answer: Result<Reply, CoordinatorError>, count: usize) -> Vec<i16> {
    let error = match answer {
        Ok(Reply::Partitions(results)) => {
            let code = |result: Result<(), _>| result.map_or_else(|error| error::of_group(error).code(), |()| 0);
            return results.into_iter().map(code).collect();
        }
        Ok(_) => CoordinatorError::Unavailable,
        Err(error) => error,
    };
    vec![error::of_coordinator(&error).code(); count]
}

/// Hands the codes of the partitions that exist back to all that were asked for, in the same order.
pub(super) struct Codes(std::iter::Peekable<std::vec::IntoIter<(TopicPartition, i16)>>);

impl Codes {
    pub(super) fn new(existing: Vec<TopicPartition>, codes: Vec<i16>) -> Self {
        Self(existing.into_iter().zip(codes).collect::<Vec<_>>().into_iter().peekable())
    }

    /// UNKNOWN_TOPIC_OR_PARTITION for one that does not exist.
    pub(super) fn of(&mut self, topic: &str, partition: i32) -> i16 {
        let is_next = |(known, _): &(TopicPartition, i16)| known.partition == partition && *known.topic == *topic;
        self.0.next_if(is_next).map_or(ResponseError::UnknownTopicOrPartition.code(), |(_, code)| code)
    }
}
