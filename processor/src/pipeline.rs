//! A query's operators and state, without what keeps them safe: what a streaming query and a query over what is there
//! have in common.

use crate::changelog::Watermark;
use crate::emit::Emitter;
use crate::error::QueryError;
use crate::operators::{Limited, Operators, Read, Target, new_stores};
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
    /// Rows given to the sink.
    pub(crate) rows: u64,
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
    /// `rows_before` is what the query wrote before.
    ///
    /// Event time is Spark's: a batch emits and evicts by the watermark that the batch before left, and takes for late
    /// by the one before that (`MicroBatchExecution`, `WatermarkTracker`).
    pub(crate) fn run_batch(
        &mut self,
        sinks: Sinks<'_>,
        gate: &mut Gate,
        watermark: Watermark,
        rows_before: u64,
        feed: impl FnOnce(&mut Operators, &mut Target<'_, '_>) -> Result<(), QueryError>,
    ) -> Result<BatchResult, QueryError> {
        let Self { plan, stores, operators, state_bytes_max } = self;
        operators.begin_batch(stores)?;
        let Stores { levels, tables } = stores;
        let Some(state) = levels.first_mut() else { return Ok(BatchResult::default()) };
        // In complete mode nothing is forgotten, and nothing is late but for sessions.
        let forgets = plan.mode != OutputMode::Complete;
        let takes_late = !forgets && !matches!(state, State::Sessions(_));
        let mut read = Read::default();
        let mut limited = Limited::of(plan, state);
        let mut emitter = Emitter::new(plan, sinks.output, rows_before);
        let mut target = Target {
            state: &mut *state,
            tables,
            state_bytes_max: *state_bytes_max,
            emitter: &mut emitter,
            gate: &mut *gate,
            late_by: (!takes_late).then_some(watermark.before),
            read: &mut read,
            dead_letters: sinks.dead_letters,
            limited: &mut limited,
        };
        feed(operators, &mut target)?;
        state.end_input();
        if forgets {
            state.evict(watermark.now);
        }
        emitter.finish(state, gate)?;
        let rows = emitter.written();
        Ok(BatchResult { read, rows })
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
