//! SyncGroup and Heartbeat.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::GroupCoordinator;
use super::command::{Context, Heartbeat, Sync};
use super::group::{Group, State};
use super::step::{GroupError, Reply, Step, TimerChange, TimerKey};
use super::work::Work;

impl GroupCoordinator {
    pub(super) fn sync(&self, context: &Context, sync: Sync) -> Result<Step, GroupError> {
        if sync.group.is_empty() {
            return Err(GroupError::InvalidGroupId);
        }
        let group = self.groups.get(&sync.group).ok_or(GroupError::UnknownMemberId)?;
        group.validate(&sync.member_id, sync.instance.as_deref())?;
        if sync.generation != group.generation {
            return Err(GroupError::IllegalGeneration);
        }
        if differs(&sync.protocol_type, &group.protocol_type) || differs(&sync.protocol, &group.protocol) {
            return Err(GroupError::InconsistentGroupProtocol);
        }
        let mut work = self.work(context, &sync.group, Group::clone(group));
        match work.group.state {
            State::Empty | State::Dead => return Err(GroupError::UnknownMemberId),
            State::PreparingRebalance => return Err(GroupError::RebalanceInProgress),
            State::CompletingRebalance => work.sync(context, sync),
            State::Stable => {
                work.has_synced(&sync.member_id);
                let assignment = work.group.members.get(&sync.member_id).map(|member| member.assignment.clone());
                let synced = work.synced(assignment.unwrap_or_default());
                work.reply(context.request, Reply::Sync(Ok(synced)));
            }
        }
        Ok(work.finish())
    }

    pub(super) fn heartbeat(&self, context: &Context, heartbeat: &Heartbeat) -> Result<Step, GroupError> {
        if heartbeat.group.is_empty() {
            return Err(GroupError::InvalidGroupId);
        }
        let group = self.groups.get(&heartbeat.group).ok_or(GroupError::UnknownMemberId)?;
        group.validate(&heartbeat.member_id, heartbeat.instance.as_deref())?;
        if heartbeat.generation != group.generation {
            return Err(GroupError::IllegalGeneration);
        }
        let result = match group.state {
            State::Empty | State::Dead => return Err(GroupError::UnknownMemberId),
            State::PreparingRebalance => Err(GroupError::RebalanceInProgress),
            State::CompletingRebalance | State::Stable => Ok(()),
        };
        let mut step = Step::reply(context.request, Reply::Done(result));
        step.timers.extend(self.session_renewal(&heartbeat.group, &heartbeat.member_id));
        Ok(step)
    }

    /// The timer that starts a member's session anew.
    pub(super) fn session_renewal(&self, group: &Arc<str>, member_id: &Arc<str>) -> Option<TimerChange> {
        let member = self.groups.get(group)?.members.get(member_id)?;
        let key = TimerKey::Session { group: group.clone(), member: member_id.clone() };
        Some(TimerChange::Arm { key, after_ms: member.session_timeout_ms() })
    }
}

/// Whether a client names a protocol that is not the group's.
fn differs(asked: &Option<Arc<str>>, actual: &Option<Arc<str>>) -> bool {
    asked.is_some() && actual.is_some() && asked != actual
}

impl Work<'_> {
    fn sync(&mut self, context: &Context, sync: Sync) {
        // Only a client that gave up on its first sync sends a second one.
        self.refuse_parked_sync(&sync.member_id, GroupError::RebalanceInProgress);
        if let Some(member) = self.group.members.get_mut(&sync.member_id) {
            member.awaiting_sync = Some(context.request);
        }
        self.has_synced(&sync.member_id);
        if self.group.is_leader(&sync.member_id) {
            self.settle(sync.assignments);
        }
    }

    /// The leader's assignment is there: the group is stable, and all who wait are told.
    fn settle(&mut self, assignments: Vec<(Arc<str>, Bytes)>) {
        let mut assignments: BTreeMap<Arc<str>, Bytes> = assignments.into_iter().collect();
        self.group.enter(State::Stable, self.now);
        let members: Vec<Arc<str>> = self.group.members.keys().cloned().collect();
        for member_id in members {
            let assignment = assignments.remove(&member_id).unwrap_or_default();
            let Some(member) = self.group.members.get_mut(&member_id) else { continue };
            member.assignment = assignment.clone();
            if let Some(request) = member.awaiting_sync.take() {
                let synced = self.synced(assignment);
                self.reply(request, Reply::Sync(Ok(synced)));
                // Its session may have ended while it waited, which was overlooked then.
                self.renew_session(&member_id);
            }
        }
        self.persist();
    }

    fn has_synced(&mut self, member_id: &Arc<str>) {
        self.group.pending_sync.remove(member_id);
        if self.group.pending_sync.is_empty() {
            self.cancel(self.sync_timer());
        }
    }
}
