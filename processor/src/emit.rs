//! From state to rows: which groups a batch gives out, in Spark's order, through HAVING, ORDER BY and LIMIT.

use std::collections::BinaryHeap;

use crate::error::QueryError;
use crate::expr::Row;
use crate::order::{partition_of, sorted};
use crate::plan::{OutputMode, Plan};
use crate::sink::{Output, OutputRow};
use crate::state::{GroupId, GroupTable, SessionId, SessionTable, State};
use crate::step::{Gate, Step};
use crate::types::Value;

/// A batch's rows on their way out.
pub(crate) struct Emitter<'a> {
    plan: &'a Plan,
    output: &'a mut Output,
    /// Rows that LIMIT lets pass yet.
    left: u64,
    written: u64,
    /// Columns of a row of the last level.
    width: usize,
    /// With ORDER BY and no groups at the last level: what its keys are, and the row.
    unsorted: Vec<(Vec<Value<'static>>, Vec<Value<'static>>)>,
}

/// The row of a group: its keys, and its aggregates after them.
pub(crate) struct Group<'r>(pub(crate) Vec<Value<'r>>);

impl Row for Group<'_> {
    fn value(&self, column: usize) -> Value<'_> {
        self.0.get(column).map_or(Value::Null, Value::borrowed)
    }
}

/// A row of `width` columns and, after them, the columns made of it.
struct Extended<'r, R> {
    row: &'r R,
    width: usize,
    made: &'r [Value<'r>],
}

impl<R: Row> Row for Extended<'_, R> {
    fn value(&self, column: usize) -> Value<'_> {
        match column.checked_sub(self.width) {
            None => self.row.value(column),
            Some(column) => self.made.get(column).map_or(Value::Null, Value::borrowed),
        }
    }
}

impl<'a> Emitter<'a> {
    /// `rows_out` is what the query wrote in its earlier batches: LIMIT counts over the life of one that appends.
    pub(crate) fn new(plan: &'a Plan, output: &'a mut Output, rows_out: u64) -> Self {
        let before = if plan.mode == OutputMode::Append { rows_out } else { 0 };
        let left = plan.limit.map_or(u64::MAX, |limit| limit.saturating_sub(before));
        let width = plan.width_of(plan.last_level());
        Self { plan, output, left, written: 0, width, unsorted: Vec::new() }
    }

    /// Rows written.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Writes the row of a row of the last level, of a query that does not group those.
    pub(crate) fn push_row<R: Row>(&mut self, row: &R, gate: &mut Gate) -> Result<(), QueryError> {
        let values = self.made(row);
        if self.plan.order_by.is_empty() {
            return self.push(&[], &values, gate);
        }
        let keys = self.sort_keys(row, self.width, &values);
        self.unsorted.push((keys, values.into_iter().map(Value::into_owned).collect()));
        Ok(())
    }

    /// Writes the rows that the batch's end brings.
    pub(crate) fn finish(&mut self, state: &State, gate: &mut Gate) -> Result<(), QueryError> {
        for values in sorted(&self.plan.order_by, std::mem::take(&mut self.unsorted)) {
            self.push(&[], &values, gate)?;
        }
        match state {
            // A group that is none of the query's.
            _ if self.plan.grouping.is_none() => Ok(()),
            State::None => Ok(()),
            State::Groups(groups) => self.groups(groups, gate),
            State::Sessions(sessions) => self.sessions(sessions, gate),
        }
    }

    fn groups(&mut self, groups: &GroupTable, gate: &mut Gate) -> Result<(), QueryError> {
        match self.plan.mode {
            OutputMode::Update => self.rows(groups.touched().iter().copied(), |id| groups.values(id), gate),
            OutputMode::Complete => self.rows(groups.ids(), |id: GroupId| groups.values(id), gate),
            OutputMode::Append => self.rows(groups.evicted().iter().copied(), |id| groups.values(id), gate),
        }
    }

    fn sessions(&mut self, sessions: &SessionTable, gate: &mut Gate) -> Result<(), QueryError> {
        match self.plan.mode {
            OutputMode::Append => self.rows(sessions.evicted().iter().copied(), |id| sessions.values(id), gate),
            OutputMode::Update | OutputMode::Complete => {
                self.rows(sessions.ids().into_iter(), |id: SessionId| sessions.values(id), gate)
            }
        }
    }

    /// Writes the rows of `ids` in order: that of ORDER BY, or of the shuffle partitions of their keys, and those that
    /// are equal in it as they come.
    fn rows<'s, Id: Copy + Ord, Values: Iterator<Item = Value<'s>>>(
        &mut self,
        ids: impl Iterator<Item = Id>,
        values: impl Fn(Id) -> Values,
        gate: &mut Gate,
    ) -> Result<(), QueryError> {
        let plan = self.plan;
        let key_count = plan.grouping.as_ref().map_or(0, |grouping| grouping.keys.len());
        let group = |id: Id| Group(values(id).collect());
        let passes = |group: &Group<'_>| plan.having.as_ref().is_none_or(|having| having.test(group) == Some(true));
        if !plan.order_by.is_empty() {
            let mut unsorted: Vec<(Vec<Value<'static>>, Id)> = Vec::new();
            for id in ids {
                let group = group(id);
                if passes(&group) {
                    unsorted.push((self.sort_keys(&group, group.0.len(), &self.made(&group)), id));
                }
            }
            return self.write(sorted(&plan.order_by, unsorted).into_iter().map(group), key_count, gate);
        }
        // A row's place is told by its key; what else it holds is looked at only if HAVING does.
        let width = if plan.having.is_some() { usize::MAX } else { key_count };
        let place = |id: Id, at: usize| {
            let group = Group(values(id).take(width).collect());
            passes(&group).then(|| (partition_of(group.0.iter().take(key_count)), at))
        };
        let wanted = self.output.rows_wanted().unwrap_or(usize::MAX);
        let wanted = wanted.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let places = ids.enumerate().filter_map(|(at, id)| Some((place(id, at)?, id)));
        let ordered = first(places, wanted);
        self.write(ordered.into_iter().map(|(_, id)| group(id)), key_count, gate)
    }

    fn write<'s>(
        &mut self,
        groups: impl Iterator<Item = Group<'s>>,
        key_count: usize,
        gate: &mut Gate,
    ) -> Result<(), QueryError> {
        for group in groups {
            if self.left == 0 {
                break;
            }
            let row = self.made(&group);
            self.push(group.0.get(..key_count).unwrap_or_default(), &row, gate)?;
        }
        Ok(())
    }

    /// The columns of SELECT.
    fn made<'r, R: Row>(&self, row: &'r R) -> Vec<Value<'r>>
    where
        'a: 'r,
    {
        self.plan.output.iter().map(|column| column.expr.eval(row)).collect()
    }

    fn sort_keys<R: Row>(&self, row: &R, width: usize, made: &[Value<'_>]) -> Vec<Value<'static>> {
        let row = Extended { row, width, made };
        self.plan.order_by.iter().map(|key| key.expr.eval(&row).into_owned()).collect()
    }

    fn push(&mut self, key: &[Value<'_>], values: &[Value<'_>], gate: &mut Gate) -> Result<(), QueryError> {
        if self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        self.written += 1;
        if self.output.push(&OutputRow { key, values })? {
            gate.pass(Step::Emitted)?;
        }
        Ok(())
    }
}

/// The first `wanted` in order, without sorting the others.
fn first<T: Ord>(items: impl Iterator<Item = T>, wanted: usize) -> Vec<T> {
    if wanted == usize::MAX {
        let mut all: Vec<T> = items.collect();
        all.sort_unstable();
        return all;
    }
    let mut first = BinaryHeap::new();
    for item in items {
        if first.len() < wanted {
            first.push(item);
        } else if first.peek().is_some_and(|last| item < *last) {
            first.pop();
            first.push(item);
        }
    }
    first.into_sorted_vec()
}
