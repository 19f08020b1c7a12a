//! What can be asked without changing anything: OffsetFetch, DescribeGroups, ListGroups.

use std::sync::Arc;

use brooklet_model::TopicPartition;
use bytes::Bytes;

use super::GroupCoordinator;
use super::group::State;
use crate::records::CommittedOffset;

/// A group as DescribeGroups tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedGroup {
    /// Its state.
    pub state: State,
    /// For example `consumer`; empty if it never had members.
    pub protocol_type: Arc<str>,
    /// The protocol of a stable group.
    pub protocol: Arc<str>,
    /// Its members.
    pub members: Vec<DescribedMember>,
}

/// A member as DescribeGroups tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedMember {
    /// The member's id.
    pub member_id: Arc<str>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    /// Client id of the request that it joined with.
    pub client_id: Arc<str>,
    /// Where that came from.
    pub client_host: Arc<str>,
    /// Its metadata, in a stable group.
    pub metadata: Bytes,
    /// What the leader gave it last.
    pub assignment: Bytes,
}

/// A group as ListGroups tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGroup {
    /// The group's id.
    pub id: Arc<str>,
    /// For example `consumer`; empty if it never had members.
    pub protocol_type: Arc<str>,
    /// Its state.
    pub state: State,
}

impl GroupCoordinator {
    /// What `group` committed for `partition`.
    pub fn committed(&self, group: &str, partition: &TopicPartition) -> Option<&CommittedOffset> {
        self.offsets.get(group)?.get(partition)
    }

    /// All that `group` committed, ordered by partition.
    pub fn all_committed(&self, group: &str) -> impl Iterator<Item = (&TopicPartition, &CommittedOffset)> {
        self.offsets.get(group).into_iter().flatten()
    }

    /// The group; `None` if there is none, which older versions of DescribeGroups call `Dead`.
    pub fn describe(&self, id: &str) -> Option<DescribedGroup> {
        let group = self.groups.get(id)?;
        // While it rebalances there is no protocol to speak of.
        let protocol = group.protocol.clone().filter(|_| group.state == State::Stable);
        let members = group.members.iter().map(|(member_id, member)| DescribedMember {
            member_id: member_id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            metadata: protocol.as_deref().map(|protocol| member.metadata(protocol)).unwrap_or_default(),
            assignment: member.assignment.clone(),
        });
        Some(DescribedGroup {
            state: group.state,
            protocol_type: group.protocol_type.clone().unwrap_or_default(),
            members: members.collect(),
            protocol: protocol.unwrap_or_default(),
        })
    }

    /// All groups, ordered by id.
    pub fn list(&self) -> impl Iterator<Item = ListedGroup> {
        self.groups.iter().map(|(id, group)| ListedGroup {
            id: id.clone(),
            protocol_type: group.protocol_type.clone().unwrap_or_default(),
            state: group.state,
        })
    }
}
