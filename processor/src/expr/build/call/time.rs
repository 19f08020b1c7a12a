//! Functions of dates and timestamps.

use super::{Call, Entry, custom, one, two};
use crate::expr::build::coerce::{Takes, is_integral, is_numeric};
use crate::expr::build::{BuildError, Built, Typed, cast, literal, sql_type};
use crate::expr::functions::calendar::{self, Unit};
use crate::expr::functions::clock::{self, TimePattern};
use crate::expr::functions::{Function, interval, time_parts};
use crate::types::{self, DataType, IntervalRange, IntervalUnit, Value};

use DataType as T;
use Takes::{Date, Int, Timestamp};

const DEFAULT_PATTERN: &str = "yyyy-MM-dd HH:mm:ss";

pub(super) const TABLE: &[Entry] = &[
    custom("window_time", 1, 1, window_time),
    custom("timestampadd", 3, 3, timestamp_add),
    custom("timestampdiff", 3, 3, timestamp_diff),
    custom("make_dt_interval", 0, 4, make_dt_interval),
    custom("make_ym_interval", 0, 2, make_ym_interval),
    custom("to_utc_timestamp", 2, 2, |call| in_zone(call, clock::to_utc)),
    custom("from_utc_timestamp", 2, 2, |call| in_zone(call, clock::from_utc)),
    custom("date_trunc", 2, 2, |call| truncate(call, true)),
    custom("trunc", 2, 2, |call| truncate(call, false)),
    custom("to_date", 1, 2, to_date),
    custom("to_timestamp", 1, 2, to_timestamp),
    custom("to_timestamp_ltz", 1, 2, to_timestamp),
    custom("try_to_timestamp", 1, 2, to_timestamp),
    custom("date_format", 2, 2, date_format),
    custom("from_unixtime", 1, 2, from_unixtime),
    custom("unix_timestamp", 0, 2, unix_timestamp),
    custom("to_unix_timestamp", 1, 2, unix_timestamp),
    custom("timestamp_seconds", 1, 1, |call| {
        exact(call, is_numeric, "a number", T::Timestamp, clock::timestamp_seconds)
    }),
    custom("timestamp_millis", 1, 1, |call| whole(call, clock::timestamp_millis)),
    custom("timestamp_micros", 1, 1, |call| whole(call, clock::timestamp_micros)),
    custom("unix_seconds", 1, 1, |call| exact(call, is_timestamp, "TIMESTAMP", T::BigInt, clock::unix_seconds)),
    custom("unix_millis", 1, 1, |call| exact(call, is_timestamp, "TIMESTAMP", T::BigInt, clock::unix_millis)),
    custom("unix_micros", 1, 1, |call| exact(call, is_timestamp, "TIMESTAMP", T::BigInt, clock::unix_micros)),
    custom("unix_date", 1, 1, |call| exact(call, is_date, "DATE", T::Int, clock::unix_date)),
    one("date_from_unix_date", Int, T::Date, clock::date_of_unix),
    one("year", Date, T::Int, time_parts::year),
    one("quarter", Date, T::Int, time_parts::quarter),
    one("month", Date, T::Int, time_parts::month),
    one("day", Date, T::Int, time_parts::day),
    one("dayofmonth", Date, T::Int, time_parts::day),
    one("dayofweek", Date, T::Int, time_parts::day_of_week),
    one("weekday", Date, T::Int, time_parts::weekday),
    one("dayofyear", Date, T::Int, time_parts::day_of_year),
    one("weekofyear", Date, T::Int, time_parts::week_of_year),
    one("hour", Timestamp, T::Int, time_parts::hour),
    one("minute", Timestamp, T::Int, time_parts::minute),
    one("second", Timestamp, T::Int, time_parts::second),
    custom("date_part", 2, 2, date_part),
    custom("datepart", 2, 2, |call| extract(call, "datepart")),
    custom("extract", 2, 2, |call| extract(call, "extract")),
    custom("date_add", 2, 2, |call| add_days(call, calendar::date_add)),
    custom("dateadd", 2, 2, |call| add_days(call, calendar::date_add)).shown("date_add"),
    custom("date_sub", 2, 2, |call| add_days(call, calendar::date_sub)),
    two("datediff", [Date; 2], T::Int, calendar::date_diff),
    two("date_diff", [Date; 2], T::Int, calendar::date_diff),
    two("add_months", [Date, Int], T::Date, calendar::add_months),
    custom("months_between", 2, 3, months_between),
    one("last_day", Date, T::Date, calendar::last_day),
    two("next_day", [Date, Takes::String], T::Date, calendar::next_day),
    custom("make_date", 3, 3, |call| call.strict(&[Int], T::Date, Function::Three(calendar::make_date))),
    custom("make_timestamp", 6, 7, make_timestamp),
    custom("make_timestamp_ltz", 6, 7, make_timestamp),
];

fn is_timestamp(data_type: &DataType) -> bool {
    *data_type == T::Timestamp
}

fn is_date(data_type: &DataType) -> bool {
    *data_type == T::Date
}

/// Of a type that nothing is converted to but NULL.
fn exact(call: Call, fits: fn(&DataType) -> bool, wanted: &str, gives: DataType, function: super::One) -> Built {
    match call.arguments.first() {
        Some(operand) if fits(&operand.data_type) || operand.data_type == T::Null => {
            call.strict(&[Takes::Any], gives, Function::One(function))
        }
        Some(operand) => Err(BuildError::operand(&call.text(), operand, wanted)),
        None => Err(call.error("it takes an argument", wanted)),
    }
}

fn whole(call: Call, function: super::One) -> Built {
    match call.arguments.first() {
        Some(operand) if is_integral(&operand.data_type) || operand.data_type == T::Null => {
            call.strict(&[Takes::BigInt], T::Timestamp, Function::One(function))
        }
        Some(operand) => Err(BuildError::operand(&call.text(), operand, "INT or BIGINT")),
        None => Err(call.error("it takes an argument", "INT or BIGINT")),
    }
}

/// `date_trunc(unit, timestamp)`, or `trunc(date, unit)`.
fn truncate(call: Call, is_timestamp: bool) -> Built {
    let takes = if is_timestamp { [Takes::String, Timestamp] } else { [Date, Takes::String] };
    let gives = if is_timestamp { T::Timestamp } else { T::Date };
    let mut arguments = call.converted(&takes)?;
    let unit = if is_timestamp { arguments.first() } else { arguments.last() };
    match unit.and_then(Typed::value) {
        Some(Value::String(name)) => {
            arguments.remove(if is_timestamp { 0 } else { 1 });
            match Unit::parse(&name) {
                Some(unit) => Ok(call.over(arguments, gives, Function::DateTrunc(unit))),
                // As Spark: a unit that is none gives NULL.
                None => Ok(literal(Value::Null, gives, call.text())),
            }
        }
        _ => {
            let function = if is_timestamp { calendar::truncate_to } else { calendar::truncate_date_to };
            Ok(call.over(arguments, gives, Function::Two(function)))
        }
    }
}

fn pattern_error(call: &Call, error: &str) -> BuildError {
    call.error(error, "a pattern of the letters y M d H m s S and the like, as 'yyyy-MM-dd HH:mm:ss'")
}

/// A text read by a pattern as TIMESTAMP.
fn parsed(call: &Call, text: Typed, pattern: &Typed) -> Built {
    let pattern = call.convert(pattern.clone(), Takes::String)?;
    match pattern.value() {
        Some(Value::String(letters)) => {
            let compiled = TimePattern::for_parsing(&String::from_utf8_lossy(&letters))
                .map_err(|error| pattern_error(call, &error))?;
            Ok(call.over(vec![text], T::Timestamp, Function::ParseTime(compiled)))
        }
        _ => Ok(call.over(vec![text, pattern], T::Timestamp, Function::Two(clock::parse_any))),
    }
}

/// A TIMESTAMP written by a pattern.
fn written(call: &Call, time: Typed, pattern: &Typed) -> Built {
    let pattern = call.convert(pattern.clone(), Takes::String)?;
    match pattern.value() {
        Some(Value::String(letters)) => {
            let compiled =
                TimePattern::new(&String::from_utf8_lossy(&letters)).map_err(|error| pattern_error(call, &error))?;
            Ok(call.over(vec![time], T::String, Function::FormatTime(compiled)))
        }
        _ => Ok(call.over(vec![time, pattern], T::String, Function::Two(clock::format_any))),
    }
}

/// By a cast, where there is no pattern or the operand is a time.
fn converted(call: &Call, operand: Typed, to: &DataType) -> Typed {
    let typed = if types::can_cast(&operand.data_type, to) {
        operand.converted(to)
    } else {
        literal(Value::Null, to.clone(), String::new())
    };
    Typed::new(typed.into_expr(), to.clone(), call.text())
}

fn to_date(call: Call) -> Built {
    match call.arguments.as_slice() {
        [text, pattern] if text.data_type == T::String => {
            let time = parsed(&call, text.clone(), pattern)?;
            Ok(call.over(vec![time], T::Date, Function::One(clock::day_of)))
        }
        [operand, ..] => Ok(converted(&call, operand.clone(), &T::Date)),
        [] => Err(call.error("it takes an argument", "a text")),
    }
}

fn to_timestamp(call: Call) -> Built {
    match call.arguments.as_slice() {
        [text, pattern] if text.data_type == T::String => parsed(&call, text.clone(), pattern),
        [operand] => Ok(converted(&call, operand.clone(), &T::Timestamp)),
        [operand, _] if matches!(operand.data_type, T::Date | T::Timestamp | T::Null) => {
            Ok(converted(&call, operand.clone(), &T::Timestamp))
        }
        [operand, ..] => Err(BuildError::operand(&call.text(), operand, "STRING")),
        [] => Err(call.error("it takes an argument", "a text")),
    }
}

fn date_format(call: Call) -> Built {
    let [time, pattern] = call.arguments.as_slice() else { return Err(call.error("it takes two arguments", "two")) };
    let time = call.convert(time.clone(), Timestamp)?;
    written(&call, time, pattern)
}

fn with_default_pattern(call: Call) -> Call {
    call.or_default(2, Value::String(DEFAULT_PATTERN.as_bytes().into()), T::String, DEFAULT_PATTERN)
}

fn from_unixtime(call: Call) -> Built {
    let call = with_default_pattern(call);
    let [seconds, pattern] = call.arguments.as_slice() else { return Err(call.error("it takes two arguments", "two")) };
    let seconds = call.convert(seconds.clone(), Takes::BigInt)?;
    let time = call.over(vec![seconds], T::Timestamp, Function::One(clock::of_wrapping_seconds));
    written(&call, time, pattern)
}

/// Seconds of a text by a pattern, or of a time, which needs none.
fn unix_timestamp(call: Call) -> Built {
    if call.arguments.is_empty() {
        return Err(call.error(
            "without an argument it depends on when it runs, and a batch that runs again must give the same rows",
            "the record's own time, as unix_timestamp(timestamp)",
        ));
    }
    let call = with_default_pattern(call);
    let [operand, pattern] = call.arguments.as_slice() else { return Err(call.error("it takes two arguments", "two")) };
    let time = match operand.data_type {
        T::Date | T::Timestamp | T::Null => operand.clone().converted(&T::Timestamp),
        T::String => parsed(&call, operand.clone(), pattern)?,
        _ => return Err(BuildError::operand(&call.text(), operand, "STRING, DATE or TIMESTAMP")),
    };
    Ok(call.over(vec![time], T::BigInt, Function::One(clock::unix_timestamp)))
}

/// The part that a field's name stands for: what it takes and gives.
fn field(name: &str) -> Option<(Takes, DataType, super::One)> {
    Some(match name.to_ascii_uppercase().as_str() {
        "YEAR" | "Y" | "YEARS" | "YR" | "YRS" => (Date, T::Int, time_parts::year),
        "YEAROFWEEK" => (Date, T::Int, time_parts::year_of_week),
        "QUARTER" | "QTR" => (Date, T::Int, time_parts::quarter),
        "MONTH" | "MON" | "MONS" | "MONTHS" => (Date, T::Int, time_parts::month),
        "WEEK" | "W" | "WEEKS" => (Date, T::Int, time_parts::week_of_year),
        "DAY" | "D" | "DAYS" => (Date, T::Int, time_parts::day),
        "DAYOFWEEK" | "DOW" => (Date, T::Int, time_parts::day_of_week),
        "DAYOFWEEK_ISO" | "DOW_ISO" => (Date, T::Int, time_parts::iso_day_of_week),
        "DOY" => (Date, T::Int, time_parts::day_of_year),
        "HOUR" | "H" | "HOURS" | "HR" | "HRS" => (Timestamp, T::Int, time_parts::hour),
        "MINUTE" | "M" | "MIN" | "MINS" | "MINUTES" => (Timestamp, T::Int, time_parts::minute),
        "SECOND" | "S" | "SEC" | "SECONDS" | "SECS" => {
            (Timestamp, T::Decimal { precision: 8, scale: 6 }, time_parts::second_with_fraction)
        }
        _ => return None,
    })
}

fn date_part(call: Call) -> Built {
    let text = call.text();
    part(call, text)
}

fn extract(call: Call, shown: &str) -> Built {
    let text = match call.arguments.as_slice() {
        [name, source] => format!("{shown}({} FROM {})", name.text, source.text),
        _ => call.text(),
    };
    part(call, text)
}

fn part(call: Call, text: String) -> Built {
    let [name, source] = call.arguments.as_slice() else { return Err(call.error("it takes two arguments", "two")) };
    let named = match name.value() {
        Some(Value::String(name)) => field(&String::from_utf8_lossy(&name)),
        _ => None,
    };
    if let T::Interval(range) = source.data_type {
        return part_of_interval(&call, &text, name, source, range);
    }
    let Some((takes, gives, function)) = named else {
        return Err(call.error(
            &format!("{} is no part of a time", name.text),
            "YEAR, QUARTER, MONTH, WEEK, DAY, DOW, DOY, HOUR, MINUTE or SECOND",
        ));
    };
    let source = call.convert(source.clone(), takes)?;
    let typed = call.over(vec![source], gives, Function::One(function));
    Ok(Typed::new(typed.expr, typed.data_type, text))
}

/// Of an interval's own units.
fn part_of_interval(call: &Call, text: &str, name: &Typed, source: &Typed, range: IntervalRange) -> Built {
    let name = match name.value() {
        Some(Value::String(name)) => String::from_utf8_lossy(&name).to_ascii_uppercase(),
        _ => String::new(),
    };
    let seconds = T::Decimal { precision: 8, scale: 6 };
    let (unit, gives, function): (_, _, super::One) = match name.as_str() {
        "YEAR" | "Y" | "YEARS" | "YR" | "YRS" => (IntervalUnit::Year, T::Int, interval::years),
        "MONTH" | "MON" | "MONS" | "MONTHS" => (IntervalUnit::Month, T::TinyInt, interval::months_of_year),
        "DAY" | "D" | "DAYS" => (IntervalUnit::Day, T::Int, interval::days),
        "HOUR" | "H" | "HOURS" | "HR" | "HRS" => (IntervalUnit::Hour, T::TinyInt, interval::hours_of_day),
        "MINUTE" | "M" | "MIN" | "MINS" | "MINUTES" => (IntervalUnit::Minute, T::TinyInt, interval::minutes_of_hour),
        "SECOND" | "S" | "SEC" | "SECONDS" | "SECS" => (IntervalUnit::Second, seconds, interval::seconds_of_minute),
        _ => return Err(call.error(&format!("{name} is no part of an interval"), "DAY, HOUR, MINUTE or SECOND")),
    };
    if unit < range.from || unit > range.to {
        return Err(call.error(&format!("{} has no {name}", sql_type(&source.data_type)), range.to_string()));
    }
    let typed = call.over(vec![source.clone()], gives, Function::One(function));
    Ok(Typed::new(typed.expr, typed.data_type, text.to_owned()))
}

fn step(call: &Call) -> Result<interval::Step, BuildError> {
    let unit = match call.arguments.first().and_then(Typed::value) {
        Some(Value::String(unit)) => String::from_utf8_lossy(&unit).into_owned(),
        _ => String::new(),
    };
    interval::Step::parse(&unit).ok_or_else(|| {
        let units = "YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, MILLISECOND or MICROSECOND";
        call.error(&format!("{unit} is no unit of time"), units)
    })
}

fn timestamp_add(call: Call) -> Built {
    let step = step(&call)?;
    let mut arguments = call.converted(&[Takes::Any, Int, Timestamp])?;
    Ok(call.over(arguments.split_off(1), T::Timestamp, Function::TimestampAdd(step)))
}

fn timestamp_diff(call: Call) -> Built {
    let step = step(&call)?;
    let mut arguments = call.converted(&[Takes::Any, Timestamp, Timestamp])?;
    Ok(call.over(arguments.split_off(1), T::BigInt, Function::TimestampDiff(step)))
}

/// The last microsecond of a window.
fn window_time(call: Call) -> Built {
    let is_window = |data_type: &DataType| match data_type {
        T::Struct(fields) => {
            let is = |field: &crate::types::Field, name: &str| field.name == name && field.data_type == T::Timestamp;
            matches!(fields.as_ref(), [start, end] if is(start, "start") && is(end, "end"))
        }
        _ => false,
    };
    match call.arguments.first() {
        Some(window) if is_window(&window.data_type) => call.strict(&[Takes::Any], T::Timestamp, Function::WindowTime),
        _ => Err(call.error("it takes a window", "window_time(window), with GROUP BY window(…)")),
    }
}

fn make_dt_interval(mut call: Call) -> Built {
    let seconds = T::Decimal { precision: 18, scale: 6 };
    while call.arguments.len() < 3 {
        call.arguments.push(literal(Value::Int(0), T::Int, "0".to_owned()));
    }
    let none = Value::Decimal(crate::types::Decimal { unscaled: 0, precision: 18, scale: 6 });
    let call = call.or_default(4, none, seconds.clone(), "0.000000");
    let mut arguments = call.converted(&[Int, Int, Int, Takes::Any])?;
    if let Some(given) = arguments.pop() {
        if !is_numeric(&given.data_type) && !matches!(given.data_type, T::String | T::Null) {
            return Err(BuildError::operand(&call.text(), &given, "a number"));
        }
        arguments.push(cast(given, seconds)?);
    }
    Ok(call.over(arguments, T::Interval(IntervalRange::DAY_TO_SECOND), Function::Many(interval::make_days)))
}

fn make_ym_interval(mut call: Call) -> Built {
    while call.arguments.len() < 2 {
        call.arguments.push(literal(Value::Int(0), T::Int, "0".to_owned()));
    }
    call.strict(&[Int], T::Interval(IntervalRange::YEAR_TO_MONTH), Function::Two(interval::make_months))
}

fn in_zone(call: Call, function: super::Two) -> Built {
    call.strict(&[Timestamp, Takes::String], T::Timestamp, Function::Two(function))
}

/// A DATE and an INT, which nothing is converted to but a text between quotes.
fn add_days(call: Call, function: super::Two) -> Built {
    let [date, days] = call.arguments.as_slice() else { return Err(call.error("it takes two arguments", "two")) };
    let date = call.convert(date.clone(), Date)?;
    let is_literal_text = days.data_type == T::String && days.value().is_some();
    if !matches!(days.data_type, T::Int | T::Null) && !is_literal_text {
        return Err(BuildError::operand(&call.text(), days, "INT"));
    }
    let days = days.clone().converted(&T::Int);
    Ok(call.over(vec![date, days], T::Date, Function::Two(function)))
}

fn months_between(call: Call) -> Built {
    let call = call.or_default(3, Value::Boolean(true), T::Boolean, "true");
    call.strict(&[Timestamp, Timestamp, Takes::Boolean], T::Double, Function::Three(calendar::months_between))
}

fn make_timestamp(call: Call) -> Built {
    let mut arguments = call.converted(&[Int, Int, Int, Int, Int, Takes::Any, Takes::String])?;
    let zone = if arguments.len() > 6 { arguments.pop() } else { None };
    if let Some(seconds) = arguments.pop() {
        let to = T::Decimal { precision: 16, scale: 6 };
        if !is_numeric(&seconds.data_type) && !matches!(seconds.data_type, T::String | T::Null) {
            return Err(BuildError::operand(&call.text(), &seconds, "a number"));
        }
        arguments.push(cast(seconds, to)?);
    }
    let time = call.over(arguments, T::Timestamp, Function::Many(calendar::make_timestamp));
    Ok(match zone {
        Some(zone) => call.over(vec![time, zone], T::Timestamp, Function::Two(clock::to_utc)),
        None => time,
    })
}
