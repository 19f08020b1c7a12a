//! A query's operators and state, without what keeps them safe: what a streaming query and a query over what is there
//! have in common.

use crate::changelog::Watermark;
use crate::emit::Emitter;
use crate::error::QueryError;
use crate::operators::{Operators, Read, Target, new_stores};
use crate::options::QueryOptions;
use crate::plan::{Lifetime, OutputMode, Plan};
use crate::sink::{DeadLetters, Output};
use crate::state::Stores;
use crate::step::Gate;

/// The way from records to rows.
pub(crate) struct Pipeline {
    pub(crate) plan: Plan,
    pub(crate) stores: Stores,
    operators: Operators,
    state_bytes_max: usize,
}

/// Where a batch's rows and its bad records go; both have begun.
pub(crate) struct Sinks<'s> {
    pub(crate) output: &'s mut Output,
    pub(crate) dead_letters: Option<&'s mut DeadLetters>,
}

/// What a batch came to.
#[derive(Debug, Default)]
pub(crate) struct BatchResult {
    pub(crate) read: Read,
    pub(crate) passed: Passed,
}

/// Rows that LIMIT counts over a query's life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Given to the sink.
    pub(crate) rows: u64,
    /// Let pass by each LIMIT of an inner query; those behind the last that has let some pass may be missing.
    pub(crate) limited: Vec<u64>,
}

impl Pipeline {
    pub(crate) fn new(plan: Plan, options: &QueryOptions) -> Self {
        Self {
            stores: new_stores(&plan),
            operators: Operators::new(&plan, options.unfolded_bytes_max, options.on_data_loss),
            plan,
            state_bytes_max: options.state_bytes_max,
        }
    }

    /// Runs a batch: `feed` hands its records to the operators, and what comes of them goes to `sinks`.
    /// `before` is what passed in the batches before.
    ///
    /// Event time is Spark's: a batch emits and evicts by the watermark that the batch before left, and takes for late
    /// by the one before that (`MicroBatchExecution`, `WatermarkTracker`).
    pub(crate) fn run_batch(
        &mut self,
        sinks: Sinks<'_>,
        gate: &mut Gate,
        watermark: &Watermark,
        before: Passed,
        feed: impl FnOnce(&mut Operators, &mut Target<'_, '_>) -> Result<(), QueryError>,
    ) -> Result<BatchResult, QueryError> {
        let Self { plan, stores, operators, state_bytes_max } = self;
        operators.begin_batch(stores)?;
        // In complete mode nothing is forgotten, and nothing is late but for sessions.
        let forgets = plan.mode != OutputMode::Complete;
        let mut read = Read::default();
        let mut emitter = Emitter::new(plan, sinks.output, before.rows);
        let mut limited = before.limited;
        limited.resize(plan.limits.len(), 0);
        let each_batch = limited.iter_mut().zip(&plan.limits).filter(|(_, lifetime)| **lifetime == Lifetime::Batch);
        each_batch.for_each(|(count, _)| *count = 0);
        let Stores { levels, tables } = stores;
        let mut target = Target {
            levels,
            other_bytes: 0,
            tables,
            state_bytes_max: *state_bytes_max,
            emitter: &mut emitter,
            gate: &mut *gate,
            late_by: watermark.before,
            forgets,
            read: &mut read,
            dead_letters: sinks.dead_letters,
            limited: &mut limited,
        };
        feed(operators, &mut target)?;
        for number in 0..=plan.last_level() {
            let Some(state) = target.levels.get_mut(number) else { break };
            state.end_input();
            if forgets {
                state.evict(watermark.now);
            }
            operators.regroup(number, &mut target)?;
        }
        if let Some(last) = stores.levels.last() {
            emitter.finish(last, gate)?;
        }
        let rows = before.rows + emitter.written();
        Ok(BatchResult { read, passed: Passed { rows, limited } })
    }

    /// What a batch makes of the watermark: of each branch that has one, the latest event time, cut to milliseconds, less
    /// the delay; of several the least, 1970 for one that has seen none (`WatermarkTracker`, `MinWatermark`); never back.
    pub(crate) fn watermark_after(&self, watermark: &Watermark, read: &Read) -> Watermark {
        let before = watermark.now;
        let mut reached = watermark.reached.clone();
        reached.resize(self.plan.branches().count(), None);
        let mut least: Option<i64> = None;
        for branch in self.plan.branches() {
            let (Some(of), Some(reached)) = (branch.watermark, reached.get_mut(branch.number)) else { continue };
            let time = read.event_times.get(branch.number).copied().flatten();
            let time = time.map(|time| time.div_euclid(1000).saturating_mul(1000).saturating_sub(of.delay_micros));
            *reached = (*reached).max(time);
            let reached = reached.unwrap_or(0);
            least = Some(least.map_or(reached, |least| least.min(reached)));
        }
        let now = least.map_or(before, |least| least.max(before));
        let keeps_state = self.plan.groupings().next().is_some() && self.plan.mode != OutputMode::Complete;
        Watermark { now, before, no_data_due: keeps_state && now > before, reached }
    }
}
