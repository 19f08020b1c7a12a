//! The columns inside of expressions.

use super::lowered::{GENERATED, LAMBDAS};
use crate::expr::Expr;
use crate::plan::OutputColumn;

/// Visits every column; what it is changed to is not visited.
pub(super) fn visit(expr: &mut Expr, see: &mut impl FnMut(&mut Expr, usize)) {
    match expr {
        Expr::Literal(_) => {}
        Expr::Column(column) => {
            let column = *column;
            see(expr, column);
        }
        Expr::Field(operand, _) | Expr::Cast { operand, .. } | Expr::Not(operand) | Expr::IsNull(operand) => {
            visit(operand, see);
        }
        Expr::Compare { left, right, .. } => {
            visit(left, see);
            visit(right, see);
        }
        Expr::And(parts) | Expr::Or(parts) | Expr::Call { arguments: parts, .. } => {
            parts.iter_mut().for_each(|part| visit(part, see));
        }
        Expr::HigherOrder { arguments, lambdas, .. } => {
            arguments.iter_mut().for_each(|argument| visit(argument, see));
            lambdas.iter_mut().for_each(|lambda| visit(&mut lambda.body, see));
        }
        Expr::In(operand, list) => {
            visit(operand, see);
            list.iter_mut().for_each(|item| visit(item, see));
        }
        Expr::Case { branches, otherwise } => {
            for (condition, value) in branches {
                visit(condition, see);
                visit(value, see);
            }
            visit(otherwise, see);
        }
    }
}

/// Gives columns other numbers.
pub(super) fn renumber(expr: &mut Expr, number: &impl Fn(usize) -> usize) {
    visit(expr, &mut |expr, column| *expr = Expr::Column(number(column)));
}

/// Puts what the columns of an inner query are made of in place of them.
pub(super) fn replace(expr: &mut Expr, outputs: &[OutputColumn]) {
    visit(expr, &mut |expr, column| {
        if let Some(output) = outputs.get(column) {
            *expr = output.expr.clone();
        }
    });
}

/// Whether it stays of a size that can be worked with when each column is replaced by what `of` says.
pub(super) fn can_replace<'e>(expr: &Expr, replaced: impl Fn(usize) -> Option<&'e Expr>) -> bool {
    let made_of = || of(expr).into_iter().filter_map(&replaced);
    let parts: usize = made_of().map(size).sum();
    parts + size(expr) <= PARTS_MAX && made_of().map(depth).max().unwrap_or(0) + depth(expr) <= DEPTH_MAX
}

/// Expressions of a composed query have so many parts at most: a column that is named twice is computed twice.
pub(super) const PARTS_MAX: usize = 20_000;

/// And stand so deep in each other: they are computed by recursion.
pub(super) const DEPTH_MAX: usize = 400;

/// How many parts it has.
pub(super) fn size(expr: &Expr) -> usize {
    let mut size = 0;
    parts(expr, &mut |_| size += 1);
    size
}

/// How deep expressions stand in each other.
pub(super) fn depth(expr: &Expr) -> usize {
    let mut deepest = 0;
    children(expr, &mut |child| deepest = deepest.max(depth(child)));
    deepest + 1
}

/// Every expression in it, itself too.
fn parts(expr: &Expr, see: &mut dyn FnMut(&Expr)) {
    see(expr);
    children(expr, &mut |child| parts(child, see));
}

fn children(expr: &Expr, see: &mut dyn FnMut(&Expr)) {
    match expr {
        Expr::Literal(_) | Expr::Column(_) => {}
        Expr::Field(operand, _) | Expr::Cast { operand, .. } | Expr::Not(operand) | Expr::IsNull(operand) => {
            see(operand);
        }
        Expr::Compare { left, right, .. } => {
            see(left);
            see(right);
        }
        Expr::And(all) | Expr::Or(all) | Expr::Call { arguments: all, .. } => all.iter().for_each(see),
        Expr::In(operand, list) => {
            see(operand);
            list.iter().for_each(see);
        }
        Expr::Case { branches, otherwise } => {
            for (condition, value) in branches {
                see(condition);
                see(value);
            }
            see(otherwise);
        }
        Expr::HigherOrder { arguments, lambdas, .. } => {
            arguments.iter().for_each(&mut *see);
            lambdas.iter().for_each(|lambda| see(&lambda.body));
        }
    }
}

/// The columns that it reads, each as often as it stands there; parameters of lambdas are none.
pub(super) fn of(expr: &Expr) -> Vec<usize> {
    let mut columns = Vec::new();
    parts(expr, &mut |part| match part {
        Expr::Column(column) if !(LAMBDAS..GENERATED).contains(column) => columns.push(*column),
        _ => {}
    });
    columns
}

/// Whether it is the same for every row.
pub(super) fn is_constant(expr: &Expr) -> bool {
    of(expr).is_empty()
}
