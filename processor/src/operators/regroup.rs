//! Rows of groups: what an inner grouping gives out, to the level above it.

use std::sync::Arc;

use super::Target;
use super::record::MadeRow;
use super::stages::Level;
use crate::emit::Group;
use crate::error::QueryError;
use crate::order::{partition_of, sorted};
use crate::plan::{Inner, OutputMode};
use crate::state::State;
use crate::step::Step;
use crate::types::Value;

/// So many rows go on between two looks at the memory.
const ROWS_PER_CHECK: usize = 4096;

/// Hands the groups of an inner grouping on.
pub(super) struct Regrouper {
    inner: Inner,
    levels: Arc<[Level]>,
    mode: OutputMode,
}

impl Regrouper {
    pub(super) fn new(inner: &Inner, levels: Arc<[Level]>, mode: OutputMode) -> Self {
        Self { inner: inner.clone(), levels, mode }
    }

    /// Takes the groups that the mode gives out.
    pub(super) fn run(&self, below: &State, target: &mut Target<'_, '_>) -> Result<(), QueryError> {
        match below {
            State::None => Ok(()),
            State::Groups(groups) => match self.mode {
                OutputMode::Update => self.take(groups.touched().iter().copied(), |id| groups.values(id), target),
                OutputMode::Complete => self.take(groups.ids(), |id| groups.values(id), target),
                OutputMode::Append => self.take(groups.evicted().iter().copied(), |id| groups.values(id), target),
            },
            State::Sessions(sessions) => match self.mode {
                OutputMode::Append => self.take(sessions.evicted().iter().copied(), |id| sessions.values(id), target),
                OutputMode::Update | OutputMode::Complete => {
                    self.take(sessions.ids().into_iter(), |id| sessions.values(id), target)
                }
            },
        }
    }

    /// In the order of ORDER BY, or in that in which Spark hands them on: by shuffle partition.
    fn take<'s, Id: Copy, Values: Iterator<Item = Value<'s>>>(
        &self,
        ids: impl Iterator<Item = Id>,
        values: impl Fn(Id) -> Values,
        target: &mut Target<'_, '_>,
    ) -> Result<(), QueryError> {
        let Inner { grouping, having, order_by, columns, side, to, .. } = &self.inner;
        let Some(level) = self.levels.get(*to) else { return Ok(()) };
        let group = |id: Id| Group(values(id).collect());
        let passes = |group: &Group<'_>| having.as_ref().is_none_or(|having| having.test(group) == Some(true));
        let ordered: Vec<Id> = if order_by.is_empty() {
            let place = |id: Id| {
                let keys: Vec<Value<'_>> = values(id).take(grouping.keys.len()).collect();
                partition_of(keys.iter())
            };
            let mut placed: Vec<_> = ids.map(|id| (place(id), id)).collect();
            placed.sort_by_key(|(partition, _)| *partition);
            placed.into_iter().map(|(_, id)| id).collect()
        } else {
            let keys = |id: Id| {
                let group = group(id);
                order_by.iter().map(|key| key.expr.eval(&group).into_owned()).collect()
            };
            sorted(order_by, ids.map(|id| (keys(id), id)).collect())
        };
        for (number, id) in ordered.into_iter().enumerate() {
            let group = group(id);
            if !passes(&group) {
                continue;
            }
            let columns = columns.iter().map(|column| column.eval(&group)).collect();
            let mut row = MadeRow { columns, window: None, made: Vec::new() };
            match side {
                None => level.take(&mut row, target)?,
                Some(side) => level.take_side(side, &mut row, target)?,
            }
            if number % ROWS_PER_CHECK == ROWS_PER_CHECK - 1 {
                target.check_memory()?;
                target.gate.pass(Step::Read)?;
            }
        }
        target.check_memory()
    }
}
