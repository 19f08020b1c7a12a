//! The columns inside of expressions.

use super::lowered::{GENERATED, LAMBDAS};
use crate::expr::Expr;

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

/// How many parts it has.
pub(super) fn size(expr: &Expr) -> usize {
    let mut size = 0;
    parts(expr, &mut |_| size += 1);
    size
}

/// Every expression in it, itself too.
fn parts(expr: &Expr, see: &mut impl FnMut(&Expr)) {
    see(expr);
    match expr {
        Expr::Literal(_) | Expr::Column(_) => {}
        Expr::Field(operand, _) | Expr::Cast { operand, .. } | Expr::Not(operand) | Expr::IsNull(operand) => {
            parts(operand, see);
        }
        Expr::Compare { left, right, .. } => {
            parts(left, see);
            parts(right, see);
        }
        Expr::And(all) | Expr::Or(all) | Expr::Call { arguments: all, .. } => {
            all.iter().for_each(|part| parts(part, see));
        }
        Expr::In(operand, list) => {
            parts(operand, see);
            list.iter().for_each(|item| parts(item, see));
        }
        Expr::Case { branches, otherwise } => {
            for (condition, value) in branches {
                parts(condition, see);
                parts(value, see);
            }
            parts(otherwise, see);
        }
        Expr::HigherOrder { arguments, lambdas, .. } => {
            arguments.iter().for_each(|argument| parts(argument, see));
            lambdas.iter().for_each(|lambda| parts(&lambda.body, see));
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
