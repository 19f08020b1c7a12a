//! Settings of the broker that are changed while it runs: kept over a restart, and with effect.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::path::Path;
use std::sync::Arc;

use brooklet_broker::BrokerConfig;
use brooklet_storage::{NewTopic, Storage, StorageConfig};
use common::{Client, TestBroker};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{DescribeConfigsRequest, IncrementalAlterConfigsRequest, MetadataRequest};
use kafka_protocol::protocol::StrBytes;

const BROKER: i8 = 4;
const GROUP: i8 = 32;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

async fn set(client: &mut Client, kind: i8, resource: &str, name: &str, value: &str) -> i16 {
    let config = AlterableConfig::default().with_name(text(name)).with_value(Some(text(value)));
    let resource = AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(resource))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    client.call(request, 1).await.responses[0].error_code
}

/// Value and source.
async fn told(client: &mut Client, kind: i8, resource: &str, name: &str) -> (Option<String>, i8) {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(resource))
        .with_configuration_keys(Some(vec![text(name)]));
    let answer = client.call(DescribeConfigsRequest::default().with_resources(vec![resource]), 4).await;
    let config = &answer.results[0].configs[0];
    (config.value.as_ref().map(ToString::to_string), config.config_source)
}

fn open(folder: &Path) -> Arc<Storage> {
    Storage::open(StorageConfig::new(folder)).unwrap()
}

#[tokio::test]
async fn settings_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path());
    storage.create_topic(NewTopic::new("t", 1)).unwrap();
    let broker = TestBroker::start_on(BrokerConfig::default(), Arc::clone(&storage)).await;
    let mut client = broker.client().await;
    for (kind, resource, name, value) in [
        (BROKER, "", "log.retention.ms", "5000"),
        (BROKER, "1", "num.io.threads", "16"),
        (BROKER, "1", "what.is.this", "x"),
        (GROUP, "g", "share.isolation.level", "read_committed"),
    ] {
        assert_eq!(set(&mut client, kind, resource, name, value).await, 0, "{name}");
    }
    drop(client);
    broker.stop().await;
    storage.shutdown().await.unwrap();
    drop(storage);
    let broker = TestBroker::start_on(BrokerConfig::default(), open(folder.path())).await;
    let mut client = broker.client().await;
    assert_eq!(told(&mut client, BROKER, "1", "log.retention.ms").await, (Some("5000".to_owned()), 3));
    assert_eq!(told(&mut client, BROKER, "1", "num.io.threads").await, (Some("16".to_owned()), 2));
    assert_eq!(told(&mut client, BROKER, "1", "what.is.this").await, (None, 2));
    assert_eq!(told(&mut client, GROUP, "g", "share.isolation.level").await, (Some("read_committed".to_owned()), 8));
    assert_eq!(broker.storage.topic("t").unwrap().config.retention_ms, 5000);
    // Kafka's word for "without limit" on a broker.
    assert_eq!(set(&mut client, BROKER, "", "log.retention.ms", "-7").await, 0);
    assert_eq!(broker.storage.topic("t").unwrap().config.retention_ms, -1);
}

#[tokio::test]
async fn connections_are_bounded_as_set() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    assert_eq!(set(&mut client, BROKER, "1", "max.connections", "1").await, 0);
    let mut refused = broker.client().await;
    assert_eq!(refused.receive_raw().await, None);
    assert_eq!(set(&mut client, BROKER, "1", "max.connections", "2").await, 0);
    broker.client().await.call(MetadataRequest::default(), 12).await;
    assert_eq!(set(&mut client, BROKER, "1", "max.connections", "0").await, 42);
}

#[tokio::test]
async fn one_response_tells_a_bounded_number_of_bytes() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    assert_eq!(set(&mut client, BROKER, "1", "max.connections.per.ip.overrides", &"a:1,".repeat(8_000)).await, 0);
    let resource = DescribeConfigsResource::default()
        .with_resource_type(BROKER)
        .with_resource_name(text("1"))
        .with_configuration_keys(Some(vec![text("max.connections.per.ip.overrides")]));
    let request = DescribeConfigsRequest::default().with_resources(vec![resource; 5_000]);
    let answer = client.call(request, 4).await;
    let told = answer.results.iter().flat_map(|result| &result.configs);
    let bytes: usize = told.map(|config| config.value.as_ref().map_or(0, |value| value.len())).sum();
    assert!((32 << 20..64 << 20).contains(&bytes), "{bytes}");
    assert_eq!((answer.results[0].error_code, answer.results[4_999].error_code), (0, 44));
}
