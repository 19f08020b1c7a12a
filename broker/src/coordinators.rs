//! The shell around the pure coordinators: it persists what they decide, keeps their time, and sends their replies.
//!
//! One task owns the groups, another the transactional ids. Each takes what has come in, has each command handled and
//! replayed, writes the records of all of them at once, waits until they are safe, and only then lets the replies go.
//! After a failed write it forgets
//! everything, so that the next command finds what is in the log; clients are told to look for their coordinator
//! again, as Kafka does on a storage error, and come back.

mod groups;
mod load;
mod own_topic;
mod producer_ids;
mod transactions;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use brooklet_coordinator::groups::{Command, Commit, GroupConfig, GroupCoordinator, GroupError, Reply};
use brooklet_coordinator::transactions::{self as txn, TransactionConfig, TransactionCoordinator, TransactionError};
use brooklet_model::{EndMarker, ProducerEpoch, ProducerId, Timestamp};
use brooklet_storage::{AppendError, Storage};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub(crate) use groups::OFFSETS_TOPIC;
use groups::{Groups, Message};
use producer_ids::ProducerIdLog;
use transactions::Transactions;

/// Requests waiting for the task; a connection has one at most.
const INBOX_LEN: usize = 1024;

/// Why a coordinator does not answer as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CoordinatorError {
    /// The command was refused.
    #[error(transparent)]
    Refused(#[from] GroupError),
    /// The command was refused.
    #[error(transparent)]
    TransactionRefused(#[from] TransactionError),
    /// A newer instance of the producer has committed offsets.
    #[error("a newer instance of the producer has committed offsets")]
    InvalidProducerEpoch,
    /// The log could not be written or read, or the broker is stopping.
    #[error("the coordinator is not available")]
    Unavailable,
}

/// The coordinators of this broker.
pub(crate) struct Coordinators {
    inbox: mpsc::Sender<Message>,
    transactions: mpsc::Sender<transactions::Message>,
    producer_ids: Arc<ProducerIdLog>,
    shutdown: CancellationToken,
}

impl Coordinators {
    /// Starts the tasks. Nothing is created before the first request; transactions that a crash left half ended are
    /// ended at once.
    pub(crate) fn start(
        storage: &Arc<Storage>,
        config: GroupConfig,
        transactions: TransactionConfig,
        shutdown: CancellationToken,
    ) -> Self {
        let (inbox, messages) = mpsc::channel(INBOX_LEN);
        tokio::spawn(Groups::new(storage.clone(), config).run(messages));
        let producer_ids = Arc::new(ProducerIdLog::new(storage.clone()));
        let (sender, messages) = mpsc::channel(INBOX_LEN);
        let task = Transactions::new(storage.clone(), transactions, producer_ids.clone(), inbox.clone());
        tokio::spawn(task.run(messages));
        Self { inbox, transactions: sender, producer_ids, shutdown }
    }

    /// Has a command done. A join or a sync is parked as long as the group takes.
    pub(crate) async fn ask(&self, command: Command) -> Result<Reply, CoordinatorError> {
        let (answer, answered) = oneshot::channel();
        self.inbox.send(Message::Ask { command, answer }).await.map_err(|_| CoordinatorError::Unavailable)?;
        self.answer_of(answered).await?
    }

    /// Has offsets committed within a producer's transaction.
    pub(crate) async fn commit_in_transaction(
        &self,
        producer_id: ProducerId,
        epoch: ProducerEpoch,
        commit: Commit,
    ) -> Result<Reply, CoordinatorError> {
        let (answer, answered) = oneshot::channel();
        let message = Message::CommitInTransaction { producer_id, epoch, commit, answer };
        self.inbox.send(message).await.map_err(|_| CoordinatorError::Unavailable)?;
        self.answer_of(answered).await?
    }

    /// Ends a producer's transaction in the log of the groups; `outdates` as in `PartitionLog::end_transaction`.
    pub(crate) async fn end_in_groups(
        &self,
        producer_id: ProducerId,
        epoch: ProducerEpoch,
        marker: EndMarker,
        outdates: bool,
    ) -> Result<Result<(), AppendError>, CoordinatorError> {
        let (answer, answered) = oneshot::channel();
        let message = Message::EndTransaction { producer_id, epoch, marker, outdates, answer };
        self.inbox.send(message).await.map_err(|_| CoordinatorError::Unavailable)?;
        self.answer_of(answered).await
    }

    /// Has a command about a transaction done.
    pub(crate) async fn ask_transactions(&self, command: txn::Command) -> Result<txn::Reply, CoordinatorError> {
        let (answer, answered) = oneshot::channel();
        let message = transactions::Message::Ask { command, answer };
        self.transactions.send(message).await.map_err(|_| CoordinatorError::Unavailable)?;
        self.answer_of(answered).await?
    }

    /// Looks at the transactional ids as they are once everything asked before is safe.
    pub(crate) async fn look_at_transactions<T: Send + 'static>(
        &self,
        look: impl FnOnce(&TransactionCoordinator) -> T + Send + 'static,
    ) -> Result<T, CoordinatorError> {
        let (answer, answered) = oneshot::channel();
        let look = Box::new(move |transactions: &TransactionCoordinator| {
            // Nobody is left to hear it if the client has gone.
            let _ = answer.send(look(transactions));
        });
        self.transactions.send(transactions::Message::Look(look)).await.map_err(|_| CoordinatorError::Unavailable)?;
        self.answer_of(answered).await
    }

    /// Looks at the groups as they are once everything asked before is safe.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&GroupCoordinator) -> T + Send + 'static,
    ) -> Result<T, CoordinatorError> {
        let (answer, answered) = oneshot::channel();
        let look = Box::new(move |groups: &GroupCoordinator| {
            // Nobody is left to hear it if the client has gone.
            let _ = answer.send(look(groups));
        });
        self.inbox.send(Message::Look(look)).await.map_err(|_| CoordinatorError::Unavailable)?;
        self.answer_of(answered).await
    }

    /// Has the offsets forgotten that were committed for a topic that is deleted.
    pub(crate) async fn topic_deleted(&self, topic: &str) {
        // The task ends with the broker alone, and then the topic's name may stay.
        let _ = self.inbox.send(Message::TopicDeleted(topic.into())).await;
    }

    /// A producer id that nobody had before (KIP-98).
    pub(crate) async fn allocate_producer_id(&self) -> Result<ProducerId, CoordinatorError> {
        self.producer_ids.allocate().await
    }

    async fn answer_of<T>(&self, answered: oneshot::Receiver<T>) -> Result<T, CoordinatorError> {
        tokio::select! {
            biased;
            answer = answered => answer.map_err(|_| CoordinatorError::Unavailable),
            () = self.shutdown.cancelled() => Err(CoordinatorError::Unavailable),
        }
    }
}

/// Milliseconds since 1970.
pub(crate) fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::try_from(since.as_millis()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
