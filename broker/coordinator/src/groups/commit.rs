//! OffsetCommit, and the commands that forget offsets and groups.

use std::collections::BTreeSet;
use std::sync::Arc;

use brooklet_model::{ProducerId, TopicPartition};

use super::GroupCoordinator;
use super::command::{Commit, Context};
use super::group::{Group, State};
use super::step::{Event, GroupError, Reply, Step};
use crate::records::{CommittedOffset, Record};

impl GroupCoordinator {
    /// `transaction` is the producer within whose transaction it is.
    pub(super) fn commit(
        &self,
        context: &Context,
        commit: Commit,
        transaction: Option<ProducerId>,
    ) -> Result<Step, GroupError> {
        let group = self.groups.get(&commit.group);
        match group {
            Some(group) => validate(group, &commit, transaction.is_some())?,
            None if commit.generation < 0 => {}
            None if commit.names_missing_group => return Err(GroupError::GroupIdNotFound),
            None => return Err(GroupError::IllegalGeneration),
        }
        let mut step = Step::default();
        let mut results = Vec::with_capacity(commit.partitions.len());
        for committed in commit.partitions {
            // Kafka counts UTF-16 units, though the configuration speaks of bytes.
            if committed.metadata.encode_utf16().count() > self.config.offset_metadata_max {
                results.push(Err(GroupError::OffsetMetadataTooLarge));
                continue;
            }
            let expire_timestamp = commit.retention_ms.map(|retention| context.now.saturating_add(retention));
            let value = CommittedOffset {
                offset: committed.offset,
                // The one version of the record that has an expiry has no epoch, nor do the clients that set one.
                leader_epoch: if expire_timestamp.is_some() { -1 } else { committed.leader_epoch },
                metadata: committed.metadata,
                commit_timestamp: context.now,
                expire_timestamp,
            };
            match transaction {
                None => step.commit_offset(&commit.group, &committed.partition, Some(value)),
                Some(producer_id) => step.events.push(Event::Transactional {
                    producer_id,
                    record: Record::Offset {
                        group: commit.group.clone(),
                        partition: committed.partition,
                        value: Some(value),
                    },
                }),
            }
            results.push(Ok(()));
        }
        if group.is_some_and(|group| matches!(group.state, State::Stable | State::PreparingRebalance)) {
            // A commit is a sign of life.
            step.timers.extend(self.session_renewal(&commit.group, &commit.member_id));
        }
        step.replies.push((context.request, Reply::Partitions(results)));
        Ok(step)
    }

    pub(super) fn delete_offsets(
        &self,
        context: &Context,
        id: &Arc<str>,
        partitions: &[TopicPartition],
    ) -> Result<Step, GroupError> {
        let group = self.groups.get(id).ok_or(GroupError::GroupIdNotFound)?;
        if group.state != State::Empty && !group.uses_consumer_protocol() {
            return Err(GroupError::NonEmptyGroup);
        }
        let mut step = Step::default();
        let mut results = Vec::with_capacity(partitions.len());
        for partition in partitions {
            if group.is_subscribed_to(&partition.topic) {
                results.push(Err(GroupError::GroupSubscribedToTopic));
                continue;
            }
            let is_committed = self.offsets.get(id).is_some_and(|offsets| offsets.contains_key(partition));
            if is_committed || self.pending.is_at(id, partition) {
                step.commit_offset(id, partition, None);
            }
            results.push(Ok(()));
        }
        step.replies.push((context.request, Reply::Partitions(results)));
        Ok(step)
    }

    pub(super) fn delete_group(&self, context: &Context, id: &Arc<str>) -> Result<Step, GroupError> {
        let group = self.groups.get(id).ok_or(GroupError::GroupIdNotFound)?;
        if group.state != State::Empty {
            return Err(GroupError::NonEmptyGroup);
        }
        let mut step = Step::reply(context.request, Reply::Done(Ok(())));
        let committed = self.offsets.get(id).into_iter().flat_map(|offsets| offsets.keys());
        let partitions: BTreeSet<_> = committed.chain(self.pending.partitions(id)).collect();
        for partition in partitions {
            step.commit_offset(id, partition, None);
        }
        step.events.push(Event::Durable(Record::Group { group: id.clone(), value: None }));
        Ok(step)
    }

    pub(super) fn topic_deleted(&self, topic: &str) -> Step {
        let mut step = Step::default();
        let committed =
            self.offsets.iter().flat_map(|(id, offsets)| offsets.keys().map(move |partition| (id, partition)));
        let all: BTreeSet<_> = committed.chain(self.pending.all()).filter(|(_, at)| &*at.topic == topic).collect();
        for (id, partition) in all {
            step.commit_offset(id, partition, None);
        }
        step
    }
}

/// Whether the one who commits may: a member of the current generation, or anyone while the group is empty. Within a
/// transaction one need not say who one is: the transaction's epoch fences those who are not what they were.
fn validate(group: &Group, commit: &Commit, in_transaction: bool) -> Result<(), GroupError> {
    if commit.generation < 0 && group.state == State::Empty {
        return Ok(());
    }
    if commit.generation >= 0 || !commit.member_id.is_empty() || commit.instance.is_some() {
        group.validate(&commit.member_id, commit.instance.as_deref())?;
        if commit.generation != group.generation {
            return Err(GroupError::IllegalGeneration);
        }
    } else if !in_transaction && group.state != State::Empty {
        return Err(GroupError::UnknownMemberId);
    }
    if !in_transaction && group.state == State::CompletingRebalance {
        // It has heard of the generation, so it is to sync first.
        return Err(GroupError::RebalanceInProgress);
    }
    Ok(())
}
