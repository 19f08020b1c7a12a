//! Intervals beside times, numbers and each other: `BinaryArithmetic`'s resolution in Spark's analyzer.

use super::coerce::is_numeric;
use super::{Binary, BuildError, Built, Typed, call, literal};
use crate::expr::functions::{Function, interval as functions};
use crate::types::{DataType, IntervalRange, Value, to_text};

/// An interval as its text gives it, whose months, days and microseconds are apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) months: i32,
    pub(crate) days: i32,
    pub(crate) micros: i64,
}

/// A literal of months, or of microseconds, called as Spark writes it: `INTERVAL '1 02' DAY TO HOUR`.
pub(crate) fn interval(value: Value<'static>, range: IntervalRange) -> Typed {
    let data_type = DataType::Interval(range);
    let mut name = Vec::new();
    to_text(&value, &data_type, &mut name);
    literal(value, data_type, String::from_utf8_lossy(&name).into_owned())
}

/// `None` if neither side makes this a matter of intervals.
pub(super) fn arithmetic(op: Binary, left: &Typed, right: &Typed, text: &str) -> Option<Built> {
    use DataType::{Date, Interval, Null, String, Timestamp};
    let (left_type, right_type) = (&left.data_type, &right.data_type);
    let (left, right) = (left.clone(), right.clone());
    Some(match (op, left_type, right_type) {
        (Binary::Add | Binary::Subtract, Interval(_), Null) => arithmetic_of(op, left, right, text),
        (Binary::Add | Binary::Subtract, Null, Interval(_)) => arithmetic_of(op, left, right, text),
        (Binary::Add | Binary::Subtract, Interval(_), Interval(_)) => arithmetic_of(op, left, right, text),
        (Binary::Add, Interval(_), _) => moved(right, left, false),
        (Binary::Add, _, Interval(_)) => moved(left, right, false),
        (Binary::Subtract, _, Interval(_)) => moved(left, right, true),
        (Binary::Multiply, Interval(_), other) if is_factor(other) => scaled(left, right, text, functions::multiply),
        (Binary::Multiply, other, Interval(_)) if is_factor(other) => {
            // Spark puts the interval first.
            let text = format!("({} * {})", right.text, left.text);
            scaled(right, left, &text, functions::multiply)
        }
        (Binary::Divide, Interval(_), other) if is_factor(other) => scaled(left, right, text, functions::divide),
        (Binary::Subtract, Timestamp, Date | Timestamp) | (Binary::Subtract, Date, Timestamp) => {
            let difference = |operand: Typed| operand.converted(&Timestamp).into_expr();
            let expr = Function::Two(functions::between).over(vec![difference(left), difference(right)]);
            Ok(Typed::new(expr, Interval(IntervalRange::DAY_TO_SECOND), text.to_owned()))
        }
        (Binary::Subtract, Date | String, Date) => {
            let arguments = vec![left.converted(&Date).into_expr(), right.converted(&Date).into_expr()];
            let expr = Function::Two(functions::days_between).over(arguments);
            Ok(Typed::new(expr, Interval(IntervalRange::DAY), text.to_owned()))
        }
        (_, Interval(_), _) | (_, _, Interval(_)) => Err(BuildError::mismatch(text, &left, &right)),
        _ => return None,
    })
}

fn is_factor(data_type: &DataType) -> bool {
    is_numeric(data_type) || *data_type == DataType::Null || *data_type == DataType::String
}

/// A sum or difference of intervals of one kind.
fn arithmetic_of(op: Binary, left: Typed, right: Typed, text: &str) -> Built {
    let range = match (&left.data_type, &right.data_type) {
        (DataType::Interval(left), DataType::Interval(right)) => left.with(*right),
        (DataType::Interval(range), _) | (_, DataType::Interval(range)) => Some(*range),
        _ => None,
    };
    let Some(range) = range else { return Err(BuildError::mismatch(text, &left, &right)) };
    let function = if op == Binary::Subtract { functions::minus } else { functions::plus };
    let expr = Function::Two(function).over(vec![left.into_expr(), right.into_expr()]);
    Ok(Typed::new(expr, DataType::Interval(range), text.to_owned()))
}

/// Times a number, or divided by one: in all units of its kind.
fn scaled(interval: Typed, number: Typed, text: &str, function: functions::Two) -> Built {
    let is_of_months = matches!(interval.data_type, DataType::Interval(range) if range.is_of_months());
    let range = if is_of_months { IntervalRange::YEAR_TO_MONTH } else { IntervalRange::DAY_TO_SECOND };
    let number = match number.data_type {
        DataType::String | DataType::Null => number.converted(&DataType::Double),
        _ => number,
    };
    let expr = Function::Two(function).over(vec![interval.into_expr(), number.into_expr()]);
    Ok(Typed::new(expr, DataType::Interval(range), text.to_owned()))
}

/// A time so much later, or earlier.
fn moved(time: Typed, interval: Typed, minus: bool) -> Built {
    let sign = if minus { "-" } else { "+" };
    let text = format!("{} {sign} {}", time.text, interval.text);
    let DataType::Interval(range) = interval.data_type else {
        return Err(BuildError::operand(&text, &interval, "INTERVAL"));
    };
    let months = range.is_of_months();
    match time.data_type {
        DataType::Date if range == IntervalRange::DAY => {
            let name = if minus { "date_sub" } else { "date_add" };
            let text = format!("{name}({}, extractansiintervaldays({}))", time.text, interval.text);
            let function = if minus { functions::date_minus_days } else { functions::date_plus_days };
            let expr = Function::Two(function).over(vec![time.into_expr(), interval.into_expr()]);
            Ok(Typed::new(expr, DataType::Date, text))
        }
        DataType::Date if months => Ok(shifted(time, interval, DataType::Date, minus, text)),
        DataType::String if !months => {
            // Spark makes a timestamp of it, and a string of the sum.
            let time = time.converted(&DataType::Timestamp);
            Ok(shifted(time, interval, DataType::Timestamp, minus, text).converted(&DataType::String))
        }
        DataType::Date | DataType::Timestamp | DataType::String => {
            let time = time.converted(&DataType::Timestamp);
            Ok(shifted(time, interval, DataType::Timestamp, minus, text))
        }
        _ => Err(BuildError::new(
            format!("{text}: {} is {}", time.text, super::sql_type(&time.data_type)),
            format!("CAST({} AS TIMESTAMP) {sign} {}", time.text, interval.text),
        )),
    }
}

fn shifted(time: Typed, interval: Typed, gives: DataType, minus: bool, text: String) -> Typed {
    let function = match (&gives, minus) {
        (DataType::Date, false) => functions::date_plus_months,
        (DataType::Date, true) => functions::date_minus_months,
        (_, false) => functions::timestamp_plus,
        (_, true) => functions::timestamp_minus,
    };
    Typed::new(Function::Two(function).over(vec![time.into_expr(), interval.into_expr()]), gives, text)
}

/// `timestampadd(MINUTE, 5, t)`, whatever it is called.
pub(crate) fn timestamp_add(unit: &str, count: Typed, time: Typed) -> Built {
    timestamp_call("timestampadd", unit, vec![count, time])
}

/// `timestampdiff(HOUR, from, to)`, whatever it is called.
pub(crate) fn timestamp_diff(unit: &str, from: Typed, to: Typed) -> Built {
    timestamp_call("timestampdiff", unit, vec![from, to])
}

/// The unit is part of the column's name, and no expression.
fn timestamp_call(name: &str, unit: &str, arguments: Vec<Typed>) -> Built {
    let texts: Vec<&str> = arguments.iter().map(|argument| argument.text.as_str()).collect();
    let text = format!("{name}({}, {})", unit.to_ascii_uppercase(), texts.join(", "));
    let unit = Value::String(unit.as_bytes().to_vec().into());
    let mut all = vec![literal(unit, DataType::String, String::new())];
    all.extend(arguments);
    let typed = call(name, all)?;
    Ok(Typed::new(typed.expr, typed.data_type, text))
}
