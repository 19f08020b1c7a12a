//! What a transaction writes to.

use std::collections::BTreeSet;

use brooklet_model::TopicPartition;
use std::sync::Arc;

use super::command::{Context, Producer, Reply, Step, TransactionError};
use super::record::{ClientVersion, State, Transaction, TransactionRecord};
use super::{TransactionCoordinator, timeout};

impl TransactionCoordinator {
    pub(super) fn add_partitions(
        &self,
        context: &Context,
        producer: Producer,
        partitions: BTreeSet<TopicPartition>,
        version: ClientVersion,
    ) -> Result<Step, TransactionError> {
        let current = self.open_to(&producer)?;
        if current.state == State::Ongoing && partitions.is_subset(&current.partitions) {
            return Ok(Step::reply(Reply::Done));
        }
        let mut next = current.next(context.now);
        let mut step = Step::reply(Reply::Done);
        if current.state != State::Ongoing {
            next.start_timestamp = context.now;
            step.timers.push(timeout(&producer.transactional_id, &next, context.now));
        }
        next.state = State::Ongoing;
        next.partitions.extend(partitions);
        next.client_version = version;
        step.events.push(TransactionRecord { id: producer.transactional_id, value: Some(Arc::new(next)) });
        Ok(step)
    }

    /// Whether the producer's transaction has `partition`; TRANSACTION_ABORTABLE if not.
    pub fn verify(&self, producer: &Producer, partition: &TopicPartition) -> Result<(), TransactionError> {
        let current = self.open_to(producer)?;
        if current.partitions.contains(partition) { Ok(()) } else { Err(TransactionError::TransactionAbortable) }
    }

    /// The id's state, if the producer is the current one and the outcome of its transaction is not decided.
    fn open_to(&self, producer: &Producer) -> Result<&Transaction, TransactionError> {
        let current = self.existing(&producer.transactional_id)?;
        if current.producer_id != producer.id {
            return Err(TransactionError::InvalidProducerIdMapping);
        }
        if current.epoch != producer.epoch {
            return Err(TransactionError::ProducerFenced);
        }
        if current.state.is_prepared() {
            return Err(TransactionError::ConcurrentTransactions);
        }
        Ok(current)
    }
}
