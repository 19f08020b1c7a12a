//! The plan of a lowered query: WHERE split, conditions where Spark asks them, groupings with their event times.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Span;

use super::block::{Block, Clauses, Level, Selected, conjuncts, group_key, output};
use super::error::{PlanError, refuse};
use super::lowered::{KEYS, LAMBDAS, Lowered, Lowering, WINDOW};
use super::mode::{self, Rules};
use super::number::OUTPUTS;
use super::order::Order;
use super::select::Output;
use super::text::Text;
use super::{PlanSettings, columns, normal, number};
use crate::expr::Expr;
use crate::plan::{
    GroupKey, Grouping, Inner, OutputColumn, OutputMode, Plan, ReadFrom, Sink, SortKey, Source, Stage, Watermark,
    Window,
};
use crate::state::EventTime;
use crate::types::DataType;

/// The clauses of a SELECT, lowered.
pub(super) struct Parts {
    /// WHERE
    pub(super) condition: Option<Lowered>,
    pub(super) outputs: Vec<Output>,
    pub(super) having: Option<Lowered>,
    pub(super) order: Order,
    pub(super) is_grouped: bool,
    pub(super) place: Span,
}

impl Parts {
    /// With what lowering has gathered.
    pub(super) fn selected(self, lowering: &Lowering<'_>) -> Selected {
        let order = self.order.keys.iter().map(|key| {
            let direction = if key.descending { " DESC" } else { "" };
            let nulls = if key.nulls_first == key.descending { " NULLS" } else { "" };
            format!("{}{direction}{nulls}", key.lowered.text)
        });
        let level = Level {
            outputs: self.outputs.iter().map(|it| format!("{} AS {:?}", it.lowered.text, it.name)).collect(),
            generators: lowering.makers.iter().map(|(text, _)| text.clone()).filter(|text| !text.is_empty()).collect(),
            united: Vec::new(),
            condition: self.condition.as_ref().map(|condition| condition.text.clone()),
            keys: lowering.keys.iter().map(|key| key.text.clone()).collect(),
            having: self.having.as_ref().map(|having| having.text.clone()),
            order: order.collect(),
            limit: self.order.limit,
            is_grouped: self.is_grouped,
            state: normal::grouped_state(lowering),
        };
        let parts = |lowered: Option<&Lowered>| lowered.map_or_else(Vec::new, |it| conjuncts(&it.typed.expr));
        let makers = lowering.makers.iter().map(|(_, maker)| maker.clone());
        let conditions = parts(self.condition.as_ref()).into_iter().map(Stage::Filter);
        Selected {
            level,
            place: self.place,
            tables: lowering.tables.clone(),
            clauses: Clauses {
                stages: makers.chain(conditions).collect(),
                generated: lowering.generated.len(),
                is_grouped: self.is_grouped,
                keys: lowering.keys.iter().map(|key| group_key(&lowering.scope, key)).collect(),
                aggregates: lowering.aggregates.iter().map(|(_, aggregate)| aggregate.clone()).collect(),
                window: lowering.window.as_ref().map(|window| window.window.clone()),
                having: parts(self.having.as_ref()),
                order: sort_keys(&self.order, &self.outputs),
                outputs: self.outputs.iter().map(|it| output(&it.name, &it.lowered)).collect(),
                limit: self.order.limit,
            },
        }
    }
}

pub(super) fn plan(
    mut block: Block<'_>,
    written: &Text,
    sink: Sink,
    settings: &PlanSettings,
) -> Result<Plan, PlanError> {
    let watermark = block.scope.table().and_then(|table| table.watermark.as_ref());
    let watermark = watermark.map(|watermark| {
        let column = match watermark.from {
            ReadFrom::Json => block.scope.column(&watermark.name),
            from => Some(block.scope.kafka(&watermark.name, from)),
        };
        Watermark { column: column.unwrap_or(0), delay_micros: watermark.delay_micros }
    });
    push_down(&mut block);
    let mut text = normal::text(&block, &sink, watermark);
    let mut state = normal::state(&block);
    let Block { topic, scope, tables, inner: mut lower, mut last, .. } = block;
    let (filters, stages) = hoisted(std::mem::take(&mut lower.first_mut().unwrap_or(&mut last).stages));
    let is_late = |filter: &Expr| watermark.is_some_and(|watermark| columns::of(filter).contains(&watermark.column));
    let (late, early): (Vec<Expr>, Vec<Expr>) = filters.into_iter().partition(is_late);

    let mut times: Vec<usize> = watermark.iter().map(|watermark| watermark.column).collect();
    let mut inner = Vec::with_capacity(lower.len());
    let mut lower = lower.into_iter().peekable();
    while let Some(mut level) = lower.next() {
        let grouping = grouping(&mut level, &times);
        times = event_times(&grouping, &level.outputs);
        let stages = std::mem::take(&mut lower.peek_mut().unwrap_or(&mut last).stages);
        let columns = level.outputs.into_iter().map(|output| output.expr).collect();
        inner.push(Inner { grouping, having: joined(level.having), columns, stages });
    }
    let grouping = last.is_grouped.then(|| grouping(&mut last, &times));
    let grouped_at = [Keyword::GROUP, Keyword::DISTINCT]
        .into_iter()
        .map(|keyword| written.keyword(keyword))
        .find(|place| place.start.line > 0)
        .unwrap_or_else(|| written.start());
    let limits = || {
        stages
            .iter()
            .chain(inner.iter().flat_map(|inner| &inner.stages))
            .filter(|stage| matches!(stage, Stage::Limit(_)))
    };
    if limits().count() > 1 {
        let what = "the LIMITs of several inner queries are not supported";
        return Err(refuse(written.keyword(Keyword::LIMIT), what, "keep one of them"));
    }
    let has_limit = limits().next().is_some();
    if has_limit {
        // Checkpoints were written that counted the rows elsewhere.
        text.push_str(" LIMITED");
        state.push_str(" LIMITED");
    }
    let rules = Rules {
        text: written,
        grouping: grouping.as_ref(),
        inner: &inner,
        is_ordered: !last.order.is_empty(),
        is_limited: last.limit.is_some() || has_limit,
        limits_records: stages.iter().any(|stage| matches!(stage, Stage::Limit(_))),
        watermark: watermark.is_some(),
        grouped_at,
    };
    let mode = mode::check(&rules, settings)?;
    let text = if settings.batch {
        text + " BATCH"
    } else if mode != OutputMode::Update {
        format!("{text} MODE {mode}")
    } else {
        text
    };
    let mut plan = Plan {
        source: Source { topic, columns: Vec::new(), watermark },
        tables,
        early_filter: joined(early),
        filter: joined(late),
        stages,
        inner,
        grouping,
        having: joined(last.having),
        order_by: last.order,
        output: last.outputs,
        limit: last.limit,
        mode,
        sink,
        text,
        state,
    };
    number::number(&mut plan, scope.into_columns());
    Ok(plan)
}

/// The filters of records as they are read, and the stages after that: a condition that looks at nothing made goes first
/// (`PushPredicateThroughNonJoin`), but not before a LIMIT.
fn hoisted(stages: Vec<Stage>) -> (Vec<Expr>, Vec<Stage>) {
    let mut filters = Vec::new();
    let mut rest: Vec<Stage> = Vec::new();
    let mut limited = false;
    for stage in stages {
        match stage {
            Stage::Filter(condition) if !limited && columns::of(&condition).iter().all(|it| *it < LAMBDAS) => {
                filters.push(condition);
            }
            other => {
                limited |= matches!(other, Stage::Limit(_));
                rest.push(other);
            }
        }
    }
    (filters, rest)
}

/// Moves conditions as far towards the records as Spark does: from the rows of groups into HAVING, and what HAVING asks
/// of keys alone to what is grouped.
fn push_down(block: &mut Block<'_>) {
    for number in (0..=block.inner.len()).rev() {
        let (below, rest) = block.inner.split_at_mut(number);
        let Clauses { keys, having, stages, .. } = rest.first_mut().unwrap_or(&mut block.last);
        for conjunct in std::mem::take(having) {
            match over_record(&conjunct, keys) {
                Some(conjunct) => stages.push(Stage::Filter(conjunct)),
                None => having.push(conjunct),
            }
        }
        let Some(below) = below.last_mut() else { break };
        let is_below = |condition: &Expr| {
            let made_of = |column: usize| below.outputs.get(column).map(|output| &output.expr);
            columns::of(condition).iter().all(|column| *column < LAMBDAS) && columns::can_replace(condition, made_of)
        };
        let mut limited = false;
        for stage in std::mem::take(stages) {
            limited |= matches!(stage, Stage::Limit(_));
            match stage {
                Stage::Filter(mut condition) if !limited && is_below(&condition) => {
                    columns::replace(&mut condition, &below.outputs);
                    below.having.extend(conjuncts(&condition));
                }
                other => stages.push(other),
            }
        }
    }
}

/// A grouping of rows whose columns `times` carry the event time.
fn grouping(clauses: &mut Clauses, times: &[usize]) -> Grouping {
    let (keys, window) = (std::mem::take(&mut clauses.keys), clauses.window.take());
    let is_time = |expr: &Expr| match expr {
        Expr::Column(column) => times.contains(column),
        // Of a window that carries it.
        other => other.window_column().is_some_and(|window| times.contains(&window)),
    };
    let event_time = keys.iter().enumerate().find_map(|(number, key)| match (&key.expr, &window) {
        (Expr::Column(WINDOW), Some(Window::Sliding { time, .. } | Window::Session { time, .. })) => {
            is_time(time).then_some(EventTime::WindowEnd(number))
        }
        (Expr::Column(WINDOW), None) => None,
        (expr, _) if is_time(expr) => Some(match key.data_type {
            DataType::Timestamp => EventTime::Time(number),
            _ => EventTime::WindowEnd(number),
        }),
        _ => None,
    });
    Grouping { keys, aggregates: std::mem::take(&mut clauses.aggregates), window, event_time }
}

/// Which columns of its rows carry the event time.
fn event_times(grouping: &Grouping, outputs: &[OutputColumn]) -> Vec<usize> {
    let Some(EventTime::Time(key) | EventTime::WindowEnd(key)) = grouping.event_time else { return Vec::new() };
    let carries = |expr: &Expr| match expr {
        Expr::Column(column) => *column == KEYS + key,
        other => other.window_column() == Some(KEYS + key),
    };
    outputs.iter().enumerate().filter(|(_, output)| carries(&output.expr)).map(|(number, _)| number).collect()
}

/// All of them, if there are any.
pub(super) fn joined(mut conjuncts: Vec<Expr>) -> Option<Expr> {
    match conjuncts.len() {
        0 | 1 => conjuncts.pop(),
        _ => Some(Expr::And(conjuncts)),
    }
}

/// What HAVING asks of keys alone, Spark asks of records (`PushPredicateThroughNonJoin`): those that do not fit make no
/// groups, and do not move the watermark either. A window is no part of a record.
fn over_record(conjunct: &Expr, keys: &[GroupKey]) -> Option<Expr> {
    let columns = columns::of(conjunct);
    let key = |column: usize| keys.get(column.checked_sub(KEYS)?);
    let plain = |column: &usize| key(*column).is_some_and(|key| !columns::of(&key.expr).contains(&WINDOW));
    let made_of = |column| key(column).map(|key| &key.expr);
    if columns.is_empty() || !columns.iter().all(plain) || !columns::can_replace(conjunct, made_of) {
        return None;
    }
    let mut conjunct = conjunct.clone();
    columns::visit(&mut conjunct, &mut |expr, column| {
        if let Some(key) = key(column) {
            *expr = key.expr.clone();
        }
    });
    Some(conjunct)
}

/// An item that SELECT has too is not computed again.
fn sort_keys(order: &Order, outputs: &[Output]) -> Vec<SortKey> {
    let key = |key: &super::order::OrderKey| {
        let output = outputs.iter().position(|output| output.lowered.text == key.lowered.text);
        let expr = output.map_or_else(|| key.lowered.typed.expr.clone(), |number| Expr::Column(OUTPUTS + number));
        SortKey { expr, descending: key.descending, nulls_first: key.nulls_first }
    };
    order.keys.iter().map(key).collect()
}
