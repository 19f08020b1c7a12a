//! Conditions, as far towards the records as Spark asks them (`PushPredicateThroughNonJoin`): where a condition stands
//! decides which records move the watermark.

use super::assemble::joined;
use super::block::{Block, InnerClauses, conjuncts};
use super::clauses::Clauses;
use super::columns;
use super::lowered::{KEYS, LAMBDAS, WINDOW};
use crate::expr::{Expr, Nothing};
use crate::plan::{Branch, GroupKey, OutputColumn, Stage};

/// From the rows of groups into HAVING, what HAVING asks of keys alone to what is grouped, and what is asked of the rows
/// of UNION ALL to each of its sides.
pub(super) fn having(block: &mut Block<'_>) {
    for level in (0..block.inner.len()).map(Some).chain([None]).rev() {
        let clauses = block.level_mut(level);
        for conjunct in std::mem::take(&mut clauses.having) {
            match over_rows(&conjunct, &clauses.keys) {
                Some(conjunct) => clauses.stages.push(Stage::Filter(conjunct)),
                None => clauses.having.push(conjunct),
            }
        }
        let mut stages = std::mem::take(&mut clauses.stages);
        to_sides(block, level, &mut stages);
        for inner in block.inner.iter_mut().filter(|inner| inner.goes.to == level) {
            let InnerClauses { clauses, goes } = inner;
            if let Some(side) = &mut goes.side {
                to_having(&mut side.stages, clauses);
            }
        }
        // Rows that come from one grouping alone.
        if let Some(inner) = block.inner.iter_mut().find(|inner| inner.goes.to == level && inner.goes.side.is_none()) {
            to_having(&mut stages, &mut inner.clauses);
        }
        block.level_mut(level).stages = stages;
    }
}

/// Moves what is asked of the rows of UNION ALL as they are to each side.
fn to_sides(block: &mut Block<'_>, level: Option<usize>, stages: &mut Vec<Stage>) {
    let mut sides: Vec<&mut Clauses> =
        block.each_goes().filter(|goes| goes.to == level).filter_map(|goes| goes.side.as_mut()).collect();
    if sides.is_empty() {
        return;
    }
    for condition in taken(stages, |condition| sides.iter().all(|side| is_over(condition, &side.outputs))) {
        for side in &mut sides {
            let mut condition = condition.clone();
            columns::replace(&mut condition, &side.outputs);
            side.stages.extend(conjuncts(&condition).into_iter().map(Stage::Filter));
        }
    }
}

/// Moves what is asked of the rows of groups as they are into the HAVING of these.
fn to_having(stages: &mut Vec<Stage>, groups: &mut Clauses) {
    for mut condition in taken(stages, |condition| is_over(condition, &groups.outputs)) {
        columns::replace(&mut condition, &groups.outputs);
        groups.having.extend(conjuncts(&condition));
    }
}

/// Takes the conditions that fit out of the stages, but none from behind a LIMIT.
fn taken(stages: &mut Vec<Stage>, fits: impl Fn(&Expr) -> bool) -> Vec<Expr> {
    let mut taken = Vec::new();
    let mut limited = false;
    for stage in std::mem::take(stages) {
        limited |= matches!(stage, Stage::Limit(_));
        match stage {
            Stage::Filter(condition) if !limited && fits(&condition) => taken.push(condition),
            other => stages.push(other),
        }
    }
    taken
}

/// Whether a condition looks at nothing that is made of a row, and can be asked of what the row's columns are made of.
fn is_over(condition: &Expr, outputs: &[OutputColumn]) -> bool {
    let made_of = |column: usize| outputs.get(column).map(|output| &output.expr);
    columns::of(condition).iter().all(|column| *column < LAMBDAS) && columns::can_replace(condition, made_of)
}

/// Takes what is asked of a branch's records as they are, out of their side or of the `stages` of their level: it is asked
/// as they are read, and before the watermark is taken if it does not look at the time.
pub(super) fn filters(branch: &mut Branch, stages: &mut Vec<Stage>) {
    let stages = branch.side.as_mut().map_or(stages, |side| &mut side.stages);
    // A condition that looks at nothing made goes first.
    let filters = taken(stages, |condition| columns::of(condition).iter().all(|it| *it < LAMBDAS));
    if filters.iter().any(|filter| columns::is_constant(filter) && filter.test(&Nothing) != Some(true)) {
        // Spark leaves the branch out (`PruneFilters`), and its watermark with it, which others would wait for.
        branch.watermark = None;
    }
    let watermark = branch.watermark;
    let is_late = |filter: &Expr| watermark.is_some_and(|watermark| columns::of(filter).contains(&watermark.column));
    let (late, early): (Vec<Expr>, Vec<Expr>) = filters.into_iter().partition(is_late);
    (branch.early_filter, branch.filter) = (joined(early), joined(late));
}

/// What HAVING asks of keys alone, Spark asks of what is grouped: records that do not fit make no groups, and do not move
/// the watermark either. A window is no part of a record.
fn over_rows(conjunct: &Expr, keys: &[GroupKey]) -> Option<Expr> {
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
