//! Topics as clients make, describe and delete them; messages and codes as a running Apache Kafka 4.2 gives them.
#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

mod common;

use brooklet_broker::BrokerConfig;
use common::{Client, TestBroker};
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResult;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    BrokerId, CreateTopicsRequest, DeleteTopicsRequest, DescribeConfigsRequest, MetadataRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn name(name: &str) -> TopicName {
    TopicName(text(name))
}

fn topic(named: &str, partitions: i32, replicas: i16) -> CreatableTopic {
    CreatableTopic::default().with_name(name(named)).with_num_partitions(partitions).with_replication_factor(replicas)
}

fn with_config(topic: CreatableTopic, configs: &[(&str, Option<&str>)]) -> CreatableTopic {
    let config = |(name, value): &(&str, Option<&str>)| {
        CreatableTopicConfig::default().with_name(text(name)).with_value(value.map(text))
    };
    topic.with_configs(configs.iter().map(config).collect())
}

fn assigned(named: &str, partitions: i32, replicas: i16, assignments: &[(i32, &[i32])]) -> CreatableTopic {
    let assignment = |(index, brokers): &(i32, &[i32])| {
        CreatableReplicaAssignment::default()
            .with_partition_index(*index)
            .with_broker_ids(brokers.iter().map(|id| BrokerId(*id)).collect())
    };
    topic(named, partitions, replicas).with_assignments(assignments.iter().map(assignment).collect())
}

async fn create(client: &mut Client, topics: Vec<CreatableTopic>, validate_only: bool) -> Vec<CreatableTopicResult> {
    let request =
        CreateTopicsRequest::default().with_topics(topics).with_validate_only(validate_only).with_timeout_ms(1000);
    client.call(request, 7).await.topics
}

async fn refusal(client: &mut Client, topic: CreatableTopic) -> (i16, String) {
    let [result] = create(client, vec![topic], false).await.try_into().unwrap();
    assert_eq!((result.num_partitions, result.replication_factor, result.topic_id), (-1, -1, Uuid::nil()));
    (result.error_code, result.error_message.unwrap_or_default().to_string())
}

#[tokio::test]
async fn a_topic_is_made_in_every_version() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    for version in 2..=7 {
        let named = format!("made{version}");
        let request = CreateTopicsRequest::default().with_topics(vec![topic(&named, 3, 1)]);
        let [result] = client.call(request, version).await.topics.try_into().unwrap();
        assert_eq!((result.error_code, result.error_message), (0, None));
        let made = broker.storage.topic(&named).unwrap();
        assert_eq!(made.partitions.len(), 3);
        if version >= 5 {
            assert_eq!((result.num_partitions, result.replication_factor), (3, 1));
            assert_eq!(result.configs.unwrap().len(), 33);
        }
        if version >= 7 {
            assert_eq!(result.topic_id, made.id);
        }
    }
}

#[tokio::test]
async fn minus_one_is_the_brokers_default() {
    let broker = TestBroker::start_with(BrokerConfig { default_partitions: 5, ..BrokerConfig::default() }).await;
    let [result] = create(&mut broker.client().await, vec![topic("t", -1, -1)], false).await.try_into().unwrap();
    assert_eq!((result.error_code, result.num_partitions, result.replication_factor), (0, 5, 1));
    assert_eq!(broker.storage.topic("t").unwrap().partitions.len(), 5);
}

#[tokio::test]
async fn what_cannot_be_made_is_refused_in_kafkas_words() {
    let broker = TestBroker::start().await;
    broker.topic("a.b", 1, &[]);
    let mut client = broker.client().await;
    let non_positive = "Number of partitions was set to an invalid non-positive value.";
    let replicas = "Replication factor must be larger than 0, or -1 to use the default value.";
    let sequence = "partitions should be a consecutive 0-based integer sequence";
    let cases: Vec<(CreatableTopic, i16, &str)> = vec![
        (topic("a.b", 1, 1), 36, "Topic 'a.b' already exists."),
        (topic("a_b", 1, 1), 17, "Topic 'a_b' collides with existing topic: a.b"),
        (topic("", 1, 1), 17, "Topic name is invalid: the empty string is not allowed"),
        (topic("__brooklet_x", 1, 1), 42, "Creation of internal topic __brooklet_x is prohibited."),
        (topic("t", 0, 1), 37, non_positive),
        (topic("t", -2, 1), 37, non_positive),
        (topic("t", 1, 0), 38, replicas),
        (topic("t", 1, -2), 38, replicas),
        (
            topic("t", 1, 3),
            38,
            "Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because \
             only 1 broker(s) are registered.",
        ),
        (topic("t", 10_001, 1), 44, "Excessively large number of partitions per request."),
        (
            with_config(topic("t", 1, 1), &[("retention.ms", None)]),
            40,
            "Null value not supported for topic configs: retention.ms",
        ),
        (
            with_config(topic("t", 1, 1), &[("retention.ms", Some("x"))]),
            40,
            "Invalid value x for configuration retention.ms: Not a number of type LONG",
        ),
        (with_config(topic("t", 1, 1), &[("no.such", Some("x"))]), 40, "Unknown topic config name: no.such"),
        (
            assigned("t", 2, -1, &[(0, &[1])]),
            42,
            "A manual partition assignment was specified, but numPartitions was not set to -1.",
        ),
        (
            assigned("t", -1, 1, &[(0, &[1])]),
            42,
            "A manual partition assignment was specified, but replication factor was not set to -1.",
        ),
        (assigned("t", -1, -1, &[(0, &[1]), (2, &[1])]), 39, sequence),
        (assigned("t", -1, -1, &[(1, &[1])]), 39, sequence),
        (
            assigned("t", -1, -1, &[(0, &[9])]),
            39,
            "The manual partition assignment includes broker 9, but no such broker is registered.",
        ),
        (
            assigned("t", -1, -1, &[(0, &[1, 1])]),
            39,
            "The manual partition assignment includes the broker 1 more than once.",
        ),
        (assigned("t", -1, -1, &[(0, &[])]), 39, "The manual partition assignment includes an empty replica list."),
        (
            assigned("t", -1, -1, &[(0, &[1]), (0, &[1])]),
            39,
            "Found multiple manual partition assignments for partition 0",
        ),
    ];
    for (wanted, code, message) in cases {
        assert_eq!(refusal(&mut client, wanted).await, (code, message.to_owned()));
    }
    let names: Vec<_> = broker.storage.topics().iter().map(|topic| topic.name.to_string()).collect();
    assert_eq!(names, ["a.b"]);
}

#[tokio::test]
async fn an_assignment_to_this_broker_says_how_many_partitions() {
    let broker = TestBroker::start().await;
    let wanted = assigned("t", -1, -1, &[(1, &[1]), (0, &[1])]);
    let [result] = create(&mut broker.client().await, vec![wanted], false).await.try_into().unwrap();
    assert_eq!((result.error_code, result.num_partitions), (0, 2));
}

#[tokio::test]
async fn a_name_that_comes_twice_fails_once_and_the_others_are_made() {
    let broker = TestBroker::start().await;
    let wanted = vec![topic("twice", 1, 1), topic("twice", 1, 1), topic("other", 1, 1)];
    let results = create(&mut broker.client().await, wanted, false).await;
    let codes: Vec<_> = results.iter().map(|result| (result.name.to_string(), result.error_code)).collect();
    assert_eq!(codes, [("other".to_owned(), 0), ("twice".to_owned(), 42)]);
    assert!(broker.storage.topic("twice").is_none());
}

#[tokio::test]
async fn validate_only_makes_nothing() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let [result] = create(&mut client, vec![topic("t", 4, 1)], true).await.try_into().unwrap();
    assert_eq!((result.error_code, result.num_partitions), (0, 4));
    assert!(broker.storage.topics().is_empty());
}

#[tokio::test]
async fn a_long_name_is_refused_in_versions_with_short_texts() {
    let broker = TestBroker::start().await;
    let request = CreateTopicsRequest::default().with_topics(vec![topic(&"x".repeat(32_000), 1, 1)]);
    let response = broker.client().await.call(request, 2).await;
    assert_eq!(response.topics[0].error_code, 17);
}

#[tokio::test]
async fn topics_are_deleted_by_name_and_by_id() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    for version in 1..=5 {
        let named = format!("t{version}");
        broker.topic(&named, 1, &[]);
        let request = DeleteTopicsRequest::default().with_topic_names(vec![name(&named), name("none")]);
        let response = client.call(request, version).await;
        let codes: Vec<_> =
            response.responses.iter().map(|it| (it.name.clone().unwrap().to_string(), it.error_code)).collect();
        assert_eq!(codes, [("none".to_owned(), 3), (named.clone(), 0)]);
        assert!(broker.storage.topic(&named).is_none());
    }
    let id = broker.topic("by-id", 1, &[]).id;
    let (both, both_id) = (name("both"), broker.topic("both", 1, &[]).id);
    let state = |name: Option<TopicName>, id| DeleteTopicState::default().with_name(name).with_topic_id(id);
    let request = DeleteTopicsRequest::default().with_topics(vec![
        state(None, id),
        state(None, Uuid::from_u128(9)),
        state(Some(both.clone()), both_id),
        state(None, Uuid::nil()),
    ]);
    let response = client.call(request, 6).await;
    let mut codes: Vec<_> = response
        .responses
        .into_iter()
        .map(|it| (it.error_code, it.topic_id, it.error_message.unwrap_or_default().to_string()))
        .collect();
    codes.sort();
    assert_eq!(
        codes,
        [
            (0, id, String::new()),
            (42, Uuid::nil(), "Neither topic name nor id were specified.".to_owned()),
            (42, both_id, "You may not specify both topic name and topic id.".to_owned()),
            (100, Uuid::from_u128(9), "This server does not host this topic ID.".to_owned()),
        ]
    );
    assert!(broker.storage.topic("both").is_some());
}

#[tokio::test]
async fn a_topic_that_is_named_twice_is_not_deleted() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let id = broker.topic("t", 1, &[]).id;
    let by_name = DeleteTopicState::default().with_name(Some(name("t")));
    let by_id = DeleteTopicState::default().with_name(None).with_topic_id(id);
    for (states, message) in [
        (vec![by_name.clone(), by_name.clone()], "Duplicate topic name."),
        (vec![by_id.clone(), by_id.clone()], "Duplicate topic id."),
        (vec![by_name, by_id], "The provided topic name maps to an ID that was already supplied."),
    ] {
        let response = client.call(DeleteTopicsRequest::default().with_topics(states), 6).await;
        let [result] = response.responses.try_into().unwrap();
        assert_eq!((result.error_code, result.error_message), (42, Some(text(message))));
    }
    assert!(broker.storage.topic("t").is_some());
}

async fn describe(
    client: &mut Client,
    version: i16,
    kind: i8,
    named: &str,
    keys: Option<&[&str]>,
) -> DescribeConfigsResult {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(named))
        .with_configuration_keys(keys.map(|keys| keys.iter().map(|key| text(key)).collect()));
    let request = DescribeConfigsRequest::default()
        .with_resources(vec![resource])
        .with_include_synonyms(true)
        .with_include_documentation(version >= 3);
    let [result] = client.call(request, version).await.results.try_into().unwrap();
    assert_eq!((result.resource_type, result.resource_name.as_str()), (kind, named));
    result
}

#[tokio::test]
async fn a_topics_settings_are_described_truthfully() {
    let broker = TestBroker::start().await;
    broker.topic("t", 1, &[("cleanup.policy", "compact"), ("retention.ms", "1000")]);
    let mut client = broker.client().await;
    for version in 1..=4 {
        let result = describe(&mut client, version, 2, "t", None).await;
        assert_eq!((result.error_code, result.configs.len()), (0, 33));
        let one = |name: &str| result.configs.iter().find(|config| config.name.as_str() == name).unwrap();
        let policy = one("cleanup.policy");
        assert_eq!((policy.value.as_deref(), policy.config_source), (Some("compact"), 1));
        let synonyms: Vec<_> =
            policy.synonyms.iter().map(|it| (it.name.as_str(), it.value.as_deref(), it.source)).collect();
        assert_eq!(synonyms, [("cleanup.policy", Some("compact"), 1), ("log.cleanup.policy", Some("delete"), 5)]);
        let size = one("segment.bytes");
        assert_eq!((size.value.as_deref(), size.config_source), (Some("1073741824"), 5));
        if version >= 3 {
            assert_eq!((policy.config_type, size.config_type), (7, 3));
            assert!(policy.documentation.as_ref().is_some_and(|doc| !doc.is_empty()));
        }
    }
    let result = describe(&mut client, 4, 2, "t", Some(&["retention.ms", "no.such"])).await;
    let names: Vec<_> = result.configs.iter().map(|config| config.name.as_str()).collect();
    assert_eq!(names, ["retention.ms"]);
}

#[tokio::test]
async fn the_brokers_settings_are_described() {
    let broker = TestBroker::start_with(BrokerConfig { default_partitions: 3, ..BrokerConfig::default() }).await;
    let mut client = broker.client().await;
    let result = describe(&mut client, 4, 4, "1", None).await;
    let value = |name: &str| result.configs.iter().find(|it| it.name.as_str() == name).unwrap().value.clone().unwrap();
    assert_eq!(value("num.partitions").as_str(), "3");
    assert_eq!(value("log.cleanup.policy").as_str(), "delete");
    assert_eq!(value("advertised.listeners").as_str(), format!("PLAINTEXT://{}", broker.addr));
    let mut names: Vec<_> = result.configs.iter().map(|config| config.name.to_string()).collect();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "a setting stands twice");
}

#[tokio::test]
async fn what_cannot_be_described_is_refused() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    for (kind, named, code, message) in [
        (2, "none", 3, ""),
        (2, "", 17, "Topic name is invalid: the empty string is not allowed"),
        (4, "2", 42, "Unexpected broker id, expected 1 or empty string, but received 2"),
        (4, "x", 42, "Broker id must be an integer, but it is: x"),
        (8, "", 42, "Broker id must not be empty"),
        (16, "", 42, "Client metrics subscription name must not be empty"),
        (32, "", 42, "Group name must not be empty"),
    ] {
        let result = describe(&mut client, 4, kind, named, None).await;
        assert_eq!((result.error_code, result.error_message.as_deref()), (code, Some(message)));
    }
    assert_eq!(describe(&mut client, 4, 99, "x", None).await.error_code, 42);
    assert_eq!(describe(&mut client, 4, 32, "g", None).await.error_code, 0);
}

#[tokio::test]
async fn one_response_tells_a_bounded_number_of_settings() {
    let broker = TestBroker::start().await;
    let group = DescribeConfigsResource::default().with_resource_type(32).with_resource_name(text("g"));
    let request = DescribeConfigsRequest::default().with_resources(vec![group; 30_000]);
    let response = broker.client().await.call(request, 4).await;
    let told: usize = response.results.iter().map(|result| result.configs.len()).sum();
    assert!(told <= 100_000, "{told}");
    assert_eq!((response.results.len(), response.results[0].error_code), (30_000, 0));
    assert_eq!(response.results[29_999].error_code, 44);
}

#[tokio::test]
async fn no_request_makes_more_topics_than_its_bound() {
    let broker = TestBroker::start_with(BrokerConfig { default_partitions: 2500, ..BrokerConfig::default() }).await;
    let mut client = broker.client().await;
    let topics: Vec<_> = (0..6).map(|it| topic(&format!("t{it}"), -1, -1)).collect();
    assert!(create(&mut client, topics, false).await.iter().all(|result| result.error_code == 44));
    let named = |it: i32| MetadataRequestTopic::default().with_name(Some(name(&format!("t{it}"))));
    let request = MetadataRequest::default().with_topics(Some((0..6).map(named).collect()));
    let response = client.call(request, 12).await;
    let codes: Vec<_> = response.topics.iter().map(|topic| topic.error_code).collect();
    assert_eq!(codes, [0, 0, 0, 0, 3, 3]);
    assert_eq!(broker.storage.topics().len(), 4);
}
