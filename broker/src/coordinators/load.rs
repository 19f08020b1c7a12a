//! What the coordinators read when they start: their logs, from the first record to the last.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use brooklet_coordinator::Record;
use brooklet_coordinator::groups::{Event, GroupCoordinator};
use brooklet_coordinator::transactions::{TransactionCoordinator, TransactionRecord};
use brooklet_storage::{PartitionLog, Replayed, StorageError};

use super::groups::OFFSETS_TOPIC;
use super::transactions::TRANSACTIONS_TOPIC;

/// The groups as the log tells of them.
pub(super) fn groups(mut groups: GroupCoordinator, log: &PartitionLog) -> Result<GroupCoordinator, StorageError> {
    let begun = Instant::now();
    let (mut records, mut unreadable) = (0, 0);
    let mut topics = HashSet::new();
    log.replay(&mut |replayed| match replayed {
        Replayed::Update { producer_id, key, value } => {
            records += 1;
            match Record::decode(key, value) {
                Ok(Some(mut record)) => {
                    share_topic(&mut record, &mut topics);
                    groups.replay(&match producer_id {
                        None => Event::Durable(record),
                        Some(producer_id) => Event::Transactional { producer_id, record },
                    });
                }
                // A group of another protocol.
                Ok(None) => {}
                Err(_) => unreadable += 1,
            }
        }
        Replayed::TransactionEnded { producer_id, commit } => {
            groups.replay(&Event::TransactionEnded { producer_id, commit });
        }
    })?;
    if unreadable > 0 {
        // Clients that call themselves administrators may write to the topic, as in Kafka: what they write there is not
        // to cost everyone their groups.
        tracing::warn!(records = unreadable, "skipped records of {OFFSETS_TOPIC} that cannot be read");
    }
    tracing::info!(records, took = ?begun.elapsed(), "read the groups");
    Ok(groups)
}

/// Offsets of a topic share its name: there may be a million of them.
fn share_topic(record: &mut Record, topics: &mut HashSet<Arc<str>>) {
    let Record::Offset { partition, .. } = record else { return };
    match topics.get(&partition.topic) {
        Some(known) => partition.topic = known.clone(),
        None => drop(topics.insert(partition.topic.clone())),
    }
}

/// The transactional ids as the log tells of them.
pub(super) fn transactions(
    mut transactions: TransactionCoordinator,
    log: &PartitionLog,
) -> Result<TransactionCoordinator, StorageError> {
    let mut unreadable = 0;
    log.replay(&mut |replayed| {
        let Replayed::Update { key, value, .. } = replayed else { return };
        match TransactionRecord::decode(key, value) {
            Ok(Some(record)) => transactions.replay(&record),
            Ok(None) => {}
            Err(_) => unreadable += 1,
        }
    })?;
    if unreadable > 0 {
        tracing::warn!(records = unreadable, "skipped records of {TRANSACTIONS_TOPIC} that cannot be read");
    }
    Ok(transactions)
}
