//! What comes in, and what goes out.

use std::sync::Arc;

use brooklet_model::{ProducerId, Timestamp, TopicPartition};
use bytes::Bytes;
use uuid::Uuid;

use super::Group;
use crate::records::{CommittedOffset, Record};

/// Names a request until it is answered; the shell keeps the way back to its connection under it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What a handler may not find out for itself.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Milliseconds since 1970.
    pub now: Timestamp,
    /// A fresh id, used if the command makes a member.
    pub fresh_id: Uuid,
    /// Where a reply is to go.
    pub request: RequestId,
}

/// Something to be done.
#[derive(Clone, Debug)]
pub enum Command {
    /// JoinGroup; answered when the rebalance is over.
    Join(Join),
    /// SyncGroup; answered when the leader's assignment is there.
    Sync(Sync),
    /// Heartbeat.
    Heartbeat(Heartbeat),
    /// LeaveGroup.
    Leave(Leave),
    /// OffsetCommit.
    Commit(Commit),
    /// TxnOffsetCommit: counts once the producer's transaction is committed.
    CommitInTransaction {
        /// Whose transaction.
        producer_id: ProducerId,
        /// What is committed, and by whom.
        commit: Commit,
    },
    /// The producer's transaction is over. Has no reply.
    EndTransaction {
        /// Whose.
        producer_id: ProducerId,
        /// Committed, or aborted.
        commit: bool,
    },
    /// OffsetDelete.
    DeleteOffsets {
        /// The group's id.
        group: Arc<str>,
        /// Whose offsets.
        partitions: Vec<TopicPartition>,
    },
    /// One group of DeleteGroups.
    DeleteGroup {
        /// The group's id.
        group: Arc<str>,
    },
    /// A topic is gone, and with it what was committed for it. Has no reply.
    TopicDeleted {
        /// Its name.
        topic: Arc<str>,
    },
    /// A timer that a [`Step`] armed. Has no reply.
    TimerFired(TimerKey),
}

/// A protocol that a member can work by, with its metadata for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// For example `range` or `cooperative-sticky`.
    pub name: Arc<str>,
    /// Opaque but for `consumer` groups, whose subscriptions are read.
    pub metadata: Bytes,
}

/// JoinGroup.
#[derive(Clone, Debug)]
pub struct Join {
    /// The group's id.
    pub group: Arc<str>,
    /// Empty for one who has no id yet.
    pub member_id: Arc<str>,
    /// `group.instance.id` of a static member (KIP-345).
    pub instance: Option<Arc<str>>,
    /// Client id of the request.
    pub client_id: Arc<str>,
    /// Where it came from.
    pub client_host: Arc<str>,
    /// How long it may be silent, in ms.
    pub session_timeout_ms: i32,
    /// How long a rebalance waits for it, in ms.
    pub rebalance_timeout_ms: i32,
    /// For example `consumer`.
    pub protocol_type: Arc<str>,
    /// By preference.
    pub protocols: Vec<Protocol>,
    /// Whether one without an id is told it first and has to come again (KIP-394, version 4).
    pub member_id_required: bool,
    /// Whether the client understands that the leader need not assign (version 9).
    pub can_skip_assignment: bool,
}

/// SyncGroup.
#[derive(Clone, Debug)]
pub struct Sync {
    /// The group's id.
    pub group: Arc<str>,
    /// The member's id.
    pub member_id: Arc<str>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    /// The generation that the join told.
    pub generation: i32,
    /// Checked if it is there (version 5).
    pub protocol_type: Option<Arc<str>>,
    /// Checked if it is there (version 5).
    pub protocol: Option<Arc<str>>,
    /// By member id; from the leader alone.
    pub assignments: Vec<(Arc<str>, Bytes)>,
}

/// Heartbeat.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// The group's id.
    pub group: Arc<str>,
    /// The member's id.
    pub member_id: Arc<str>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    /// The generation that the join told.
    pub generation: i32,
}

/// LeaveGroup.
#[derive(Clone, Debug)]
pub struct Leave {
    /// The group's id.
    pub group: Arc<str>,
    /// Who leaves.
    pub members: Vec<LeaveMember>,
}

/// A member to leave; an administrator names a static one by its instance alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaveMember {
    /// The member's id, or empty.
    pub member_id: Arc<str>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
}

/// OffsetCommit.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The group's id.
    pub group: Arc<str>,
    /// Empty for one who is not a member.
    pub member_id: Arc<str>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    /// Negative for one who is not a member.
    pub generation: i32,
    /// From the commit on, if the client says (versions 2-4).
    pub retention_ms: Option<i64>,
    /// Whether a missing group is called so (version 9) rather than a wrong generation.
    pub names_missing_group: bool,
    /// What is committed.
    pub partitions: Vec<CommitPartition>,
}

/// One partition of a [`Commit`].
#[derive(Clone, Debug)]
pub struct CommitPartition {
    /// The partition.
    pub partition: TopicPartition,
    /// The next offset to be read.
    pub offset: i64,
    /// -1 is unknown.
    pub leader_epoch: i32,
    /// The client's own text.
    pub metadata: Arc<str>,
}

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
    /// To [`Join`].
    Join(Result<Joined, JoinRefused>),
    /// To [`Sync`].
    Sync(Result<Synced, GroupError>),
    /// To [`Heartbeat`], and to DeleteGroup.
    Done(Result<(), GroupError>),
    /// To [`Leave`]: the members in the order asked.
    Leave(Vec<Left>),
    /// To [`Commit`], within a transaction or not, and DeleteOffsets: the partitions in the order asked.
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

/// What became of one member of a [`Leave`].
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
