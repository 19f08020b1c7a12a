//! The plan of a lowered query: its columns numbered, WHERE split, and its normal form.

use std::fmt::Write;

use sqlparser::keywords::Keyword;

use super::error::PlanError;
use super::lowered::{AGGREGATES, KEYS, Key, Lowered, Lowering, WINDOW};
use super::mode::{self, Rules};
use super::order::Order;
use super::select::Output;
use super::{PlanSettings, columns};
use crate::expr::Expr;
use crate::plan::{
    GroupKey, Grouping, OutputColumn, OutputMode, Plan, ReadFrom, Sink, SortKey, Source, SourceColumn, Watermark,
    Window,
};
use crate::state::EventTime;

/// The clauses of a query, lowered.
pub(super) struct Parts {
    pub(super) topic: String,
    /// WHERE
    pub(super) condition: Option<Lowered>,
    pub(super) outputs: Vec<Output>,
    pub(super) having: Option<Lowered>,
    pub(super) order: Order,
    pub(super) is_grouped: bool,
    pub(super) sink: Sink,
}

pub(super) fn plan(mut lowering: Lowering<'_>, parts: Parts, settings: &PlanSettings) -> Result<Plan, PlanError> {
    let watermark = lowering.scope.table().and_then(|table| table.watermark.as_ref());
    let watermark = watermark.map(|watermark| {
        let column = match watermark.from {
            ReadFrom::Json => lowering.scope.column(&watermark.name),
            from => Some(lowering.scope.kafka(&watermark.name, from)),
        };
        Watermark { column: column.unwrap_or(0), delay_micros: watermark.delay_micros }
    });
    let mut filters = parts.condition.as_ref().map_or_else(Vec::new, |lowered| conjuncts(&lowered.typed.expr));
    let mut having = Vec::new();
    for conjunct in parts.having.as_ref().map_or_else(Vec::new, |lowered| conjuncts(&lowered.typed.expr)) {
        match over_record(&conjunct, &lowering.keys) {
            Some(conjunct) => filters.push(conjunct),
            None => having.push(conjunct),
        }
    }
    let is_late = |filter: &Expr| watermark.is_some_and(|watermark| columns::of(filter).contains(&watermark.column));
    let (late, early): (Vec<Expr>, Vec<Expr>) = filters.into_iter().partition(is_late);

    let grouping = parts.is_grouped.then(|| grouping(&lowering, watermark));
    let grouped_at = [Keyword::GROUP, Keyword::DISTINCT]
        .into_iter()
        .map(|keyword| lowering.text.keyword(keyword))
        .find(|place| place.start.line > 0)
        .unwrap_or_else(|| lowering.text.start());
    let rules = Rules {
        text: lowering.text,
        grouping: grouping.as_ref(),
        order: &parts.order,
        watermark: watermark.is_some(),
        grouped_at,
    };
    let mode = mode::check(&rules, settings)?;
    let text = text(&lowering, &parts, watermark, mode, settings);
    let state = state(&lowering, &parts);
    let Parts { topic, outputs, order, sink, .. } = parts;
    let group_width = grouping.as_ref().map(|grouping| grouping.keys.len() + grouping.aggregates.len());
    let mut plan = Plan {
        source: Source { topic, columns: Vec::new(), watermark },
        early_filter: joined(early),
        filter: joined(late),
        grouping,
        having: joined(having),
        order_by: sort_keys(&order, &outputs),
        output: outputs.into_iter().map(output_column).collect(),
        limit: order.limit,
        mode,
        sink,
        text,
        state,
    };
    number(&mut plan, lowering.scope.into_columns(), group_width);
    Ok(plan)
}

fn grouping(lowering: &Lowering<'_>, watermark: Option<Watermark>) -> Grouping {
    let key = |key: &Key| {
        let name = match key.typed.expr {
            Expr::Column(column) if column < WINDOW => lowering.scope.name(column).to_owned(),
            _ => key.typed.name.clone(),
        };
        GroupKey { name, expr: key.typed.expr.clone(), data_type: key.typed.data_type.clone() }
    };
    let window = lowering.window.as_ref().map(|window| window.window.clone());
    let watermark = watermark.map(|watermark| watermark.column);
    let event_time = lowering.keys.iter().enumerate().find_map(|(number, key)| match key.typed.expr {
        Expr::Column(WINDOW) => {
            let (Some(Window::Sliding { time, .. } | Window::Session { time, .. }), Some(watermark)) =
                (&window, watermark)
            else {
                return None;
            };
            matches!(time, Expr::Column(time) if *time == watermark).then_some(EventTime::WindowEnd(number))
        }
        Expr::Column(column) if Some(column) == watermark => Some(EventTime::Time(number)),
        _ => None,
    });
    let aggregates = lowering.aggregates.iter().map(|(_, aggregate)| aggregate.clone()).collect();
    Grouping { keys: lowering.keys.iter().map(key).collect(), aggregates, window, event_time }
}

/// The parts that must all hold.
fn conjuncts(expr: &Expr) -> Vec<Expr> {
    match expr {
        Expr::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        other => vec![other.clone()],
    }
}

fn joined(mut conjuncts: Vec<Expr>) -> Option<Expr> {
    match conjuncts.len() {
        0 | 1 => conjuncts.pop(),
        _ => Some(Expr::And(conjuncts)),
    }
}

/// What HAVING asks of keys alone, Spark asks of records (`PushPredicateThroughNonJoin`): those that do not fit make no
/// groups, and do not move the watermark either. A window is no part of a record.
fn over_record(conjunct: &Expr, keys: &[Key]) -> Option<Expr> {
    let columns = columns::of(conjunct);
    let key = |column: usize| keys.get(column.checked_sub(KEYS)?);
    let plain = |column: &usize| key(*column).is_some_and(|key| !columns::of(&key.typed.expr).contains(&WINDOW));
    if columns.is_empty() || !columns.iter().all(plain) {
        return None;
    }
    let mut conjunct = conjunct.clone();
    columns::visit(&mut conjunct, &mut |expr, column| {
        if let Some(key) = key(column) {
            *expr = key.typed.expr.clone();
        }
    });
    Some(conjunct)
}

fn output_column(output: Output) -> OutputColumn {
    OutputColumn { name: output.name, expr: output.lowered.typed.expr, data_type: output.lowered.typed.data_type }
}

/// First among the columns after a row's own, while the plan is not numbered.
const OUTPUTS: usize = AGGREGATES << 1;

/// An item that SELECT has too is not computed again.
fn sort_keys(order: &Order, outputs: &[Output]) -> Vec<SortKey> {
    let key = |key: &super::order::OrderKey| {
        let output = outputs.iter().position(|output| output.lowered.text == key.lowered.text);
        let expr = output.map_or_else(|| key.lowered.typed.expr.clone(), |number| Expr::Column(OUTPUTS + number));
        SortKey { expr, descending: key.descending, nulls_first: key.nulls_first }
    };
    order.keys.iter().map(key).collect()
}

/// Gives every column its number in the plan, and leaves out the columns that nothing reads.
fn number(plan: &mut Plan, columns: Vec<SourceColumn>, group_width: Option<usize>) {
    let mut used: Vec<usize> = Vec::new();
    if let Some(grouping) = &plan.grouping {
        // Keys that are columns come first: a scanned record then starts with its key.
        let plain = |key: &GroupKey| match key.expr {
            Expr::Column(column) if column < WINDOW => Some(column),
            _ => None,
        };
        used.extend(grouping.keys.iter().filter_map(plain));
    }
    let mut others: Vec<usize> = plan.source.watermark.iter().map(|watermark| watermark.column).collect();
    each(plan, &mut |expr| others.extend(columns::of(expr).into_iter().filter(|column| *column < WINDOW)));
    others.sort_unstable();
    for column in others {
        if !used.contains(&column) {
            used.push(column);
        }
    }
    let key_count = plan.grouping.as_ref().map_or(0, |grouping| grouping.keys.len());
    let row_width = group_width.unwrap_or(used.len());
    let numbered = |column: usize| match column {
        OUTPUTS.. => row_width + (column - OUTPUTS),
        AGGREGATES.. => key_count + (column - AGGREGATES),
        KEYS.. => column - KEYS,
        WINDOW.. => used.len(),
        _ => used.iter().position(|old| *old == column).unwrap_or(column),
    };
    each(plan, &mut |expr| columns::renumber(expr, &numbered));
    if let Some(watermark) = &mut plan.source.watermark {
        watermark.column = numbered(watermark.column);
    }
    plan.source.columns = used.iter().filter_map(|old| columns.get(*old).cloned()).collect();
}

/// Every expression of the plan.
fn each(plan: &mut Plan, see: &mut impl FnMut(&mut Expr)) {
    let filters = [&mut plan.early_filter, &mut plan.filter, &mut plan.having];
    filters.into_iter().flatten().for_each(&mut *see);
    plan.output.iter_mut().for_each(|output| see(&mut output.expr));
    plan.order_by.iter_mut().for_each(|key| see(&mut key.expr));
    let Some(grouping) = &mut plan.grouping else { return };
    grouping.keys.iter_mut().for_each(|key| see(&mut key.expr));
    for aggregate in &mut grouping.aggregates {
        aggregate.arguments.iter_mut().chain(&mut aggregate.filter).for_each(&mut *see);
    }
    match &mut grouping.window {
        Some(Window::Sliding { time, .. }) => see(time),
        Some(Window::Session { time, gap_micros }) => {
            see(time);
            see(gap_micros);
        }
        None => {}
    }
}

/// The normal form. Counts over undeclared columns have the text that they have always had: checkpoints and derived
/// names depend on it.
fn text(
    lowering: &Lowering<'_>,
    parts: &Parts,
    watermark: Option<Watermark>,
    mode: OutputMode,
    settings: &PlanSettings,
) -> String {
    let mut text = match &parts.sink {
        Sink::Console => "CONSOLE".to_owned(),
        Sink::Topic(topic) => format!("TOPIC {topic:?}"),
        Sink::Json => "JSON".to_owned(),
        Sink::File(path) => format!("FILE {path:?}"),
    };
    let outputs = parts.outputs.iter().map(|output| format!("{} AS {:?}", output.lowered.text, output.name));
    list(&mut text, " SELECT ", outputs);
    // Writing into a string cannot fail.
    let _ = write!(text, " FROM {:?}", parts.topic);
    list(&mut text, " READ ", lowering.scope.declared().map(|(name, data_type)| format!("{name:?} {data_type}")));
    if let Some(watermark) = watermark {
        let _ = write!(text, " WATERMARK {} {}", lowering.scope.text(watermark.column), watermark.delay_micros);
    }
    if let Some(condition) = &parts.condition {
        let _ = write!(text, " WHERE {}", condition.text);
    }
    list(&mut text, " GROUP BY ", lowering.keys.iter().map(|key| key.text.clone()));
    if let Some(having) = &parts.having {
        let _ = write!(text, " HAVING {}", having.text);
    }
    let order = parts.order.keys.iter().map(|key| {
        let direction = if key.descending { " DESC" } else { "" };
        let nulls = if key.nulls_first == key.descending { " NULLS" } else { "" };
        format!("{}{direction}{nulls}", key.lowered.text)
    });
    list(&mut text, " ORDER BY ", order);
    if let Some(limit) = parts.order.limit {
        let _ = write!(text, " LIMIT {limit}");
    }
    if settings.batch {
        text.push_str(" BATCH");
    } else if mode != OutputMode::Update {
        let _ = write!(text, " MODE {mode}");
    }
    text
}

/// What the state is of: queries that agree in it may go on with each other's.
fn state(lowering: &Lowering<'_>, parts: &Parts) -> String {
    let mut text = format!("FROM {:?}", parts.topic);
    let keys = lowering.keys.iter().map(|key| format!("{} {}", key.text, key.typed.data_type));
    list(&mut text, " GROUP BY ", keys);
    let aggregates = lowering.aggregates.iter().map(|(text, aggregate)| format!("{text} {}", aggregate.input));
    list(&mut text, " AGGREGATES ", aggregates);
    text
}

fn list(text: &mut String, before: &str, items: impl Iterator<Item = String>) {
    for (index, item) in items.enumerate() {
        text.push_str(if index == 0 { before } else { ", " });
        text.push_str(&item);
    }
}
