//! Topics as clients change them; messages and codes as a running Apache Kafka 4.2 gives them.
#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

mod common;

use brooklet_model::Batch;
use common::{Client, TestBroker, batch};
use kafka_protocol::messages::create_partitions_request::{CreatePartitionsAssignment, CreatePartitionsTopic};
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{
    AlterConfigsRequest, BrokerId, CreatePartitionsRequest, DeleteRecordsRequest, IncrementalAlterConfigsRequest,
    TopicName, alter_configs_request,
};
use kafka_protocol::protocol::StrBytes;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

/// A setting's name, what is done to it, a value.
type Change<'a> = (&'a str, i8, Option<&'a str>);
/// A resource's kind and name, changes, the code and message they are refused with.
type Refusal<'a> = (i8, &'a str, &'a [Change<'a>], i16, &'a str);
/// Changes, and what the topic sets for itself after them.
type Step<'a> = (&'a [Change<'a>], &'a [(&'a str, &'a str)]);

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn resource(kind: i8, name: &str, configs: &[Change<'_>]) -> AlterConfigsResource {
    let config = |&(name, operation, value): &Change<'_>| {
        AlterableConfig::default().with_name(text(name)).with_config_operation(operation).with_value(value.map(text))
    };
    AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configs(configs.iter().map(config).collect())
}

async fn alter(client: &mut Client, resources: Vec<AlterConfigsResource>, validate_only: bool) -> Vec<(i16, String)> {
    let request = IncrementalAlterConfigsRequest::default().with_resources(resources).with_validate_only(validate_only);
    let responses = client.call(request, 1).await.responses;
    responses.into_iter().map(|it| (it.error_code, it.error_message.unwrap_or_default().to_string())).collect()
}

fn overrides(broker: &TestBroker) -> Vec<(String, String)> {
    broker.storage.topic("t").unwrap().overrides.clone().into_iter().collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn settings_are_changed_one_by_one() {
    let broker = TestBroker::start().await;
    broker.topic("t", 1, &[("segment.ms", "1000")]);
    let mut client = broker.client().await;
    let steps: [Step<'_>; 6] = [
        (&[("retention.ms", SET, Some("5")), ("segment.ms", DELETE, None)], &[("retention.ms", "5")]),
        (
            &[("cleanup.policy", APPEND, Some("compact"))],
            &[("cleanup.policy", "delete,compact"), ("retention.ms", "5")],
        ),
        (
            &[("cleanup.policy", APPEND, Some("compact"))],
            &[("cleanup.policy", "delete,compact"), ("retention.ms", "5")],
        ),
        (&[("cleanup.policy", SUBTRACT, Some("delete"))], &[("cleanup.policy", "compact"), ("retention.ms", "5")]),
        (&[("retention.ms", DELETE, Some("7")), ("none", DELETE, None)], &[("cleanup.policy", "compact")]),
        (&[], &[("cleanup.policy", "compact")]),
    ];
    for (changes, expected) in steps {
        assert_eq!(alter(&mut client, vec![resource(2, "t", changes)], false).await, [(0, String::new())]);
        assert_eq!(overrides(&broker), pairs(expected));
    }
    assert!(broker.storage.topic("t").unwrap().config.cleanup_policy.compact);
    assert_eq!(
        alter(&mut client, vec![resource(2, "t", &[("retention.ms", SET, Some("9"))])], true).await,
        [(0, String::new())]
    );
    assert_eq!(overrides(&broker), pairs(&[("cleanup.policy", "compact")]));
}

#[tokio::test]
async fn changes_that_cannot_be_are_refused_whole() {
    let broker = TestBroker::start().await;
    broker.topic("t", 1, &[]);
    let mut client = broker.client().await;
    let cases: [Refusal<'_>; 12] = [
        (
            2,
            "t",
            &[("segment.ms", SET, Some("5")), ("retention.ms", SET, Some("x"))],
            40,
            "Invalid value x for configuration retention.ms: Not a number of type LONG",
        ),
        (2, "t", &[("zzz", SET, Some("x"))], 40, "Unknown topic config name: zzz"),
        (2, "t", &[("retention.ms", SET, None)], 42, "Null value not supported for : retention.ms"),
        (
            2,
            "t",
            &[("retention.ms", APPEND, Some("5"))],
            40,
            "Can't APPEND to key retention.ms because its type is not LIST.",
        ),
        (
            2,
            "t",
            &[("retention.ms", SET, Some("5")), ("retention.ms", SET, Some("6"))],
            42,
            "Error due to duplicate config keys",
        ),
        // Kafka fails on it.
        (2, "t", &[("retention.ms", 9, Some("5"))], -1, ""),
        (2, "none", &[("retention.ms", SET, Some("5"))], 3, "The topic 'none' does not exist."),
        (2, "", &[("retention.ms", SET, Some("5"))], 42, "Default topic resources are not allowed."),
        (4, "x", &[("a", SET, Some("5"))], 42, "Node id must be an integer, but it is: x"),
        (4, "2", &[("a", SET, Some("5"))], 42, "Unexpected broker id, expected 1, but received 2"),
        (
            4,
            "1",
            &[("num.partitions", SET, Some("5"))],
            42,
            "Cannot update these configs dynamically: Set(num.partitions)",
        ),
        (99, "x", &[("a", SET, Some("5"))], 42, "Unknown resource type 99"),
    ];
    for (kind, name, changes, code, message) in cases {
        assert_eq!(alter(&mut client, vec![resource(kind, name, changes)], false).await, [(code, message.to_owned())]);
    }
    let twice = resource(2, "t", &[("retention.ms", SET, Some("5"))]);
    let told = alter(&mut client, vec![twice.clone(), twice], false).await;
    assert_eq!(told, vec![(42, "Each resource must appear at most once.".to_owned()); 2]);
    assert_eq!(overrides(&broker), []);
}

#[tokio::test]
async fn settings_are_replaced() {
    let broker = TestBroker::start().await;
    broker.topic("t", 1, &[("segment.ms", "1000")]);
    let mut client = broker.client().await;
    for version in 0..=2 {
        let value = version.to_string();
        let config = alter_configs_request::AlterableConfig::default()
            .with_name(text("retention.ms"))
            .with_value(Some(text(&value)));
        let resource = alter_configs_request::AlterConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text("t"))
            .with_configs(vec![config]);
        let request = AlterConfigsRequest::default().with_resources(vec![resource]);
        assert_eq!(client.call(request, version).await.responses[0].error_code, 0);
        assert_eq!(overrides(&broker), pairs(&[("retention.ms", &value)]));
    }
}

async fn grow(client: &mut Client, version: i16, count: i32, assigned: Option<&[&[i32]]>) -> (i16, String) {
    let assignment = |brokers: &&[i32]| {
        CreatePartitionsAssignment::default().with_broker_ids(brokers.iter().map(|id| BrokerId(*id)).collect())
    };
    let topic = CreatePartitionsTopic::default()
        .with_name(TopicName(text("t")))
        .with_count(count)
        .with_assignments(assigned.map(|assigned| assigned.iter().map(assignment).collect()));
    let request = CreatePartitionsRequest::default().with_topics(vec![topic]).with_timeout_ms(1000);
    let [result] = client.call(request, version).await.results.try_into().unwrap();
    (result.error_code, result.error_message.unwrap_or_default().to_string())
}

#[tokio::test]
async fn a_topic_gets_more_partitions() {
    let broker = TestBroker::start().await;
    broker.topic("t", 1, &[]);
    let mut client = broker.client().await;
    for version in 0..=3 {
        let count = 2 + i32::from(version);
        assert_eq!(grow(&mut client, version, count, None).await, (0, String::new()));
        assert_eq!(broker.storage.topic("t").unwrap().partitions.len(), count as usize);
    }
    assert_eq!(grow(&mut client, 3, 6, Some(&[&[1]])).await.0, 0);
    let few = "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.";
    let unknown = "The manual partition assignment includes broker 9, but no such broker is registered.";
    assert_eq!(grow(&mut client, 3, 6, None).await, (37, "Topic already has 6 partition(s).".to_owned()));
    let fewer = "The topic t currently has 6 partition(s); 3 would not be an increase.";
    assert_eq!(grow(&mut client, 3, 3, None).await, (37, fewer.to_owned()));
    assert_eq!(grow(&mut client, 3, 8, Some(&[&[1]])).await, (39, few.to_owned()));
    assert_eq!(grow(&mut client, 3, 7, Some(&[&[9]])).await, (39, unknown.to_owned()));
    // Kafka has no better word for it.
    assert_eq!(grow(&mut client, 3, 20_000, None).await.0, -1);
    assert_eq!(broker.storage.topic("t").unwrap().partitions.len(), 6);
}

async fn cut(client: &mut Client, version: i16, topic: &str, partition: i32, offset: i64) -> (i16, i64) {
    let asked = DeleteRecordsPartition::default().with_partition_index(partition).with_offset(offset);
    let asked = DeleteRecordsTopic::default().with_name(TopicName(text(topic))).with_partitions(vec![asked]);
    let request = DeleteRecordsRequest::default().with_topics(vec![asked]).with_timeout_ms(1000);
    let response = client.call(request, version).await;
    let told = &response.topics[0].partitions[0];
    (told.error_code, told.low_watermark)
}

#[tokio::test]
async fn records_are_deleted_from_the_start() {
    let broker = TestBroker::start().await;
    let topic = broker.topic("t", 1, &[]);
    broker.topic("compacted", 1, &[("cleanup.policy", "compact")]);
    for _ in 0..2 {
        topic.partitions[0].append(Batch::parse(&batch(&["a", "b", "c"])).unwrap()).unwrap();
    }
    let mut client = broker.client().await;
    for version in 0..=2 {
        assert_eq!(cut(&mut client, version, "t", 0, 2).await, (0, 2));
    }
    assert_eq!(cut(&mut client, 2, "t", 0, 1).await, (0, 2));
    assert_eq!(cut(&mut client, 2, "t", 0, 7).await, (1, -1));
    assert_eq!(cut(&mut client, 2, "t", 0, -2).await, (1, -1));
    assert_eq!(cut(&mut client, 2, "t", 5, 0).await, (3, -1));
    assert_eq!(cut(&mut client, 2, "none", 0, 0).await, (3, -1));
    assert_eq!(cut(&mut client, 2, "compacted", 0, 0).await, (44, -1));
    assert_eq!(cut(&mut client, 2, "t", 0, -1).await, (0, 6));
    assert_eq!(topic.partitions[0].log_start_offset().0, 6);
}
