//! The end of a transaction: the client's, or the coordinator's own abort.
//!
//! By the second protocol (KIP-890) each end bumps the epoch, so that nothing late can get into the next transaction, and
//! a client that aborts where there is no transaction gets a new epoch too:
//!
//! ```text
//!                  abort               commit
//!                  repeated  current   repeated  current
//! Empty            fenced    bump      fenced    invalid state
//! CompleteAbort    done      bump      invalid   invalid state
//! CompleteCommit   invalid   bump      done      invalid state
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use brooklet_model::{ProducerEpoch, ProducerId};

use super::command::{Context, Markers, Producer, Reply, Step, TimerChange, TimerKey, TransactionError};
use super::record::{ClientVersion, NO_EPOCH, State, Transaction, TransactionRecord};
use super::{TransactionCoordinator, fresh};

impl TransactionCoordinator {
    pub(super) fn end(
        &self,
        context: &Context,
        producer: &Producer,
        commit: bool,
        version: ClientVersion,
    ) -> Result<Step, TransactionError> {
        let current = self.existing(&producer.transactional_id)?;
        match version {
            ClientVersion::V1 => end_v1(context, current, producer, commit),
            ClientVersion::V2 => end_v2(context, current, producer, commit),
        }
    }

    /// Aborts the open transaction in the coordinator's own name, which fences the producer.
    pub(super) fn abort(&self, context: &Context, id: &Arc<str>, current: &Transaction) -> Step {
        let mut next = current.next(context.now);
        next.epoch = ProducerEpoch(current.epoch.0.saturating_add(1));
        next.last_epoch = match self.config.version {
            ClientVersion::V1 => NO_EPOCH,
            ClientVersion::V2 => current.epoch,
        };
        next.state = State::PrepareAbort;
        next.client_version = self.config.version;
        prepared(id, next, Reply::Done)
    }

    pub(super) fn markers_written(&self, context: &Context, written: &Markers) -> Step {
        let mut step = Step::reply(Reply::Done);
        let id = &written.producer.transactional_id;
        let Some(current) = self.transactions.get(id) else { return step };
        if markers(id, current) == *written && current.state.is_prepared() {
            let next = complete(current, context.now);
            step.events.push(TransactionRecord { id: id.clone(), value: Some(Arc::new(next)) });
        }
        step
    }
}

fn end_v1(
    context: &Context,
    current: &Transaction,
    producer: &Producer,
    commit: bool,
) -> Result<Step, TransactionError> {
    if current.producer_id != producer.id {
        return Err(TransactionError::InvalidProducerIdMapping);
    }
    if current.epoch != producer.epoch {
        return Err(TransactionError::ProducerFenced);
    }
    let nobody = Reply::Producer(ProducerId::NONE, NO_EPOCH);
    match (current.state, commit) {
        (State::Ongoing, _) => {
            let mut next = current.next(context.now);
            next.state = prepare(commit);
            next.client_version = ClientVersion::V1;
            Ok(prepared(&producer.transactional_id, next, nobody))
        }
        (State::CompleteCommit, true) | (State::CompleteAbort, false) => Ok(Step::reply(nobody)),
        (State::PrepareCommit, true) | (State::PrepareAbort, false) => Err(TransactionError::ConcurrentTransactions),
        _ => Err(TransactionError::InvalidTxnState),
    }
}

fn end_v2(
    context: &Context,
    current: &Transaction,
    producer: &Producer,
    commit: bool,
) -> Result<Step, TransactionError> {
    // The client did not hear that its transaction had ended: with a new epoch, or with a new producer id.
    let repeats_bump = i32::from(current.epoch.0) == i32::from(producer.epoch.0) + 1;
    let repeats_rotation = current.previous_producer_id == producer.id
        && producer.epoch.0 == i16::MAX - 1
        && current.epoch == ProducerEpoch(0);
    let is_repeated = repeats_bump || repeats_rotation;
    if current.producer_id != producer.id && !repeats_rotation {
        return Err(TransactionError::InvalidProducerIdMapping);
    }
    let is_current = current.epoch == producer.epoch;
    let is_valid = match current.state {
        State::Empty | State::Ongoing | State::Dead => is_current,
        State::PrepareCommit | State::PrepareAbort => repeats_bump,
        State::CompleteCommit | State::CompleteAbort => is_repeated || is_current,
    };
    if !is_valid {
        return Err(TransactionError::ProducerFenced);
    }
    let done = Reply::Producer(current.producer_id, current.epoch);
    match (current.state, commit) {
        (State::Ongoing, _) => bumped(context, current, producer, commit),
        (State::PrepareCommit, true) | (State::PrepareAbort, false) => Err(TransactionError::ConcurrentTransactions),
        (State::CompleteCommit, true) | (State::CompleteAbort, false) if is_repeated => Ok(Step::reply(done)),
        (State::Empty | State::CompleteCommit | State::CompleteAbort, false) if !is_repeated => {
            bumped(context, current, producer, false)
        }
        _ => Err(TransactionError::InvalidTxnState),
    }
}

/// Ends the transaction, or none, with a new epoch, or with a new producer id if there is none left.
fn bumped(
    context: &Context,
    current: &Transaction,
    producer: &Producer,
    commit: bool,
) -> Result<Step, TransactionError> {
    let mut next = current.next(context.now);
    if current.is_exhausted() {
        next.next_producer_id = fresh(context)?;
    }
    next.epoch = ProducerEpoch(current.epoch.0.saturating_add(1));
    next.last_epoch = current.epoch;
    next.state = prepare(commit);
    next.client_version = ClientVersion::V2;
    if current.state != State::Ongoing {
        next.start_timestamp = context.now;
    }
    let then = complete(&next, context.now);
    Ok(prepared(&producer.transactional_id, next, Reply::Producer(then.producer_id, then.epoch)))
}

fn prepare(commit: bool) -> State {
    if commit { State::PrepareCommit } else { State::PrepareAbort }
}

/// Puts the outcome on record, to be written to the partitions.
fn prepared(id: &Arc<str>, next: Transaction, reply: Reply) -> Step {
    let mut step = Step::reply(reply);
    step.timers.push(TimerChange::Cancel(TimerKey::Timeout { transactional_id: id.clone() }));
    step.markers = Some(markers(id, &next));
    step.events.push(TransactionRecord { id: id.clone(), value: Some(Arc::new(next)) });
    step
}

/// What a transaction is once all markers are written.
fn complete(current: &Transaction, now: brooklet_model::Timestamp) -> Transaction {
    let mut next = current.next(now);
    next.state = if current.state == State::PrepareCommit { State::CompleteCommit } else { State::CompleteAbort };
    if current.next_producer_id != ProducerId::NONE {
        next.producer_id = current.next_producer_id;
        next.next_producer_id = ProducerId::NONE;
        next.epoch = ProducerEpoch(0);
    }
    next.partitions = BTreeSet::new();
    next
}

/// The markers of a transaction whose outcome is on record.
pub(super) fn markers(id: &Arc<str>, transaction: &Transaction) -> Markers {
    Markers {
        producer: Producer { transactional_id: id.clone(), id: transaction.producer_id, epoch: transaction.epoch },
        commit: transaction.state == State::PrepareCommit,
        version: transaction.client_version,
        partitions: transaction.partitions.clone(),
    }
}
