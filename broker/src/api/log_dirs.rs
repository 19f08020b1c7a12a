//! DescribeLogDirs and AlterReplicaLogDirs (`ReplicaManager`, KIP-113): there is one folder of data.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_replica_log_dirs_response::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult,
};
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::{
    AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse, DescribeLogDirsRequest, DescribeLogDirsResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::topic_name;
use crate::shared::{Call, Shared};

/// Stands for a size of the disk that is not told.
const UNKNOWN_BYTES: i64 = -1;

/// The partitions asked for that there are, with the bytes that each takes; null asks for all. How large the disk is
/// and what is left of it is not told (as `DescribeLogDirsResponse.UNKNOWN_VOLUME_BYTES` allows).
pub(crate) async fn describe(
    shared: &Shared,
    _call: &Call,
    request: DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    let asked = request.topics.map(|topics| {
        let mut asked: BTreeMap<TopicName, BTreeSet<i32>> = BTreeMap::new();
        for topic in topics {
            asked.entry(topic.topic).or_default().extend(topic.partitions);
        }
        asked
    });
    let mut topics = Vec::new();
    for topic in shared.storage.topics() {
        let name = topic_name(&topic.name);
        let wanted = asked.as_ref().map(|asked| asked.get(&name));
        if wanted == Some(None) {
            continue;
        }
        let indexed = (0..).zip(&topic.partitions);
        let indexed = indexed.filter(|(index, _)| wanted.flatten().is_none_or(|wanted| wanted.contains(index)));
        let partition = |(index, log): (i32, &std::sync::Arc<brooklet_storage::PartitionLog>)| {
            let size = log.readable_bytes(log.log_start_offset());
            DescribeLogDirsPartition::default()
                .with_partition_index(index)
                .with_partition_size(i64::try_from(size).unwrap_or(i64::MAX))
        };
        let partitions: Vec<_> = indexed.map(partition).collect();
        if !partitions.is_empty() {
            topics.push(DescribeLogDirsTopic::default().with_name(name).with_partitions(partitions));
        }
    }
    let folder = DescribeLogDirsResult::default()
        .with_log_dir(StrBytes::from_string(shared.storage.data_dir().to_string_lossy().into_owned()))
        .with_topics(topics)
        .with_total_bytes(UNKNOWN_BYTES)
        .with_usable_bytes(UNKNOWN_BYTES);
    DescribeLogDirsResponse::default().with_results(vec![folder])
}

/// A partition can be moved to where it is, which does nothing.
pub(crate) async fn alter(
    shared: &Shared,
    _call: &Call,
    request: AlterReplicaLogDirsRequest,
) -> AlterReplicaLogDirsResponse {
    let here = shared.storage.data_dir().to_string_lossy();
    let mut topics: BTreeMap<TopicName, Vec<AlterReplicaLogDirPartitionResult>> = BTreeMap::new();
    for folder in request.dirs {
        for topic in folder.topics {
            let move_one = |index: i32| {
                let outcome = if *folder.path == *here {
                    shared.storage.log(&topic.name, index).map(|_| ()).ok_or(ResponseError::UnknownTopicOrPartition)
                } else {
                    Err(ResponseError::LogDirNotFound)
                };
                let code = outcome.err().map_or(0, |error| error.code());
                AlterReplicaLogDirPartitionResult::default().with_partition_index(index).with_error_code(code)
            };
            let moved: Vec<_> = topic.partitions.iter().copied().map(move_one).collect();
            topics.entry(topic.name.clone()).or_default().extend(moved);
        }
    }
    let result =
        |(name, partitions)| AlterReplicaLogDirTopicResult::default().with_topic_name(name).with_partitions(partitions);
    AlterReplicaLogDirsResponse::default().with_results(topics.into_iter().map(result).collect())
}
