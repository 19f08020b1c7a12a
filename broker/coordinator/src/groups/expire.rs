//! What time does: sessions end, rebalances stop waiting, offsets are forgotten.

use std::sync::Arc;

use brooklet_model::Timestamp;

use super::command::Context;
use super::group::{Group, State};
use super::step::{Event, Step, TimerKey};
use super::work::Work;
use super::{GroupCoordinator, Offsets};
use crate::records::{CommittedOffset, Record};

impl GroupCoordinator {
    pub(super) fn timer_fired(&self, context: &Context, key: TimerKey) -> Step {
        let id = match &key {
            TimerKey::Housekeeping => return self.housekeeping(context.now),
            TimerKey::Session { group, .. } | TimerKey::Join { group } | TimerKey::Sync { group } => group.clone(),
        };
        let Some(group) = self.groups.get(&id) else { return Step::default() };
        let mut work = self.work(context, &id, Group::clone(group));
        match key {
            TimerKey::Session { member, .. } => work.session_ended(&member),
            TimerKey::Join { .. } => work.join_timer_fired(),
            TimerKey::Sync { .. } => work.sync_timer_fired(),
            TimerKey::Housekeeping => {}
        }
        work.finish()
    }

    /// Forgets offsets past their retention, and empty groups that have none left.
    fn housekeeping(&self, now: Timestamp) -> Step {
        let mut step = Step { timers: vec![self.housekeeping_timer()], ..Step::default() };
        let none = Offsets::new();
        for (id, group) in &self.groups {
            let offsets = self.offsets.get(id).unwrap_or(&none);
            let mut kept = 0;
            for (partition, offset) in offsets {
                let is_expired = self.is_expired(group, partition.topic.as_ref(), offset, now);
                if is_expired && !self.pending.is_at(id, partition) {
                    step.commit_offset(id, partition, None);
                } else {
                    kept += 1;
                }
            }
            let is_unused = kept == 0 && !self.pending.is_in(id);
            if is_unused && group.recorded && group.state == State::Empty && group.pending_join.is_empty() {
                step.events.push(Event::Durable(Record::Group { group: id.clone(), value: None }));
            }
        }
        step
    }

    /// The retention runs from when the group became empty (KIP-211), or, for a simple group and for topics that a
    /// stable group no longer reads, from the commit.
    fn is_expired(&self, group: &Group, topic: &str, offset: &CommittedOffset, now: Timestamp) -> bool {
        let since = match group.state {
            _ if group.protocol_type.is_none() => offset.commit_timestamp,
            State::Empty if group.state_timestamp >= 0 => group.state_timestamp,
            State::Empty => offset.commit_timestamp,
            State::Stable if group.uses_consumer_protocol() && group.subscribed_topics.is_some() => {
                offset.commit_timestamp
            }
            _ => return false,
        };
        if group.is_subscribed_to(topic) {
            return false;
        }
        match offset.expire_timestamp {
            Some(expire) => now >= expire,
            None => now.saturating_sub(since) >= self.config.offsets_retention_ms,
        }
    }
}

impl Work<'_> {
    fn session_ended(&mut self, member_id: &Arc<str>) {
        if self.group.pending_join.contains(member_id) {
            self.remove(member_id);
            if self.is_in(State::PreparingRebalance) && self.group.all_have_joined() {
                self.complete_join();
            }
            return;
        }
        let Some(member) = self.group.members.get(member_id) else { return };
        // Whoever waits for the others cannot send heartbeats; a first join, though, is not parked forever.
        let is_parked = member.awaiting_join.is_some() || member.awaiting_sync.is_some();
        if is_parked && !member.is_new {
            return;
        }
        self.dismiss(member_id);
        match self.group.state {
            State::Stable | State::CompletingRebalance => self.prepare_rebalance(),
            State::PreparingRebalance if self.group.all_have_joined() => self.complete_join(),
            State::PreparingRebalance | State::Empty | State::Dead => {}
        }
    }

    /// Members that joined and never asked for their assignment hold up nobody any longer.
    fn sync_timer_fired(&mut self) {
        let late: Vec<Arc<str>> = self.group.pending_sync.iter().cloned().collect();
        if late.is_empty() || !matches!(self.group.state, State::CompletingRebalance | State::Stable) {
            return;
        }
        for member_id in &late {
            self.dismiss(member_id);
        }
        self.prepare_rebalance();
    }
}
