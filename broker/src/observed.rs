//! Readers that no client started, shown as consumer groups: tools see their positions and their lag as those of any
//! group, and a member's user data says whatever else there is to say.
//!
//! They are told of on request and kept nowhere. Their ids are not to be had by clients.

use std::collections::BTreeMap;

use bytes::{BufMut as _, Bytes, BytesMut};
use kafka_protocol::messages::consumer_protocol_assignment::TopicPartition;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription, GroupId};
use kafka_protocol::protocol::{Encodable, StrBytes};

/// Begins the id of every observed group; a client that joins such a group, or commits for it, is refused.
pub const OBSERVED_GROUP_PREFIX: &str = "__brooklet_query_";

/// Version of the consumer protocol's messages, which stands before each.
const PROTOCOL_VERSION: i16 = 0;

/// A reader as a group of one member.
#[derive(Clone, Debug)]
pub struct ObservedGroup {
    /// Begins with [`OBSERVED_GROUP_PREFIX`].
    pub id: String,
    /// For each topic that it reads, of each partition the offset that it reads next.
    pub positions: BTreeMap<String, Vec<(i32, i64)>>,
    /// The member's user data.
    pub user_data: Bytes,
}

/// Tells of the groups that there are.
pub trait ObserveGroups: Send + Sync {
    /// The ids of all of them.
    fn ids(&self) -> Vec<String>;

    /// How one is now; `None` if there is none of this id.
    fn group(&self, id: &str) -> Option<ObservedGroup>;
}

/// Whether the id is kept for observed groups.
pub(crate) fn is_reserved(group: &str) -> bool {
    group.starts_with(OBSERVED_GROUP_PREFIX)
}

/// An observed group as ListGroups tells of it.
pub(crate) fn listed(id: &str) -> ListedGroup {
    ListedGroup::default()
        .with_group_id(text(id).into())
        .with_protocol_type(StrBytes::from_static_str("consumer"))
        .with_group_state(StrBytes::from_static_str("Stable"))
        .with_group_type(StrBytes::from_static_str("classic"))
}

impl ObservedGroup {
    pub(crate) fn described(&self, id: GroupId) -> DescribedGroup {
        let subscription = ConsumerProtocolSubscription::default()
            .with_topics(self.positions.keys().map(|topic| text(topic)).collect())
            .with_user_data(Some(self.user_data.clone()));
        let assigned = self.positions.iter().map(|(topic, positions)| {
            let partitions = positions.iter().map(|(partition, _)| *partition).collect();
            TopicPartition::default().with_topic(text(topic).into()).with_partitions(partitions)
        });
        let assignment = ConsumerProtocolAssignment::default().with_assigned_partitions(assigned.collect());
        let member = DescribedGroupMember::default()
            .with_member_id(text(&self.id))
            .with_client_id(StrBytes::from_static_str("brooklet"))
            .with_client_host(StrBytes::from_static_str("/127.0.0.1"))
            .with_member_metadata(versioned(&subscription))
            .with_member_assignment(versioned(&assignment));
        DescribedGroup::default()
            .with_group_id(id)
            .with_group_state(StrBytes::from_static_str("Stable"))
            .with_protocol_type(StrBytes::from_static_str("consumer"))
            .with_protocol_data(StrBytes::from_static_str("range"))
            .with_members(vec![member])
    }

    /// The offset that is read next in a partition.
    pub(crate) fn position(&self, topic: &str, partition: i32) -> Option<i64> {
        let positions = self.positions.get(topic)?;
        positions.iter().find(|(known, _)| *known == partition).map(|(_, offset)| *offset)
    }
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// As `ConsumerProtocol` writes it.
fn versioned(message: &impl Encodable) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(PROTOCOL_VERSION);
    match message.encode(&mut bytes, PROTOCOL_VERSION) {
        Ok(()) => bytes.freeze(),
        // A topic's name and partitions always fit.
        Err(_) => Bytes::new(),
    }
}
