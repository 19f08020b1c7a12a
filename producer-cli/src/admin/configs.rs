//! `brooklet configs`.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{BrokerId, DescribeConfigsRequest, IncrementalAlterConfigsRequest};
use serde_json::{Value, json};

use super::Target;
use super::cluster::{Cluster, check, text};
use super::listing::Listing;
use crate::args::property;

/// `ConfigResource.Type`
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
/// `AlterConfigOp.OpType`
const SET: i8 = 0;
const DELETE: i8 = 1;
/// `ConfigEntry.ConfigSource`, by number.
const SOURCES: [&str; 7] =
    ["unknown", "topic", "dynamic broker", "dynamic default broker", "static broker", "default", "dynamic logger"];
const DEFAULT: i8 = 5;

const EXAMPLES: &str = "\
Examples:
  brooklet configs logs                                    what is set for a topic
  brooklet configs logs --all                              and what is not
  brooklet configs --broker 1 --all
  brooklet configs set logs retention.ms=60000 cleanup.policy=compact
  brooklet configs unset logs retention.ms";

/// Show and change the settings of topics, and show those of brokers, of any Kafka broker
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct ConfigsArgs {
    #[command(flatten)]
    target: Target,

    /// Topic whose settings are shown
    #[arg(value_name = "TOPIC", required_unless_present = "broker", conflicts_with = "broker")]
    topic: Option<String>,

    /// Broker whose settings are shown, by its id
    #[arg(long, value_name = "ID")]
    broker: Option<i32>,

    /// Show settings that have their default too
    #[arg(long)]
    all: bool,

    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Clone, Debug)]
enum Verb {
    /// Set settings of a topic; others stay as they are
    Set {
        /// The topic
        topic: String,
        /// What to set
        #[arg(required = true, value_name = "NAME=VALUE", value_parser = property)]
        settings: Vec<(String, String)>,
    },
    /// Give settings of a topic their default again
    Unset {
        /// The topic
        topic: String,
        /// Which
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
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
            let resource = match (&args.topic, args.broker) {
                (Some(topic), _) => (TOPIC, topic.clone()),
                (None, Some(broker)) => (BROKER, broker.to_string()),
                (None, None) => bail!("name a topic, or a --broker"),
            };
            args.target.print(&show(&mut cluster, resource, args.all)?)
        }
        Some(Verb::Set { topic, settings }) => {
            let set = |(name, value): &(String, String)| {
                let config = AlterableConfig::default().with_name(text(name)).with_config_operation(SET);
                config.with_value(Some(text(value)))
            };
            alter(&mut cluster, topic, settings.iter().map(set).collect())
        }
        Some(Verb::Unset { topic, names }) => {
            let unset = |name: &String| AlterableConfig::default().with_name(text(name)).with_config_operation(DELETE);
            alter(&mut cluster, topic, names.iter().map(unset).collect())
        }
    }
}

fn alter(cluster: &mut Cluster, topic: &str, configs: Vec<AlterableConfig>) -> anyhow::Result<()> {
    let resource = AlterConfigsResource::default().with_resource_type(TOPIC).with_resource_name(text(topic));
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource.with_configs(configs)]);
    let response = cluster.call(&request)?;
    let answer = response.responses.first().context("the broker says nothing of the topic")?;
    check(answer.error_code, answer.error_message.as_deref()).with_context(|| topic.to_owned())
}

fn show(cluster: &mut Cluster, (kind, name): (i8, String), all: bool) -> anyhow::Result<Listing> {
    let resource = DescribeConfigsResource::default().with_resource_type(kind).with_resource_name(text(&name));
    let request = DescribeConfigsRequest::default().with_resources(vec![resource.with_configuration_keys(None)]);
    // A broker tells of itself alone.
    let response = match name.parse() {
        Ok(id) if kind == BROKER => cluster.call_on(BrokerId(id), &request)?,
        _ => cluster.call(&request)?,
    };
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
