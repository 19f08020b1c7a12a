//! A copy of a group that a command works on, and what the command does so far.

use std::sync::Arc;

use brooklet_model::Timestamp;
use bytes::Bytes;

use super::command::{Context, RequestId};
use super::group::{Group, State};
use super::step::{Event, GroupError, JoinRefused, Joined, Reply, Step, Synced, TimerChange, TimerKey};
use super::{GroupConfig, GroupCoordinator};
use crate::records::Record;

pub(super) struct Work<'a> {
    pub(super) config: &'a GroupConfig,
    pub(super) now: Timestamp,
    pub(super) id: Arc<str>,
    pub(super) group: Group,
    pub(super) step: Step,
}

impl GroupCoordinator {
    pub(super) fn work(&self, context: &Context, id: &Arc<str>, group: Group) -> Work<'_> {
        Work { config: &self.config, now: context.now, id: id.clone(), group, step: Step::default() }
    }
}

impl Work<'_> {
    /// What was done, with the group's new state.
    pub(super) fn finish(mut self) -> Step {
        self.step.events.push(Event::Volatile { id: self.id, group: Arc::new(self.group) });
        self.step
    }

    /// Has the log keep the group as it now is.
    pub(super) fn persist(&mut self) {
        self.group.recorded = true;
        let record = Record::Group { group: self.id.clone(), value: Some(self.group.to_record()) };
        self.step.events.push(Event::Durable(record));
    }

    pub(super) fn arm(&mut self, key: TimerKey, after_ms: u64) {
        self.step.timers.push(TimerChange::Arm { key, after_ms });
    }

    pub(super) fn cancel(&mut self, key: TimerKey) {
        self.step.timers.push(TimerChange::Cancel(key));
    }

    pub(super) fn join_timer(&self) -> TimerKey {
        TimerKey::Join { group: self.id.clone() }
    }

    pub(super) fn sync_timer(&self) -> TimerKey {
        TimerKey::Sync { group: self.id.clone() }
    }

    pub(super) fn session_timer(&self, member: &Arc<str>) -> TimerKey {
        TimerKey::Session { group: self.id.clone(), member: member.clone() }
    }

    /// Starts the member's session anew.
    pub(super) fn renew_session(&mut self, member_id: &Arc<str>) {
        if let Some(member) = self.group.members.get(member_id) {
            let after_ms = member.session_timeout_ms();
            self.arm(self.session_timer(member_id), after_ms);
        }
    }

    pub(super) fn reply(&mut self, request: RequestId, reply: Reply) {
        self.step.replies.push((request, reply));
    }

    /// Answers a member's parked join, if it has one.
    pub(super) fn refuse_parked_join(&mut self, member_id: &str, error: GroupError, told_id: &str) {
        let parked = self.group.members.get_mut(member_id).and_then(|member| member.awaiting_join.take());
        if let Some(request) = parked {
            self.reply(request, Reply::Join(Err(JoinRefused { error, member_id: told_id.into() })));
        }
    }

    /// Answers a member's parked sync, if it has one.
    pub(super) fn refuse_parked_sync(&mut self, member_id: &str, error: GroupError) {
        let parked = self.group.members.get_mut(member_id).and_then(|member| member.awaiting_sync.take());
        if let Some(request) = parked {
            self.reply(request, Reply::Sync(Err(error)));
        }
    }

    /// What a member of the current generation is told on joining.
    pub(super) fn joined(&self, member_id: &Arc<str>, tell_members: bool) -> Joined {
        Joined {
            generation: self.group.generation,
            protocol_type: self.group.protocol_type.clone(),
            protocol: self.group.protocol.clone(),
            leader: self.group.leader.clone().unwrap_or_default(),
            skip_assignment: false,
            member_id: member_id.clone(),
            members: if tell_members { self.group.joined_members() } else { Vec::new() },
        }
    }

    /// What a member is told of its assignment.
    pub(super) fn synced(&self, assignment: Bytes) -> Synced {
        Synced { protocol_type: self.group.protocol_type.clone(), protocol: self.group.protocol.clone(), assignment }
    }

    /// Takes a member, or an id that was given out, out of the group. Its parked requests are lost: answer them first.
    pub(super) fn remove(&mut self, member_id: &Arc<str>) {
        if let Some(member) = self.group.members.remove(member_id)
            && let Some(instance) = member.instance
        {
            self.group.static_members.remove(&instance);
        }
        if self.group.is_leader(member_id) {
            self.group.leader = self.group.members.keys().next().cloned();
        }
        self.group.pending_join.remove(member_id);
        self.group.pending_sync.remove(member_id);
        self.cancel(self.session_timer(member_id));
    }

    /// Takes a member out that may have requests parked.
    pub(super) fn dismiss(&mut self, member_id: &Arc<str>) {
        self.refuse_parked_join(member_id, GroupError::UnknownMemberId, "");
        self.refuse_parked_sync(member_id, GroupError::UnknownMemberId);
        self.remove(member_id);
    }

    pub(super) fn is_in(&self, state: State) -> bool {
        self.group.state == state
    }
}
