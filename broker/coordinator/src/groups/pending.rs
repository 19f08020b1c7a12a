//! Offsets committed within open transactions (KIP-98): they count once the transaction is committed, unless something
//! that stands later in the log counts already.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use brooklet_model::{ProducerId, TopicPartition};

use super::GroupCoordinator;
use super::step::{Event, Step};
use crate::records::CommittedOffset;

#[derive(Clone, Debug, PartialEq, Eq)]
struct PendingOffset {
    producer_id: ProducerId,
    value: CommittedOffset,
    superseded: bool,
}

/// By group and partition, each in the order of the log, one of each producer at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PendingOffsets {
    of: BTreeMap<Arc<str>, BTreeMap<TopicPartition, Vec<PendingOffset>>>,
    /// Where each producer has one.
    places: BTreeMap<ProducerId, BTreeSet<(Arc<str>, TopicPartition)>>,
}

impl PendingOffsets {
    pub(super) fn put(
        &mut self,
        producer_id: ProducerId,
        group: &Arc<str>,
        partition: &TopicPartition,
        value: CommittedOffset,
    ) {
        let of_partition = self.of.entry(group.clone()).or_default().entry(partition.clone()).or_default();
        of_partition.retain(|pending| pending.producer_id != producer_id);
        of_partition.push(PendingOffset { producer_id, value, superseded: false });
        self.places.entry(producer_id).or_default().insert((group.clone(), partition.clone()));
    }

    /// Notes that an offset counts that stands after all that are there.
    pub(super) fn supersede(&mut self, group: &str, partition: &TopicPartition) {
        let of_partition = self.of.get_mut(group).and_then(|partitions| partitions.get_mut(partition));
        of_partition.into_iter().flatten().for_each(|pending| pending.superseded = true);
    }

    /// Forgets what is pending for a partition.
    pub(super) fn remove(&mut self, group: &Arc<str>, partition: &TopicPartition) {
        let Some(partitions) = self.of.get_mut(group) else { return };
        let place = (group.clone(), partition.clone());
        for pending in partitions.remove(partition).unwrap_or_default() {
            if let Some(places) = self.places.get_mut(&pending.producer_id) {
                places.remove(&place);
                if places.is_empty() {
                    self.places.remove(&pending.producer_id);
                }
            }
        }
        if partitions.is_empty() {
            self.of.remove(group);
        }
    }

    /// Takes the producer's offsets out; with the value where it counts from now on.
    pub(super) fn end(
        &mut self,
        producer_id: ProducerId,
        commit: bool,
    ) -> Vec<(Arc<str>, TopicPartition, Option<CommittedOffset>)> {
        let mut ended = Vec::new();
        for (group, partition) in self.places.remove(&producer_id).unwrap_or_default() {
            let Some(partitions) = self.of.get_mut(&group) else { continue };
            let mut value = None;
            if let Some(of_partition) = partitions.get_mut(&partition)
                && let Some(at) = of_partition.iter().position(|pending| pending.producer_id == producer_id)
            {
                let pending = of_partition.remove(at);
                if commit && !pending.superseded {
                    of_partition.iter_mut().take(at).for_each(|earlier| earlier.superseded = true);
                    value = Some(pending.value);
                }
                if of_partition.is_empty() {
                    partitions.remove(&partition);
                }
            }
            if partitions.is_empty() {
                self.of.remove(&group);
            }
            ended.push((group, partition, value));
        }
        ended
    }

    /// Whether anything is pending in the group.
    pub(super) fn is_in(&self, group: &str) -> bool {
        self.of.contains_key(group)
    }

    /// Whether anything is pending for the partition.
    pub(super) fn is_at(&self, group: &str, partition: &TopicPartition) -> bool {
        self.of.get(group).is_some_and(|partitions| partitions.contains_key(partition))
    }

    /// The partitions of a group for which anything is pending.
    pub(super) fn partitions(&self, group: &str) -> impl Iterator<Item = &TopicPartition> {
        self.of.get(group).into_iter().flat_map(|partitions| partitions.keys())
    }

    /// Group and partition of all that is pending.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Arc<str>, &TopicPartition)> {
        self.of.iter().flat_map(|(group, partitions)| partitions.keys().map(move |partition| (group, partition)))
    }
}

impl GroupCoordinator {
    pub(super) fn end_transaction(producer_id: ProducerId, commit: bool) -> Step {
        Step { events: vec![Event::TransactionEnded { producer_id, commit }], ..Step::default() }
    }

    /// Whether an offset of the partition was committed within a transaction that is open (KIP-447).
    pub fn is_unstable(&self, group: &str, partition: &TopicPartition) -> bool {
        self.pending.is_at(group, partition)
    }
}
