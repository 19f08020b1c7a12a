//! Metadata: topics, their partitions, and where to find them (`KafkaApis.handleTopicMetadataRequest`).
//!
//! A topic that is made here on first use can be written to at once, so no client sees LEADER_NOT_AVAILABLE.

use std::collections::BTreeSet;
use std::sync::Arc;

use brooklet_model::TopicId;
use brooklet_storage::Topic;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{BrokerId, MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::{authorized, topic_name};
use crate::reply::{self, Reply};
use crate::shared::{Call, NODE_ID, Shared};
use crate::topics;

/// First version in which a topic may be named by its id (KIP-516); 10 and 11 have the fields but refuse them.
const TOPIC_IDS_MIN: i16 = 12;
const TOPIC_ID_FIELDS_MIN: i16 = 10;

/// In version 0 no topics means all; later null means all, and no topics means none.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: MetadataRequest) -> Reply {
    if request.topics.is_none() && call.version == 0 {
        // Kafka does not decode it.
        return Reply::Close;
    }
    let response = describe(shared, call, request).await;
    reply::encode(&response, call.version).unwrap_or_else(|error| {
        tracing::error!(%error, "a metadata response does not encode");
        Reply::Close
    })
}

async fn describe(shared: &Shared, call: &Call, request: MetadataRequest) -> MetadataResponse {
    let may_create = request.allow_auto_topic_creation;
    let asked = match request.topics {
        Some(topics) if topics.is_empty() && call.version == 0 => None,
        topics => topics,
    };
    let mut topics = match asked {
        None => shared.storage.topics().iter().map(|topic| described(topic)).collect(),
        Some(asked) => match refusal(&asked, call.version) {
            Some(error) => return refused(asked, error, call.version),
            None if asked.iter().any(|topic| !topic.topic_id.is_nil()) => by_id(shared, &asked),
            None => by_name(shared, asked, may_create).await,
        },
    };
    if request.include_topic_authorized_operations {
        let known = topics.iter_mut().filter(|topic| topic.error_code != ResponseError::UnknownTopicId.code());
        known.for_each(|topic| topic.topic_authorized_operations = authorized::TOPIC);
    }
    let broker = MetadataResponseBroker::default()
        .with_node_id(NODE_ID)
        .with_host(shared.host.clone())
        .with_port(shared.port.into());
    let response = MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_cluster_id(Some(StrBytes::from_string(shared.storage.cluster_id().to_owned())))
        .with_controller_id(NODE_ID)
        .with_topics(topics);
    if request.include_cluster_authorized_operations {
        return response.with_cluster_authorized_operations(authorized::CLUSTER);
    }
    response
}

/// What is wrong with the request as a whole.
fn refusal(asked: &[MetadataRequestTopic], version: i16) -> Option<ResponseError> {
    let nameless = |topic: &MetadataRequestTopic| topic.name.is_none();
    if version < TOPIC_IDS_MIN {
        let refused = version >= TOPIC_ID_FIELDS_MIN && asked.iter().any(|it| nameless(it) || !it.topic_id.is_nil());
        return refused.then_some(ResponseError::InvalidRequest);
    }
    asked.iter().any(|it| nameless(it) && it.topic_id.is_nil()).then_some(ResponseError::UnknownServerError)
}

/// The whole request's error on each of its topics.
fn refused(asked: Vec<MetadataRequestTopic>, error: ResponseError, version: i16) -> MetadataResponse {
    let topic = |asked: MetadataRequestTopic| {
        MetadataResponseTopic::default()
            .with_error_code(error.code())
            .with_name(Some(asked.name.unwrap_or_default()))
            .with_topic_id(asked.topic_id)
    };
    let response = MetadataResponse::default()
        .with_controller_id(BrokerId(-1))
        .with_cluster_id(None)
        .with_topics(asked.into_iter().map(topic).collect());
    if version >= 13 { response.with_error_code(error.code()) } else { response }
}

/// Where one topic is named by its id all are: a mere name is passed over, as Kafka does.
fn by_id(shared: &Shared, asked: &[MetadataRequestTopic]) -> Vec<MetadataResponseTopic> {
    let ids: BTreeSet<TopicId> = asked.iter().map(|topic| topic.topic_id).filter(|id| !id.is_nil()).collect();
    let topic = |id| match shared.storage.topic_by_id(id) {
        Some(topic) => described(&topic),
        None => failed(None, ResponseError::UnknownTopicId).with_topic_id(id),
    };
    ids.into_iter().map(topic).collect()
}

async fn by_name(shared: &Shared, asked: Vec<MetadataRequestTopic>, may_create: bool) -> Vec<MetadataResponseTopic> {
    let mut seen = BTreeSet::new();
    let mut topics = Vec::with_capacity(asked.len());
    let mut creatable = topics::PARTITIONS_MAX / i64::from(shared.config.default_partitions.max(1));
    for name in asked.into_iter().filter_map(|topic| topic.name) {
        if !seen.insert(name.clone()) {
            continue;
        }
        topics.push(match find_or_create(shared, &name, may_create, &mut creatable).await {
            Ok(topic) => described(&topic),
            Err(error) => failed(Some(name), error),
        });
    }
    topics
}

/// Makes no more than `creatable` topics.
async fn find_or_create(
    shared: &Shared,
    name: &TopicName,
    may_create: bool,
    creatable: &mut i64,
) -> Result<Arc<Topic>, ResponseError> {
    if let Some(topic) = shared.storage.topic(name) {
        return Ok(topic);
    }
    if topics::name::validate(name).is_err() {
        return Err(ResponseError::InvalidTopicException);
    }
    if !may_create || *creatable == 0 || topics::name::is_reserved(name) {
        return Err(ResponseError::UnknownTopicOrPartition);
    }
    *creatable -= 1;
    let wanted = CreatableTopic::default().with_name(name.clone()).with_num_partitions(-1).with_replication_factor(-1);
    let created = match topics::plan(shared, &wanted) {
        Ok(new) => topics::create(shared, new).await,
        Err(error) => Err(error),
    };
    // Another client may have been faster.
    created.or_else(|error| shared.storage.topic(name).ok_or_else(|| error.kind()))
}

fn described(topic: &Topic) -> MetadataResponseTopic {
    let partition = |(index, log): (i32, &Arc<brooklet_storage::PartitionLog>)| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(NODE_ID)
            .with_leader_epoch(log.leader_epoch().0)
            .with_replica_nodes(vec![NODE_ID])
            .with_isr_nodes(vec![NODE_ID])
    };
    MetadataResponseTopic::default()
        .with_name(Some(topic_name(&topic.name)))
        .with_topic_id(topic.id)
        .with_is_internal(topic.internal)
        .with_partitions((0..).zip(&topic.partitions).map(partition).collect())
        .with_topic_authorized_operations(authorized::NOT_ASKED)
}

fn failed(name: Option<TopicName>, error: ResponseError) -> MetadataResponseTopic {
    MetadataResponseTopic::default().with_error_code(error.code()).with_name(name)
}
