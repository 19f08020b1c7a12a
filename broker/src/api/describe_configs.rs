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

/// Settings that one response tells: those of 3,000 topics. The same topic can be asked for many times in a request,
/// and any name can be a group's.
const SETTINGS_MAX: usize = 100_000;

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
    let broker = OnceCell::new();
    let mut left = SETTINGS_MAX;
    let results = request.resources.into_iter().map(|resource| {
        let wanted = Wanted {
            keys: resource.configuration_keys.as_deref().filter(|keys| !keys.is_empty()),
            synonyms: request.include_synonyms,
            documentation: request.include_documentation,
        };
        let described = if left == 0 { Err(too_many()) } else { describe(shared, &broker, &resource, &wanted) };
        let described = described.and_then(|configs| {
            // The first that does not fit ends it: nothing more is looked at.
            let rest = left.checked_sub(configs.len());
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

fn too_many() -> ApiError {
    ApiError::new(ResponseError::PolicyViolation, "Too many configs in one request.")
}

fn describe(
    shared: &Shared,
    broker: &OnceCell<Vec<Setting>>,
    resource: &DescribeConfigsResource,
    wanted: &Wanted<'_>,
) -> Result<Vec<DescribeConfigsResourceResult>, ApiError> {
    let named = resource.resource_name.as_str();
    match resource.resource_type {
        TOPIC => {
            name::validate(named).map_err(|message| ApiError::new(ResponseError::InvalidTopicException, message))?;
            let topic = shared.storage.topic(named);
            let topic = topic.ok_or(ResponseError::UnknownTopicOrPartition)?;
            let entries = config::entries(&topic.overrides).filter(|entry| wanted.includes(entry.definition.name));
            Ok(entries.map(|entry| of_topic(entry, wanted)).collect())
        }
        // The settings that hold for all brokers alike can only be set while they run, and none can.
        BROKER if named.is_empty() => Ok(Vec::new()),
        BROKER => match named.parse::<i32>() {
            Err(_) => invalid(format!("Broker id must be an integer, but it is: {named}")),
            Ok(id) if id != NODE_ID.0 => {
                invalid(format!("Unexpected broker id, expected {} or empty string, but received {named}", NODE_ID.0))
            }
            Ok(_) => {
                let settings = broker.get_or_init(|| broker_config::settings(shared));
                let asked = settings.iter().filter(|setting| wanted.includes(setting.name));
                Ok(asked.map(|setting| of_broker(setting, wanted)).collect())
            }
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

fn of_topic(entry: Entry<'_>, wanted: &Wanted<'_>) -> DescribeConfigsResourceResult {
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

fn of_broker(setting: &Setting, wanted: &Wanted<'_>) -> DescribeConfigsResourceResult {
    let Setting { name, kind, value, source, default, doc } = setting;
    let mut synonyms = Vec::new();
    if let (true, Source::StaticBroker, Some(value)) = (wanted.synonyms, source, value) {
        synonyms.push(synonym(name, value, *source));
    }
    if let Some(default) = default.filter(|_| wanted.synonyms) {
        synonyms.push(synonym(name, default, Source::Default));
    }
    config_result(name, *kind, value.as_deref(), *source, doc, wanted).with_read_only(true).with_synonyms(synonyms)
}

fn defaults(
    settings: &[(&'static str, Kind, &'static str)],
    wanted: &Wanted<'_>,
) -> Vec<DescribeConfigsResourceResult> {
    let describe = |&(name, kind, value): &(&'static str, Kind, &'static str)| {
        let synonyms = if wanted.synonyms { vec![synonym(name, value, Source::Default)] } else { Vec::new() };
        config_result(name, kind, Some(value), Source::Default, "", wanted).with_synonyms(synonyms)
    };
    settings.iter().filter(|setting| wanted.includes(setting.0)).map(describe).collect()
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
    wanted: &Wanted<'_>,
) -> DescribeConfigsResourceResult {
    DescribeConfigsResourceResult::default()
        .with_name(StrBytes::from_static_str(name))
        .with_value(value.map(|value| StrBytes::from_string(value.to_owned())))
        .with_config_source(source as i8)
        .with_config_type(kind as i8)
        .with_documentation(wanted.documentation.then(|| StrBytes::from_static_str(doc)))
}
