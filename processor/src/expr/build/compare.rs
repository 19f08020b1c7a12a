//! Comparisons and logic: `PromoteStrings`, `DecimalPrecision`, `BooleanEquality` and `InConversion`.

use super::coerce::{
    is_atomic, is_integral, is_numeric, is_orderable, operand_digits, tightest, wider_decimal, wider_of,
};
use super::{Binary, BuildError, Built, Typed, binary, literal, sql_type};
use crate::expr::{Comparison, Expr};
use crate::types::{DataType, Value};

pub(super) fn comparison(op: Binary, left: Typed, right: Typed) -> Built {
    // Spark knows no <> of its own.
    let (op, sign) = match op {
        Binary::NotEq => return not(comparison(Binary::Eq, left, right)?),
        Binary::Lt => (Comparison::Lt, "<"),
        Binary::LtEq => (Comparison::LtEq, "<="),
        Binary::Gt => (Comparison::Gt, ">"),
        Binary::GtEq => (Comparison::GtEq, ">="),
        Binary::NullSafeEq => (Comparison::NullSafeEq, "<=>"),
        _ => (Comparison::Eq, "="),
    };
    let text = format!("({} {sign} {})", left.text, right.text);
    if matches!(op, Comparison::Eq | Comparison::NullSafeEq) {
        match (&left.data_type, &right.data_type) {
            (DataType::Boolean, number) if is_numeric(number) => {
                return boolean_equality(op, left, right, text);
            }
            (number, DataType::Boolean) if is_numeric(number) => {
                return boolean_equality(op, right, left, text);
            }
            _ => {}
        }
    }
    if let Some(whole) = beside_whole_numbers(op, &left, &right) {
        return whole;
    }
    let Some(common) = comparable(&left, &right) else { return Err(BuildError::mismatch(&text, &left, &right)) };
    if !is_orderable(&common) {
        return Err(BuildError::new(
            format!("{text}: values of {} cannot be compared", sql_type(&common)),
            "a comparison of its parts, as map['key'] = …",
        ));
    }
    Ok(compared(op, left.converted(&common), right.converted(&common), text))
}

/// An INT or BIGINT against a decimal literal is one against a whole number; or the same for every value, NULL too, if
/// that is beyond BIGINT (`DecimalPrecision.integralAndDecimalLiteral`).
fn beside_whole_numbers(op: Comparison, left: &Typed, right: &Typed) -> Option<Built> {
    let is_less = matches!(op, Comparison::Lt | Comparison::LtEq);
    if !is_less && !matches!(op, Comparison::Gt | Comparison::GtEq) {
        return None;
    }
    let (decimal, is_left) = match (&left.expr, &right.expr) {
        (Expr::Literal(Value::Decimal(decimal)), _) if is_integral(&right.data_type) => (decimal, true),
        (_, Expr::Literal(Value::Decimal(decimal))) if is_integral(&left.data_type) => (decimal, false),
        _ => return None,
    };
    let unit = 10_i128.checked_pow(u32::from(decimal.scale))?;
    let floor = decimal.unscaled.div_euclid(unit);
    let is_strict = matches!(op, Comparison::Lt | Comparison::Gt);
    let up = (is_less == is_strict) != is_left;
    let whole = if up && decimal.unscaled.rem_euclid(unit) != 0 { floor + 1 } else { floor };
    let Ok(whole) = i64::try_from(whole) else {
        let answer = ((whole > 0) == is_less) != is_left;
        return Some(Ok(literal(Value::Boolean(answer), DataType::Boolean, answer.to_string())));
    };
    let whole = literal(Value::BigInt(whole), DataType::BigInt, whole.to_string());
    let op = match op {
        Comparison::Lt => Binary::Lt,
        Comparison::LtEq => Binary::LtEq,
        Comparison::Gt => Binary::Gt,
        _ => Binary::GtEq,
    };
    Some(if is_left { comparison(op, whole, right.clone()) } else { comparison(op, left.clone(), whole) })
}

fn compared(op: Comparison, left: Typed, right: Typed, text: String) -> Typed {
    let expr = Expr::Compare { op, left: Box::new(left.into_expr()), right: Box::new(right.into_expr()) };
    Typed::new(expr, DataType::Boolean, text)
}

/// The type in which two operands are compared.
fn comparable(left: &Typed, right: &Typed) -> Option<DataType> {
    use DataType::{Decimal, Double, Float, Null, String};
    match (&left.data_type, &right.data_type) {
        (left, right) if left == right => Some(left.clone()),
        (String, Decimal { .. }) | (Decimal { .. }, String) => Some(Double),
        (String, other) | (other, String) if *other == Null => Some(String),
        // Spark reads the text as an interval.
        (String, DataType::Interval(_)) | (DataType::Interval(_), String) => None,
        (String, other) | (other, String) if is_atomic(other) => Some(other.clone()),
        (Decimal { .. }, Float | Double) | (Float | Double, Decimal { .. }) => Some(Double),
        (Decimal { .. }, _) | (_, Decimal { .. }) if left.data_type != Null && right.data_type != Null => {
            Some(wider_decimal(operand_digits(left)?, operand_digits(right)?))
        }
        (left, right) => tightest(left, right),
    }
}

/// A BOOLEAN against a number: 1 is true, 0 is false, in other numbers it becomes one.
fn boolean_equality(op: Comparison, boolean: Typed, number: Typed, text: String) -> Built {
    let wanted = match &number.expr {
        Expr::Literal(Value::TinyInt(1) | Value::SmallInt(1) | Value::Int(1) | Value::BigInt(1)) => Some(true),
        Expr::Literal(Value::TinyInt(0) | Value::SmallInt(0) | Value::Int(0) | Value::BigInt(0)) => Some(false),
        _ => None,
    };
    let Some(wanted) = wanted else {
        let number_type = number.data_type.clone();
        return Ok(compared(op, boolean.converted(&number_type), number, text));
    };
    let known = is_not_null(boolean.clone());
    let equal = if wanted { boolean } else { not(boolean)? };
    if op == Comparison::NullSafeEq { binary(Binary::And, known, equal) } else { Ok(equal) }
}

pub(super) fn junction(op: Binary, left: Typed, right: Typed) -> Built {
    let and = op == Binary::And;
    let text = format!("({} {} {})", left.text, if and { "AND" } else { "OR" }, right.text);
    for operand in [&left, &right] {
        if !matches!(operand.data_type, DataType::Boolean | DataType::Null) {
            return Err(BuildError::operand(&text, operand, "BOOLEAN"));
        }
    }
    let mut operands = Vec::new();
    for operand in [left.converted(&DataType::Boolean), right.converted(&DataType::Boolean)] {
        match operand.into_expr() {
            Expr::And(more) if and => operands.extend(more),
            Expr::Or(more) if !and => operands.extend(more),
            other => operands.push(other),
        }
    }
    let expr = if and { Expr::And(operands) } else { Expr::Or(operands) };
    Ok(Typed::new(expr, DataType::Boolean, text))
}

pub(crate) fn not(operand: Typed) -> Built {
    let text = format!("(NOT {})", operand.text);
    if !matches!(operand.data_type, DataType::Boolean | DataType::Null) {
        return Err(BuildError::operand(&text, &operand, "BOOLEAN"));
    }
    let operand = operand.converted(&DataType::Boolean).into_expr();
    Ok(Typed::new(Expr::Not(Box::new(operand)), DataType::Boolean, text))
}

pub(crate) fn is_null(operand: Typed) -> Typed {
    let text = format!("({} IS NULL)", operand.text);
    Typed::new(Expr::IsNull(Box::new(operand.into_expr())), DataType::Boolean, text)
}

pub(crate) fn is_not_null(operand: Typed) -> Typed {
    let text = format!("({} IS NOT NULL)", operand.text);
    let null = Expr::IsNull(Box::new(operand.into_expr()));
    Typed::new(Expr::Not(Box::new(null)), DataType::Boolean, text)
}

pub(crate) fn in_list(operand: Typed, list: Vec<Typed>) -> Built {
    let items: Vec<_> = list.iter().map(|item| item.text.as_str()).collect();
    let text = format!("({} IN ({}))", operand.text, items.join(", "));
    let types = std::iter::once(&operand.data_type).chain(list.iter().map(|item| &item.data_type));
    let Some(common) = wider_of(types).filter(is_orderable) else {
        let other = list.iter().find(|item| item.data_type != operand.data_type).unwrap_or(&operand);
        return Err(BuildError::mismatch(&text, &operand, other));
    };
    let list = list.into_iter().map(|item| item.converted(&common).into_expr()).collect();
    let operand = operand.converted(&common).into_expr();
    Ok(Typed::new(Expr::In(Box::new(operand), list), DataType::Boolean, text))
}

pub(crate) fn between(operand: Typed, low: Typed, high: Typed) -> Built {
    let above = binary(Binary::GtEq, operand.clone(), low)?;
    let below = binary(Binary::LtEq, operand, high)?;
    binary(Binary::And, above, below)
}
