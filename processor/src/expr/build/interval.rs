//! Intervals, which stand only beside a date or a timestamp.

use super::{BuildError, Built, Typed, sql_type};
use crate::expr::functions::Function;
use crate::types::DataType;

/// An interval literal, which stands only next to a date or a timestamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) months: i32,
    pub(crate) days: i32,
    pub(crate) micros: i64,
}

/// `operand + interval` (or minus, the interval negated) where operand is a DATE or a TIMESTAMP.
pub(crate) fn add_interval(operand: Typed, interval: Interval) -> Built {
    let (sign, shown) = shown(interval);
    let (operand, data_type) = match operand.data_type {
        DataType::Date if interval.micros == 0 => (operand, DataType::Date),
        DataType::String => {
            // Spark makes a timestamp of it, and a string of the sum.
            let sum = add_interval(operand.converted(&DataType::Timestamp), interval)?;
            return Ok(sum.converted(&DataType::String));
        }
        DataType::Date | DataType::Timestamp => (operand.converted(&DataType::Timestamp), DataType::Timestamp),
        _ => {
            return Err(BuildError::new(
                format!("{} {sign} {shown}: {} is {}", operand.text, operand.text, sql_type(&operand.data_type)),
                format!("CAST({} AS TIMESTAMP) {sign} {shown}", operand.text),
            ));
        }
    };
    let text = if data_type == DataType::Date && interval.months == 0 {
        let function = if sign == "-" { "date_sub" } else { "date_add" };
        format!("{function}({}, extractansiintervaldays({shown}))", operand.text)
    } else {
        format!("{} {sign} {shown}", operand.text)
    };
    let function = if data_type == DataType::Date {
        Function::DateInterval(interval)
    } else {
        Function::TimestampInterval(interval)
    };
    Ok(Typed::new(function.over(vec![operand.into_expr()]), data_type, text))
}

/// The sign, and the interval as it is mostly written: in one unit, or in days and smaller ones, as
/// `INTERVAL '1 02' DAY TO HOUR`.
fn shown(interval: Interval) -> (&'static str, String) {
    let Interval { months, days, micros } = interval;
    let negative = months < 0 || days < 0 || micros < 0;
    let sign = if negative { "-" } else { "+" };
    if months != 0 {
        let months = months.unsigned_abs();
        return match (months / 12, months % 12) {
            (years, 0) => (sign, format!("INTERVAL '{years}' YEAR")),
            (0, months) => (sign, format!("INTERVAL '{months}' MONTH")),
            (years, months) => (sign, format!("INTERVAL '{years}-{months}' YEAR TO MONTH")),
        };
    }
    let (days, micros) = (days.unsigned_abs(), micros.unsigned_abs());
    let (all_seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (all_minutes, seconds) = (all_seconds / 60, all_seconds % 60);
    let (hours, minutes) = (all_minutes / 60, all_minutes % 60);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    let fraction = fraction.trim_end_matches('0');
    let whole_minutes = seconds == 0 && fraction.is_empty();
    let text = match (days, whole_minutes, minutes) {
        (days, true, 0) if micros == 0 => format!("'{days}' DAY"),
        (0, true, 0) => format!("'{hours:02}' HOUR"),
        (0, true, _) => format!("'{all_minutes:02}' MINUTE"),
        (0, false, _) => format!("'{all_seconds:02}{fraction}' SECOND"),
        (days, true, 0) => format!("'{days} {hours:02}' DAY TO HOUR"),
        (days, true, _) => format!("'{days} {hours:02}:{minutes:02}' DAY TO MINUTE"),
        (days, false, _) => format!("'{days} {hours:02}:{minutes:02}:{seconds:02}{fraction}' DAY TO SECOND"),
    };
    (sign, format!("INTERVAL {text}"))
}
