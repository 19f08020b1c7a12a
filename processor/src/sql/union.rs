//! UNION ALL: the rows of several SELECTs, each over its own topic, with columns of the types that they have in common.

use std::rc::Rc;

use sqlparser::ast::{SetExpr, SetOperator, SetQuantifier, Spanned};
use sqlparser::tokenizer::Span;

use super::block::{Block, Level};
use super::clauses::Clauses;
use super::error::{PlanError, refuse};
use super::select::{self, Context};
use super::text::Text;
use crate::expr::Expr;
use crate::expr::build;
use crate::plan::OutputColumn;
use crate::types::DataType;

/// The rows of both sides, also where they are to be taken once each.
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
        blocks.push((select::set(context, &inner, side)?, place));
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

fn united(blocks: Vec<(Block<'_>, Span)>) -> Result<Block<'_>, PlanError> {
    let mut columns: Vec<OutputColumn> = Vec::new();
    for (index, (block, place)) in blocks.iter().enumerate() {
        let outputs = &block.last.outputs;
        if index == 0 {
            columns = block.last.selected();
        } else if outputs.len() != columns.len() {
            let what = format!("the first SELECT has {} columns, and this has {}", columns.len(), outputs.len());
            return Err(refuse(*place, what, "select as many columns"));
        } else {
            for (known, output) in columns.iter_mut().zip(outputs) {
                let Some(common) = build::common_type(&known.data_type, &output.data_type) else {
                    let what =
                        format!("{} is {}, and in the first SELECT {}", output.name, output.data_type, known.data_type);
                    return Err(refuse(*place, what, "CAST one of them to the type of the other"));
                };
                known.data_type = common;
            }
        }
    }
    let mut united = Block {
        branches: Vec::new(),
        levels: vec![Level::default()],
        tables: Vec::new(),
        limits: 0,
        inner: Vec::new(),
        last: Clauses { outputs: columns, ..Clauses::default() },
    };
    for (mut block, place) in blocks {
        for (output, column) in block.last.outputs.iter_mut().zip(&united.last.outputs) {
            convert(output, &column.data_type);
        }
        united.unite(block, place)?;
    }
    Ok(united)
}

fn convert(output: &mut OutputColumn, to: &DataType) {
    if output.data_type == *to {
        return;
    }
    let from = std::mem::replace(&mut output.data_type, to.clone());
    let operand = Box::new(std::mem::replace(&mut output.expr, Expr::Column(0)));
    output.expr = Expr::Cast { operand, from, to: to.clone() };
}
