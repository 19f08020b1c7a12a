//! What comes in, and what goes out.

use std::collections::BTreeSet;
use std::sync::Arc;

use brooklet_model::{ProducerEpoch, ProducerId, Timestamp, TopicPartition};

use super::record::{ClientVersion, TransactionRecord};

/// What a handler may not find out for itself.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Milliseconds since 1970.
    pub now: Timestamp,
    /// A producer id that nobody had before. Without one, a command that turns out to need it is refused with
    /// [`TransactionError::ProducerIdNeeded`], to be asked again.
    pub fresh_producer_id: Option<ProducerId>,
}

/// Who a client says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// Its transactional id.
    pub transactional_id: Arc<str>,
    /// Its producer id.
    pub id: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
}

/// Something to be done.
#[derive(Clone, Debug)]
pub enum Command {
    /// InitProducerId.
    Init {
        /// The transactional id.
        transactional_id: Arc<str>,
        /// `transaction.timeout.ms`
        timeout_ms: i32,
        /// Who the client was before, if it goes on after an error (KIP-360).
        expected: Option<(ProducerId, ProducerEpoch)>,
    },
    /// AddPartitionsToTxn and AddOffsetsToTxn; Produce and TxnOffsetCommit of clients that do not ask for it.
    AddPartitions {
        /// Who asks.
        producer: Producer,
        /// What the transaction is going to write to.
        partitions: BTreeSet<TopicPartition>,
        /// By which protocol.
        version: ClientVersion,
    },
    /// EndTxn.
    End {
        /// Who asks.
        producer: Producer,
        /// Committed, or aborted.
        commit: bool,
        /// By which protocol.
        version: ClientVersion,
    },
    /// All markers that a [`Step`] asked for are written. Has no reply.
    MarkersWritten(Markers),
    /// A timer that a [`Step`] armed. Has no reply.
    TimerFired(TimerKey),
}

/// Why a command is refused: Kafka's errors of the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// INVALID_REQUEST
    #[error("the transactional id is empty")]
    InvalidRequest,
    /// INVALID_TRANSACTION_TIMEOUT
    #[error("the transaction's timeout is out of bounds")]
    InvalidTransactionTimeout,
    /// INVALID_PRODUCER_ID_MAPPING
    #[error("the producer id is not the one of the transactional id")]
    InvalidProducerIdMapping,
    /// PRODUCER_FENCED
    #[error("there is a newer producer with the same transactional id")]
    ProducerFenced,
    /// CONCURRENT_TRANSACTIONS
    #[error("the transaction before is not over yet")]
    ConcurrentTransactions,
    /// INVALID_TXN_STATE
    #[error("the transaction is not in a state for this")]
    InvalidTxnState,
    /// TRANSACTION_ABORTABLE
    #[error("the partition is not in the transaction")]
    TransactionAbortable,
    /// Not for clients: see [`Context::fresh_producer_id`].
    #[error("a fresh producer id is needed")]
    ProducerIdNeeded,
}

/// What a command does. Events are persisted, then replayed, in order; then the markers are written and reported by
/// [`Command::MarkersWritten`]. The answer goes out once the events and the markers are safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Changes of the state, all of them durable.
    pub events: Vec<TransactionRecord>,
    /// The answer, for commands that have one.
    pub reply: Result<Reply, TransactionError>,
    /// Timers, in order.
    pub timers: Vec<TimerChange>,
    /// Markers to be written once the events are safe.
    pub markers: Option<Markers>,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Done.
    Done,
    /// Who the client is from now on.
    Producer(ProducerId, ProducerEpoch),
}

/// The end of a transaction, to be written to each of its partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markers {
    /// Whose.
    pub producer: Producer,
    /// Committed, or aborted.
    pub commit: bool,
    /// By which protocol: by the second one the epoch is newer than that of the records.
    pub version: ClientVersion,
    /// Where to.
    pub partitions: BTreeSet<TopicPartition>,
}

/// What a timer is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKey {
    /// The open transaction of an id has lasted as long as it may.
    Timeout {
        /// The transactional id.
        transactional_id: Arc<str>,
    },
    /// Ids that nobody uses are to be forgotten.
    Expiration,
}

/// A timer of these to set or to stop.
pub type TimerChange = crate::TimerChange<TimerKey>;

impl Step {
    pub(super) fn reply(reply: Reply) -> Self {
        Self { events: Vec::new(), reply: Ok(reply), timers: Vec::new(), markers: None }
    }
}
