//! UNION ALL of queries over one topic: each record makes a row for each of them.

use std::rc::Rc;

use sqlparser::ast::{SetExpr, SetOperator, SetQuantifier, Spanned};
use sqlparser::tokenizer::Span;

use super::block::{Block, Level};
use super::error::{PlanError, refuse};
use super::generator::converted;
use super::lowered::GENERATED;
use super::select::{self, Context};
use super::text::Text;
use super::{SHAPE, assemble};
use crate::expr::Expr;
use crate::expr::build;
use crate::plan::{Generator, OutputColumn, Stage};

pub(super) fn all<'q>(
    context: &Context<'q>,
    text: &Rc<Text>,
    left: &'q SetExpr,
    right: &'q SetExpr,
) -> Result<Block<'q>, PlanError> {
    let mut sides = Vec::new();
    gather(left, &mut sides);
    gather(right, &mut sides);
    let mut blocks = Vec::with_capacity(sides.len());
    for side in sides {
        let place = side.span();
        let inner = Rc::new(text.within(place));
        let block = match side {
            SetExpr::Select(select) => select::select_block(context, &inner, None, select)?,
            SetExpr::Query(query) => select::block(context, &inner, query)?,
            _ => return Err(refuse(place, "UNION ALL is of SELECTs alone", SHAPE)),
        };
        blocks.push((block, place));
    }
    united(blocks)
}

/// The sides from left to right.
fn gather<'q>(side: &'q SetExpr, sides: &mut Vec<&'q SetExpr>) {
    match side {
        SetExpr::SetOperation { op: SetOperator::Union, set_quantifier: SetQuantifier::All, left, right } => {
            gather(left, sides);
            gather(right, sides);
        }
        other => sides.push(other),
    }
}

fn united(mut blocks: Vec<(Block<'_>, Span)>) -> Result<Block<'_>, PlanError> {
    const APART: &str = "run one query for each SELECT, into one topic";
    let mut types = Vec::new();
    for (index, (block, place)) in blocks.iter().enumerate() {
        let plain = !block.last.is_grouped
            && block.last.limit.is_none()
            && block.last.order.is_empty()
            && block.last.generated == 0;
        if !plain {
            let what = "UNION ALL is of SELECTs without groups, LIMIT, ORDER BY, windows and explode";
            return Err(refuse(*place, what, APART));
        }
        if blocks.first().is_some_and(|(first, _)| first.topic != block.topic) {
            return Err(refuse(*place, "UNION ALL is of SELECTs from one topic", APART));
        }
        if index == 0 {
            types = block.last.outputs.iter().map(|output| output.data_type.clone()).collect();
        } else if block.last.outputs.len() != types.len() {
            let what =
                format!("the first SELECT has {} columns, and this has {}", types.len(), block.last.outputs.len());
            return Err(refuse(*place, what, "select as many columns"));
        } else {
            for (known, output) in types.iter_mut().zip(&block.last.outputs) {
                let Some(common) = build::common_type(known, &output.data_type) else {
                    let what = format!("{} is {}, and in the first SELECT {known}", output.name, output.data_type);
                    return Err(refuse(*place, what, "CAST one of them to the type of the other"));
                };
                *known = common;
            }
        }
    }
    let mut rest = blocks.split_off(1).into_iter();
    let Some((mut united, _)) = blocks.pop() else {
        return Err(refuse(Span::empty(), "there is no SELECT", SHAPE));
    };
    let row = |block: &Block<'_>| {
        let conditions = block.last.stages.iter().filter_map(|stage| match stage {
            Stage::Filter(condition) => Some(condition.clone()),
            _ => None,
        });
        let typed = |output: &OutputColumn| build::Typed {
            expr: output.expr.clone(),
            data_type: output.data_type.clone(),
            name: String::new(),
            text: String::new(),
        };
        let columns = block.last.outputs.iter().zip(&types).map(|(output, to)| converted(typed(output), to));
        (assemble::joined(conditions.collect()), columns.collect::<Vec<Expr>>())
    };
    let mut rows = vec![row(&united)];
    let mut levels = vec![std::mem::take(&mut united.levels)];
    for (mut block, place) in rest.by_ref() {
        let Some(numbers) = united.scope.adopt(&block.scope) else {
            return Err(refuse(
                place,
                "a column is read as two types",
                "say what it is: CREATE TABLE topic (column TYPE)",
            ));
        };
        block.renumber(&|column| numbers.get(column).copied().unwrap_or(column));
        rows.push(row(&block));
        levels.push(block.levels);
    }
    united.levels = vec![Level { united: levels, ..Level::default() }];
    united.last.stages = vec![Stage::Generate(Generator::Rows(rows))];
    united.last.generated = types.len();
    for (number, (output, data_type)) in united.last.outputs.iter_mut().zip(types).enumerate() {
        output.expr = Expr::Column(GENERATED + number);
        output.data_type = data_type;
    }
    Ok(united)
}
