//! CreatePartitions: more partitions for a topic (`ReplicationControlManager.createPartitions`, KIP-195).

use std::collections::BTreeSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse, TopicName};

use crate::error::ApiError;
use crate::shared::{Call, Shared};
use crate::topics;

/// Each topic succeeds or fails for itself; a name that comes twice fails once for all.
pub(crate) async fn handle(
    shared: &Shared,
    _call: &Call,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let (mut seen, mut repeated) = (BTreeSet::new(), BTreeSet::new());
    for topic in &request.topics {
        if !seen.insert(&topic.name) {
            repeated.insert(topic.name.clone());
        }
    }
    let twice = |name: &TopicName| {
        let error = ApiError::new(ResponseError::InvalidRequest, "Duplicate topic name.");
        result(name.clone(), Err(error))
    };
    let mut results: Vec<_> = repeated.iter().map(twice).collect();
    let mut left = topics::PARTITIONS_MAX;
    for topic in request.topics.iter().filter(|topic| !repeated.contains(&topic.name)) {
        let outcome = create(shared, topic, request.validate_only, &mut left).await;
        results.push(result(topic.name.clone(), outcome));
    }
    CreatePartitionsResponse::default().with_results(results)
}

fn result(name: TopicName, outcome: Result<(), ApiError>) -> CreatePartitionsTopicResult {
    let result = CreatePartitionsTopicResult::default().with_name(name).with_error_message(None);
    match outcome {
        Ok(()) => result,
        Err(error) => result.with_error_code(error.code()).with_error_message(error.message()),
    }
}

/// Takes the partitions that are added off `left`.
async fn create(
    shared: &Shared,
    wanted: &CreatePartitionsTopic,
    validate_only: bool,
    left: &mut i64,
) -> Result<(), ApiError> {
    let topic = shared.storage.topic(&wanted.name).ok_or(ResponseError::UnknownTopicOrPartition)?;
    if topic.internal {
        let message = format!("The partitions of the internal topic {} are fixed.", topic.name);
        return Err(ApiError::new(ResponseError::InvalidRequest, message));
    }
    let (present, name) = (topic.partitions.len() as i64, Arc::clone(&topic.name));
    let added = i64::from(wanted.count) - present;
    if added <= 0 {
        let message = match added {
            0 => format!("Topic already has {present} partition(s)."),
            _ => format!(
                "The topic {name} currently has {present} partition(s); {} would not be an increase.",
                wanted.count
            ),
        };
        return Err(ApiError::new(ResponseError::InvalidPartitions, message));
    }
    if let Some(assignments) = &wanted.assignments {
        let invalid = |message| ApiError::new(ResponseError::InvalidReplicaAssignment, message);
        if assignments.len() as i64 != added {
            return Err(invalid(format!(
                "Attempted to add {added} additional partition(s), but only {} assignment(s) were specified.",
                assignments.len()
            )));
        }
        let check = |replicas| topics::check_replicas(replicas, &shared.config).map_err(invalid);
        assignments.iter().try_for_each(|assignment| check(&assignment.broker_ids))?;
    }
    if added > *left {
        // Kafka runs into its bound on the records of a batch, and says no more.
        return Err(ResponseError::UnknownServerError.into());
    }
    *left -= added;
    if validate_only {
        return Ok(());
    }
    let (storage, count) = (Arc::clone(&shared.storage), wanted.count);
    match tokio::task::spawn_blocking(move || storage.create_partitions(&name, count)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(topics::alter_error(&error)),
        Err(error) => {
            tracing::error!(topic = %topic.name, %error, "adding partitions ended early");
            Err(ResponseError::UnknownServerError.into())
        }
    }
}
