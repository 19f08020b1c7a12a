//! The columns of a plan by their numbers.

use std::fmt::Write;

use super::columns;
use super::lowered::{AGGREGATES, GENERATED, KEYS, LAMBDAS, WINDOW};
use super::normal::list;
use crate::expr::Expr;
use crate::plan::{GroupKey, Grouping, Inner, JoinedTable, Plan, SourceColumn, Stage};

/// First among the columns after a row's own, while the plan is not numbered.
pub(super) const OUTPUTS: usize = AGGREGATES << 1;

/// Gives every column its number in the plan, and leaves out the columns that nothing reads.
pub(super) fn number(plan: &mut Plan, columns: Vec<SourceColumn>) {
    let mut used: Vec<usize> = Vec::new();
    if let Some((grouping, _)) = plan.groupings().next() {
        // Keys that are columns come first: a scanned record then starts with its key.
        let plain = |key: &GroupKey| match key.expr {
            Expr::Column(column) if column < LAMBDAS => Some(column),
            _ => None,
        };
        used.extend(grouping.keys.iter().filter_map(plain));
    }
    let mut others: Vec<usize> = plan.source.watermark.iter().map(|watermark| watermark.column).collect();
    each_of_records(plan, &mut |expr| others.extend(columns::of(expr).into_iter().filter(|column| *column < LAMBDAS)));
    others.sort_unstable();
    for column in others {
        if !used.contains(&column) {
            used.push(column);
        }
    }
    let place = |column: usize| used.iter().position(|old| *old == column).unwrap_or(column);
    let of_record = |column: usize| of_row(column, used.len(), place);
    each_of_records(plan, &mut |expr| columns::renumber(expr, &of_record));
    if let Some(watermark) = &mut plan.source.watermark {
        watermark.column = place(watermark.column);
    }
    plan.source.columns = used.iter().filter_map(|old| columns.get(*old).cloned()).collect();
    for number in 0..plan.inner.len() {
        let (inner, above) = plan.inner.split_at_mut(number + 1);
        let Some(inner) = inner.last_mut() else { break };
        let of_group = group_numbers(Some(&inner.grouping), 0);
        inner.having.iter_mut().chain(&mut inner.columns).for_each(|expr| columns::renumber(expr, &of_group));
        let width = inner.columns.len();
        let of_row = |column: usize| of_row(column, width, |column| column);
        inner.stages.iter_mut().for_each(|stage| stage.each(&mut |expr| columns::renumber(expr, &of_row)));
        if let Some(grouping) = first_grouping(above, &mut plan.grouping) {
            each_of_grouping(grouping, &mut |expr| columns::renumber(expr, &of_row));
        }
    }
    let of_group = group_numbers(plan.grouping.as_ref(), used.len());
    if plan.grouping.is_some() {
        each_of_result(plan, &mut |expr| columns::renumber(expr, &of_group));
    } else {
        // What is made of records stands among their columns.
        let of_record = |column: usize| if column >= OUTPUTS { of_group(column) } else { of_record(column) };
        each_of_result(plan, &mut |expr| columns::renumber(expr, &of_record));
    }
    prune_tables(plan);
}

/// A column of a row with `width` columns of its own.
fn of_row(column: usize, width: usize, own: impl Fn(usize) -> usize) -> usize {
    match column {
        KEYS.. => column,
        WINDOW.. => width,
        GENERATED.. => width + 1 + (column - GENERATED),
        LAMBDAS.. => column,
        _ => own(column),
    }
}

/// A column of a group, and what follows those; of a record with `width` columns what follows.
fn group_numbers(grouping: Option<&Grouping>, width: usize) -> impl Fn(usize) -> usize + use<> {
    let keys = grouping.map_or(0, |grouping| grouping.keys.len());
    let row_width = grouping.map_or(width, |grouping| keys + grouping.aggregates.len());
    move |column| match column {
        OUTPUTS.. => row_width + (column - OUTPUTS),
        AGGREGATES.. => keys + (column - AGGREGATES),
        KEYS.. => column - KEYS,
        _ => column,
    }
}

/// Every expression over records.
fn each_of_records(plan: &mut Plan, see: &mut impl FnMut(&mut Expr)) {
    [&mut plan.early_filter, &mut plan.filter].into_iter().flatten().for_each(&mut *see);
    plan.stages.iter_mut().for_each(|stage| stage.each(see));
    match first_grouping(&mut plan.inner, &mut plan.grouping) {
        Some(grouping) => each_of_grouping(grouping, see),
        None => each_of_result(plan, see),
    }
}

/// The first of the inner groupings; where there is none, the last.
fn first_grouping<'p>(inner: &'p mut [Inner], last: &'p mut Option<Grouping>) -> Option<&'p mut Grouping> {
    inner.first_mut().map(|inner| &mut inner.grouping).or(last.as_mut())
}

fn each_of_grouping(grouping: &mut Grouping, see: &mut impl FnMut(&mut Expr)) {
    grouping.keys.iter_mut().for_each(|key| see(&mut key.expr));
    for aggregate in &mut grouping.aggregates {
        aggregate.arguments.iter_mut().chain(&mut aggregate.filter).for_each(&mut *see);
    }
    if let Some(window) = &mut grouping.window {
        window.each(see);
    }
}

/// Every expression over what comes out.
fn each_of_result(plan: &mut Plan, see: &mut impl FnMut(&mut Expr)) {
    plan.having.iter_mut().for_each(&mut *see);
    plan.output.iter_mut().for_each(|output| see(&mut output.expr));
    plan.order_by.iter_mut().for_each(|key| see(&mut key.expr));
}

/// Leaves out of the tables what nothing reads, and tells lookups where the rest is.
fn prune_tables(plan: &mut Plan) {
    let mut read = Vec::new();
    each_of_records(plan, &mut |expr| read.extend(columns::of(expr)));
    let first = plan.source.columns.len() + 1;
    prune(&mut plan.stages, &mut plan.tables, first, &read);
    for number in 0..plan.inner.len() {
        let (inner, above) = plan.inner.split_at_mut(number + 1);
        let Some(inner) = inner.last_mut() else { break };
        let mut read = Vec::new();
        inner.stages.iter_mut().for_each(|stage| stage.each(&mut |expr| read.extend(columns::of(expr))));
        if let Some(grouping) = first_grouping(above, &mut plan.grouping) {
            each_of_grouping(grouping, &mut |expr| read.extend(columns::of(expr)));
        }
        prune(&mut inner.stages, &mut plan.tables, inner.columns.len() + 1, &read);
    }
    for table in &plan.tables {
        // What a table keeps is a part of the state. Writing into a string cannot fail.
        let _ = write!(plan.state, " TABLE {:?}", table.topic);
        let names =
            |columns: &[usize]| columns.iter().filter_map(|it| table.columns.get(*it)).map(text).collect::<Vec<_>>();
        list(&mut plan.state, " BY ", names(&table.key).into_iter());
        list(&mut plan.state, " KEEPS ", names(&table.kept).into_iter());
    }
}

/// Of the tables that `stages` look up; `first` is the number of the first column that they make.
fn prune(stages: &mut [Stage], tables: &mut [JoinedTable], mut first: usize, read: &[usize]) {
    for stage in stages {
        if let Stage::Lookup(lookup) = stage
            && let Some(table) = tables.get_mut(lookup.table)
        {
            let width = lookup.columns.len();
            let is_read = |column: &usize| read.contains(&(first + column)) && !table.key.contains(column);
            let kept: Vec<usize> = (0..width).filter(is_read).collect();
            let order: Vec<usize> = table.key.iter().chain(&kept).copied().collect();
            lookup.columns = (0..width).map(|column| order.iter().position(|known| *known == column)).collect();
            table.columns = order.iter().filter_map(|column| table.columns.get(*column).cloned()).collect();
            let keys = table.key.len();
            (table.key, table.kept) = ((0..keys).collect(), (keys..order.len()).collect());
        }
        first += stage.width();
    }
}

fn text(column: &SourceColumn) -> String {
    format!("{:?} {:?} {}", column.name, column.from, column.data_type)
}
