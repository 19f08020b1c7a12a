//! Who asks for several replicas gets one where the broker is told so; elsewhere what Kafka's one node answers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where its set-up fails")]

mod common;

use brooklet_broker::BrokerConfig;
use common::TestBroker;
use kafka_protocol::messages::alter_partition_reassignments_request::{ReassignablePartition, ReassignableTopic};
use kafka_protocol::messages::create_partitions_request::{CreatePartitionsAssignment, CreatePartitionsTopic};
use kafka_protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, BrokerId, CreatePartitionsRequest, CreateTopicsRequest, MetadataRequest,
    TopicName,
};
use kafka_protocol::protocol::StrBytes;

fn name(name: &'static str) -> TopicName {
    TopicName(StrBytes::from_static_str(name))
}

fn ids(brokers: &[i32]) -> Vec<BrokerId> {
    brokers.iter().map(|id| BrokerId(*id)).collect()
}

/// Codes of: three replicas, assigned replicas, added partitions with replicas, a partition moved.
async fn asked(broker: &TestBroker, replicas: &[i32]) -> [i16; 4] {
    let mut client = broker.client().await;
    let create = |topic: CreatableTopic| CreateTopicsRequest::default().with_topics(vec![topic]);
    let factor = CreatableTopic::default().with_name(name("factor")).with_num_partitions(2).with_replication_factor(3);
    let factor = client.call(create(factor), 7).await.topics.remove(0);
    assert_eq!(factor.replication_factor, if factor.error_code == 0 { 1 } else { -1 });
    let assignment = CreatableReplicaAssignment::default().with_broker_ids(ids(replicas));
    let assigned = CreatableTopic::default()
        .with_name(name("assigned"))
        .with_num_partitions(-1)
        .with_replication_factor(-1)
        .with_assignments(vec![assignment]);
    let assigned = client.call(create(assigned), 7).await.topics.remove(0);
    broker.topic("grown", 1, &[]);
    let grown = CreatePartitionsTopic::default()
        .with_name(name("grown"))
        .with_count(2)
        .with_assignments(Some(vec![CreatePartitionsAssignment::default().with_broker_ids(ids(replicas))]));
    let grown = client.call(CreatePartitionsRequest::default().with_topics(vec![grown]), 3).await.results.remove(0);
    let moved = ReassignablePartition::default().with_partition_index(0).with_replicas(Some(ids(replicas)));
    let moved = ReassignableTopic::default().with_name(name("grown")).with_partitions(vec![moved]);
    let moved = AlterPartitionReassignmentsRequest::default().with_topics(vec![moved]);
    let moved = client.call(moved, 0).await.responses.remove(0).partitions.remove(0);
    [factor.error_code, assigned.error_code, grown.error_code, moved.error_code]
}

#[tokio::test]
async fn several_replicas_are_refused_unless_they_are_clamped() {
    let broker = TestBroker::start().await;
    assert_eq!(asked(&broker, &[1, 2, 3]).await, [38, 39, 39, 39]);
}

#[tokio::test]
async fn several_replicas_are_one() {
    let config = BrokerConfig { clamp_replication: true, ..BrokerConfig::default() };
    let broker = TestBroker::start_with(config).await;
    assert_eq!(asked(&broker, &[2, 3, 1]).await, [0; 4]);
    let topics = broker.client().await.call(MetadataRequest::default().with_topics(None), 9).await.topics;
    assert_eq!(topics.len(), 3);
    for partition in topics.iter().flat_map(|topic| &topic.partitions) {
        assert_eq!(
            (partition.leader_id, &partition.replica_nodes, &partition.isr_nodes),
            (BrokerId(1), &ids(&[1]), &ids(&[1]))
        );
    }
}

#[tokio::test]
async fn what_is_wrong_with_any_number_of_brokers_stays_wrong() {
    let config = BrokerConfig { clamp_replication: true, ..BrokerConfig::default() };
    for replicas in [&[][..], &[2, 2]] {
        let broker = TestBroker::start_with(config.clone()).await;
        assert_eq!(asked(&broker, replicas).await, [0, 39, 39, 39]);
    }
    let mut client = TestBroker::start_with(config).await.client().await;
    for factor in [0, -2] {
        let topic =
            CreatableTopic::default().with_name(name("t")).with_num_partitions(1).with_replication_factor(factor);
        let [result] =
            client.call(CreateTopicsRequest::default().with_topics(vec![topic]), 7).await.topics.try_into().unwrap();
        assert_eq!(result.error_code, 38);
    }
}
