//! Where topics are, what the cluster is, and topics made on first use.
#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

mod common;

use brooklet_broker::BrokerConfig;
use common::{Client, TestBroker, batch};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{DescribeClusterRequest, MetadataRequest, ProduceRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

fn name(name: &str) -> Option<TopicName> {
    Some(TopicName(StrBytes::from_string(name.to_owned())))
}

fn asking(names: &[&str]) -> MetadataRequest {
    let topics = names.iter().map(|it| MetadataRequestTopic::default().with_name(name(it))).collect();
    MetadataRequest::default().with_topics(Some(topics))
}

async fn by_id(client: &mut Client, id: Uuid, version: i16) -> MetadataResponseTopic {
    let topic = MetadataRequestTopic::default().with_name(None).with_topic_id(id);
    let response = client.call(MetadataRequest::default().with_topics(Some(vec![topic])), version).await;
    let [topic] = response.topics.try_into().unwrap();
    topic
}

fn names(topics: &[MetadataResponseTopic]) -> Vec<&str> {
    topics.iter().map(|topic| topic.name.as_ref().unwrap().as_str()).collect()
}

#[tokio::test]
async fn every_version_tells_the_broker_and_the_topics() {
    let config = BrokerConfig { advertise: Some(("example.org".to_owned(), 1234)), ..BrokerConfig::default() };
    let broker = TestBroker::start_with(config).await;
    let id = broker.topic("a", 2, &[]).id;
    let mut client = broker.client().await;
    for version in 0..=13 {
        let all = if version == 0 { Some(Vec::new()) } else { None };
        let response = client.call(MetadataRequest::default().with_topics(all), version).await;
        let [told] = response.brokers.as_slice() else { panic!("one broker") };
        assert_eq!((told.node_id.0, told.host.as_str(), told.port), (1, "example.org", 1234));
        assert_eq!(names(&response.topics), ["a"]);
        let topic = &response.topics[0];
        assert_eq!((topic.error_code, topic.is_internal, topic.partitions.len()), (0, false, 2));
        for (index, partition) in (0..).zip(&topic.partitions) {
            assert_eq!((partition.partition_index, partition.leader_id.0, partition.error_code), (index, 1, 0));
            assert_eq!((partition.replica_nodes.len(), partition.isr_nodes.len()), (1, 1));
            if version >= 7 {
                assert_eq!(partition.leader_epoch, 0);
            }
        }
        if version >= 1 {
            assert_eq!(response.controller_id.0, 1);
            let none = client.call(MetadataRequest::default().with_topics(Some(Vec::new())), version).await;
            assert!(none.topics.is_empty(), "version {version}");
        }
        if version >= 2 {
            assert_eq!(response.cluster_id.as_deref(), Some(broker.storage.cluster_id()));
        }
        if version >= 10 {
            assert_eq!(topic.topic_id, id);
        }
    }
}

#[tokio::test]
async fn a_topic_made_on_first_use_can_be_written_to_at_once() {
    let broker = TestBroker::start_with(BrokerConfig { default_partitions: 3, ..BrokerConfig::default() }).await;
    let mut client = broker.client().await;
    let response = client.call(asking(&["new", "new"]), 12).await;
    let [topic] = response.topics.as_slice() else { panic!("one topic") };
    assert_eq!((topic.error_code, topic.partitions.len()), (0, 3));
    assert!(topic.partitions.iter().all(|partition| partition.error_code == 0 && partition.leader_id.0 == 1));
    let data = PartitionProduceData::default().with_index(2).with_records(Some(batch(&["x"])));
    let data = TopicProduceData::default().with_name(name("new").unwrap()).with_partition_data(vec![data]);
    let produce = ProduceRequest::default().with_acks(-1).with_topic_data(vec![data]);
    let response = client.call(produce, 9).await;
    assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
}

#[tokio::test]
async fn what_is_not_there_and_may_not_be_made_is_told() {
    let broker = TestBroker::start().await;
    broker.topic("a.b", 1, &[]);
    let mut client = broker.client().await;
    let unwanted = asking(&["none"]).with_allow_auto_topic_creation(false);
    assert_eq!(client.call(unwanted, 12).await.topics[0].error_code, 3);
    for (name, code) in [("a b", 17), ("", 17), ("a_b", 17), ("__brooklet_x", 3), ("__consumer_offsets", 3)] {
        assert_eq!(client.call(asking(&[name]), 12).await.topics[0].error_code, code, "{name}");
    }
    assert_eq!(broker.storage.topics().len(), 1);
}

#[tokio::test]
async fn topics_are_found_by_id() {
    let broker = TestBroker::start().await;
    let id = broker.topic("a", 1, &[]).id;
    let mut client = broker.client().await;
    for version in [12, 13] {
        let found = by_id(&mut client, id, version).await;
        assert_eq!((found.error_code, found.name, found.topic_id), (0, name("a"), id));
        let unknown = by_id(&mut client, Uuid::from_u128(7), version).await;
        assert_eq!((unknown.error_code, unknown.name, unknown.topic_id), (100, None, Uuid::from_u128(7)));
        assert_eq!(by_id(&mut client, Uuid::nil(), version).await.error_code, -1);
    }
    for version in [10, 11] {
        assert_eq!(by_id(&mut client, id, version).await.error_code, 42);
    }
}

#[tokio::test]
async fn all_operations_are_authorized() {
    let broker = TestBroker::start().await;
    broker.topic("a", 1, &[]);
    let mut client = broker.client().await;
    let request = asking(&["a"]);
    let response = client.call(request.clone(), 8).await;
    assert_eq!(response.cluster_authorized_operations, i32::MIN);
    assert_eq!(response.topics[0].topic_authorized_operations, i32::MIN);
    let request = request.with_include_topic_authorized_operations(true);
    assert_eq!(client.call(request.clone(), 12).await.topics[0].topic_authorized_operations, 3576);
    let response = client.call(request.with_include_cluster_authorized_operations(true), 8).await;
    assert_eq!(response.cluster_authorized_operations, 8096);
}

#[tokio::test]
async fn the_cluster_is_this_broker() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    for version in 0..=2 {
        let response = client.call(DescribeClusterRequest::default(), version).await;
        assert_eq!((response.error_code, response.controller_id.0), (0, 1));
        assert_eq!(response.cluster_id.as_str(), broker.storage.cluster_id());
        assert_eq!((response.brokers.len(), response.brokers[0].port), (1, i32::from(broker.addr.port())));
        assert_eq!(response.cluster_authorized_operations, i32::MIN);
    }
    let request = DescribeClusterRequest::default().with_include_cluster_authorized_operations(true);
    assert_eq!(client.call(request, 1).await.cluster_authorized_operations, 8096);
    for (endpoint_type, code) in [(2, 114), (0, 115), (3, 115)] {
        let response = client.call(DescribeClusterRequest::default().with_endpoint_type(endpoint_type), 1).await;
        assert_eq!((response.error_code, response.brokers.len()), (code, 0));
    }
}
