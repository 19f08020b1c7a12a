//! Transactions, both versions of the protocol (KIP-98, KIP-360, KIP-890).
//!
//! Reading order: `command` says what comes in and what goes out, `record` is the state of a transactional id, which
//! is what the log keeps of it; `init`, `add` and `end` are the protocol, `expire` is what time does, `query` what can be
//! asked. There are no volatile events: whatever is decided is on record before anyone hears of it.
//!
//! See `kafka.coordinator.transaction.TransactionCoordinator` and `TransactionStateManager`.

mod add;
mod command;
mod end;
mod expire;
mod init;
mod query;
mod record;

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_model::{ProducerId, Timestamp};

pub use command::{Command, Context, Markers, Producer, Reply, Step, TimerChange, TimerKey, TransactionError};
pub use query::{Listed, ListedTransactions};
pub use record::{ClientVersion, NO_EPOCH, State, Transaction, TransactionRecord};

/// The bounds and delays, named as Kafka's broker configuration names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionConfig {
    /// `transaction.max.timeout.ms`
    pub max_timeout_ms: i32,
    /// `transactional.id.expiration.ms`
    pub id_expiration_ms: i64,
    /// `transaction.remove.expired.transaction.cleanup.interval.ms`
    pub expiration_interval_ms: u64,
    /// By which protocol the broker itself aborts: the finalised `transaction.version`.
    pub version: ClientVersion,
}

impl Default for TransactionConfig {
    fn default() -> Self {
        Self {
            max_timeout_ms: 15 * 60 * 1000,
            id_expiration_ms: 7 * 24 * 60 * 60 * 1000,
            expiration_interval_ms: 60 * 60 * 1000,
            version: ClientVersion::V2,
        }
    }
}

/// All transactional ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionCoordinator {
    config: TransactionConfig,
    transactions: BTreeMap<Arc<str>, Arc<Transaction>>,
}

impl TransactionCoordinator {
    /// Without any id.
    pub fn new(config: TransactionConfig) -> Self {
        Self { config, transactions: BTreeMap::new() }
    }

    /// Says what `command` does, without doing it. An error means that it is refused and changes nothing.
    pub fn handle(&self, context: &Context, command: Command) -> Result<Step, TransactionError> {
        match command {
            Command::Init { transactional_id, timeout_ms, expected } => {
                self.init(context, transactional_id, timeout_ms, expected)
            }
            Command::AddPartitions { producer, partitions, version } => {
                self.add_partitions(context, producer, partitions, version)
            }
            Command::End { producer, commit, version } => self.end(context, &producer, commit, version),
            Command::MarkersWritten(markers) => Ok(self.markers_written(context, &markers)),
            Command::TimerFired(TimerKey::Timeout { transactional_id }) => {
                Ok(self.timed_out(context, &transactional_id))
            }
            Command::TimerFired(TimerKey::Expiration) => Ok(self.expire(context.now)),
        }
    }

    /// The only mutator: applies an event of a [`Step`], or a record read back at a restart.
    pub fn replay(&mut self, record: &TransactionRecord) {
        match &record.value {
            Some(value) => self.transactions.insert(record.id.clone(), value.clone()),
            None => self.transactions.remove(&record.id),
        };
    }

    /// The timers to be armed after a restart: the timeout of every open transaction, and the expiration of ids.
    pub fn timers_after_restart(&self, now: Timestamp) -> Vec<TimerChange> {
        let open = self.transactions.iter().filter(|(_, transaction)| transaction.state == State::Ongoing);
        let timeouts = open.map(|(id, transaction)| timeout(id, transaction, now));
        timeouts.chain([self.expiration_timer()]).collect()
    }

    /// The transactions whose outcome is on record, but perhaps not in all of their partitions: to be written again
    /// after a restart.
    pub fn unfinished(&self) -> Vec<Markers> {
        let prepared = self.transactions.iter().filter(|(_, transaction)| transaction.state.is_prepared());
        prepared.map(|(id, transaction)| end::markers(id, transaction)).collect()
    }

    fn existing(&self, id: &str) -> Result<&Transaction, TransactionError> {
        if id.is_empty() {
            return Err(TransactionError::InvalidRequest);
        }
        self.transactions.get(id).map(AsRef::as_ref).ok_or(TransactionError::InvalidProducerIdMapping)
    }

    fn expiration_timer(&self) -> TimerChange {
        TimerChange::Arm { key: TimerKey::Expiration, after_ms: self.config.expiration_interval_ms }
    }
}

impl Transaction {
    /// A copy to be changed: each change notes the producer id before it.
    fn next(&self, now: Timestamp) -> Self {
        Self { previous_producer_id: self.producer_id, update_timestamp: now, ..self.clone() }
    }

    /// Whether only the coordinator may go on with the epoch, to fence the producer.
    fn is_exhausted(&self) -> bool {
        self.epoch.0 >= i16::MAX - 1
    }
}

/// The timer of an open transaction.
fn timeout(id: &Arc<str>, transaction: &Transaction, now: Timestamp) -> TimerChange {
    let deadline = transaction.start_timestamp.saturating_add(transaction.timeout_ms.into());
    TimerChange::Arm {
        key: TimerKey::Timeout { transactional_id: id.clone() },
        after_ms: u64::try_from(deadline.saturating_sub(now)).unwrap_or(0),
    }
}

fn fresh(context: &Context) -> Result<ProducerId, TransactionError> {
    context.fresh_producer_id.ok_or(TransactionError::ProducerIdNeeded)
}
