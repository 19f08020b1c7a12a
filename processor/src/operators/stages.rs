//! What happens to a row between where it is made and its group or the sink: conditions, rows made of it, and LIMIT.

use std::sync::Arc;

use crate::error::QueryError;
use crate::expr::{Expr, Row};
use crate::plan::{Generator, Plan, ReadFrom, Side, Stage};
use crate::state::State;
use crate::types::Value;

use super::grouping::{Grouper, last_start};
use super::record::{FlowRow, MadeRow};
use super::{Target, too_large};

/// Stages, and where the rows go that pass them.
struct Flow<'f> {
    stages: &'f [Stage],
    end: End<'f>,
}

/// Where a row goes that has passed all stages.
#[derive(Clone, Copy)]
enum End<'f> {
    /// To its groups, or to the sink where there are none.
    Arrived(&'f Level),
    /// Among the rows of UNION ALL: its columns there, and the level of those.
    United(&'f [Expr], &'f Level),
}

/// Where rows come together: what happens to them, and what groups them.
pub(super) struct Level {
    number: usize,
    stages: Vec<Stage>,
    grouper: Option<Grouper>,
}

impl Level {
    /// All of a plan.
    pub(super) fn all(plan: &Plan) -> Arc<[Self]> {
        (0..=plan.last_level()).map(|number| Self::new(plan, number)).collect()
    }

    fn new(plan: &Plan, number: usize) -> Self {
        let records = plan.source_of(number).map_or(&[][..], |source| &source.columns);
        let is_json = |column: usize| records.get(column).is_some_and(|column| column.from == ReadFrom::Json);
        let (stages, grouping) = plan.level(number);
        let grouper = grouping.map(|grouping| Grouper::new(grouping, plan.width_of(number), is_json));
        Self { number, stages: stages.to_vec(), grouper }
    }

    /// Begins a batch's input.
    pub(super) fn begin_batch(&self, state: &mut State) -> Result<(), QueryError> {
        let Some(grouper) = &self.grouper else { return Ok(()) };
        grouper.begin_batch(state).map_err(|error| too_large(state, error))
    }

    /// Takes a row.
    #[inline]
    pub(super) fn take<R: FlowRow>(&self, row: &mut R, target: &mut Target<'_, '_>) -> Result<(), QueryError> {
        if self.stages.is_empty() {
            return self.arrive(row, target);
        }
        Flow { stages: &self.stages, end: End::Arrived(self) }.run(0, row, target)
    }

    /// Takes a row of one of the places of a UNION ALL.
    pub(super) fn take_side<R: FlowRow>(
        &self,
        side: &Side,
        row: &mut R,
        target: &mut Target<'_, '_>,
    ) -> Result<(), QueryError> {
        Flow { stages: &side.stages, end: End::United(&side.columns, self) }.run(0, row, target)
    }

    #[inline]
    fn arrive<R: FlowRow>(&self, row: &mut R, target: &mut Target<'_, '_>) -> Result<(), QueryError> {
        let Some(grouper) = &self.grouper else { return target.emitter.push_row(row, target.gate) };
        let Some(state) = target.levels.get_mut(self.number) else { return Ok(()) };
        let has_late = target.forgets || matches!(state, State::Sessions(_));
        let added = grouper.add(row, state, has_late.then_some(target.late_by));
        target.read.late += added.map_err(|error| too_large(state, error))?;
        Ok(())
    }
}

impl End<'_> {
    fn take<R: FlowRow>(self, row: &mut R, target: &mut Target<'_, '_>) -> Result<(), QueryError> {
        match self {
            Self::Arrived(level) => level.arrive(row, target),
            Self::United(columns, level) => {
                let columns = columns.iter().map(|column| column.eval(row)).collect();
                level.take(&mut MadeRow { columns, window: None, made: Vec::new() }, target)
            }
        }
    }
}

type Made = Vec<Value<'static>>;

impl Flow<'_> {
    /// Takes a row through the stages from `number` on.
    fn run<R: FlowRow>(&self, number: usize, row: &mut R, target: &mut Target<'_, '_>) -> Result<(), QueryError> {
        match self.stages.get(number) {
            None => self.end.take(row, target),
            Some(Stage::Filter(condition)) => match condition.test(row) {
                Some(true) => self.run(number + 1, row, target),
                _ => Ok(()),
            },
            Some(Stage::Limit(limit)) => {
                let Some(passed) = target.limited.get_mut(limit.number).filter(|passed| **passed < limit.rows) else {
                    return Ok(());
                };
                *passed += 1;
                self.run(number + 1, row, target)
            }
            Some(Stage::Lookup(lookup)) => {
                let before = row.made().len();
                let Some(columns) = lookup.columns(row, target.tables) else { return Ok(()) };
                row.made().extend(columns);
                if lookup.condition.as_ref().is_some_and(|condition| condition.test(row) != Some(true)) {
                    if !lookup.outer {
                        row.made().truncate(before);
                        return Ok(());
                    }
                    row.made().iter_mut().skip(before).for_each(|column| *column = Value::Null);
                }
                let run = self.run(number + 1, row, target);
                row.made().truncate(before);
                run
            }
            Some(Stage::Generate(generator)) => {
                let before = row.made().len();
                for made in generator.rows(row) {
                    row.made().truncate(before);
                    row.made().extend(made);
                    self.run(number + 1, row, target)?;
                }
                row.made().truncate(before);
                Ok(())
            }
        }
    }
}

impl Generator {
    fn rows<R: Row>(&self, row: &R) -> Vec<Made> {
        match self {
            Self::Windows { time, size_micros, slide_micros, start_micros } => {
                let Value::Timestamp(time) = time.eval(row) else { return Vec::new() };
                windows(time, *size_micros, *slide_micros, *start_micros)
            }
            Self::Explode { operand, position, outer, width, inline } => {
                let mut rows = elements(&operand.eval(row), *width, *inline);
                if rows.is_empty() && *outer {
                    return vec![vec![Value::Null; width + usize::from(*position)]];
                }
                if *position {
                    let numbered = rows.iter_mut().zip(0..);
                    numbered.for_each(|(made, number)| made.insert(0, Value::Int(number)));
                }
                rows
            }
            Self::Rows(rows) => {
                let made = |columns: &Vec<Expr>| columns.iter().map(|column| column.eval(row).into_owned()).collect();
                rows.iter().map(made).collect()
            }
        }
    }
}

/// The last one first, as Spark has them.
fn windows(time: i64, size: i64, slide: i64, start: i64) -> Vec<Made> {
    let mut rows = Vec::new();
    let mut from = last_start(time, slide, start);
    while from.saturating_add(size) > time {
        let window = [Value::Timestamp(from), Value::Timestamp(from.saturating_add(size))];
        rows.push(vec![Value::Struct(window.into())]);
        match from.checked_sub(slide) {
            Some(before) => from = before,
            None => break,
        }
    }
    rows
}

/// None of NULL. A STRUCT that is NULL makes columns that are.
fn elements(value: &Value<'_>, width: usize, inline: bool) -> Vec<Made> {
    match value {
        Value::Map(entries) => entries.iter().map(|(key, value)| vec![key.clone(), value.clone()]).collect(),
        Value::Array(items) if !inline => items.iter().map(|item| vec![item.clone()]).collect(),
        Value::Array(items) => {
            let fields = |item: &Value<'static>| match item {
                Value::Struct(fields) => fields.to_vec(),
                _ => vec![Value::Null; width],
            };
            items.iter().map(fields).collect()
        }
        _ => Vec::new(),
    }
}
