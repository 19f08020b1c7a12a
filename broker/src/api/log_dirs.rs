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

/// Stands for a size of the disk that is not known (`DescribeLogDirsResponse.UNKNOWN_VOLUME_BYTES`).
const UNKNOWN_BYTES: i64 = -1;

/// The partitions asked for that there are, with the bytes that each takes; null asks for all. How large the disk is
/// and what is left of it (KIP-827).
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
            DescribeLogDirsPartition::default().with_partition_index(index).with_partition_size(bytes(log.size_bytes()))
        };
        let partitions: Vec<_> = indexed.map(partition).collect();
        if !partitions.is_empty() {
            topics.push(DescribeLogDirsTopic::default().with_name(name).with_partitions(partitions));
        }
    }
    let (total, usable) = shared
        .storage
        .disk_bytes()
        .map_or((UNKNOWN_BYTES, UNKNOWN_BYTES), |(total, usable)| (bytes(total), bytes(usable)));
    let folder = DescribeLogDirsResult::default()
        .with_log_dir(StrBytes::from_string(shared.storage.data_dir().to_string_lossy().into_owned()))
        .with_topics(topics)
        .with_total_bytes(total)
        .with_usable_bytes(usable);
    DescribeLogDirsResponse::default().with_results(vec![folder])
}

fn bytes(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A partition can be moved to where it is, which does nothing. The last folder named for it counts.
pub(crate) async fn alter(
    shared: &Shared,
    _call: &Call,
    request: AlterReplicaLogDirsRequest,
) -> AlterReplicaLogDirsResponse {
    let here = shared.storage.data_dir().to_string_lossy();
    let mut moves: BTreeMap<TopicName, BTreeMap<i32, bool>> = BTreeMap::new();
    for folder in request.dirs {
        let is_here = *folder.path == *here;
        for topic in folder.topics {
            let partitions = topic.partitions.into_iter().map(|index| (index, is_here));
            moves.entry(topic.name).or_default().extend(partitions);
        }
    }
    let topic = |(name, partitions): (TopicName, BTreeMap<i32, bool>)| {
        let partition = |(index, is_here): (i32, bool)| {
            let code = match is_here {
                false => ResponseError::LogDirNotFound.code(),
                true if shared.storage.log(&name, index).is_none() => ResponseError::UnknownTopicOrPartition.code(),
                true => 0,
            };
            AlterReplicaLogDirPartitionResult::default().with_partition_index(index).with_error_code(code)
        };
        let moved = partitions.into_iter().map(partition).collect();
        AlterReplicaLogDirTopicResult::default().with_topic_name(name.clone()).with_partitions(moved)
    };
    AlterReplicaLogDirsResponse::default().with_results(moves.into_iter().map(topic).collect())
}
