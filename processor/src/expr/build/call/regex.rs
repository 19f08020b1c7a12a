//! Functions of regular expressions. Those that are the same for every row are compiled here.

use std::sync::Arc;

use super::{Call, Entry, custom};
use crate::expr::build::coerce::Takes;
use crate::expr::build::pattern::{compiled, like, matching};
use crate::expr::build::{Built, Typed};
use crate::expr::functions::Function;
use crate::expr::functions::matching;
use crate::expr::functions::regex::{Pattern, Replacement};
use crate::types::{DataType, Value};

use DataType as T;

pub(super) const TABLE: &[Entry] = &[
    custom("rlike", 2, 2, matches).shown("RLIKE"),
    custom("regexp", 2, 2, matches).shown("REGEXP"),
    custom("regexp_like", 2, 2, matches).shown("REGEXP_LIKE"),
    custom("like", 2, 2, |call| likes(call, false)),
    custom("ilike", 2, 2, |call| likes(call, true)),
    custom("regexp_extract", 2, 3, |call| extract(call, T::String)),
    custom("regexp_extract_all", 2, 3, |call| extract(call, T::Array(Arc::new(T::String)))),
    custom("regexp_replace", 3, 4, replace),
    custom("regexp_count", 2, 2, |call| find(call, T::Int, Function::RegexpCount, matching::count_any)),
    custom("regexp_substr", 2, 2, |call| find(call, T::String, Function::RegexpSubstr, matching::first_any)),
    custom("regexp_instr", 2, 3, position),
    custom("split", 2, 3, split),
];

/// The pattern, if it is the same for every row.
fn pattern(call: &Call, argument: &Typed) -> Result<Option<Pattern>, super::BuildError> {
    match argument.value() {
        Some(Value::String(regex)) => compiled(&regex, &call.text()).map(Some),
        _ => Ok(None),
    }
}

/// An INT that is the same for every row.
fn number(argument: &Typed) -> Option<i32> {
    match argument.value() {
        Some(Value::Int(number)) => Some(number),
        _ => None,
    }
}

fn matches(call: Call) -> Built {
    let text = call.text();
    let [operand, pattern] = call.take()?;
    matching(operand, pattern, text)
}

fn likes(call: Call, case_insensitive: bool) -> Built {
    let [operand, pattern] = call.take()?;
    like(operand, pattern, None, case_insensitive)
}

fn extract(call: Call, gives: DataType) -> Built {
    let call = call.or_default(3, Value::Int(1), T::Int, "1");
    let arguments = call.converted(&[Takes::String, Takes::String, Takes::Int])?;
    let all = gives != T::String;
    if let [_, regex, group] = arguments.as_slice()
        && let (Some(pattern), Some(group)) = (pattern(&call, regex)?, number(group))
    {
        let groups = pattern.groups();
        let Some(group) = usize::try_from(group).ok().filter(|group| *group <= groups) else {
            return Err(call.error(
                &format!("it has {groups} groups, and {group} is asked for"),
                "a group's number, or 0 for the whole match",
            ));
        };
        let function =
            if all { Function::RegexpExtractAll(pattern, group) } else { Function::RegexpExtract(pattern, group) };
        return Ok(call.over(arguments.into_iter().take(1).collect(), gives, function));
    }
    let function = Function::Three(if all { matching::extract_all_any } else { matching::extract_any });
    Ok(call.over(arguments, gives, function))
}

fn replace(call: Call) -> Built {
    let call = call.or_default(4, Value::Int(1), T::Int, "1");
    let arguments = call.converted(&[Takes::String, Takes::String, Takes::String, Takes::Int])?;
    if let [_, regex, replacement, from] = arguments.as_slice()
        && let Some(pattern) = pattern(&call, regex)?
        && let (Some(Value::String(replacement)), Some(from)) = (replacement.value(), number(from))
    {
        if from < 1 {
            return Err(call.error("the position counts from 1", "1, or a larger number"));
        }
        let replacement = Replacement::parse(&std::string::String::from_utf8_lossy(&replacement), pattern.groups())
            .map_err(|error| call.error(&error, r"$1 for a group, \$ for a $"))?;
        let function = Function::RegexpReplace(pattern, replacement, from);
        return Ok(call.over(arguments.into_iter().take(1).collect(), T::String, function));
    }
    Ok(call.over(arguments, T::String, Function::Many(matching::replace_any)))
}

fn find(call: Call, gives: DataType, known: fn(Pattern) -> Function, any: super::Two) -> Built {
    let arguments = call.converted(&[Takes::String])?;
    match arguments.get(1).map(|regex| pattern(&call, regex)).transpose()?.flatten() {
        Some(pattern) => Ok(call.over(arguments.into_iter().take(1).collect(), gives, known(pattern))),
        None => Ok(call.over(arguments, gives, Function::Two(any))),
    }
}

/// Of the group that may be given, Spark makes no use.
fn position(call: Call) -> Built {
    let call = call.or_default(3, Value::Int(0), T::Int, "0");
    let mut arguments = call.converted(&[Takes::String, Takes::String, Takes::Int])?;
    arguments.truncate(2);
    Ok(call.over(arguments, T::Int, Function::Two(matching::position_any)))
}

fn split(call: Call) -> Built {
    let call = call.or_default(3, Value::Int(-1), T::Int, "-1");
    let arguments = call.converted(&[Takes::String, Takes::String, Takes::Int])?;
    let gives = T::Array(Arc::new(T::String));
    if let [_, regex, limit] = arguments.as_slice()
        && let (Some(pattern), Some(limit)) = (pattern(&call, regex)?, number(limit))
        && !matches!(regex.value(), Some(Value::String(regex)) if regex.is_empty())
    {
        return Ok(call.over(arguments.into_iter().take(1).collect(), gives, Function::Split(pattern, limit)));
    }
    Ok(call.over(arguments, gives, Function::Three(matching::split_any)))
}
