//! JoinGroup: who may come in, under which id, and whether the group rebalances for it.

use std::sync::Arc;

use super::GroupCoordinator;
use super::command::{Context, Join, Protocol, RequestId};
use super::group::{Group, Member, State};
use super::step::{GroupError, JoinRefused, Reply, Step};
use super::work::Work;

impl GroupCoordinator {
    pub(super) fn join(&self, context: &Context, mut join: Join) -> Result<Step, GroupError> {
        if join.group.is_empty() {
            return Err(GroupError::InvalidGroupId);
        }
        let bounds = self.config.min_session_timeout_ms..=self.config.max_session_timeout_ms;
        if !bounds.contains(&join.session_timeout_ms) {
            return Err(GroupError::InvalidSessionTimeout);
        }
        drop_repeated(&mut join.protocols);
        let group = match self.groups.get(&join.group) {
            Some(group) => Group::clone(group),
            None if join.member_id.is_empty() => Group::new(context.now),
            None => return Err(GroupError::UnknownMemberId),
        };
        let mut work = self.work(context, &join.group, group);
        if !work.group.recorded {
            if !work.group.supports(&join.protocol_type, &join.protocols) {
                return Err(GroupError::InconsistentGroupProtocol);
            }
            work.persist();
        }
        work.join(context, join)?;
        Ok(work.finish())
    }
}

/// A protocol named twice counts once, as first named.
fn drop_repeated(protocols: &mut Vec<Protocol>) {
    let mut seen = std::collections::BTreeSet::new();
    protocols.retain(|protocol| seen.insert(protocol.name.clone()));
}

impl Work<'_> {
    fn join(&mut self, context: &Context, join: Join) -> Result<(), GroupError> {
        let request = context.request;
        if !self.has_room_for(&join.member_id) {
            self.dismiss(&join.member_id);
            let refused = JoinRefused { error: GroupError::GroupMaxSizeReached, member_id: "".into() };
            self.reply(request, Reply::Join(Err(refused)));
            return Ok(());
        }
        if !self.group.supports(&join.protocol_type, &join.protocols) {
            return Err(GroupError::InconsistentGroupProtocol);
        }
        if join.member_id.is_empty() {
            self.join_new(context, join);
            return Ok(());
        }
        if self.group.pending_join.contains(&join.member_id) {
            if join.instance.is_some() {
                let refused = JoinRefused { error: GroupError::PendingMemberIsDynamic, member_id: "".into() };
                self.reply(request, Reply::Join(Err(refused)));
                return Ok(());
            }
            let member_id = join.member_id.clone();
            self.add_member(request, join, member_id);
            return Ok(());
        }
        self.group.validate(&join.member_id, join.instance.as_deref())?;
        self.rejoin(request, join)
    }

    /// A group that shrank its bound keeps those who are parked already, and turns away the last to come back. Ids
    /// that were given out and have not come back are bounded too, which they are not in Kafka.
    fn has_room_for(&self, member_id: &Arc<str>) -> bool {
        let member = self.group.members.get(member_id);
        if member_id.is_empty() && self.group.pending_join.len() >= self.config.max_size {
            return false;
        }
        match self.group.state {
            State::Empty | State::Dead => true,
            State::PreparingRebalance => {
                member.is_some_and(|member| member.awaiting_join.is_some())
                    || self.group.joins_parked() < self.config.max_size
            }
            State::CompletingRebalance | State::Stable => {
                member.is_some() || self.group.members.len() < self.config.max_size
            }
        }
    }

    fn join_new(&mut self, context: &Context, join: Join) {
        let stem = join.instance.as_ref().unwrap_or(&join.client_id);
        let member_id: Arc<str> = format!("{stem}-{}", context.fresh_id.hyphenated()).into();
        if let Some(instance) = &join.instance {
            match self.group.static_members.get(instance).cloned() {
                Some(old_id) => self.replace_static(context.request, join, &old_id, member_id),
                None => self.add_member(context.request, join, member_id),
            }
        } else if join.member_id_required {
            // KIP-394: whoever comes back with the id has got it, so retries leave no defunct members.
            self.group.pending_join.insert(member_id.clone());
            let session_timeout_ms = u64::try_from(join.session_timeout_ms).unwrap_or(0);
            self.arm(self.session_timer(&member_id), session_timeout_ms);
            let refused = JoinRefused { error: GroupError::MemberIdRequired, member_id };
            self.reply(context.request, Reply::Join(Err(refused)));
        } else {
            self.add_member(context.request, join, member_id);
        }
    }

    fn add_member(&mut self, request: RequestId, join: Join, member_id: Arc<str>) {
        if self.is_in(State::PreparingRebalance) && self.group.initial_remaining_ms.is_some() {
            self.group.new_member_added = true;
        }
        if let Some(instance) = &join.instance {
            self.group.static_members.insert(instance.clone(), member_id.clone());
        }
        if self.group.members.is_empty() {
            self.group.protocol_type = Some(join.protocol_type);
        }
        self.group.leader.get_or_insert_with(|| member_id.clone());
        self.group.pending_join.remove(&member_id);
        let member = Member {
            instance: join.instance,
            client_id: join.client_id,
            client_host: join.client_host,
            rebalance_timeout_ms: join.rebalance_timeout_ms,
            session_timeout_ms: join.session_timeout_ms,
            protocols: join.protocols.into(),
            assignment: bytes::Bytes::new(),
            awaiting_join: Some(request),
            awaiting_sync: None,
            is_new: true,
        };
        self.group.members.insert(member_id.clone(), member);
        // It cannot send heartbeats while its first join is parked, and a lost connection is not noticed here. So a
        // join that is parked too long ends; a live client tries again.
        self.arm(self.session_timer(&member_id), self.config.new_member_join_timeout_ms);
        self.rebalance_or_complete_join();
    }

    fn rejoin(&mut self, request: RequestId, join: Join) -> Result<(), GroupError> {
        let is_leader = self.group.is_leader(&join.member_id);
        let same = self.group.members.get(&join.member_id).is_some_and(|member| *member.protocols == *join.protocols);
        match self.group.state {
            State::PreparingRebalance => self.update_and_rebalance(request, join),
            // Its answer was lost, perhaps: it is told of the current generation once more.
            State::CompletingRebalance if same => {
                let joined = self.joined(&join.member_id, is_leader);
                self.reply(request, Reply::Join(Ok(joined)));
            }
            State::CompletingRebalance => self.update_and_rebalance(request, join),
            // The leader joins again when what it assigns has changed (the partitions of a topic), though not itself.
            State::Stable if is_leader || !same => self.update_and_rebalance(request, join),
            State::Stable => {
                let joined = self.joined(&join.member_id, false);
                self.reply(request, Reply::Join(Ok(joined)));
            }
            State::Empty | State::Dead => return Err(GroupError::UnknownMemberId),
        }
        Ok(())
    }

    fn update_and_rebalance(&mut self, request: RequestId, join: Join) {
        self.update(request, &join.member_id.clone(), join);
        self.rebalance_or_complete_join();
    }

    /// Parks a join of a member that is there, with what is new about it.
    pub(super) fn update(&mut self, request: RequestId, member_id: &Arc<str>, join: Join) {
        // Only a client that gave up on its first join sends a second one.
        self.refuse_parked_join(member_id, GroupError::RebalanceInProgress, member_id);
        if let Some(member) = self.group.members.get_mut(member_id) {
            member.protocols = join.protocols.into();
            member.rebalance_timeout_ms = join.rebalance_timeout_ms;
            member.session_timeout_ms = join.session_timeout_ms;
            member.awaiting_join = Some(request);
        }
    }

    /// A static member came back without its id: it takes its old place under a new id, and the old id is fenced.
    fn replace_static(&mut self, request: RequestId, join: Join, old_id: &Arc<str>, new_id: Arc<str>) {
        let old_leader = self.group.leader.clone().unwrap_or_default();
        let can_skip_assignment = join.can_skip_assignment;
        self.rename_static(old_id, &new_id);
        self.update(request, &new_id, join);
        self.renew_session(&new_id);
        match self.group.state {
            State::Stable if self.group.select_protocol() == self.group.protocol => {
                // Nothing changes for the others, so the group stays as it is.
                if let Some(member) = self.group.members.get_mut(&new_id) {
                    member.awaiting_join = None;
                }
                self.persist();
                let is_leader = self.group.is_leader(&new_id);
                let mut joined = self.joined(&new_id, is_leader && can_skip_assignment);
                if can_skip_assignment {
                    joined.skip_assignment = is_leader;
                } else {
                    // Told of the old leader, it does not take itself for the leader and does not assign.
                    joined.leader = old_leader;
                }
                self.reply(request, Reply::Join(Ok(joined)));
            }
            State::Stable => self.rebalance_or_complete_join(),
            // The leader may know the old id already, and would assign to that.
            State::CompletingRebalance => self.prepare_rebalance(),
            State::PreparingRebalance | State::Empty | State::Dead => self.maybe_complete_join(),
        }
    }

    fn rename_static(&mut self, old_id: &Arc<str>, new_id: &Arc<str>) {
        self.refuse_parked_join(old_id, GroupError::FencedInstanceId, old_id);
        self.refuse_parked_sync(old_id, GroupError::FencedInstanceId);
        self.cancel(self.session_timer(old_id));
        let Some(member) = self.group.members.remove(old_id) else { return };
        if let Some(instance) = &member.instance {
            self.group.static_members.insert(instance.clone(), new_id.clone());
        }
        if self.group.pending_sync.remove(old_id) {
            self.group.pending_sync.insert(new_id.clone());
        }
        if self.group.is_leader(old_id) {
            self.group.leader = Some(new_id.clone());
        }
        self.group.members.insert(new_id.clone(), member);
    }
}
