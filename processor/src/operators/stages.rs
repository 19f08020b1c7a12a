//! What happens to a record between its reading and its group or row: conditions, rows made of it, and LIMIT.

use crate::error::QueryError;
use crate::expr::{Expr, Row};
use crate::plan::{Generator, Stage};
use crate::types::Value;

use super::grouping::{Grouper, last_start};
use super::record::FlowRow;
use super::{Target, too_large};

/// A query's stages, and where the rows go that pass them.
pub(super) struct Flow<'f> {
    pub(super) stages: &'f [Stage],
    pub(super) grouper: Option<&'f Grouper>,
}

type Made = Vec<Value<'static>>;

impl Flow<'_> {
    /// Takes a row through the stages from `number` on.
    pub(super) fn run<R: FlowRow>(
        &self,
        number: usize,
        row: &mut R,
        target: &mut Target<'_, '_>,
    ) -> Result<(), QueryError> {
        match self.stages.get(number) {
            None => arrive(self.grouper, row, target),
            Some(Stage::Filter(condition)) => match condition.test(row) {
                Some(true) => self.run(number + 1, row, target),
                _ => Ok(()),
            },
            Some(Stage::Limit(limit)) => {
                if *target.limited >= *limit {
                    return Ok(());
                }
                *target.limited += 1;
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

/// The end of a row's way: its groups, or the sink where there are none.
#[inline]
pub(super) fn arrive<R: FlowRow>(
    grouper: Option<&Grouper>,
    row: &mut R,
    target: &mut Target<'_, '_>,
) -> Result<(), QueryError> {
    match grouper {
        Some(grouper) => {
            let added = grouper.add(row, target.state, target.late_by);
            target.read.late += added.map_err(|error| too_large(target.state, error))?;
            Ok(())
        }
        None => target.emitter.push_record(row, target.gate),
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
                let passes = |condition: &Option<Expr>| condition.as_ref().is_none_or(|it| it.test(row) == Some(true));
                let rows = rows.iter().filter(|(condition, _)| passes(condition));
                rows.map(|(_, columns)| columns.iter().map(|column| column.eval(row).into_owned()).collect()).collect()
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
