//! The columns of a plan by their numbers.

use std::fmt::Write;

use super::columns;
use super::lowered::{AGGREGATES, GENERATED, KEYS, LAMBDAS, WINDOW};
use super::normal::list;
use crate::expr::Expr;
use crate::plan::{Branch, GroupKey, Grouping, JoinedTable, Plan, Side, SourceColumn, Stage};

/// First among the columns after a row's own, while the plan is not numbered.
pub(super) const OUTPUTS: usize = AGGREGATES << 1;

/// Gives every column its number in the plan, and leaves out the columns that nothing reads. `columns` are those of each
/// source.
pub(super) fn number(plan: &mut Plan, columns: &[Vec<SourceColumn>]) {
    for (number, columns) in columns.iter().enumerate() {
        number_source(plan, number, columns);
    }
    for level in 0..=plan.last_level() {
        if plan.source_of(level).is_none() {
            let width = plan.width_of(level);
            let of_row = |column: usize| of_row(column, width, |column| column);
            each_of_level(plan, level, &mut |expr| columns::renumber(expr, &of_row));
        }
    }
    for inner in &mut plan.inner {
        let of_group = group_numbers(Some(&inner.grouping), 0);
        let having = inner.having.iter_mut().chain(&mut inner.columns);
        having
            .chain(inner.order_by.iter_mut().map(|key| &mut key.expr))
            .for_each(|expr| columns::renumber(expr, &of_group));
        let width = inner.columns.len();
        let of_row = |column: usize| of_row(column, width, |column| column);
        each_of_side(inner.side.as_mut(), &mut |expr| columns::renumber(expr, &of_row));
    }
    let of_group = group_numbers(plan.grouping.as_ref(), plan.width_of(plan.last_level()));
    if plan.grouping.is_some() {
        each_of_result(plan, &mut |expr| columns::renumber(expr, &of_group));
    } else {
        // Columns of SELECT, which stand behind those of a row.
        let of_output = |column: usize| if column >= OUTPUTS { of_group(column) } else { column };
        each_of_result(plan, &mut |expr| columns::renumber(expr, &of_output));
    }
    prune_tables(plan);
}

fn number_source(plan: &mut Plan, number: usize, columns: &[SourceColumn]) {
    let Some(source) = plan.sources.get(number) else { return };
    let direct: Vec<usize> = source.branches.iter().filter(|it| it.side.is_none()).map(|branch| branch.to).collect();
    // Keys that are columns come first: a scanned record then starts with its key.
    let plain = |key: &GroupKey| match key.expr {
        Expr::Column(column) if column < LAMBDAS => Some(column),
        _ => None,
    };
    let groupings = direct.iter().filter_map(|level| plan.level(*level).1);
    let keys: Vec<usize> = groupings.flat_map(|grouping| &grouping.keys).filter_map(plain).collect();
    let watermarks = source.branches.iter().filter_map(|branch| branch.watermark);
    let mut others: Vec<usize> = watermarks.map(|watermark| watermark.column).collect();
    each_of_records(plan, number, &direct, &mut |expr| {
        others.extend(columns::of(expr).into_iter().filter(|column| *column < LAMBDAS));
    });
    others.sort_unstable();
    let mut used: Vec<usize> = Vec::new();
    for column in keys.into_iter().chain(others) {
        if !used.contains(&column) {
            used.push(column);
        }
    }
    let place = |column: usize| used.iter().position(|old| *old == column).unwrap_or(column);
    let of_record = |column: usize| of_row(column, used.len(), place);
    each_of_records(plan, number, &direct, &mut |expr| columns::renumber(expr, &of_record));
    if let Some(source) = plan.sources.get_mut(number) {
        source.columns = used.iter().filter_map(|old| columns.get(*old).cloned()).collect();
        for watermark in source.branches.iter_mut().filter_map(|branch| branch.watermark.as_mut()) {
            watermark.column = place(watermark.column);
        }
    }
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

/// Every expression over the records of a source, which are the rows of the levels `direct`.
fn each_of_records(plan: &mut Plan, source: usize, direct: &[usize], see: &mut impl FnMut(&mut Expr)) {
    for branch in plan.sources.get_mut(source).into_iter().flat_map(|source| &mut source.branches) {
        each_of_branch(branch, see);
    }
    direct.iter().for_each(|level| each_of_level(plan, *level, see));
}

fn each_of_branch(branch: &mut Branch, see: &mut impl FnMut(&mut Expr)) {
    [&mut branch.early_filter, &mut branch.filter].into_iter().flatten().for_each(&mut *see);
    each_of_side(branch.side.as_mut(), see);
}

fn each_of_side(side: Option<&mut Side>, see: &mut impl FnMut(&mut Expr)) {
    let Some(side) = side else { return };
    side.stages.iter_mut().for_each(|stage| stage.each(see));
    side.columns.iter_mut().for_each(see);
}

/// Every expression over the rows of a level.
fn each_of_level(plan: &mut Plan, level: usize, see: &mut impl FnMut(&mut Expr)) {
    if let Some(inner) = plan.inner.get_mut(level) {
        inner.stages.iter_mut().for_each(|stage| stage.each(see));
        return each_of_grouping(&mut inner.grouping, see);
    }
    plan.stages.iter_mut().for_each(|stage| stage.each(see));
    match &mut plan.grouping {
        Some(grouping) => each_of_grouping(grouping, see),
        None => each_of_result(plan, see),
    }
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
    fn add(read: &mut Vec<usize>) -> impl FnMut(&mut Expr) {
        |expr| read.extend(columns::of(expr))
    }
    for level in 0..=plan.last_level() {
        let mut read = Vec::new();
        each_of_level(plan, level, &mut add(&mut read));
        let first = plan.width_of(level) + 1;
        let stages = plan.inner.get_mut(level).map_or(&mut plan.stages, |inner| &mut inner.stages);
        prune(stages, &mut plan.tables, first, &read);
    }
    let of_records = plan.sources.iter_mut().flat_map(|source| {
        let width = source.columns.len();
        source.branches.iter_mut().filter_map(move |branch| Some((branch.side.as_mut()?, width)))
    });
    let of_groups = plan.inner.iter_mut().filter_map(|inner| Some((inner.side.as_mut()?, inner.columns.len())));
    for (side, width) in of_records.chain(of_groups) {
        let mut read = Vec::new();
        each_of_side(Some(&mut *side), &mut add(&mut read));
        prune(&mut side.stages, &mut plan.tables, width + 1, &read);
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
