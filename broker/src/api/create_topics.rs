//! CreateTopics (`ControllerApis.createTopics`, KIP-4, KIP-525): a topic that is answered without an error can be
//! written to at once.

use std::collections::BTreeSet;

use brooklet_model::TopicId;
use brooklet_storage::NewTopic;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::{CreateTopicsRequest, CreateTopicsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::configs::broker::BrokerSettings;
use crate::configs::{self, Told};
use crate::error::ApiError;
use crate::shared::{Call, Shared};
use crate::topics;
use crate::topics::config::Source;

/// What was made, or would be.
struct Created {
    id: TopicId,
    partitions: i32,
    configs: Vec<Told>,
}

/// Each topic succeeds or fails for itself; a name that comes twice fails once for all.
pub(crate) async fn handle(shared: &Shared, _call: &Call, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let (mut seen, mut repeated) = (BTreeSet::new(), BTreeSet::new());
    for topic in &request.topics {
        if !seen.insert(&topic.name) {
            repeated.insert(topic.name.clone());
        }
    }
    let partitions: i64 = request.topics.iter().map(|topic| wanted_partitions(shared, topic)).sum();
    // All are checked before one is made: names of one request do not collide with each other.
    let plan = |topic: &CreatableTopic| {
        let too_many = partitions > topics::PARTITIONS_MAX;
        let message = "Excessively large number of partitions per request.";
        let planned = if too_many {
            Err(ApiError::new(ResponseError::PolicyViolation, message))
        } else {
            topics::plan(shared, topic)
        };
        (topic.name.clone(), planned)
    };
    let planned: Vec<_> = request.topics.iter().filter(|topic| !repeated.contains(&topic.name)).map(plan).collect();
    let mut results = Vec::with_capacity(request.topics.len());
    for (name, planned) in planned {
        let created = match planned {
            Ok(new) => create(shared, new, request.validate_only).await,
            Err(error) => Err(error),
        };
        results.push(result(name, created));
    }
    let twice = || Err(ApiError::new(ResponseError::InvalidRequest, "Duplicate topic name."));
    results.extend(repeated.into_iter().map(|name| result(name, twice())));
    CreateTopicsResponse::default().with_topics(results)
}

fn wanted_partitions(shared: &Shared, topic: &CreatableTopic) -> i64 {
    if !topic.assignments.is_empty() {
        return topic.assignments.len() as i64;
    }
    match topic.num_partitions {
        -1 => shared.config.default_partitions.into(),
        // Topics are bounded too.
        count => count.max(1).into(),
    }
}

/// A topic that is only validated is told an id, too, as in Kafka.
async fn create(shared: &Shared, new: NewTopic, validate_only: bool) -> Result<Created, ApiError> {
    let mut configs = configs::topic::told(&new.overrides, &BrokerSettings::kept(&shared.storage), |_| true);
    for own in configs.iter_mut().filter(|own| own.source == Source::Topic) {
        // As it was given.
        own.value = new.overrides.get(&*own.name).cloned();
    }
    let partitions = new.partitions;
    let id = if validate_only { TopicId::new_v4() } else { topics::create(shared, new).await?.id };
    Ok(Created { id, partitions, configs })
}

fn result(name: TopicName, created: Result<Created, ApiError>) -> CreatableTopicResult {
    let result = CreatableTopicResult::default().with_name(name).with_error_message(None);
    match created {
        Ok(created) => {
            let mut configs: Vec<_> = created.configs.into_iter().map(config).collect();
            configs.sort_by(|one, other| one.name.cmp(&other.name));
            result
                .with_topic_id(created.id)
                .with_num_partitions(created.partitions)
                .with_replication_factor(1)
                .with_configs(Some(configs))
        }
        Err(error) => result.with_error_code(error.code()).with_error_message(error.message()),
    }
}

fn config(told: Told) -> CreatableTopicConfigs {
    CreatableTopicConfigs::default()
        .with_name(StrBytes::from_string(told.name.into_owned()))
        .with_value(told.value.map(StrBytes::from_string))
        .with_config_source(told.source as i8)
}
