//! The plan of a lowered query: its columns numbered, WHERE split, and its normal form.

use std::fmt::Write;

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Span;

use super::block::{Block, Level, Selected, conjuncts, group_key, output};
use super::error::{PlanError, refuse};
use super::lowered::{AGGREGATES, GENERATED, KEYS, LAMBDAS, Lowered, Lowering, WINDOW};
use super::mode::{self, Rules};
use super::order::Order;
use super::select::Output;
use super::text::Text;
use super::{PlanSettings, columns};
use crate::aggregate::AggregateFunction;
use crate::expr::Expr;
use crate::plan::{
    Aggregate, GroupKey, Grouping, OutputMode, Plan, ReadFrom, Sink, SortKey, Source, SourceColumn, Stage, Watermark,
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
            state: grouped_state(lowering),
        };
        let parts = |lowered: Option<&Lowered>| lowered.map_or_else(Vec::new, |it| conjuncts(&it.typed.expr));
        let makers = lowering.makers.iter().map(|(_, maker)| maker.clone());
        let conditions = parts(self.condition.as_ref()).into_iter().map(Stage::Filter);
        Selected {
            level,
            place: self.place,
            tables: lowering.tables.clone(),
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
    let mut stages = std::mem::take(&mut block.stages);
    let mut having = Vec::new();
    for conjunct in std::mem::take(&mut block.having) {
        match over_record(&conjunct, &block.keys) {
            Some(conjunct) => stages.push(Stage::Filter(conjunct)),
            None => having.push(conjunct),
        }
    }
    let (filters, stages) = hoisted(stages);
    let limit_at = stages.iter().position(|stage| matches!(stage, Stage::Limit(_)));
    if let Some(at) = limit_at {
        let after = stages.get(at + 1..).unwrap_or_default();
        let again = after.iter().any(|stage| matches!(stage, Stage::Limit(_)));
        let counted = after.is_empty() && block.window.is_none();
        if again || block.is_grouped && !counted {
            let what = "what is grouped are not the very rows that an inner query's LIMIT leaves";
            return Err(refuse(written.start(), what, "put WHERE into the inner query, and leave windows out"));
        }
        if block.is_grouped {
            // The last aggregate tells how many rows the LIMIT has let pass.
            let function = AggregateFunction::CountAll;
            block.aggregates.push(Aggregate { function, arguments: Vec::new(), input: DataType::Null, filter: None });
        }
    }
    let is_late = |filter: &Expr| watermark.is_some_and(|watermark| columns::of(filter).contains(&watermark.column));
    let (late, early): (Vec<Expr>, Vec<Expr>) = filters.into_iter().partition(is_late);

    let text = text(&block, &sink, watermark);
    let grouping = block.is_grouped.then(|| grouping(&mut block, watermark));
    let grouped_at = [Keyword::GROUP, Keyword::DISTINCT]
        .into_iter()
        .map(|keyword| written.keyword(keyword))
        .find(|place| place.start.line > 0)
        .unwrap_or_else(|| written.start());
    let rules = Rules {
        text: written,
        grouping: grouping.as_ref(),
        is_ordered: !block.order.is_empty(),
        is_limited: block.limit.is_some() || stages.iter().any(|stage| matches!(stage, Stage::Limit(_))),
        limits_records: stages.iter().any(|stage| matches!(stage, Stage::Limit(_))),
        watermark: watermark.is_some(),
        grouped_at,
    };
    let mode = mode::check(&rules, settings)?;
    let state = state(&block, limit_at.is_some());
    let text = if settings.batch {
        text + " BATCH"
    } else if mode != OutputMode::Update {
        format!("{text} MODE {mode}")
    } else {
        text
    };
    let group_width = grouping.as_ref().map(|grouping| grouping.keys.len() + grouping.aggregates.len());
    let mut plan = Plan {
        source: Source { topic: block.topic, columns: Vec::new(), watermark },
        tables: block.tables,
        early_filter: joined(early),
        filter: joined(late),
        stages,
        grouping,
        having: joined(having),
        order_by: block.order,
        output: block.outputs,
        limit: block.limit,
        mode,
        sink,
        text,
        state,
    };
    number(&mut plan, block.scope.into_columns(), group_width);
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

fn grouping(block: &mut Block<'_>, watermark: Option<Watermark>) -> Grouping {
    let (keys, window) = (std::mem::take(&mut block.keys), block.window.take());
    let watermark = watermark.map(|watermark| watermark.column);
    let event_time = keys.iter().enumerate().find_map(|(number, key)| match key.expr {
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
    Grouping { keys, aggregates: std::mem::take(&mut block.aggregates), window, event_time }
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
    if columns.is_empty() || !columns.iter().all(plain) {
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
            Expr::Column(column) if column < LAMBDAS => Some(column),
            _ => None,
        };
        used.extend(grouping.keys.iter().filter_map(plain));
    }
    let mut others: Vec<usize> = plan.source.watermark.iter().map(|watermark| watermark.column).collect();
    each(plan, &mut |expr| others.extend(columns::of(expr).into_iter().filter(|column| *column < LAMBDAS)));
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
        GENERATED.. => used.len() + 1 + (column - GENERATED),
        LAMBDAS.. => column,
        _ => used.iter().position(|old| *old == column).unwrap_or(column),
    };
    each(plan, &mut |expr| columns::renumber(expr, &numbered));
    if let Some(watermark) = &mut plan.source.watermark {
        watermark.column = numbered(watermark.column);
    }
    plan.source.columns = used.iter().filter_map(|old| columns.get(*old).cloned()).collect();
    prune_tables(plan);
}

/// Leaves out of the tables what nothing reads, and tells lookups where the rest is.
fn prune_tables(plan: &mut Plan) {
    let mut read = Vec::new();
    each(plan, &mut |expr| read.extend(columns::of(expr)));
    let mut stages = std::mem::take(&mut plan.stages);
    let mut first = plan.source.columns.len() + 1;
    for stage in &mut stages {
        if let Stage::Lookup(lookup) = stage
            && let Some(table) = plan.tables.get_mut(lookup.table)
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
    plan.stages = stages;
    for table in &plan.tables {
        // What a table keeps is a part of the state.
        let _ = write!(plan.state, " TABLE {:?}", table.topic);
        list(&mut plan.state, " BY ", table.key.iter().filter_map(|key| table.columns.get(*key)).map(column_text));
        list(
            &mut plan.state,
            " KEEPS ",
            table.kept.iter().filter_map(|kept| table.columns.get(*kept)).map(column_text),
        );
    }
}

fn column_text(column: &SourceColumn) -> String {
    format!("{:?} {:?} {}", column.name, column.from, column.data_type)
}

/// Every expression of the plan.
fn each(plan: &mut Plan, see: &mut impl FnMut(&mut Expr)) {
    let filters = [&mut plan.early_filter, &mut plan.filter, &mut plan.having];
    filters.into_iter().flatten().for_each(&mut *see);
    plan.output.iter_mut().for_each(|output| see(&mut output.expr));
    plan.order_by.iter_mut().for_each(|key| see(&mut key.expr));
    plan.stages.iter_mut().for_each(|stage| stage.each(see));
    let Some(grouping) = &mut plan.grouping else { return };
    grouping.keys.iter_mut().for_each(|key| see(&mut key.expr));
    for aggregate in &mut grouping.aggregates {
        aggregate.arguments.iter_mut().chain(&mut aggregate.filter).for_each(&mut *see);
    }
    if let Some(window) = &mut grouping.window {
        window.each(see);
    }
}

/// The normal form. Counts over undeclared columns have the text that they have always had: checkpoints and derived
/// names depend on it.
fn text(block: &Block<'_>, sink: &Sink, watermark: Option<Watermark>) -> String {
    let sink = match sink {
        Sink::Console => "CONSOLE".to_owned(),
        Sink::Topic(topic) => format!("TOPIC {topic:?}"),
        Sink::Json => "JSON".to_owned(),
        Sink::File(path) => format!("FILE {path:?}"),
    };
    let mut from = format!("{:?}", block.topic);
    list(&mut from, " READ ", block.scope.declared().map(|(name, data_type)| format!("{name:?} {data_type}")));
    if let Some(watermark) = watermark {
        // Writing into a string cannot fail.
        let _ = write!(from, " WATERMARK {} {}", block.scope.text(watermark.column), watermark.delay_micros);
    }
    sink + &levels_text(&block.levels, from)
}

fn levels_text(levels: &[Level], mut from: String) -> String {
    let mut levels = levels.iter().peekable();
    while let Some(level) = levels.next() {
        let selected = select_text(level, &from);
        from = if levels.peek().is_some() { format!("({})", selected.trim_start()) } else { selected };
    }
    from
}

fn select_text(level: &Level, from: &str) -> String {
    if !level.united.is_empty() {
        let united = level.united.iter().map(|levels| levels_text(levels, from.to_owned()));
        return united.collect::<Vec<_>>().join(" UNION ALL");
    }
    let mut text = String::new();
    list(&mut text, " SELECT ", level.outputs.iter().cloned());
    let _ = write!(text, " FROM {from}");
    list(&mut text, " MAKE ", level.generators.iter().cloned());
    if let Some(condition) = &level.condition {
        let _ = write!(text, " WHERE {condition}");
    }
    list(&mut text, " GROUP BY ", level.keys.iter().cloned());
    if let Some(having) = &level.having {
        let _ = write!(text, " HAVING {having}");
    }
    list(&mut text, " ORDER BY ", level.order.iter().cloned());
    if let Some(limit) = level.limit {
        let _ = write!(text, " LIMIT {limit}");
    }
    text
}

/// What the state is of: queries that agree in it may go on with each other's. Conditions are left out.
fn state(block: &Block<'_>, counts_limit: bool) -> String {
    let mut from = format!("FROM {:?}", block.topic);
    if !block.is_grouped && !counts_limit {
        return from;
    }
    let mut levels = block.levels.iter();
    let state = loop {
        match levels.next() {
            Some(level) if level.is_grouped || levels.as_slice().is_empty() => {
                list(&mut from, " MAKE ", level.generators.iter().cloned());
                break &level.state;
            }
            Some(level) => {
                from = format!("FROM ({})", select_text(&unconditional(level), from.trim_start_matches("FROM ")))
            }
            None => return from,
        }
    };
    from + state
}

fn unconditional(level: &Level) -> Level {
    let united = level.united.iter().map(|levels| levels.iter().map(unconditional).collect());
    Level { united: united.collect(), condition: None, ..level.clone() }
}

/// The part of `state` that the SELECT with the groups adds.
fn grouped_state(lowering: &Lowering<'_>) -> String {
    let mut text = String::new();
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
