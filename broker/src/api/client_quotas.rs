//! DescribeClientQuotas and AlterClientQuotas (KIP-546): who may use how much. What is enforced: `throttle.rs`.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::{
    AlterClientQuotasRequest, AlterClientQuotasResponse, DescribeClientQuotasRequest, DescribeClientQuotasResponse,
    alter_client_quotas_request, alter_client_quotas_response, describe_client_quotas_response,
};
use kafka_protocol::protocol::StrBytes;

use crate::cluster::quotas::{Alteration, CLIENT_ID, Entity, IP, Match, USER, Values};
use crate::error::ApiError;
use crate::shared::{Call, Shared};

/// How a name is matched.
const EXACT: i8 = 0;
const DEFAULT: i8 = 1;
const ANY: i8 = 2;

/// The quotas that pass the filter; without components all of them, and none where it is strict.
pub(crate) async fn describe(
    shared: &Shared,
    _call: &Call,
    request: DescribeClientQuotasRequest,
) -> DescribeClientQuotasResponse {
    let response = DescribeClientQuotasResponse::default();
    match filter(request.components) {
        Ok(filter) => {
            let contents = shared.cluster.contents();
            let entries = contents.quotas.matching(&filter, request.strict).map(described).collect();
            response.with_error_message(Some(StrBytes::default())).with_entries(Some(entries))
        }
        Err(error) => response.with_error_code(error.code()).with_error_message(error.message()).with_entries(None),
    }
}

fn filter(components: Vec<ComponentData>) -> Result<BTreeMap<String, Match>, ApiError> {
    let invalid = |message: String| Err(ApiError::new(ResponseError::InvalidRequest, message));
    let mut filter = BTreeMap::new();
    for ComponentData { entity_type, match_type, _match: name, .. } in components {
        let (kind, name) = (entity_type.to_string(), name.map(|name| name.to_string()));
        if kind.is_empty() {
            return invalid("Invalid empty entity type.".to_owned());
        }
        if filter.contains_key(&kind) {
            return invalid(format!("Entity type {kind} cannot appear more than once in the filter."));
        }
        if ![USER, CLIENT_ID, IP].contains(&kind.as_str()) {
            return Err(ApiError::new(ResponseError::UnsupportedVersion, format!("Unsupported entity type {kind}")));
        }
        let named =
            |kind: &str| invalid(format!("Request specified MATCH_TYPE_{kind}, but also specified a match string."));
        let wanted = match (match_type, name) {
            (EXACT, None) => {
                return invalid("Request specified MATCH_TYPE_EXACT, but set match string to null.".to_owned());
            }
            (EXACT, name) => Match::Exactly(name),
            (DEFAULT, None) => Match::Exactly(None),
            (DEFAULT, Some(_)) => return named("DEFAULT"),
            (ANY, None) => Match::Any,
            (ANY, Some(_)) => return named("SPECIFIED"),
            (other, _) => return invalid(format!("Unknown match type {other}")),
        };
        filter.insert(kind, wanted);
    }
    if filter.contains_key(IP) && filter.len() > 1 {
        let message = "Invalid entity filter component combination. IP filter component should not be used with user \
                       or clientId filter component.";
        return invalid(message.to_owned());
    }
    Ok(filter)
}

fn described((entity, values): (&Entity, &Values)) -> describe_client_quotas_response::EntryData {
    let named = |(kind, name): (&String, &Option<String>)| {
        describe_client_quotas_response::EntityData::default()
            .with_entity_type(StrBytes::from_string(kind.clone()))
            .with_entity_name(name.clone().map(StrBytes::from_string))
    };
    let value = |(key, bound): (&String, &f64)| {
        describe_client_quotas_response::ValueData::default()
            .with_key(StrBytes::from_string(key.clone()))
            .with_value(*bound)
    };
    describe_client_quotas_response::EntryData::default()
        .with_entity(entity.iter().map(named).collect())
        .with_values(values.iter().map(value).collect())
}

/// Each entity succeeds or fails for itself, and is told once.
pub(crate) async fn alter(
    shared: &Shared,
    _call: &Call,
    request: AlterClientQuotasRequest,
) -> AlterClientQuotasResponse {
    let alterations: Vec<_> = request.entries.into_iter().map(alteration).collect();
    let hosts = hosts(&alterations).await;
    let entities: Vec<_> = alterations.iter().map(|alteration| alteration.entity.clone()).collect();
    let altered =
        shared.cluster.change(request.validate_only, |contents| contents.quotas.alter(alterations, &hosts)).await;
    let results = altered.unwrap_or_else(|error| {
        tracing::error!(%error, "client quotas were not kept");
        let error = ApiError::from(error);
        entities.into_iter().map(|entity| (entity, Err(error.clone()))).collect()
    });
    AlterClientQuotasResponse::default().with_entries(results.into_iter().map(answered).collect())
}

/// Of a kind that comes twice the last name counts, as in Kafka.
fn alteration(entry: alter_client_quotas_request::EntryData) -> Alteration {
    let name = |name: StrBytes| name.to_string();
    Alteration {
        entity: entry.entity.into_iter().map(|it| (it.entity_type.to_string(), it.entity_name.map(name))).collect(),
        operations: entry.ops.into_iter().map(|it| (it.key.to_string(), (!it.remove).then_some(it.value))).collect(),
    }
}

/// Which of the addresses are some, or the names of hosts.
async fn hosts(alterations: &[Alteration]) -> Vec<String> {
    let mut hosts = Vec::new();
    for name in alterations.iter().filter_map(|it| it.entity.get(IP)?.as_ref()) {
        if tokio::net::lookup_host((name.as_str(), 0)).await.is_ok() {
            hosts.push(name.clone());
        }
    }
    hosts
}

fn answered((entity, result): (Entity, Result<(), ApiError>)) -> alter_client_quotas_response::EntryData {
    let named = |(kind, name): (String, Option<String>)| {
        alter_client_quotas_response::EntityData::default()
            .with_entity_type(StrBytes::from_string(kind))
            .with_entity_name(name.map(StrBytes::from_string))
    };
    let entry = alter_client_quotas_response::EntryData::default()
        .with_entity(entity.into_iter().map(named).collect())
        .with_error_message(None);
    match result {
        Ok(()) => entry,
        Err(error) => entry.with_error_code(error.code()).with_error_message(error.message()),
    }
}
