//! DescribeConfigs (`ConfigHelper.handleDescribeConfigsRequest`, KIP-133, KIP-226, KIP-569): what holds for a topic,
//! for the broker, for a group.

use std::borrow::Cow;
use std::cell::OnceCell;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use kafka_protocol::protocol::StrBytes;

use crate::configs::broker::BrokerSettings;
use crate::configs::{BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, Synonym, TOPIC, Told, client_metrics, group};
use crate::error::ApiError;
use crate::loggers;
use crate::shared::{Call, NODE_ID, Shared};
use crate::topics::config::Source;
use crate::topics::name;
use crate::{broker_config, configs};

/// Bytes of one response: the settings of 3,000 topics. The same topic can be asked for many times in a request, and
/// any name can be a group's.
const TOLD_BYTES_MAX: usize = 64 << 20;
/// Bytes that a setting takes beside its values.
const SETTING_BYTES: usize = 672;

/// What is told of a resource: which settings, and what beside names and values.
struct Wanted<'a> {
    keys: Option<&'a [StrBytes]>,
    synonyms: bool,
    documentation: bool,
}

impl Wanted<'_> {
    fn includes(&self, name: &str) -> bool {
        self.keys.is_none_or(|keys| keys.iter().any(|key| key.as_str() == name))
    }
}

/// Each resource succeeds or fails for itself; a setting that is asked for and does not exist is left out.
pub(crate) async fn handle(shared: &Shared, _call: &Call, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let brokers = BrokerSettings::kept(&shared.storage);
    let broker = OnceCell::new();
    let mut left = TOLD_BYTES_MAX;
    let results = request.resources.into_iter().map(|resource| {
        let wanted = Wanted {
            keys: resource.configuration_keys.as_deref().filter(|keys| !keys.is_empty()),
            synonyms: request.include_synonyms,
            documentation: request.include_documentation,
        };
        let described =
            if left == 0 { Err(too_many()) } else { describe(shared, (&brokers, &broker), &resource, &wanted) };
        let described = described.and_then(|configs| {
            // The first that does not fit ends it: nothing more is looked at.
            let rest = left.checked_sub(configs.iter().map(bytes_of).sum());
            left = rest.unwrap_or(0);
            rest.map(|_| configs).ok_or_else(too_many)
        });
        let result = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        match described {
            Ok(configs) => result.with_error_message(Some(StrBytes::default())).with_configs(configs),
            Err(error) => {
                result.with_error_code(error.code()).with_error_message(Some(error.message().unwrap_or_default()))
            }
        }
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

fn bytes_of(told: &DescribeConfigsResourceResult) -> usize {
    let len = |value: &Option<StrBytes>| value.as_ref().map_or(0, |value| value.len());
    SETTING_BYTES + len(&told.value) + told.synonyms.iter().map(|synonym| len(&synonym.value)).sum::<usize>()
}

fn too_many() -> ApiError {
    ApiError::new(ResponseError::PolicyViolation, "Too many configs in one request.")
}

fn describe(
    shared: &Shared,
    (brokers, broker): (&BrokerSettings, &OnceCell<Vec<Told>>),
    resource: &DescribeConfigsResource,
    wanted: &Wanted<'_>,
) -> Result<Vec<DescribeConfigsResourceResult>, ApiError> {
    let named = resource.resource_name.as_str();
    let all = |settings: Vec<Told>| Ok(settings.iter().filter_map(|setting| tell(setting, wanted)).collect());
    let own = |kind| shared.storage.resource_config(kind, named);
    match resource.resource_type {
        TOPIC => {
            name::validate(named).map_err(|message| ApiError::new(ResponseError::InvalidTopicException, message))?;
            let topic = shared.storage.topic(named);
            let topic = topic.ok_or(ResponseError::UnknownTopicOrPartition)?;
            all(configs::topic::told(&topic.overrides, brokers, |name| wanted.includes(name)))
        }
        BROKER if named.is_empty() => all(broker_config::told_of_all(&brokers.all)),
        BROKER => match named.parse::<i32>() {
            Err(_) => invalid(format!("Broker id must be an integer, but it is: {named}")),
            Ok(id) if id != NODE_ID.0 => {
                invalid(format!("Unexpected broker id, expected {} or empty string, but received {named}", NODE_ID.0))
            }
            Ok(_) => {
                let settings = broker.get_or_init(|| broker_config::told(shared, brokers));
                Ok(settings.iter().filter_map(|setting| tell(setting, wanted)).collect())
            }
        },
        BROKER_LOGGER if named.is_empty() => invalid("Broker id must not be empty"),
        BROKER_LOGGER => match named.parse::<i32>() {
            Err(_) => invalid(format!("Broker id must be an integer, but it is: {named}")),
            Ok(id) if id != NODE_ID.0 => {
                invalid(format!("Unexpected broker id, expected {} but received {named}", NODE_ID.0))
            }
            Ok(_) => all(loggers::told(shared.root_logger())),
        },
        CLIENT_METRICS if named.is_empty() => invalid("Client metrics subscription name must not be empty"),
        CLIENT_METRICS => all(client_metrics::told(&own(CLIENT_METRICS), |name| wanted.includes(name))),
        GROUP if named.is_empty() => invalid("Group name must not be empty"),
        GROUP => all(group::told(&own(GROUP), |name| wanted.includes(name))),
        _ => Err(ApiError::with_kafkas_words(ResponseError::InvalidRequest)),
    }
}

fn invalid<T>(message: impl Into<Cow<'static, str>>) -> Result<T, ApiError> {
    Err(ApiError::new(ResponseError::InvalidRequest, message))
}

/// One setting, if it is asked for.
fn tell(setting: &Told, wanted: &Wanted<'_>) -> Option<DescribeConfigsResourceResult> {
    if !wanted.includes(&setting.name) {
        return None;
    }
    let synonyms = setting.synonyms.iter().filter(|_| wanted.synonyms).map(|Synonym { name, value, source }| {
        DescribeConfigsSynonym::default()
            .with_name(text(name))
            .with_value(value.as_deref().map(text))
            .with_source(*source as i8)
    });
    let result = DescribeConfigsResourceResult::default()
        .with_name(text(&setting.name))
        .with_value(setting.value.as_deref().map(text))
        .with_read_only(setting.read_only)
        .with_config_source(setting.source as i8)
        .with_is_sensitive(setting.sensitive)
        .with_synonyms(synonyms.collect())
        .with_config_type(setting.kind as i8);
    // Of loggers Kafka tells an empty text, whether it is asked for or not.
    let documented = wanted.documentation || setting.source == Source::Logger;
    Some(result.with_documentation(documented.then(|| StrBytes::from_static_str(setting.doc))))
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}
