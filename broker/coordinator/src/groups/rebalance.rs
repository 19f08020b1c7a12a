//! A rebalance from its start to the next generation.

use std::sync::Arc;

use bytes::Bytes;

use super::group::State;
use super::step::{GroupError, Reply};
use super::work::Work;

impl Work<'_> {
    /// Starts a rebalance, or, if one goes on, sees whether all have joined now.
    pub(super) fn rebalance_or_complete_join(&mut self) {
        match self.group.state {
            State::Empty | State::CompletingRebalance | State::Stable => self.prepare_rebalance(),
            State::PreparingRebalance | State::Dead => self.maybe_complete_join(),
        }
    }

    /// Starts a rebalance: who waits for an assignment has to join again.
    pub(super) fn prepare_rebalance(&mut self) {
        if self.is_in(State::CompletingRebalance) {
            let waiting: Vec<Arc<str>> = self.group.members.keys().cloned().collect();
            for member_id in &waiting {
                if self.group.members.get(member_id).is_some_and(|member| member.awaiting_sync.is_some()) {
                    self.refuse_parked_sync(member_id, GroupError::RebalanceInProgress);
                    self.renew_session(member_id);
                }
                if let Some(member) = self.group.members.get_mut(member_id) {
                    member.assignment = Bytes::new();
                }
            }
        }
        self.group.pending_sync.clear();
        self.cancel(self.sync_timer());
        let is_initial = self.is_in(State::Empty);
        self.group.enter(State::PreparingRebalance, self.now);
        if is_initial && self.config.initial_rebalance_delay_ms > 0 {
            let delay_ms = self.config.initial_rebalance_delay_ms;
            self.group.initial_remaining_ms = Some(self.group.rebalance_timeout_ms().saturating_sub(delay_ms));
            self.arm(self.join_timer(), delay_ms);
        } else if is_initial || self.group.all_have_joined() {
            self.complete_join();
        } else {
            self.arm(self.join_timer(), self.group.rebalance_timeout_ms());
        }
    }

    /// Ends the joining if all have joined, unless the first rebalance is to wait for more.
    pub(super) fn maybe_complete_join(&mut self) {
        let waits_for_more = self.group.initial_remaining_ms.is_some();
        if self.is_in(State::PreparingRebalance) && !waits_for_more && self.group.all_have_joined() {
            self.complete_join();
        }
    }

    /// The joining has lasted long enough.
    pub(super) fn join_timer_fired(&mut self) {
        if !self.is_in(State::PreparingRebalance) {
            return;
        }
        match self.group.initial_remaining_ms {
            Some(remaining_ms) if self.group.new_member_added && remaining_ms > 0 => {
                let delay_ms = self.config.initial_rebalance_delay_ms.min(remaining_ms);
                self.group.new_member_added = false;
                self.group.initial_remaining_ms = Some(remaining_ms - delay_ms);
                self.arm(self.join_timer(), delay_ms);
            }
            _ => self.complete_join(),
        }
    }

    /// Ends the joining: dynamic members that did not join are out, the rest are the next generation.
    pub(super) fn complete_join(&mut self) {
        self.cancel(self.join_timer());
        let missing: Vec<Arc<str>> = self
            .group
            .members
            .iter()
            .filter(|(_, member)| member.awaiting_join.is_none() && member.instance.is_none())
            .map(|(member_id, _)| member_id.clone())
            .collect();
        for member_id in &missing {
            self.remove(member_id);
        }
        if !self.elect_joined_leader() && !self.group.members.is_empty() {
            // Static members alone are left, none of which has joined: wait until their sessions end.
            self.arm(self.join_timer(), self.group.rebalance_timeout_ms());
            return;
        }
        self.group.generation = self.group.generation.wrapping_add(1).max(0);
        self.group.initial_remaining_ms = None;
        self.group.new_member_added = false;
        self.group.pending_sync.clear();
        self.group.protocol = self.group.select_protocol();
        self.group.subscribed_topics = self.group.compute_subscribed_topics();
        if self.group.members.is_empty() {
            self.group.enter(State::Empty, self.now);
            self.persist();
        } else {
            self.group.enter(State::CompletingRebalance, self.now);
            self.answer_joins();
            self.arm(self.sync_timer(), self.group.rebalance_timeout_ms());
        }
    }

    /// The leader has to be one who joined.
    fn elect_joined_leader(&mut self) -> bool {
        let Some(leader) = &self.group.leader else { return false };
        if self.group.members.get(leader).is_some_and(|member| member.awaiting_join.is_some()) {
            return true;
        }
        let joined = self.group.members.iter().find(|(_, member)| member.awaiting_join.is_some());
        match joined.map(|(member_id, _)| member_id.clone()) {
            Some(member_id) => {
                self.group.leader = Some(member_id);
                true
            }
            None => false,
        }
    }

    fn answer_joins(&mut self) {
        let members: Vec<Arc<str>> = self.group.members.keys().cloned().collect();
        for member_id in members {
            let Some(member) = self.group.members.get_mut(&member_id) else { continue };
            member.is_new = false;
            let parked = member.awaiting_join.take();
            self.group.pending_sync.insert(member_id.clone());
            self.renew_session(&member_id);
            if let Some(request) = parked {
                let joined = self.joined(&member_id, self.group.is_leader(&member_id));
                self.reply(request, Reply::Join(Ok(joined)));
            }
        }
    }
}
