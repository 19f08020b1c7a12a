//! `brooklet configs`.

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, Subcommand};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{BrokerId, DescribeConfigsRequest, IncrementalAlterConfigsRequest};
use kafka_protocol::protocol::Request;
use serde_json::{Value, json};

use super::Target;
use super::cluster::{Cluster, check, text};
use super::listing::Listing;
use crate::args::property;

/// `ConfigResource.Type`
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;
/// `AlterConfigOp.OpType`
const SET: i8 = 0;
const DELETE: i8 = 1;
/// `ConfigEntry.ConfigSource`, by number.
const SOURCES: [&str; 9] = [
    "unknown",
    "topic",
    "dynamic broker",
    "dynamic default broker",
    "static broker",
    "default",
    "dynamic logger",
    "client metrics",
    "group",
];
const DEFAULT: i8 = 5;

const EXAMPLES: &str = "\
Examples:
  brooklet configs logs                                    what is set for a topic
  brooklet configs logs --all                              and what is not
  brooklet configs --broker 1 --all
  brooklet configs set logs retention.ms=60000 cleanup.policy=compact
  brooklet configs unset logs retention.ms
  brooklet configs set --broker-defaults max.connections=500
  brooklet configs set --group readers consumer.session.timeout.ms=60000";

/// Show and change the settings of topics, brokers, groups and subscriptions to metrics, of any Kafka broker
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct ConfigsArgs {
    #[command(flatten)]
    target: Target,

    /// Topic whose settings are shown
    #[arg(value_name = "TOPIC", required_unless_present = "NoTopic", conflicts_with = "NoTopic")]
    topic: Option<String>,

    #[command(flatten)]
    other: NoTopic,

    /// Show settings that have their default too
    #[arg(long)]
    all: bool,

    #[command(subcommand)]
    verb: Option<Verb>,
}

/// What has settings beside topics.
#[derive(Args, Clone, Debug)]
#[group(multiple = false)]
struct NoTopic {
    /// A broker, by its id
    #[arg(long, value_name = "ID")]
    broker: Option<i32>,

    /// Every broker that has no setting of its own
    #[arg(long)]
    broker_defaults: bool,

    /// A consumer group
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,

    /// A subscription to clients' metrics
    #[arg(long, value_name = "NAME")]
    client_metrics: Option<String>,
}

/// What has settings: its kind, and its name.
type Resource = (i8, String);

impl NoTopic {
    fn resource(&self) -> Option<Resource> {
        if self.broker_defaults {
            return Some((BROKER, String::new()));
        }
        let broker = self.broker.map(|id| (BROKER, id.to_string()));
        let group = || self.group.clone().map(|name| (GROUP, name));
        broker.or_else(group).or_else(|| self.client_metrics.clone().map(|name| (CLIENT_METRICS, name)))
    }

    /// The resource, and the words that are not its name.
    fn split<'a>(&self, words: &'a [String]) -> anyhow::Result<(Resource, &'a [String])> {
        match (self.resource(), words) {
            (None, [_]) | (_, []) => bail!("say what is to change"),
            (None, [topic, rest @ ..]) => Ok(((TOPIC, topic.clone()), rest)),
            (Some(resource), words) => Ok((resource, words)),
        }
    }
}

#[derive(Subcommand, Clone, Debug)]
enum Verb {
    /// Set settings; others stay as they are
    #[command(override_usage = "brooklet configs set [OPTIONS] <TOPIC|--broker ID|…> <NAME=VALUE>...")]
    Set {
        #[command(flatten)]
        other: NoTopic,
        /// The topic, unless it is something else, and what to set
        #[arg(required = true, value_names = ["TOPIC", "NAME=VALUE"], num_args = 1..)]
        words: Vec<String>,
    },
    /// Give settings their default again
    #[command(override_usage = "brooklet configs unset [OPTIONS] <TOPIC|--broker ID|…> <NAME>...")]
    Unset {
        #[command(flatten)]
        other: NoTopic,
        /// The topic, unless it is something else, and what to unset
        #[arg(required = true, value_names = ["TOPIC", "NAME"], num_args = 1..)]
        words: Vec<String>,
    },
}

/// Runs `brooklet configs`.
///
/// # Errors
/// No broker, or what it says against it.
pub fn configs(args: &ConfigsArgs) -> anyhow::Result<()> {
    let mut cluster = args.target.connect()?;
    match &args.verb {
        None => {
            let topic = || args.topic.clone().map(|topic| (TOPIC, topic));
            let resource = args.other.resource().or_else(topic).context("name a topic, or something else")?;
            args.target.print(&show(&mut cluster, resource, args.all)?)
        }
        Some(Verb::Set { other, words }) => {
            let (resource, settings) = other.split(words)?;
            let set = |setting: &String| {
                let (name, value) = property(setting).map_err(|error| anyhow!("`{setting}`: {error}"))?;
                let config = AlterableConfig::default().with_name(text(&name)).with_config_operation(SET);
                Ok(config.with_value(Some(text(&value))))
            };
            let settings: anyhow::Result<_> = settings.iter().map(set).collect();
            alter(&mut cluster, resource, settings?)
        }
        Some(Verb::Unset { other, words }) => {
            let (resource, names) = other.split(words)?;
            let unset = |name: &String| AlterableConfig::default().with_name(text(name)).with_config_operation(DELETE);
            alter(&mut cluster, resource, names.iter().map(unset).collect())
        }
    }
}

fn alter(cluster: &mut Cluster, (kind, name): Resource, configs: Vec<AlterableConfig>) -> anyhow::Result<()> {
    let resource = AlterConfigsResource::default().with_resource_type(kind).with_resource_name(text(&name));
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource.with_configs(configs)]);
    let response = ask(cluster, kind, &name, &request)?;
    let answer = response.responses.first().context("the broker says nothing of it")?;
    check(answer.error_code, answer.error_message.as_deref()).context(name)
}

/// A broker is asked about itself, any about all else.
fn ask<R: Request>(cluster: &mut Cluster, kind: i8, name: &str, request: &R) -> anyhow::Result<R::Response> {
    match name.parse() {
        Ok(id) if kind == BROKER => cluster.call_on(BrokerId(id), request),
        _ => cluster.call(request),
    }
}

fn show(cluster: &mut Cluster, (kind, name): Resource, all: bool) -> anyhow::Result<Listing> {
    let resource = DescribeConfigsResource::default().with_resource_type(kind).with_resource_name(text(&name));
    let request = DescribeConfigsRequest::default().with_resources(vec![resource.with_configuration_keys(None)]);
    let response = ask(cluster, kind, &name, &request)?;
    let answer = response.results.into_iter().next().context("the broker says nothing of it")?;
    check(answer.error_code, answer.error_message.as_deref()).context(name)?;
    let mut listing = Listing::new(&["setting", "value", "source"]);
    let mut configs = answer.configs;
    configs.sort_by(|a, b| a.name.cmp(&b.name));
    for config in configs {
        let source = config.config_source;
        if source == DEFAULT && !all {
            continue;
        }
        let value = match config.value {
            _ if config.is_sensitive => json!("(secret)"),
            None => Value::Null,
            Some(value) => json!(value.as_str()),
        };
        let source = usize::try_from(source).ok().and_then(|source| SOURCES.get(source)).copied().unwrap_or("unknown");
        listing.push(vec![json!(config.name.as_str()), value, json!(source)]);
    }
    Ok(listing)
}
