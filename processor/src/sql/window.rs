//! `window(time, '10 seconds'[, '5 seconds'[, '2 seconds']])` and `session_window(time, '5 minutes')`.

use std::sync::Arc;

use sqlparser::ast::{Expr, Spanned, Value as Literal};
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::lowered::{Clause, Lowered, Lowering, WINDOW};
use super::schema::shown;
use super::{interval, literal};
use crate::expr;
use crate::expr::build::{self, Typed};
use crate::plan::Window;
use crate::types::{DataType, Field, Value};

const WINDOW_SHAPE: &str = "write window(ts, '10 seconds'), or window(ts, '10 seconds', '5 seconds')";
const SESSION_SHAPE: &str = "write session_window(ts, '5 minutes')";

/// The window of GROUP BY.
pub(super) struct Windowed {
    /// `window` or `session_window`, as its column is called.
    pub(super) name: &'static str,
    pub(super) text: String,
    pub(super) window: Window,
}

/// Of a window's column.
pub(super) fn data_type() -> DataType {
    let field = |name: &str| Field { name: name.to_owned(), data_type: DataType::Timestamp };
    DataType::Struct(Arc::new([field("start"), field("end")]))
}

impl Lowering<'_> {
    /// In GROUP BY it is a new window; anywhere else it is that of GROUP BY, written again.
    pub(super) fn window_call(
        &mut self,
        name: &str,
        arguments: &[&Expr],
        place: Span,
        clause: Clause,
    ) -> Result<Lowered, PlanError> {
        let windowed = if name == "window" { self.sliding(arguments, place)? } else { self.session(arguments, place)? };
        let outside = clause == Clause::Where || clause == Clause::Select && !self.has_group_by;
        if outside {
            return self.window_rows(windowed, place);
        }
        let column = build::column(WINDOW, data_type(), windowed.name.to_owned());
        let lowered = Lowered::new(column, windowed.text.clone());
        match &self.window {
            Some(known) if known.text == windowed.text => Ok(lowered),
            Some(_) if clause == Clause::GroupBy => {
                let what = "a query has one window: several would multiply its rows";
                Err(refuse(place, what, "run one query for each window"))
            }
            None if clause == Clause::GroupBy => {
                self.window = Some(windowed);
                Ok(lowered)
            }
            _ => {
                let what = format!("this {name} does not stand in GROUP BY");
                Err(refuse(place, what, format!("write GROUP BY {name}(…) with the same arguments")))
            }
        }
    }

    /// See `TimeWindow`.
    fn sliding(&mut self, arguments: &[&Expr], place: Span) -> Result<Windowed, PlanError> {
        let [time, size, more @ ..] = arguments else {
            return Err(refuse(place, "window takes a time and a duration", WINDOW_SHAPE));
        };
        if more.len() > 2 {
            return Err(refuse(place, "window takes four arguments at most", WINDOW_SHAPE));
        }
        let (time, time_text) = self.time(time)?;
        let size_micros = duration(size)?;
        let slide_micros = more.first().map_or(Ok(size_micros), |slide| duration(slide))?;
        let start_micros = more.get(1).map_or(Ok(0), |start| duration(start))?;
        if size_micros <= 0 {
            return Err(refuse(size.span(), "a window is longer than nothing", WINDOW_SHAPE));
        }
        let slide_place = more.first().map_or(place, |slide| slide.span());
        if slide_micros <= 0 {
            return Err(refuse(slide_place, "a window slides by more than nothing", WINDOW_SHAPE));
        }
        if slide_micros > size_micros {
            let what = "the slide is longer than the window, which would leave gaps between windows";
            return Err(refuse(slide_place, what, "make the second duration as long as the first, or shorter"));
        }
        if start_micros.unsigned_abs() >= slide_micros.unsigned_abs() {
            let what = "the start is as long as the slide or longer";
            let place = more.get(1).map_or(place, |start| start.span());
            return Err(refuse(place, what, "make the third duration shorter than the second"));
        }
        let text = format!("window({time_text}, {size_micros}, {slide_micros}, {start_micros})");
        let window = Window::Sliding { time, size_micros, slide_micros, start_micros };
        Ok(Windowed { name: "window", text, window })
    }

    /// See `SessionWindow`.
    fn session(&mut self, arguments: &[&Expr], place: Span) -> Result<Windowed, PlanError> {
        let [time, gap] = arguments else {
            return Err(refuse(place, "session_window takes a time and a gap", SESSION_SHAPE));
        };
        let (time, time_text) = self.time(time)?;
        let gap = self.gap(gap)?;
        let text = format!("session_window({time_text}, {})", gap.text);
        let window = Window::Session { time, gap_micros: gap.typed.expr };
        Ok(Windowed { name: "session_window", text, window })
    }

    /// A time as a TIMESTAMP. Of a string or a date Spark makes one.
    fn time(&mut self, expr: &Expr) -> Result<(expr::Expr, String), PlanError> {
        let lowered = self.lower(expr, Clause::Argument)?;
        let Typed { expr: time, data_type, .. } = lowered.typed;
        match data_type {
            DataType::Timestamp => Ok((time, lowered.text)),
            // Of a window that an inner query has made, its time.
            window if window == self::data_type() => {
                Ok((expr::Expr::window_time(time), format!("window_time({})", lowered.text)))
            }
            DataType::Date | DataType::String | DataType::Null => {
                let to = DataType::Timestamp;
                Ok((expr::Expr::Cast { operand: Box::new(time), from: data_type, to }, lowered.text))
            }
            other => {
                let what = format!("a window is over a TIMESTAMP, and this is {}", shown(&other));
                Err(refuse(expr.span(), what, "convert it: CAST(seconds AS TIMESTAMP)"))
            }
        }
    }

    /// A session's gap in microseconds: a text, or CASE between texts.
    fn gap(&mut self, expr: &Expr) -> Result<Lowered, PlanError> {
        match expr {
            Expr::Nested(inner) => self.gap(inner),
            Expr::Value(_) => {
                let micros = gap_text(expr)?;
                let typed = build::literal(Value::BigInt(micros), DataType::BigInt, micros.to_string());
                Ok(Lowered::new(typed, micros.to_string()))
            }
            Expr::Case { operand: None, conditions, else_result, .. } => {
                let mut branches = Vec::with_capacity(conditions.len());
                let mut text = "CASE".to_owned();
                for branch in conditions {
                    let when = self.lower(&branch.condition, Clause::Argument)?;
                    let then = self.gap(&branch.result)?;
                    text.push_str(&format!(" WHEN {} THEN {}", when.text, then.text));
                    branches.push((when.typed, then.typed));
                }
                let otherwise = else_result.as_deref().map(|otherwise| self.gap(otherwise)).transpose()?;
                if let Some(otherwise) = &otherwise {
                    text.push_str(&format!(" ELSE {}", otherwise.text));
                }
                text.push_str(" END");
                let otherwise = otherwise.map(|otherwise| otherwise.typed);
                let typed = build::case(branches, otherwise).map_err(super::lowered::at(expr.span()))?;
                Ok(Lowered::new(typed, text))
            }
            other => {
                let what = "a session's gap is a text, or CASE WHEN … between texts";
                Err(refuse(other.span(), what, SESSION_SHAPE))
            }
        }
    }
}

/// A duration in microseconds: an interval's text without months, or a whole number.
fn duration(expr: &Expr) -> Result<i64, PlanError> {
    let place = expr.span();
    let text = match expr {
        Expr::Nested(inner) => return duration(inner),
        Expr::Value(value) => match &value.value {
            Literal::SingleQuotedString(raw) => literal::string(raw, '\''),
            Literal::DoubleQuotedString(raw) => literal::string(raw, '"'),
            Literal::Number(digits, _) if digits.trim_end_matches(['l', 'L']).parse::<i64>().is_ok() => {
                return Ok(digits.trim_end_matches(['l', 'L']).parse().unwrap_or(0));
            }
            _ => return Err(refuse(place, "a window's duration is a text", WINDOW_SHAPE)),
        },
        Expr::Interval(_) => {
            return Err(refuse(place, "a window's duration is a text, not an INTERVAL", WINDOW_SHAPE));
        }
        _ => return Err(refuse(place, "a window's duration is the same for all records", WINDOW_SHAPE)),
    };
    fixed(&text, place, WINDOW_SHAPE)
}

fn gap_text(expr: &Expr) -> Result<i64, PlanError> {
    let place = expr.span();
    match expr {
        Expr::Value(value) => match &value.value {
            Literal::SingleQuotedString(raw) => fixed(&literal::string(raw, '\''), place, SESSION_SHAPE),
            Literal::DoubleQuotedString(raw) => fixed(&literal::string(raw, '"'), place, SESSION_SHAPE),
            _ => Err(refuse(place, "a session's gap is a text", SESSION_SHAPE)),
        },
        _ => Err(refuse(place, "a session's gap is a text", SESSION_SHAPE)),
    }
}

fn fixed(text: &str, place: Span, instead: &str) -> Result<i64, PlanError> {
    let Some(interval) = interval::parse(text) else {
        return Err(refuse(place, format!("{text:?} is no interval"), instead));
    };
    interval::micros(interval).ok_or_else(|| {
        refuse(place, format!("{text:?} holds months, which are of no fixed length"), "write days, hours or seconds")
    })
}
