//! Consumer groups of the classic protocol and the offsets that groups commit.
//!
//! Reading order: `command` says what comes in and `step` what goes out, `group` holds a group's state, `join`,
//! `rebalance`, `sync`, `leave` and `expire` are the protocol, `commit` and `query` the offsets.
//!
//! A handler works on a copy of the one group concerned (members are cheap to copy) and hands the new group back as a
//! volatile event; what must survive a restart goes into records before it, at the same moments as in Kafka: when a
//! group is made, when the leader's assignment arrives, when a static member is replaced in a stable group, and when
//! the group becomes empty. See `org.apache.kafka.coordinator.group.GroupMetadataManager` and `OffsetMetadataManager`.

mod command;
mod commit;
mod expire;
mod group;
mod join;
mod leave;
mod pending;
mod query;
mod rebalance;
mod step;
mod subscription;
mod sync;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_model::{ProducerId, TopicPartition};

use crate::records::{CommittedOffset, Record};
pub use command::{
    Command, Commit, CommitPartition, Context, Heartbeat, Join, Leave, LeaveMember, Protocol, RequestId, Sync,
};
pub use group::{Group, Member, State};
use pending::PendingOffsets;
pub use query::{DescribedGroup, DescribedMember, ListedGroup};
pub use step::{
    Event, GroupError, JoinRefused, Joined, JoinedMember, Left, Reply, Step, Synced, TimerChange, TimerKey,
};

/// The bounds and delays, named as Kafka's broker configuration names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    /// `group.min.session.timeout.ms`
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`
    pub max_session_timeout_ms: i32,
    /// `group.max.size`
    pub max_size: usize,
    /// `group.initial.rebalance.delay.ms`. Kafka waits 3 s for further members of a new group; people who develop
    /// against a broker would rather start at once and rebalance when the next member comes.
    pub initial_rebalance_delay_ms: u64,
    /// How long the first join of a member may be parked: it cannot send heartbeats yet.
    pub new_member_join_timeout_ms: u64,
    /// `offset.metadata.max.bytes`
    pub offset_metadata_max: usize,
    /// `offsets.retention.minutes`, in ms
    pub offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`
    pub offsets_retention_check_interval_ms: u64,
}

impl Default for GroupConfig {
    fn default() -> Self {
        Self {
            min_session_timeout_ms: 6_000,
            max_session_timeout_ms: 1_800_000,
            max_size: 5_000,
            initial_rebalance_delay_ms: 0,
            new_member_join_timeout_ms: 5 * 60 * 1000,
            offset_metadata_max: 4096,
            offsets_retention_ms: 7 * 24 * 60 * 60 * 1000,
            offsets_retention_check_interval_ms: 10 * 60 * 1000,
        }
    }
}

type Offsets = BTreeMap<TopicPartition, CommittedOffset>;

/// All groups and their offsets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupCoordinator {
    config: GroupConfig,
    groups: BTreeMap<Arc<str>, Arc<Group>>,
    offsets: BTreeMap<Arc<str>, Offsets>,
    pending: PendingOffsets,
}

impl GroupCoordinator {
    /// Without any group.
    pub fn new(config: GroupConfig) -> Self {
        Self { config, ..Self::default() }
    }

    /// Says what `command` does, without doing it. An error means that it is refused and changes nothing.
    pub fn handle(&self, context: &Context, command: Command) -> Result<Step, GroupError> {
        match command {
            Command::Join(join) => self.join(context, join),
            Command::Sync(sync) => self.sync(context, sync),
            Command::Heartbeat(heartbeat) => self.heartbeat(context, &heartbeat),
            Command::Leave(leave) => self.leave(context, leave),
            Command::Commit(commit) => self.commit(context, commit, None),
            Command::CommitInTransaction { producer_id, commit } => self.commit(context, commit, Some(producer_id)),
            Command::EndTransaction { producer_id, commit } => Ok(Self::end_transaction(producer_id, commit)),
            Command::DeleteOffsets { group, partitions } => self.delete_offsets(context, &group, &partitions),
            Command::DeleteGroup { group } => self.delete_group(context, &group),
            Command::TopicDeleted { topic } => Ok(self.topic_deleted(&topic)),
            Command::TimerFired(key) => Ok(self.timer_fired(context, key)),
        }
    }

    /// The only mutator: applies an event of a [`Step`], or a record read back at a restart.
    pub fn replay(&mut self, event: &Event) {
        match event {
            Event::Durable(Record::Group { group, value: Some(value) }) => {
                self.groups.insert(group.clone(), Arc::new(Group::from_record(value)));
            }
            Event::Durable(Record::Group { group, value: None }) => {
                self.groups.remove(group);
                self.offsets.remove(group);
            }
            Event::Durable(Record::Offset { group, partition, value: Some(value) }) => {
                self.pending.supersede(group, partition);
                self.put_offset(group, partition, value.clone());
            }
            Event::Transactional { producer_id, record } => {
                if let Record::Offset { group, partition, value: Some(value) } = record {
                    self.ensure_group(group);
                    self.pending.put(*producer_id, group, partition, value.clone());
                }
            }
            Event::TransactionEnded { producer_id, commit } => self.replay_end(*producer_id, *commit),
            Event::Durable(Record::Offset { group, partition, value: None }) => self.forget_offset(group, partition),
            Event::Volatile { id, group } => {
                self.groups.insert(id.clone(), group.clone());
            }
        }
    }

    /// Whoever commits without joining makes a group by it, a simple one: empty and without a protocol.
    fn ensure_group(&mut self, id: &Arc<str>) {
        self.groups.entry(id.clone()).or_insert_with(|| Arc::new(Group::simple()));
    }

    /// There may be a million of them: no metadata takes no memory.
    fn put_offset(&mut self, id: &Arc<str>, partition: &TopicPartition, mut value: CommittedOffset) {
        self.ensure_group(id);
        if value.metadata.is_empty() {
            value.metadata = Arc::default();
        }
        self.offsets.entry(id.clone()).or_default().insert(partition.clone(), value);
    }

    fn forget_offset(&mut self, id: &Arc<str>, partition: &TopicPartition) {
        self.pending.remove(id, partition);
        if let Some(offsets) = self.offsets.get_mut(id) {
            offsets.remove(partition);
            if offsets.is_empty() {
                self.offsets.remove(id);
            }
        }
        self.forget_group_without_trace(id);
    }

    /// Nothing in the log speaks of such a group any more, so nothing may be left of it here either.
    fn forget_group_without_trace(&mut self, id: &Arc<str>) {
        let has_offsets = self.offsets.contains_key(id) || self.pending.is_in(id);
        if !has_offsets && self.groups.get(id).is_some_and(|group| !group.recorded && group.state == State::Empty) {
            self.groups.remove(id);
        }
    }

    fn replay_end(&mut self, producer_id: ProducerId, commit: bool) {
        for (group, partition, value) in self.pending.end(producer_id, commit) {
            if let Some(value) = value {
                self.put_offset(&group, &partition, value);
            }
            self.forget_group_without_trace(&group);
        }
    }

    /// The timers to be armed after a restart: the session of every member, and the housekeeping.
    pub fn timers_after_restart(&self) -> Vec<TimerChange> {
        let sessions = self.groups.iter().flat_map(|(id, group)| {
            group.members.iter().map(|(member_id, member)| TimerChange::Arm {
                key: TimerKey::Session { group: id.clone(), member: member_id.clone() },
                after_ms: member.session_timeout_ms(),
            })
        });
        sessions.chain([self.housekeeping_timer()]).collect()
    }

    fn housekeeping_timer(&self) -> TimerChange {
        TimerChange::Arm { key: TimerKey::Housekeeping, after_ms: self.config.offsets_retention_check_interval_ms }
    }
}
