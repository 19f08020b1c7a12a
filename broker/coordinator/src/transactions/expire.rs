//! What time does: transactions are aborted, ids are forgotten.

use std::sync::Arc;

use brooklet_model::Timestamp;

use super::command::{Context, Reply, Step};
use super::record::{State, TransactionRecord};
use super::{TransactionCoordinator, timeout};

impl TransactionCoordinator {
    /// Aborts a transaction that has lasted as long as it may.
    pub(super) fn timed_out(&self, context: &Context, id: &Arc<str>) -> Step {
        let mut step = Step::reply(Reply::Done);
        let Some(current) = self.transactions.get(id).filter(|known| known.state == State::Ongoing) else {
            return step;
        };
        if current.start_timestamp.saturating_add(current.timeout_ms.into()) > context.now {
            // The wall clock was set back.
            step.timers.push(timeout(id, current, context.now));
            return step;
        }
        self.abort(context, id, current)
    }

    /// Forgets ids that have been without a transaction for long.
    pub(super) fn expire(&self, now: Timestamp) -> Step {
        let mut step = Step::reply(Reply::Done);
        step.timers.push(self.expiration_timer());
        let before = now.saturating_sub(self.config.id_expiration_ms);
        for (id, transaction) in &self.transactions {
            let is_over = matches!(transaction.state, State::Empty | State::CompleteCommit | State::CompleteAbort);
            if is_over && transaction.update_timestamp <= before {
                step.events.push(TransactionRecord { id: id.clone(), value: None });
            }
        }
        step
    }
}
