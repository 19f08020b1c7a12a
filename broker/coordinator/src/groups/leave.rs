//! LeaveGroup: several members at once (KIP-345), each with its own result.

use super::GroupCoordinator;
use super::command::{Context, Leave, LeaveMember};
use super::group::{Group, State};
use super::step::{GroupError, Left, Reply, Step};
use super::work::Work;

impl GroupCoordinator {
    pub(super) fn leave(&self, context: &Context, leave: Leave) -> Result<Step, GroupError> {
        if leave.group.is_empty() {
            return Err(GroupError::InvalidGroupId);
        }
        let Some(group) = self.groups.get(&leave.group) else {
            let unknown = |member| Left { member, result: Err(GroupError::UnknownMemberId) };
            let left = leave.members.into_iter().map(unknown).collect();
            return Ok(Step::reply(context.request, Reply::Leave(left)));
        };
        let mut work = self.work(context, &leave.group, Group::clone(group));
        let mut left = Vec::with_capacity(leave.members.len());
        for member in leave.members {
            let result = work.leave(&member);
            left.push(Left { member, result });
        }
        if left.iter().any(|left| left.result.is_ok()) {
            match work.group.state {
                State::Stable | State::CompletingRebalance => work.prepare_rebalance(),
                State::PreparingRebalance => work.maybe_complete_join(),
                State::Empty | State::Dead => {}
            }
        }
        work.reply(context.request, Reply::Leave(left));
        Ok(work.finish())
    }
}

impl Work<'_> {
    fn leave(&mut self, member: &LeaveMember) -> Result<(), GroupError> {
        let member_id = if member.member_id.is_empty() {
            // An administrator removes a static member by its instance.
            let holder = member.instance.as_ref().and_then(|instance| self.group.static_members.get(instance));
            holder.cloned().ok_or(GroupError::UnknownMemberId)?
        } else {
            if !self.group.pending_join.contains(&member.member_id) {
                self.group.validate(&member.member_id, member.instance.as_deref())?;
            }
            member.member_id.clone()
        };
        self.dismiss(&member_id);
        Ok(())
    }
}
