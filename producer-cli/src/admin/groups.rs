//! `brooklet groups`.

use std::collections::BTreeMap;

use anyhow::Context as _;
use bytes::{Buf as _, Bytes};
use clap::{Args, Subcommand};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    ConsumerProtocolAssignment, DeleteGroupsRequest, DescribeGroupsRequest, GroupId, ListGroupsRequest,
    OffsetFetchRequest,
};
use kafka_protocol::protocol::Decodable as _;
use serde_json::{Value, json};

use super::Target;
use super::cluster::{Cluster, Coordinates, check, text};
use super::listing::Listing;
use super::topics::offsets;

/// The offsets of a partition's end, by time.
const END: i64 = -1;

const EXAMPLES: &str = "\
Examples:
  brooklet groups                    all groups
  brooklet groups billing            where one is in each partition, and how far behind
  brooklet groups delete billing";

/// List, describe and delete consumer groups of any Kafka broker
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct GroupsArgs {
    #[command(flatten)]
    target: Target,

    /// Groups to describe; without one, all are listed
    #[arg(value_name = "GROUP")]
    names: Vec<String>,

    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Clone, Debug)]
enum Verb {
    /// Delete groups that have no members, with their offsets
    Delete {
        /// Their names
        #[arg(required = true, value_name = "GROUP")]
        names: Vec<String>,
    },
}

/// Runs `brooklet groups`.
///
/// # Errors
/// No broker, or what it says against it.
pub fn groups(args: &GroupsArgs) -> anyhow::Result<()> {
    let mut cluster = args.target.connect()?;
    match &args.verb {
        None if args.names.is_empty() => args.target.print(&list(&mut cluster)?),
        None => {
            let mut listing =
                Listing::new(&["group", "topic", "partition", "committed", "end offset", "lag", "member", "client"]);
            for name in &args.names {
                describe(&mut cluster, name, &mut listing).with_context(|| name.clone())?;
            }
            args.target.print(&listing)
        }
        Some(Verb::Delete { names }) => {
            for name in names {
                let coordinator = cluster.coordinator(Coordinates::Group, name)?;
                let request = DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text(name))]);
                let response = cluster.call_on(coordinator, &request)?;
                let result = response.results.first().context("the broker says nothing of the group")?;
                check(result.error_code, None).with_context(|| name.clone())?;
            }
            Ok(())
        }
    }
}

fn list(cluster: &mut Cluster) -> anyhow::Result<Listing> {
    let mut listing = Listing::new(&["group", "state", "protocol", "type"]);
    let mut groups = Vec::new();
    for broker in cluster.brokers() {
        let response = cluster.call_on(broker, &ListGroupsRequest::default())?;
        check(response.error_code, None)?;
        groups.extend(response.groups);
    }
    groups.sort_by(|a, b| a.group_id.cmp(&b.group_id));
    for group in groups {
        listing.push(vec![
            json!(group.group_id.as_str()),
            json!(group.group_state.as_str()),
            json!(group.protocol_type.as_str()),
            json!(group.group_type.as_str()),
        ]);
    }
    Ok(listing)
}

/// A row for each partition that has an offset or a member.
fn describe(cluster: &mut Cluster, name: &str, listing: &mut Listing) -> anyhow::Result<()> {
    let coordinator = cluster.coordinator(Coordinates::Group, name)?;
    let id = GroupId(text(name));
    let request = DescribeGroupsRequest::default().with_groups(vec![id.clone()]);
    let response = cluster.call_on(coordinator, &request)?;
    let described = response.groups.into_iter().next().context("the broker says nothing of the group")?;
    check(described.error_code, described.error_message.as_deref())?;
    let mut owners: BTreeMap<(String, i32), (String, String)> = BTreeMap::new();
    for member in &described.members {
        for partition in assigned(&member.member_assignment) {
            owners.insert(partition, (member.member_id.to_string(), member.client_id.to_string()));
        }
    }
    let committed = committed(cluster, coordinator, id)?;
    let places: Vec<(String, i32)> = committed.keys().chain(owners.keys()).cloned().collect();
    let mut topics: Vec<&str> = places.iter().map(|(topic, _)| topic.as_str()).collect();
    topics.sort_unstable();
    topics.dedup();
    let metadata = cluster.metadata(Some(&topics))?;
    let ends = offsets(cluster, &metadata, END)?;
    for place in places.iter().collect::<std::collections::BTreeSet<_>>() {
        let (at, end) = (committed.get(place).copied(), ends.get(place).copied());
        let owner = owners.get(place);
        listing.push(vec![
            json!(name),
            json!(place.0),
            json!(place.1),
            json!(at),
            json!(end),
            json!(end.zip(at).map(|(end, at)| end - at)),
            owner.map_or(Value::Null, |(member, _)| json!(member)),
            owner.map_or(Value::Null, |(_, client)| json!(client)),
        ]);
    }
    Ok(())
}

fn committed(
    cluster: &mut Cluster,
    coordinator: kafka_protocol::messages::BrokerId,
    id: GroupId,
) -> anyhow::Result<BTreeMap<(String, i32), i64>> {
    let group = OffsetFetchRequestGroup::default().with_group_id(id).with_topics(None);
    let response = cluster.call_on(coordinator, &OffsetFetchRequest::default().with_groups(vec![group]))?;
    let mut committed = BTreeMap::new();
    for group in response.groups {
        check(group.error_code, None)?;
        for topic in group.topics {
            for partition in topic.partitions.iter().filter(|partition| partition.committed_offset >= 0) {
                committed.insert((topic.name.to_string(), partition.partition_index), partition.committed_offset);
            }
        }
    }
    Ok(committed)
}

/// The partitions of a consumer's assignment; none where another protocol wrote it.
fn assigned(assignment: &Bytes) -> Vec<(String, i32)> {
    let mut bytes = assignment.clone();
    if bytes.remaining() < 2 {
        return Vec::new();
    }
    let version = bytes.get_i16();
    let Ok(assignment) = ConsumerProtocolAssignment::decode(&mut bytes, version.clamp(0, 3)) else { return Vec::new() };
    let topics = assignment.assigned_partitions.into_iter();
    topics.flat_map(|topic| topic.partitions.into_iter().map(move |index| (topic.topic.to_string(), index))).collect()
}
