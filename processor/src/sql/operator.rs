//! Operators between values, and the normal form of what they make.

use sqlparser::ast::BinaryOperator;

use super::interval;
use super::lowered::Lowered;
use crate::expr::Expr;
use crate::expr::build::{self, Binary, BuildError};
use crate::types::{DataType, Value};

/// `None` if Spark has no such operator.
pub(super) fn binary(op: &BinaryOperator) -> Option<Binary> {
    Some(match op {
        BinaryOperator::Plus => Binary::Add,
        BinaryOperator::Minus => Binary::Subtract,
        BinaryOperator::Multiply => Binary::Multiply,
        BinaryOperator::Divide => Binary::Divide,
        BinaryOperator::MyIntegerDivide => Binary::IntegralDivide,
        BinaryOperator::Modulo => Binary::Modulo,
        BinaryOperator::StringConcat => Binary::Concat,
        BinaryOperator::BitwiseAnd => Binary::BitAnd,
        BinaryOperator::BitwiseOr => Binary::BitOr,
        BinaryOperator::BitwiseXor => Binary::BitXor,
        BinaryOperator::Eq => Binary::Eq,
        BinaryOperator::NotEq => Binary::NotEq,
        BinaryOperator::Lt => Binary::Lt,
        BinaryOperator::LtEq => Binary::LtEq,
        BinaryOperator::Gt => Binary::Gt,
        BinaryOperator::GtEq => Binary::GtEq,
        BinaryOperator::Spaceship => Binary::NullSafeEq,
        _ => return None,
    })
}

pub(super) fn apply(op: Binary, left: Lowered, right: Lowered) -> Result<Lowered, BuildError> {
    let (sign, is_comparison) = symbol(op);
    let text = match moved(op, &left, &right) {
        Some(text) => text,
        None if is_comparison => comparison(op, &left, &right),
        None => arithmetic(op, sign, &left, &right),
    };
    let typed = build::binary(op, left.typed, right.typed)?;
    Ok(if is_comparison { Lowered::open(typed, text) } else { Lowered::new(typed, text) })
}

fn arithmetic(op: Binary, sign: &str, left: &Lowered, right: &Lowered) -> String {
    let (left, right) = (left.closed(), right.closed());
    // Spark takes a + b and b + a for one expression.
    let commutes = matches!(op, Binary::Add | Binary::Multiply | Binary::BitAnd | Binary::BitOr | Binary::BitXor);
    if commutes && right < left { format!("({right} {sign} {left})") } else { format!("({left} {sign} {right})") }
}

/// A constant stands on the right; what is compared with NULL is NULL.
fn comparison(op: Binary, left: &Lowered, right: &Lowered) -> String {
    let is_null = |side: &Lowered| matches!(side.typed.expr, Expr::Literal(Value::Null));
    if op != Binary::NullSafeEq && (is_null(left) || is_null(right)) {
        return "NULL".to_owned();
    }
    let is_constant = |side: &Lowered| matches!(side.typed.expr, Expr::Literal(_));
    let (left, op, right) =
        if is_constant(left) && !is_constant(right) { (right, flipped(op), left) } else { (left, op, right) };
    format!("{} {} {}", left.closed(), symbol(op).0, right.closed())
}

fn flipped(op: Binary) -> Binary {
    match op {
        Binary::Lt => Binary::Gt,
        Binary::LtEq => Binary::GtEq,
        Binary::Gt => Binary::Lt,
        Binary::GtEq => Binary::LtEq,
        other => other,
    }
}

/// How it is written, and whether it compares.
fn symbol(op: Binary) -> (&'static str, bool) {
    match op {
        Binary::Add => ("+", false),
        Binary::Subtract => ("-", false),
        Binary::Multiply => ("*", false),
        Binary::Divide => ("/", false),
        Binary::IntegralDivide => ("DIV", false),
        Binary::Modulo => ("%", false),
        Binary::Concat => ("||", false),
        Binary::BitAnd => ("&", false),
        Binary::BitOr => ("|", false),
        Binary::BitXor => ("^", false),
        Binary::Eq => ("=", true),
        Binary::NotEq => ("<>", true),
        Binary::Lt => ("<", true),
        Binary::LtEq => ("<=", true),
        Binary::Gt => (">", true),
        Binary::GtEq => (">=", true),
        Binary::NullSafeEq => ("<=>", true),
        Binary::And => ("AND", false),
        Binary::Or => ("OR", false),
    }
}

/// The normal form of `time + interval` or minus, where the interval is a constant.
fn moved(op: Binary, left: &Lowered, right: &Lowered) -> Option<String> {
    let (time, interval) = match (op, &left.typed.data_type, &right.typed.data_type) {
        (_, DataType::Interval(_), DataType::Interval(_)) => return None,
        (Binary::Add | Binary::Subtract, _, DataType::Interval(_)) => (left, right),
        (Binary::Add, DataType::Interval(_), _) => (right, left),
        _ => return None,
    };
    let Expr::Literal(_) = interval.typed.expr else { return None };
    let text = interval.text.strip_prefix("INTERVAL '")?.strip_suffix('\'')?;
    let interval = interval::parse(text)?;
    let interval = if op == Binary::Subtract { interval::negated(interval) } else { interval };
    Some(format!("({} + INTERVAL '{}')", time.closed(), interval::to_text(interval)))
}

/// `-operand`
pub(super) fn minus(operand: Lowered) -> Result<Lowered, BuildError> {
    let text = format!("(- {})", operand.closed());
    Ok(Lowered::new(build::negate(operand.typed)?, text))
}

/// `+operand`, which is the operand, a STRING as a DOUBLE.
pub(super) fn plus(operand: Lowered) -> Result<Lowered, BuildError> {
    let text = format!("(+ {})", operand.closed());
    let name = format!("(+ {})", operand.typed.text);
    let typed = match operand.typed.data_type {
        DataType::TinyInt
        | DataType::SmallInt
        | DataType::Int
        | DataType::BigInt
        | DataType::Float
        | DataType::Double
        | DataType::Decimal { .. } => operand.typed,
        _ => build::negate(build::negate(operand.typed)?)?,
    };
    Ok(Lowered::new(typed, text).named(name))
}

/// `~operand`
pub(super) fn bitwise_not(operand: Lowered) -> Result<Lowered, BuildError> {
    let text = format!("(~ {})", operand.closed());
    Ok(Lowered::new(build::call("~", vec![operand.typed])?, text))
}
