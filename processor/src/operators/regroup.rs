//! From the groups of one grouping to those of the one above it.

use super::Target;
use super::grouping::Grouper;
use super::record::GroupsRow;
use super::stages::Flow;
use crate::emit::Group;
use crate::error::QueryError;
use crate::expr::Expr;
use crate::order::partition_of;
use crate::plan::{Grouping, Inner, Stage};
use crate::state::State;
use crate::step::Step;
use crate::types::Value;

/// So many rows are regrouped between two looks at the memory.
const ROWS_PER_CHECK: usize = 4096;

/// Groups what a grouping gives out again.
pub(super) struct Regrouper {
    key_count: usize,
    having: Option<Expr>,
    columns: Vec<Expr>,
    stages: Vec<Stage>,
    grouper: Grouper,
}

impl Regrouper {
    /// Of an inner grouping, the one above it, and how many columns lie between them.
    pub(super) fn new((inner, (above, width)): (&Inner, (&Grouping, usize))) -> Self {
        Self {
            key_count: inner.grouping.keys.len(),
            having: inner.having.clone(),
            columns: inner.columns.clone(),
            stages: inner.stages.clone(),
            grouper: Grouper::new(above, width, |_| false),
        }
    }

    /// Takes the groups that are final: those that were evicted, or, where nothing ever is, all of them.
    pub(super) fn run(&self, below: &State, all: bool, target: &mut Target<'_, '_>) -> Result<(), QueryError> {
        let begun = self.grouper.begin_batch(target.state);
        begun.map_err(|error| super::too_large(target.state, error))?;
        match below {
            State::None => Ok(()),
            State::Groups(groups) if all => self.take(groups.ids(), |id| groups.values(id), target),
            State::Groups(groups) => self.take(groups.evicted().iter().copied(), |id| groups.values(id), target),
            State::Sessions(sessions) if all => self.take(sessions.ids().into_iter(), |id| sessions.values(id), target),
            State::Sessions(sessions) => {
                self.take(sessions.evicted().iter().copied(), |id| sessions.values(id), target)
            }
        }
    }

    /// In the order in which Spark hands them on: by shuffle partition.
    fn take<'s, Id: Copy, Values: Iterator<Item = Value<'s>>>(
        &self,
        ids: impl Iterator<Item = Id>,
        values: impl Fn(Id) -> Values,
        target: &mut Target<'_, '_>,
    ) -> Result<(), QueryError> {
        let place = |id: Id| {
            let keys: Vec<Value<'_>> = values(id).take(self.key_count).collect();
            partition_of(keys.iter())
        };
        let mut ordered: Vec<_> = ids.map(|id| (place(id), id)).collect();
        ordered.sort_by_key(|(partition, _)| *partition);
        let flow = Flow { stages: &self.stages, grouper: Some(&self.grouper) };
        for (number, (_, id)) in ordered.into_iter().enumerate() {
            let group = Group(values(id).collect());
            if self.having.as_ref().is_some_and(|having| having.test(&group) != Some(true)) {
                continue;
            }
            let columns = self.columns.iter().map(|column| column.eval(&group)).collect();
            flow.run(0, &mut GroupsRow { columns, window: None, made: Vec::new() }, target)?;
            if number % ROWS_PER_CHECK == ROWS_PER_CHECK - 1 {
                target.check_memory()?;
                target.gate.pass(Step::Read)?;
            }
        }
        target.check_memory()
    }
}
