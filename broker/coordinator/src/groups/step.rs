//! What goes out: events, replies and timers.

use std::sync::Arc;

use brooklet_model::{ProducerId, TopicPartition};
use bytes::Bytes;

use super::Group;
use super::command::{LeaveMember, RequestId};
use crate::records::{CommittedOffset, Record};

/// Why a command is refused: Kafka's errors of the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// INVALID_GROUP_ID
    #[error("the group id is empty")]
    InvalidGroupId,
    /// INVALID_SESSION_TIMEOUT
    #[error("the session timeout is out of bounds")]
    InvalidSessionTimeout,
    /// UNKNOWN_MEMBER_ID
    #[error("the member is not in the group")]
    UnknownMemberId,
    /// UNKNOWN_SERVER_ERROR: Kafka fails on it
    #[error("an id that was given to a dynamic member came back with a static member's instance")]
    PendingMemberIsDynamic,
    /// MEMBER_ID_REQUIRED
    #[error("the member is to join again with the id it was given")]
    MemberIdRequired,
    /// FENCED_INSTANCE_ID
    #[error("another member has taken the static member's place")]
    FencedInstanceId,
    /// ILLEGAL_GENERATION
    #[error("the generation is not the group's")]
    IllegalGeneration,
    /// REBALANCE_IN_PROGRESS
    #[error("the group is rebalancing")]
    RebalanceInProgress,
    /// INCONSISTENT_GROUP_PROTOCOL
    #[error("no protocol of the member is one that all members know")]
    InconsistentGroupProtocol,
    /// GROUP_MAX_SIZE_REACHED
    #[error("the group is full")]
    GroupMaxSizeReached,
    /// GROUP_ID_NOT_FOUND
    #[error("there is no such group")]
    GroupIdNotFound,
    /// NON_EMPTY_GROUP
    #[error("the group has members")]
    NonEmptyGroup,
    /// GROUP_SUBSCRIBED_TO_TOPIC
    #[error("the group is subscribed to the topic")]
    GroupSubscribedToTopic,
    /// OFFSET_METADATA_TOO_LARGE
    #[error("the metadata of the offset is too long")]
    OffsetMetadataTooLarge,
}

/// What a command does. Events are persisted (the durable ones), then replayed, in order; replies go out once the
/// records are safe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Changes of the state.
    pub events: Vec<Event>,
    /// Answers, to this request or to ones parked before.
    pub replies: Vec<(RequestId, Reply)>,
    /// Timers, in order.
    pub timers: Vec<TimerChange>,
}

/// A change of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A record, to be persisted.
    Durable(Record),
    /// A record, to be persisted as part of a producer's transaction.
    Transactional {
        /// Whose transaction.
        producer_id: ProducerId,
        /// The record.
        record: Record,
    },
    /// A producer's transaction is over: to be persisted as a marker.
    TransactionEnded {
        /// Whose.
        producer_id: ProducerId,
        /// Committed, or aborted.
        commit: bool,
    },
    /// What a group is like now in memory alone: who is parked, who is pending, the state of a rebalance.
    Volatile {
        /// The group's id.
        id: Arc<str>,
        /// The group.
        group: Arc<Group>,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To [`Join`](super::Join).
    Join(Result<Joined, JoinRefused>),
    /// To [`Sync`](super::Sync).
    Sync(Result<Synced, GroupError>),
    /// To [`Heartbeat`](super::Heartbeat), and to DeleteGroup.
    Done(Result<(), GroupError>),
    /// To [`Leave`](super::Leave): the members in the order asked.
    Leave(Vec<Left>),
    /// To [`Commit`](super::Commit), within a transaction or not, and DeleteOffsets: the partitions in the order asked.
    Partitions(Vec<Result<(), GroupError>>),
}

/// A member is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The group's generation.
    pub generation: i32,
    /// For example `consumer`.
    pub protocol_type: Option<Arc<str>>,
    /// The protocol that all can work by.
    pub protocol: Option<Arc<str>>,
    /// Member id of the leader.
    pub leader: Arc<str>,
    /// Whether the leader need not assign (version 9).
    pub skip_assignment: bool,
    /// Its own id.
    pub member_id: Arc<str>,
    /// All members; told to the leader alone.
    pub members: Vec<JoinedMember>,
}

/// A member as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    /// The member's id.
    pub member_id: Arc<str>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    /// Its metadata for the group's protocol.
    pub metadata: Bytes,
}

/// A member is not in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRefused {
    /// Why.
    pub error: GroupError,
    /// The member id to be told.
    pub member_id: Arc<str>,
}

/// A member's part of the assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// For example `consumer`.
    pub protocol_type: Option<Arc<str>>,
    /// The protocol that all work by.
    pub protocol: Option<Arc<str>>,
    /// What the leader gave it.
    pub assignment: Bytes,
}

/// What became of one member of a [`Leave`](super::Leave).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// As asked.
    pub member: LeaveMember,
    /// Whether it is out.
    pub result: Result<(), GroupError>,
}

/// A timer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKey {
    /// A member has been silent for its session timeout, or never came back with the id it was given.
    Session {
        /// The group's id.
        group: Arc<str>,
        /// The member's id.
        member: Arc<str>,
    },
    /// A rebalance has waited long enough for members to join.
    Join {
        /// The group's id.
        group: Arc<str>,
    },
    /// A generation has waited long enough for members to sync.
    Sync {
        /// The group's id.
        group: Arc<str>,
    },
    /// Offsets past their retention are to be forgotten.
    Housekeeping,
}

/// A timer of these to set or to stop.
pub type TimerChange = crate::TimerChange<TimerKey>;

impl Step {
    pub(super) fn reply(request: RequestId, reply: Reply) -> Self {
        Self { replies: vec![(request, reply)], ..Self::default() }
    }

    pub(super) fn commit_offset(
        &mut self,
        group: &Arc<str>,
        partition: &TopicPartition,
        value: Option<CommittedOffset>,
    ) {
        let record = Record::Offset { group: group.clone(), partition: partition.clone(), value };
        self.events.push(Event::Durable(record));
    }
}
