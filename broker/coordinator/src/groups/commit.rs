//! OffsetCommit, and the commands that forget offsets and groups.

use std::sync::Arc;

use brooklet_model::TopicPartition;

use super::GroupCoordinator;
use super::command::{Commit, Context, Event, GroupError, Reply, Step};
use super::group::{Group, State};
use crate::records::{CommittedOffset, Record};

impl GroupCoordinator {
    pub(super) fn commit(&self, context: &Context, commit: Commit) -> Result<Step, GroupError> {
        let group = self.groups.get(&commit.group);
        match group {
            Some(group) => validate(group, &commit)?,
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
            step.commit_offset(&commit.group, &committed.partition, Some(value));
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
            if self.offsets.get(id).is_some_and(|offsets| offsets.contains_key(partition)) {
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
        for partition in self.offsets.get(id).into_iter().flat_map(|offsets| offsets.keys()) {
            step.commit_offset(id, partition, None);
        }
        step.events.push(Event::Durable(Record::Group { group: id.clone(), value: None }));
        Ok(step)
    }

    pub(super) fn topic_deleted(&self, topic: &str) -> Step {
        let mut step = Step::default();
        for (id, offsets) in &self.offsets {
            for partition in offsets.keys().filter(|partition| &*partition.topic == topic) {
                step.commit_offset(id, partition, None);
            }
        }
        step
    }
}

/// Whether the one who commits may: a member of the current generation, or anyone while the group is empty.
fn validate(group: &Group, commit: &Commit) -> Result<(), GroupError> {
    if commit.generation < 0 && group.state == State::Empty {
        return Ok(());
    }
    if commit.generation >= 0 || !commit.member_id.is_empty() || commit.instance.is_some() {
        group.validate(&commit.member_id, commit.instance.as_deref())?;
        if commit.generation != group.generation {
            return Err(GroupError::IllegalGeneration);
        }
    } else if group.state != State::Empty {
        return Err(GroupError::UnknownMemberId);
    }
    if group.state == State::CompletingRebalance {
        // It has heard of the generation, so it is to sync first.
        return Err(GroupError::RebalanceInProgress);
    }
    Ok(())
}
