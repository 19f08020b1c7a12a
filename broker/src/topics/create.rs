//! From the wish for a topic to the topic (`org.apache.kafka.controller.ReplicationControlManager.createTopics`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use brooklet_storage::{CreateTopicError, NewTopic, Storage, Topic};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::BrokerId;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};

use super::{config, name};
use crate::BrokerConfig;
use crate::error::ApiError;
use crate::shared::{NODE_ID, Shared};

/// Stands for "the broker's default" in counts of partitions and replicas.
const DEFAULT: i32 = -1;

/// Checks all that Kafka checks, in its order, and says what topic is to be made.
pub(crate) fn plan(shared: &Shared, wanted: &CreatableTopic) -> Result<NewTopic, ApiError> {
    let wanted_name = wanted.name.as_str();
    if name::is_reserved(wanted_name) {
        let message = format!("Creation of internal topic {wanted_name} is prohibited.");
        return Err(ApiError::new(ResponseError::InvalidRequest, message));
    }
    name::validate(wanted_name).map_err(|message| ApiError::new(ResponseError::InvalidTopicException, message))?;
    if shared.storage.topic(wanted_name).is_some() {
        return Err(exists(wanted_name));
    }
    check_collision(&shared.storage, wanted_name)?;
    let overrides = overrides(&wanted.configs)?;
    config::validate(&overrides).map_err(|message| ApiError::new(ResponseError::InvalidConfig, message))?;
    let partitions = partitions(wanted, &shared.config)?;
    Ok(NewTopic { name: wanted_name.to_owned(), partitions, overrides, internal: false })
}

/// Makes the topic. It is durable and can be used when this returns.
pub(crate) async fn create(shared: &Shared, topic: NewTopic) -> Result<Arc<Topic>, ApiError> {
    let storage = Arc::clone(&shared.storage);
    let topic_name = topic.name.clone();
    let created = tokio::task::spawn_blocking(move || storage.create_topic(topic)).await;
    match created {
        Ok(Ok(topic)) => Ok(topic),
        Ok(Err(CreateTopicError::Exists(_))) => Err(exists(&topic_name)),
        Ok(Err(CreateTopicError::Config(error))) => Err(ApiError::new(ResponseError::InvalidConfig, error.to_string())),
        Ok(Err(error)) => {
            tracing::error!(topic = topic_name, %error, "a topic was not made");
            Err(ApiError::new(ResponseError::KafkaStorageError, error.to_string()))
        }
        Err(error) => {
            tracing::error!(topic = topic_name, %error, "making a topic ended early");
            Err(ApiError::from(ResponseError::UnknownServerError))
        }
    }
}

fn exists(name: &str) -> ApiError {
    ApiError::new(ResponseError::TopicAlreadyExists, format!("Topic '{name}' already exists."))
}

fn check_collision(storage: &Storage, wanted: &str) -> Result<(), ApiError> {
    if !wanted.contains(['.', '_']) {
        return Ok(());
    }
    match storage.topics().iter().find(|topic| name::collide(&topic.name, wanted)) {
        None => Ok(()),
        Some(other) => Err(ApiError::new(
            ResponseError::InvalidTopicException,
            format!("Topic '{wanted}' collides with existing topic: {}", other.name),
        )),
    }
}

/// The settings that the topic has of its own; of a repeated one the last counts.
fn overrides(configs: &[CreatableTopicConfig]) -> Result<BTreeMap<String, String>, ApiError> {
    let nulls: Vec<_> = configs.iter().filter(|it| it.value.is_none()).map(|it| it.name.as_str()).collect();
    if !nulls.is_empty() {
        let message = format!("Null value not supported for topic configs: {}", nulls.join(","));
        return Err(ApiError::new(ResponseError::InvalidConfig, message));
    }
    let pair = |it: &CreatableTopicConfig| (it.name.to_string(), it.value.as_ref().map(ToString::to_string));
    Ok(configs.iter().map(pair).filter_map(|(name, value)| Some((name, value?))).collect())
}

fn partitions(wanted: &CreatableTopic, config: &BrokerConfig) -> Result<i32, ApiError> {
    if !wanted.assignments.is_empty() {
        return assigned(wanted, config);
    }
    if wanted.replication_factor < 1 && i32::from(wanted.replication_factor) != DEFAULT {
        return Err(ApiError::new(
            ResponseError::InvalidReplicationFactor,
            "Replication factor must be larger than 0, or -1 to use the default value.",
        ));
    }
    let partitions = match wanted.num_partitions {
        DEFAULT => config.default_partitions,
        count if count > 0 => count,
        _ => {
            return Err(ApiError::new(
                ResponseError::InvalidPartitions,
                "Number of partitions was set to an invalid non-positive value.",
            ));
        }
    };
    if wanted.replication_factor > 1 && !config.clamp_replication {
        let message = format!(
            "Unable to replicate the partition {factor} time(s): The target replication factor of {factor} cannot be \
             reached because only 1 broker(s) are registered.",
            factor = wanted.replication_factor,
        );
        return Err(ApiError::new(ResponseError::InvalidReplicationFactor, message));
    }
    Ok(partitions)
}

/// Partitions of a topic whose replicas the client places itself: each can only be placed here.
fn assigned(wanted: &CreatableTopic, config: &BrokerConfig) -> Result<i32, ApiError> {
    let both = |what: &str| {
        let message = format!("A manual partition assignment was specified, but {what} was not set to -1.");
        Err(ApiError::new(ResponseError::InvalidRequest, message))
    };
    if i32::from(wanted.replication_factor) != DEFAULT {
        return both("replication factor");
    }
    if wanted.num_partitions != DEFAULT {
        return both("numPartitions");
    }
    let invalid = |message: String| ApiError::new(ResponseError::InvalidReplicaAssignment, message);
    let mut indexes = BTreeSet::new();
    for assignment in &wanted.assignments {
        let index = assignment.partition_index;
        if !indexes.insert(index) {
            return Err(invalid(format!("Found multiple manual partition assignments for partition {index}")));
        }
        check_replicas(&assignment.broker_ids, config).map_err(invalid)?;
    }
    if indexes.iter().zip(0..).any(|(index, expected)| *index != expected) {
        return Err(invalid("partitions should be a consecutive 0-based integer sequence".to_owned()));
    }
    i32::try_from(indexes.len()).map_err(|_| ResponseError::InvalidPartitions.into())
}

/// Checks where a client wants a partition's replicas: this broker, once, is all there is. With
/// [`clamp_replication`](BrokerConfig::clamp_replication) it stands for whatever brokers are named.
pub(crate) fn check_replicas(brokers: &[BrokerId], config: &BrokerConfig) -> Result<(), String> {
    let says = |what: String| Err(format!("The manual partition assignment includes {what}"));
    if brokers.is_empty() {
        return says("an empty replica list.".to_owned());
    }
    if let Some(unknown) = brokers.iter().find(|broker| **broker != NODE_ID && !config.clamp_replication) {
        return says(format!("broker {}, but no such broker is registered.", unknown.0));
    }
    let mut seen = BTreeSet::new();
    match brokers.iter().find(|broker| !seen.insert(**broker)) {
        Some(twice) => says(format!("the broker {} more than once.", twice.0)),
        None => Ok(()),
    }
}
