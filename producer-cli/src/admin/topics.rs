//! `brooklet topics`.

use std::collections::BTreeMap;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{
    BrokerId, CreateTopicsRequest, DeleteTopicsRequest, ListOffsetsRequest, MetadataResponse, TopicName,
};
use serde_json::{Value, json};

use super::cluster::{Cluster, check, text};
use super::listing::Listing;
use super::{TIMEOUT, Target};
use crate::args::property;

/// The offsets of a partition that ListOffsets tells by these times.
const END: i64 = -1;
const START: i64 = -2;

const EXAMPLES: &str = "\
Examples:
  brooklet topics                                     all topics
  brooklet topics logs                                the partitions of one
  brooklet topics create logs --partitions 3 --config cleanup.policy=compact
  brooklet topics delete logs";

/// List, create and delete topics of any Kafka broker
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct TopicsArgs {
    #[command(flatten)]
    target: Target,

    /// Topics whose partitions are listed; without one, all topics
    #[arg(value_name = "TOPIC")]
    names: Vec<String>,

    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Clone, Debug)]
enum Verb {
    /// Create a topic
    Create {
        /// Its name
        name: String,
        /// Its partitions [default: as the broker has it]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
        partitions: Option<i32>,
        /// Replicas of each partition [default: as the broker has it]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i16).range(1..))]
        replication_factor: Option<i16>,
        /// A setting of the topic; may be repeated
        #[arg(long, value_name = "NAME=VALUE", value_parser = property)]
        config: Vec<(String, String)>,
    },
    /// Delete topics
    Delete {
        /// Their names
        #[arg(required = true, value_name = "TOPIC")]
        names: Vec<String>,
    },
}

/// Runs `brooklet topics`.
///
/// # Errors
/// No broker, or what it says against it.
pub fn topics(args: &TopicsArgs) -> anyhow::Result<()> {
    let mut cluster = args.target.connect()?;
    match &args.verb {
        None if args.names.is_empty() => args.target.print(&list(&mut cluster)?),
        None => args.target.print(&partitions(&mut cluster, &args.names)?),
        Some(Verb::Create { name, partitions, replication_factor, config }) => {
            let configs = config.iter().map(|(name, value)| {
                CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
            });
            let topic = CreatableTopic::default()
                .with_name(TopicName(text(name)))
                .with_num_partitions(partitions.unwrap_or(-1))
                .with_replication_factor(replication_factor.unwrap_or(-1))
                .with_configs(configs.collect());
            let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(timeout_ms());
            let response = cluster.call(&request)?;
            let created = response.topics.first().context("the broker says nothing of the topic")?;
            check(created.error_code, created.error_message.as_deref()).with_context(|| name.clone())
        }
        Some(Verb::Delete { names }) => delete(&mut cluster, names),
    }
}

fn timeout_ms() -> i32 {
    i32::try_from(TIMEOUT.as_millis()).unwrap_or(i32::MAX)
}

fn delete(cluster: &mut Cluster, names: &[String]) -> anyhow::Result<()> {
    // Both forms: the names of the versions before 6, and the topics of those after.
    let by_name = names.iter().map(|name| TopicName(text(name))).collect();
    let by_state = names.iter().map(|name| DeleteTopicState::default().with_name(Some(TopicName(text(name)))));
    let states = DeleteTopicsRequest::default().with_topics(by_state.collect()).with_timeout_ms(timeout_ms());
    let response = match cluster.call(&states) {
        Ok(response) => response,
        // A version that knows no states does not encode them.
        Err(_) => {
            cluster.call(&DeleteTopicsRequest::default().with_topic_names(by_name).with_timeout_ms(timeout_ms()))?
        }
    };
    for deleted in &response.responses {
        let name = deleted.name.as_ref().map_or("", |name| name.as_str());
        check(deleted.error_code, deleted.error_message.as_deref()).with_context(|| name.to_owned())?;
    }
    Ok(())
}

fn list(cluster: &mut Cluster) -> anyhow::Result<Listing> {
    let mut listing = Listing::new(&["topic", "partitions", "replicas", "records", "internal"]);
    let mut metadata = cluster.metadata(None)?;
    metadata.topics.sort_by(|a, b| a.name.cmp(&b.name));
    let (starts, ends) = (offsets(cluster, &metadata, START)?, offsets(cluster, &metadata, END)?);
    for topic in &metadata.topics {
        let name = topic.name.as_ref().map_or("", |name| name.as_str());
        let replicas = topic.partitions.iter().map(|it| it.replica_nodes.len()).max().unwrap_or(0);
        let records: i64 = (0..topic.partitions.len() as i32)
            .filter_map(|index| Some(ends.get(&(name.to_owned(), index))? - starts.get(&(name.to_owned(), index))?))
            .sum();
        listing.push(vec![
            json!(name),
            json!(topic.partitions.len()),
            json!(replicas),
            json!(records),
            if topic.is_internal { json!("yes") } else { Value::Null },
        ]);
    }
    Ok(listing)
}

fn partitions(cluster: &mut Cluster, names: &[String]) -> anyhow::Result<Listing> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let metadata = cluster.metadata(Some(&names))?;
    for topic in &metadata.topics {
        check(topic.error_code, None)
            .with_context(|| topic.name.as_ref().map_or(String::new(), |it| it.to_string()))?;
    }
    let (starts, ends) = (offsets(cluster, &metadata, START)?, offsets(cluster, &metadata, END)?);
    let mut listing =
        Listing::new(&["topic", "partition", "leader", "replicas", "in sync", "start offset", "end offset"]);
    for topic in &metadata.topics {
        let name = topic.name.as_ref().map_or("", |name| name.as_str());
        let mut partitions: Vec<_> = topic.partitions.iter().collect();
        partitions.sort_by_key(|partition| partition.partition_index);
        for partition in partitions {
            let key = (name.to_owned(), partition.partition_index);
            let ids = |ids: &[BrokerId]| ids.iter().map(|id| id.0).collect::<Vec<_>>();
            listing.push(vec![
                json!(name),
                json!(partition.partition_index),
                json!(partition.leader_id.0),
                json!(ids(&partition.replica_nodes)),
                json!(ids(&partition.isr_nodes)),
                json!(starts.get(&key)),
                json!(ends.get(&key)),
            ]);
        }
    }
    Ok(listing)
}

/// The offset at a time of each partition that has a leader, asked of it.
pub(super) fn offsets(
    cluster: &mut Cluster,
    metadata: &MetadataResponse,
    time: i64,
) -> anyhow::Result<BTreeMap<(String, i32), i64>> {
    let mut asked: BTreeMap<BrokerId, BTreeMap<TopicName, Vec<ListOffsetsPartition>>> = BTreeMap::new();
    for topic in &metadata.topics {
        let Some(name) = &topic.name else { continue };
        for partition in topic.partitions.iter().filter(|partition| partition.leader_id.0 >= 0) {
            let of_topic = asked.entry(partition.leader_id).or_default().entry(name.clone()).or_default();
            let index = partition.partition_index;
            of_topic.push(ListOffsetsPartition::default().with_partition_index(index).with_timestamp(time));
        }
    }
    let mut found = BTreeMap::new();
    for (leader, topics) in asked {
        let topics = topics.into_iter();
        let topics = topics.map(|(name, of)| ListOffsetsTopic::default().with_name(name).with_partitions(of));
        let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(topics.collect());
        for topic in cluster.call_on(leader, &request)?.topics {
            for partition in topic.partitions {
                // One that has no leader at the moment tells nothing.
                if partition.error_code == 0 {
                    found.insert((topic.name.to_string(), partition.partition_index), partition.offset);
                }
            }
        }
    }
    Ok(found)
}
