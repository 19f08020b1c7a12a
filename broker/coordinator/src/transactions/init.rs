//! InitProducerId: who the producer of a transactional id is from now on (KIP-98, KIP-360).

use std::collections::BTreeSet;
use std::sync::Arc;

use brooklet_model::{ProducerEpoch, ProducerId};

use super::command::{Context, Reply, Step, TransactionError};
use super::record::{ClientVersion, NO_EPOCH, State, Transaction, TransactionRecord};
use super::{TransactionCoordinator, fresh};

impl TransactionCoordinator {
    pub(super) fn init(
        &self,
        context: &Context,
        id: Arc<str>,
        timeout_ms: i32,
        expected: Option<(ProducerId, ProducerEpoch)>,
    ) -> Result<Step, TransactionError> {
        if id.is_empty() {
            return Err(TransactionError::InvalidRequest);
        }
        if timeout_ms <= 0 || timeout_ms > self.config.max_timeout_ms {
            return Err(TransactionError::InvalidTransactionTimeout);
        }
        let current = match self.transactions.get(&id) {
            Some(known) => Transaction::clone(known),
            None => new(fresh(context)?, timeout_ms),
        };
        if expected.is_some_and(|expected| !may_be(&current, expected)) {
            return Err(TransactionError::ProducerFenced);
        }
        match current.state {
            State::PrepareCommit | State::PrepareAbort => return Err(TransactionError::ConcurrentTransactions),
            State::Ongoing => {
                // The epoch of this abort is told to nobody; the client comes again and gets the next one.
                let mut step = self.abort(context, &id, &current);
                step.reply = Err(TransactionError::ConcurrentTransactions);
                return Ok(step);
            }
            State::Empty | State::CompleteCommit | State::CompleteAbort | State::Dead => {}
        }
        let mut next = current.next(context.now);
        let expected = expected.map(|(_, epoch)| epoch);
        if current.is_exhausted() && expected.is_none_or(|epoch| epoch == current.epoch) {
            next.producer_id = fresh(context)?;
            next.epoch = ProducerEpoch(0);
            next.last_epoch = if expected.is_some() { current.epoch } else { NO_EPOCH };
        } else {
            (next.epoch, next.last_epoch) = bump(&current, expected)?;
        }
        next.state = State::Empty;
        next.timeout_ms = timeout_ms;
        next.partitions = BTreeSet::new();
        next.start_timestamp = -1;
        let mut step = Step::reply(Reply::Producer(next.producer_id, next.epoch));
        step.events.push(TransactionRecord { id, value: Some(Arc::new(next)) });
        Ok(step)
    }
}

fn new(producer_id: ProducerId, timeout_ms: i32) -> Transaction {
    Transaction {
        producer_id,
        previous_producer_id: ProducerId::NONE,
        next_producer_id: ProducerId::NONE,
        epoch: NO_EPOCH,
        last_epoch: NO_EPOCH,
        timeout_ms,
        state: State::Empty,
        partitions: BTreeSet::new(),
        update_timestamp: -1,
        start_timestamp: -1,
        client_version: ClientVersion::V1,
    }
}

/// Whether a client that says who it was can be the one: the current producer; the one before, if it repeats a request
/// that used its epochs up; or anyone, if there is none yet.
fn may_be(current: &Transaction, (id, epoch): (ProducerId, ProducerEpoch)) -> bool {
    current.epoch == NO_EPOCH
        || id == current.producer_id
        || id == current.previous_producer_id && epoch.0 >= i16::MAX - 1
}

/// The next epoch and the one before it. A client that expects the one before repeats a request that was done.
fn bump(
    current: &Transaction,
    expected: Option<ProducerEpoch>,
) -> Result<(ProducerEpoch, ProducerEpoch), TransactionError> {
    let next = ProducerEpoch(current.epoch.0.saturating_add(1));
    match expected {
        _ if current.is_exhausted() && expected != Some(current.last_epoch) => Err(TransactionError::ProducerFenced),
        None => Ok((next, NO_EPOCH)),
        Some(expected) if current.epoch == NO_EPOCH || expected == current.epoch => Ok((next, current.epoch)),
        Some(expected) if expected == current.last_epoch => Ok((current.epoch, current.last_epoch)),
        Some(_) => Err(TransactionError::ProducerFenced),
    }
}
