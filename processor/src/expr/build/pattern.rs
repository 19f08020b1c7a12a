//! LIKE and RLIKE: patterns that are the same for every row are taken apart once.

use super::coerce::Takes;
use super::{BuildError, Built, Typed};
use crate::expr::functions::Function;
use crate::expr::functions::like::{LikePattern, ilike_any, like_any};
use crate::expr::functions::matching::rlike_any;
use crate::expr::functions::regex::Pattern;
use crate::types::{DataType, Value};

/// LIKE, or ILIKE; `escape` is `\` if not given.
pub(crate) fn like(operand: Typed, pattern: Typed, escape: Option<char>, case_insensitive: bool) -> Built {
    let text = if case_insensitive {
        format!("ilike({}, {})", operand.text, pattern.text)
    } else {
        format!("{} LIKE {}", operand.text, pattern.text)
    };
    let (operand, pattern) = strings(operand, pattern, &text)?;
    let escape = escape.unwrap_or('\\');
    let (function, arguments) = match pattern.value() {
        Some(Value::String(bytes)) => {
            let mut like = String::from_utf8_lossy(&bytes).into_owned();
            if case_insensitive {
                like = like.to_lowercase();
            }
            let Some(parsed) = LikePattern::parse(&like, escape) else {
                return Err(BuildError::new(
                    format!("{text}: {escape} stands before something else than %, _ or itself"),
                    format!("{escape}{escape} for {escape} itself"),
                ));
            };
            let function = if case_insensitive { Function::Ilike(parsed) } else { Function::Like(parsed) };
            (function, vec![operand.into_expr()])
        }
        _ if escape != '\\' => {
            return Err(BuildError::new(
                format!("{text}: ESCAPE needs a pattern that is the same for every row"),
                "a pattern between quotes".to_owned(),
            ));
        }
        _ => {
            let function = Function::Two(if case_insensitive { ilike_any } else { like_any });
            (function, vec![operand.into_expr(), pattern.into_expr()])
        }
    };
    Ok(Typed::new(function.over(arguments), DataType::Boolean, text))
}

pub(crate) fn rlike(operand: Typed, pattern: Typed) -> Built {
    let text = format!("RLIKE({}, {})", operand.text, pattern.text);
    matching(operand, pattern, text)
}

/// RLIKE under another of its names.
pub(super) fn matching(operand: Typed, pattern: Typed, text: String) -> Built {
    let (operand, pattern) = strings(operand, pattern, &text)?;
    let (function, arguments) = match pattern.value() {
        Some(Value::String(regex)) => (Function::Rlike(compiled(&regex, &text)?), vec![operand.into_expr()]),
        _ => (Function::Two(rlike_any), vec![operand.into_expr(), pattern.into_expr()]),
    };
    Ok(Typed::new(function.over(arguments), DataType::Boolean, text))
}

/// A regular expression that is the same for every row.
pub(super) fn compiled(regex: &[u8], text: &str) -> Result<Pattern, BuildError> {
    Pattern::compile(&String::from_utf8_lossy(regex)).map_err(|error| {
        BuildError::new(format!("{text}: {error}"), "a regular expression that Java and Rust both know".to_owned())
    })
}

fn strings(operand: Typed, pattern: Typed, text: &str) -> Result<(Typed, Typed), BuildError> {
    for side in [&operand, &pattern] {
        if Takes::String.accept(&side.data_type).is_none() {
            return Err(BuildError::operand(text, side, "STRING"));
        }
    }
    Ok((operand.converted(&DataType::String), pattern.converted(&DataType::String)))
}
