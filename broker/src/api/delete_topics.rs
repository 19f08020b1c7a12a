//! DeleteTopics (`ControllerApis.deleteTopics`, KIP-516): by name, and from version 6 by id.

use std::collections::BTreeSet;
use std::sync::Arc;

use brooklet_model::TopicId;
use brooklet_storage::{DeleteTopicError, Topic};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};

use crate::error::ApiError;
use crate::shared::{Call, Shared};

/// First version that sends structures rather than names.
const STATES_MIN: i16 = 6;

/// Each topic succeeds or fails for itself; one that is named twice is not deleted.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let named = |name: TopicName| DeleteTopicState::default().with_name(Some(name));
    let states =
        if call.version >= STATES_MIN { request.topics } else { request.topic_names.into_iter().map(named).collect() };
    let mut results = Vec::with_capacity(states.len());
    let (mut seen, mut repeated) = (BTreeSet::new(), BTreeSet::new());
    for state in &states {
        if !seen.insert((state.name.clone(), state.topic_id)) {
            repeated.insert((state.name.clone(), state.topic_id));
        }
    }
    let mut chosen: Vec<Arc<Topic>> = Vec::with_capacity(states.len());
    for state in states.into_iter().filter(|state| !repeated.contains(&(state.name.clone(), state.topic_id))) {
        match find(shared, &state) {
            Ok(topic) => chosen.push(topic),
            Err(error) => results.push(result(state.name, state.topic_id, Err(error))),
        }
    }
    results.extend(repeated.into_iter().map(|(name, id)| {
        let what = if name.is_some() { "Duplicate topic name." } else { "Duplicate topic id." };
        result(name, id, Err(ApiError::new(ResponseError::InvalidRequest, what)))
    }));
    let mut ids = BTreeSet::new();
    let named_twice: BTreeSet<_> = chosen.iter().filter(|topic| !ids.insert(topic.id)).map(|topic| topic.id).collect();
    for topic in chosen {
        let outcome = if named_twice.contains(&topic.id) {
            if !ids.remove(&topic.id) {
                continue;
            }
            let message = "The provided topic name maps to an ID that was already supplied.";
            Err(ApiError::new(ResponseError::InvalidRequest, message))
        } else {
            delete(shared, &topic).await
        };
        results.push(result(Some(topic_name(&topic)), topic.id, outcome));
    }
    DeleteTopicsResponse::default().with_responses(results)
}

fn topic_name(topic: &Topic) -> TopicName {
    crate::api::topic_name(&topic.name)
}

fn find(shared: &Shared, state: &DeleteTopicState) -> Result<Arc<Topic>, ApiError> {
    let invalid = |message: &'static str| Err(ApiError::new(ResponseError::InvalidRequest, message));
    let topic = match &state.name {
        Some(_) if !state.topic_id.is_nil() => return invalid("You may not specify both topic name and topic id."),
        None if state.topic_id.is_nil() => return invalid("Neither topic name nor id were specified."),
        Some(name) => shared.storage.topic(name).ok_or(ResponseError::UnknownTopicOrPartition),
        None => shared.storage.topic_by_id(state.topic_id).ok_or(ResponseError::UnknownTopicId),
    };
    let topic = topic.map_err(ApiError::with_kafkas_words)?;
    if topic.internal {
        let message = format!("Deletion of internal topic {} is prohibited.", topic.name);
        return Err(ApiError::new(ResponseError::InvalidRequest, message));
    }
    Ok(topic)
}

async fn delete(shared: &Shared, topic: &Topic) -> Result<(), ApiError> {
    let (storage, name) = (Arc::clone(&shared.storage), Arc::clone(&topic.name));
    match tokio::task::spawn_blocking(move || storage.delete_topic(&name)).await {
        Ok(Ok(())) => {
            shared.coordinators.topic_deleted(&topic.name).await;
            Ok(())
        }
        Ok(Err(DeleteTopicError::Unknown(_))) => {
            Err(ApiError::with_kafkas_words(ResponseError::UnknownTopicOrPartition))
        }
        Ok(Err(error)) => {
            tracing::error!(topic = %topic.name, %error, "a topic was not deleted");
            Err(ApiError::new(ResponseError::KafkaStorageError, error.to_string()))
        }
        Err(error) => {
            tracing::error!(topic = %topic.name, %error, "deleting a topic ended early");
            Err(ApiError::from(ResponseError::UnknownServerError))
        }
    }
}

fn result(name: Option<TopicName>, id: TopicId, outcome: Result<(), ApiError>) -> DeletableTopicResult {
    let result = DeletableTopicResult::default().with_name(name).with_topic_id(id).with_error_message(None);
    match outcome {
        Ok(()) => result,
        Err(error) => result.with_error_code(error.code()).with_error_message(error.message()),
    }
}
