//! The plan of a lowered query.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Span;

use super::block::{Block, Goes, InnerClauses, Level, Selected, conjuncts, group_key, output};
use super::clauses::Clauses;
use super::error::PlanError;
use super::event_time::{self, Carriers};
use super::lowered::{Lowered, Lowering};
use super::number::OUTPUTS;
use super::order::Order;
use super::reads::Reads;
use super::select::Output;
use super::text::Text;
use super::{PlanSettings, mode, normal, number, push_down};
use crate::expr::Expr;
use crate::plan::{Inner, Lifetime, OutputMode, Plan, Side, Sink, SortKey, Stage};

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

/// The plan of a query, with what Spark's optimizer does to conditions.
pub(super) fn plan(
    mut block: Block<'_>,
    written: &Text,
    sink: Sink,
    settings: &PlanSettings,
) -> Result<Plan, PlanError> {
    push_down::having(&mut block);
    let reads = Reads::of(&mut block);
    let mut text = normal::text(&block.levels, &reads, &sink);
    let mut state = normal::state(&block.levels, &reads, block.has_groups());
    let limits = lifetimes(&block, settings);
    let Block { branches, tables, inner: lower, mut last, .. } = block;

    let last_level = lower.len();
    let mut carriers = Carriers::default();
    for (branch, watermark) in branches.iter().zip(&reads.watermarks) {
        let times = watermark.iter().map(|watermark| watermark.column).collect();
        carriers.add(&branch.goes, times);
    }
    let mut inner = Vec::with_capacity(lower.len());
    for (number, InnerClauses { clauses: mut level, goes }) in lower.into_iter().enumerate() {
        let grouping = event_time::grouping(&mut level, carriers.of(Some(number)));
        carriers.add(&goes, event_time::of_groups(&grouping, &level.outputs));
        inner.push(Inner {
            stages: level.stages,
            grouping,
            having: joined(level.having),
            order_by: level.order,
            columns: level.outputs.into_iter().map(|output| output.expr).collect(),
            side: goes.side.map(side),
            to: goes.to.unwrap_or(last_level),
        });
    }
    let grouping = last.is_grouped.then(|| event_time::grouping(&mut last, carriers.of(None)));
    let (mut sources, columns) = reads.sources(branches.into_iter().map(|branch| {
        let Goes { side: clauses, to, .. } = branch.goes;
        (clauses.map(side), to.unwrap_or(last_level))
    }));
    for branch in sources.iter_mut().flat_map(|source| &mut source.branches) {
        push_down::filters(branch, inner.get_mut(branch.to).map_or(&mut last.stages, |inner| &mut inner.stages));
    }
    let grouped_at = [Keyword::GROUP, Keyword::DISTINCT]
        .into_iter()
        .map(|keyword| written.keyword(keyword))
        .find(|place| place.start.line > 0)
        .unwrap_or_else(|| written.start());
    match limits.iter().filter(|lifetime| **lifetime == Lifetime::Query).count() {
        0 => {}
        // Checkpoints were written that counted the rows elsewhere.
        1 => [&mut text, &mut state].into_iter().for_each(|text| text.push_str(" LIMITED")),
        count => [&mut text, &mut state].into_iter().for_each(|text| text.push_str(&format!(" LIMITED {count}"))),
    }
    let mut plan = Plan {
        sources,
        tables,
        inner,
        stages: last.stages,
        grouping,
        having: joined(last.having),
        order_by: last.order,
        output: last.outputs,
        limit: last.limit,
        limits,
        mode: OutputMode::default(),
        sink,
        text,
        state,
    };
    plan.mode = mode::check(&plan, written, grouped_at, settings)?;
    if settings.batch {
        plan.text.push_str(" BATCH");
    } else if plan.mode != OutputMode::Update {
        plan.text.push_str(&format!(" MODE {}", plan.mode));
    }
    number::number(&mut plan, &columns);
    Ok(plan)
}

fn side(clauses: Clauses) -> Side {
    Side { stages: clauses.stages, columns: clauses.outputs.into_iter().map(|output| output.expr).collect() }
}

/// How long each LIMIT among the stages counts: where a batch has all groups, only in that
/// (`StreamingGlobalLimitStrategy`).
fn lifetimes(block: &Block<'_>, settings: &PlanSettings) -> Vec<Lifetime> {
    let mut limits = vec![Lifetime::Query; block.limits];
    if settings.mode != Some(OutputMode::Complete) {
        return limits;
    }
    let sides = block.inner.iter().filter_map(|inner| inner.goes.side.as_ref());
    let levels = block.inner.iter().map(|inner| block.level(inner.goes.to));
    for stage in sides.chain(levels).flat_map(|clauses| &clauses.stages) {
        if let Stage::Limit(limit) = stage
            && let Some(lifetime) = limits.get_mut(limit.number)
        {
            *lifetime = Lifetime::Batch;
        }
    }
    limits
}

/// All of them, if there are any.
pub(super) fn joined(mut conjuncts: Vec<Expr>) -> Option<Expr> {
    match conjuncts.len() {
        0 | 1 => conjuncts.pop(),
        _ => Some(Expr::And(conjuncts)),
    }
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
