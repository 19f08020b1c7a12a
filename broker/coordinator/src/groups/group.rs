//! One group's state, and the questions that the protocol asks of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use brooklet_model::Timestamp;
use bytes::Bytes;

use super::command::{Protocol, RequestId};
use super::step::{GroupError, JoinedMember};
use super::subscription::subscribed_topics;
use crate::records::{GroupValue, MemberValue};

/// The protocol type whose metadata the coordinator can read.
pub(super) const CONSUMER: &str = "consumer";

/// Where a group is in its life. A group that is not there is `Dead`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No members.
    Empty,
    /// Waiting for members to join.
    PreparingRebalance,
    /// Waiting for the leader's assignment.
    CompletingRebalance,
    /// Every member has its assignment.
    Stable,
    /// Gone.
    Dead,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub(super) instance: Option<Arc<str>>,
    pub(super) client_id: Arc<str>,
    pub(super) client_host: Arc<str>,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) session_timeout_ms: i32,
    pub(super) protocols: Arc<[Protocol]>,
    pub(super) assignment: Bytes,
    /// Its join, if that is parked.
    pub(super) awaiting_join: Option<RequestId>,
    /// Its sync, if that is parked.
    pub(super) awaiting_sync: Option<RequestId>,
    /// Whether its first join has not been answered.
    pub(super) is_new: bool,
}

impl Member {
    pub(super) fn session_timeout_ms(&self) -> u64 {
        u64::try_from(self.session_timeout_ms).unwrap_or(0)
    }

    /// Its metadata for `protocol`; empty if it does not know that.
    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols
            .iter()
            .find(|known| &*known.name == protocol)
            .map(|known| known.metadata.clone())
            .unwrap_or_default()
    }

    fn knows(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|known| &*known.name == protocol)
    }
}

/// A group of the classic protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub(super) state: State,
    /// When it entered its state; -1 is unknown.
    pub(super) state_timestamp: Timestamp,
    pub(super) protocol_type: Option<Arc<str>>,
    pub(super) protocol: Option<Arc<str>>,
    pub(super) leader: Option<Arc<str>>,
    pub(super) generation: i32,
    pub(super) members: BTreeMap<Arc<str>, Member>,
    /// Member id by `group.instance.id`.
    pub(super) static_members: BTreeMap<Arc<str>, Arc<str>>,
    /// Ids that were given out and have not come back.
    pub(super) pending_join: BTreeSet<Arc<str>>,
    /// Members that have not asked for their assignment.
    pub(super) pending_sync: BTreeSet<Arc<str>>,
    /// Topics that any member subscribed to; unknown if the protocol is not the consumer's.
    pub(super) subscribed_topics: Option<BTreeSet<Arc<str>>>,
    /// While the first rebalance of an empty group waits for more members: how much longer it may.
    pub(super) initial_remaining_ms: Option<u64>,
    /// Whether a member came while that rebalance waited.
    pub(super) new_member_added: bool,
    /// Whether the log has a record of the group itself.
    pub(super) recorded: bool,
}

impl Group {
    /// A group that someone is about to join.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            state: State::Empty,
            state_timestamp: now,
            protocol_type: None,
            protocol: None,
            leader: None,
            generation: 0,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending_join: BTreeSet::new(),
            pending_sync: BTreeSet::new(),
            subscribed_topics: None,
            initial_remaining_ms: None,
            new_member_added: false,
            recorded: false,
        }
    }

    /// A group that is there only because it has offsets.
    pub(super) fn simple() -> Self {
        Self::new(-1)
    }

    /// The group that a record tells of: stable, or empty.
    pub(super) fn from_record(value: &GroupValue) -> Self {
        let mut group = Self::new(value.state_timestamp);
        group.recorded = true;
        group.state = if value.members.is_empty() { State::Empty } else { State::Stable };
        group.protocol_type = Some(value.protocol_type.clone()).filter(|name| !name.is_empty());
        group.protocol = value.protocol.clone();
        group.leader = value.leader.clone();
        group.generation = value.generation;
        let name = value.protocol.clone().unwrap_or_default();
        for member in &value.members {
            if let Some(instance) = &member.instance {
                group.static_members.insert(instance.clone(), member.id.clone());
            }
            let protocol = Protocol { name: name.clone(), metadata: member.subscription.clone() };
            let loaded = Member {
                instance: member.instance.clone(),
                client_id: member.client_id.clone(),
                client_host: member.client_host.clone(),
                rebalance_timeout_ms: member.rebalance_timeout_ms,
                session_timeout_ms: member.session_timeout_ms,
                protocols: [protocol].into(),
                assignment: member.assignment.clone(),
                awaiting_join: None,
                awaiting_sync: None,
                is_new: false,
            };
            group.members.insert(member.id.clone(), loaded);
        }
        group.subscribed_topics = group.compute_subscribed_topics();
        group
    }

    /// What the log is to keep of it.
    pub(super) fn to_record(&self) -> GroupValue {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let members = self.members.iter().map(|(id, member)| MemberValue {
            id: id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            session_timeout_ms: member.session_timeout_ms,
            subscription: member.metadata(protocol),
            assignment: member.assignment.clone(),
        });
        GroupValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            state_timestamp: self.state_timestamp,
            members: members.collect(),
        }
    }

    pub(super) fn enter(&mut self, state: State, now: Timestamp) {
        self.state = state;
        self.state_timestamp = now;
    }

    pub(super) fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    /// How long a rebalance may wait: as long as the most patient member.
    pub(super) fn rebalance_timeout_ms(&self) -> u64 {
        let longest = self.members.values().map(|member| member.rebalance_timeout_ms).max().unwrap_or(0);
        u64::try_from(longest).unwrap_or(0)
    }

    pub(super) fn joins_parked(&self) -> usize {
        self.members.values().filter(|member| member.awaiting_join.is_some()).count()
    }

    pub(super) fn all_have_joined(&self) -> bool {
        self.pending_join.is_empty() && self.members.values().all(|member| member.awaiting_join.is_some())
    }

    pub(super) fn uses_consumer_protocol(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER)
    }

    /// Whether one who can work by `protocols` fits in.
    pub(super) fn supports(&self, protocol_type: &str, protocols: &[Protocol]) -> bool {
        if self.state == State::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols.iter().any(|protocol| self.members.values().all(|member| member.knows(&protocol.name)))
    }

    /// The protocol with most votes of those that all members know: each votes for the one it prefers. A tie goes to
    /// the one that the leader prefers.
    pub(super) fn select_protocol(&self) -> Option<Arc<str>> {
        let first =
            self.leader.as_ref().and_then(|id| self.members.get(id)).or_else(|| self.members.values().next())?;
        let candidates = first.protocols.iter().map(|protocol| &protocol.name);
        let mut votes: Vec<(&Arc<str>, usize)> = candidates
            .filter(|name| self.members.values().all(|member| member.knows(name)))
            .map(|name| (name, 0))
            .collect();
        for member in self.members.values() {
            let vote =
                member.protocols.iter().find_map(|wanted| votes.iter().position(|(name, _)| **name == wanted.name));
            if let Some((_, count)) = vote.and_then(|index| votes.get_mut(index)) {
                *count += 1;
            }
        }
        // Of equal ones `max_by_key` takes the last.
        votes.iter().rev().max_by_key(|(_, count)| *count).map(|(name, _)| (*name).clone())
    }

    /// Whether a member is who it says: a known id, and the one that holds its static place.
    pub(super) fn validate(&self, member_id: &str, instance: Option<&str>) -> Result<(), GroupError> {
        if let Some(instance) = instance {
            match self.static_members.get(instance) {
                None => return Err(GroupError::UnknownMemberId),
                Some(holder) if **holder != *member_id => return Err(GroupError::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) { Ok(()) } else { Err(GroupError::UnknownMemberId) }
    }

    /// The members as the leader is told of them.
    pub(super) fn joined_members(&self) -> Vec<JoinedMember> {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let members = self.members.iter().map(|(id, member)| JoinedMember {
            member_id: id.clone(),
            instance: member.instance.clone(),
            metadata: member.metadata(protocol),
        });
        members.collect()
    }

    pub(super) fn compute_subscribed_topics(&self) -> Option<BTreeSet<Arc<str>>> {
        if !self.uses_consumer_protocol() {
            return None;
        }
        let mut topics = BTreeSet::new();
        if self.members.is_empty() {
            return Some(topics);
        }
        let protocol = self.protocol.as_deref()?;
        for member in self.members.values() {
            topics.extend(subscribed_topics(&member.metadata(protocol))?);
        }
        Some(topics)
    }

    /// Whether offsets of `topic` are in use; if nobody can tell, those of a consumer group are.
    pub(super) fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(topic),
            None => self.uses_consumer_protocol(),
        }
    }
}
