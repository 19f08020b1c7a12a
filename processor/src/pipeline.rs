//! A query's operators and state, without what keeps them safe: what a streaming query and a query over what is there
//! have in common.

use crate::changelog::Watermark;
use crate::emit::Emitter;
use crate::error::QueryError;
use crate::operators::{Operators, Read, Target, new_stores};
use crate::options::QueryOptions;
use crate::plan::{OutputMode, Plan};
use crate::sink::{DeadLetters, Output};
use crate::state::{State, Stores};
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Given to the sink.
    pub(crate) rows: u64,
    /// Let pass by the LIMIT of an inner query.
    pub(crate) limited: u64,
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
        watermark: Watermark,
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
        let mut dead_letters = sinks.dead_letters;
        let mut feed = Some(feed);
        let Stores { levels, tables } = stores;
        for number in 0..levels.len() {
            let (below, above) = levels.split_at_mut(number);
            let Some((state, above)) = above.split_first_mut() else { break };
            let other_bytes = below.iter().chain(&*above).map(State::bytes).sum();
            let takes_late = !forgets && !matches!(state, State::Sessions(_));
            let mut target = Target {
                state: &mut *state,
                other_bytes,
                tables: &mut *tables,
                state_bytes_max: *state_bytes_max,
                emitter: &mut emitter,
                gate: &mut *gate,
                late_by: (!takes_late).then_some(watermark.before),
                read: &mut read,
                dead_letters: dead_letters.as_deref_mut(),
                limited: &mut limited,
            };
            match (feed.take(), below.last()) {
                (Some(feed), _) => feed(operators, &mut target)?,
                (None, Some(below)) => operators.regroup(number - 1, below, !forgets, &mut target)?,
                (None, None) => {}
            }
            state.end_input();
            if forgets {
                state.evict(watermark.now);
            }
        }
        if let Some(last) = levels.last() {
            emitter.finish(last, gate)?;
        }
        let rows = before.rows + emitter.written();
        Ok(BatchResult { read, passed: Passed { rows, limited } })
    }

    /// What a batch makes of the watermark: the latest event time, cut to milliseconds, less the delay; never back.
    pub(crate) fn watermark_after(&self, watermark: Watermark, read: &Read) -> Watermark {
        let before = watermark.now;
        let delay = self.plan.source.watermark.map_or(0, |watermark| watermark.delay_micros);
        let reached = read.event_time_max.map(|time| time.div_euclid(1000).saturating_mul(1000).saturating_sub(delay));
        let now = reached.map_or(before, |reached| reached.max(before));
        let keeps_state = self.plan.grouping.is_some() && self.plan.mode != OutputMode::Complete;
        Watermark { now, before, no_data_due: keeps_state && now > before }
    }
}
