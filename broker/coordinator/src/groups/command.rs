//! What comes in: commands, and what they need to know.

use std::sync::Arc;

use brooklet_model::{ProducerId, Timestamp, TopicPartition};
use bytes::Bytes;
use uuid::Uuid;

use super::step::TimerKey;

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
    /// A timer that a [`Step`](super::Step) armed. Has no reply.
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
