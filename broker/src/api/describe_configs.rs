//! DescribeConfigs (`ConfigHelper.handleDescribeConfigsRequest`, KIP-133, KIP-226, KIP-569): what holds for a topic,
//! for the broker, for a group.

use std::borrow::Cow;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use kafka_protocol::protocol::StrBytes;

use crate::broker_config::{self, Setting};
use crate::error::ApiError;
use crate::shared::{Call, NODE_ID, Shared};
use crate::topics::config::{self, Entry, Kind, Source};
use crate::topics::name;

/// Kinds of resources (`ConfigResource.Type`).
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

/// What Kafka says of a kind that it does not know.
const UNKNOWN_KIND: &str = "This most likely occurs because of a request being malformed by the client library or the \
                            message was sent to an incompatible broker. See the broker logs for more details.";

/// Settings of a group. They are those of protocols that are not served yet, so none can have been set.
const GROUP_SETTINGS: &[(&str, Kind, &str)] = &[
    ("consumer.heartbeat.interval.ms", Kind::Int, "5000"),
    ("consumer.session.timeout.ms", Kind::Int, "45000"),
    ("share.auto.offset.reset", Kind::Text, "latest"),
    ("share.heartbeat.interval.ms", Kind::Int, "5000"),
    ("share.isolation.level", Kind::Text, "read_uncommitted"),
    ("share.record.lock.duration.ms", Kind::Int, "30000"),
    ("share.session.timeout.ms", Kind::Int, "45000"),
    ("streams.heartbeat.interval.ms", Kind::Int, "5000"),
    ("streams.initial.rebalance.delay.ms", Kind::Int, "3000"),
    ("streams.num.standby.replicas", Kind::Int, "0"),
    ("streams.session.timeout.ms", Kind::Int, "45000"),
];

/// Settings of a subscription to clients' metrics, of which there is none.
const CLIENT_METRICS_SETTINGS: &[(&str, Kind, &str)] =
    &[("interval.ms", Kind::Int, "300000"), ("match", Kind::List, ""), ("metrics", Kind::List, "")];

/// Settings that one response tells: those of 7,500 topics. The same topic can be asked for many times in a request,
/// and any name can be a group's.
const SETTINGS_MAX: usize = 250_000;

/// What is told beside names and values.
#[derive(Clone, Copy)]
struct Wanted {
    synonyms: bool,
    documentation: bool,
}

/// Each resource succeeds or fails for itself; a setting that is asked for and does not exist is left out.
pub(crate) async fn handle(shared: &Shared, _call: &Call, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let wanted = Wanted { synonyms: request.include_synonyms, documentation: request.include_documentation };
    let mut left = SETTINGS_MAX;
    let results = request.resources.into_iter().map(|resource| {
        let result = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        let described = describe(shared, &resource, wanted).map(|mut configs| {
            if let Some(keys) = resource.configuration_keys.filter(|keys| !keys.is_empty()) {
                configs.retain(|config| keys.contains(&config.name));
                configs.shrink_to_fit();
            }
            configs
        });
        match described.and_then(|configs| within(configs, &mut left)) {
            Ok(configs) => result.with_error_message(Some(StrBytes::default())).with_configs(configs),
            Err(error) => {
                result.with_error_code(error.code()).with_error_message(Some(error.message().unwrap_or_default()))
            }
        }
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

/// Takes what is told off what may still be told.
fn within<T>(configs: Vec<T>, left: &mut usize) -> Result<Vec<T>, ApiError> {
    match left.checked_sub(configs.len()) {
        Some(rest) => {
            *left = rest;
            Ok(configs)
        }
        None => Err(ApiError::new(ResponseError::PolicyViolation, "Too many configs in one request.")),
    }
}

fn describe(
    shared: &Shared,
    resource: &DescribeConfigsResource,
    wanted: Wanted,
) -> Result<Vec<DescribeConfigsResourceResult>, ApiError> {
    let named = resource.resource_name.as_str();
    match resource.resource_type {
        TOPIC => {
            name::validate(named).map_err(|message| ApiError::new(ResponseError::InvalidTopicException, message))?;
            let topic = shared.storage.topic(named);
            let topic = topic.ok_or(ResponseError::UnknownTopicOrPartition)?;
            Ok(config::entries(&topic.overrides).map(|entry| of_topic(entry, wanted)).collect())
        }
        // The settings that hold for all brokers alike can only be set while they run, and none can.
        BROKER if named.is_empty() => Ok(Vec::new()),
        BROKER => match named.parse::<i32>() {
            Err(_) => invalid(format!("Broker id must be an integer, but it is: {named}")),
            Ok(id) if id != NODE_ID.0 => {
                invalid(format!("Unexpected broker id, expected {} or empty string, but received {named}", NODE_ID.0))
            }
            Ok(_) => Ok(broker_config::settings(shared).into_iter().map(|it| of_broker(it, wanted)).collect()),
        },
        BROKER_LOGGER if named.is_empty() => invalid("Broker id must not be empty"),
        BROKER_LOGGER => match named.parse::<i32>() {
            Err(_) => invalid(format!("Broker id must be an integer, but it is: {named}")),
            Ok(id) if id != NODE_ID.0 => {
                invalid(format!("Unexpected broker id, expected {} but received {named}", NODE_ID.0))
            }
            // Levels of logging are no settings of this broker.
            Ok(_) => Ok(Vec::new()),
        },
        CLIENT_METRICS if named.is_empty() => invalid("Client metrics subscription name must not be empty"),
        CLIENT_METRICS => Ok(defaults(CLIENT_METRICS_SETTINGS, wanted)),
        GROUP if named.is_empty() => invalid("Group name must not be empty"),
        GROUP => Ok(defaults(GROUP_SETTINGS, wanted)),
        _ => invalid(UNKNOWN_KIND),
    }
}

fn invalid<T>(message: impl Into<Cow<'static, str>>) -> Result<T, ApiError> {
    Err(ApiError::new(ResponseError::InvalidRequest, message))
}

fn of_topic(entry: Entry<'_>, wanted: Wanted) -> DescribeConfigsResourceResult {
    let definition = entry.definition;
    let mut synonyms = Vec::new();
    if wanted.synonyms && entry.source == Source::Topic {
        synonyms.push(synonym(definition.name, entry.value, Source::Topic));
    }
    if let Some(name) = definition.synonym.filter(|_| wanted.synonyms) {
        synonyms.push(synonym(name, definition.default, Source::Default));
    }
    config_result(definition.name, definition.kind, Some(entry.value), entry.source, definition.doc, wanted)
        .with_synonyms(synonyms)
}

fn of_broker(setting: Setting, wanted: Wanted) -> DescribeConfigsResourceResult {
    let Setting { name, kind, value, source, default, doc } = setting;
    let mut synonyms = Vec::new();
    if let (Source::StaticBroker, Some(value)) = (source, &value) {
        synonyms.push(synonym(name, value, source));
    }
    if let Some(default) = default {
        synonyms.push(synonym(name, default, Source::Default));
    }
    config_result(name, kind, value.as_deref(), source, doc, wanted)
        .with_read_only(true)
        .with_synonyms(if wanted.synonyms { synonyms } else { Vec::new() })
}

fn defaults(settings: &[(&'static str, Kind, &'static str)], wanted: Wanted) -> Vec<DescribeConfigsResourceResult> {
    let describe = |&(name, kind, value): &(&'static str, Kind, &'static str)| {
        let synonyms = if wanted.synonyms { vec![synonym(name, value, Source::Default)] } else { Vec::new() };
        config_result(name, kind, Some(value), Source::Default, "", wanted).with_synonyms(synonyms)
    };
    settings.iter().map(describe).collect()
}

fn synonym(name: &'static str, value: &str, source: Source) -> DescribeConfigsSynonym {
    DescribeConfigsSynonym::default()
        .with_name(StrBytes::from_static_str(name))
        .with_value(Some(StrBytes::from_string(value.to_owned())))
        .with_source(source as i8)
}

fn config_result(
    name: &'static str,
    kind: Kind,
    value: Option<&str>,
    source: Source,
    doc: &'static str,
    wanted: Wanted,
) -> DescribeConfigsResourceResult {
    DescribeConfigsResourceResult::default()
        .with_name(StrBytes::from_static_str(name))
        .with_value(value.map(|value| StrBytes::from_string(value.to_owned())))
        .with_config_source(source as i8)
        .with_config_type(kind as i8)
        .with_documentation(wanted.documentation.then(|| StrBytes::from_static_str(doc)))
}
