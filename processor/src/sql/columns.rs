//! The columns inside of expressions.

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

/// The columns that it reads, each as often as it stands there.
pub(super) fn of(expr: &Expr) -> Vec<usize> {
    let mut columns = Vec::new();
    visit(&mut expr.clone(), &mut |_, column| columns.push(column));
    columns
}

/// Whether it is the same for every row.
pub(super) fn is_constant(expr: &Expr) -> bool {
    of(expr).is_empty()
}
