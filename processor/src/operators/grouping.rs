//! GROUP BY: from a record to its groups or its session, and into their aggregates.

use super::record::FlowRow;
use crate::aggregate::{AggregateFunction, Aggregates};
use crate::expr::Expr;
use crate::plan::{self, Grouping, Window};
use crate::state::{EventTime, GroupTable, KeyColumn, SessionTable, State, TooManyGroups, time_of};
use crate::types::{DataType, Value};

/// What adds records to a query's state.
pub(super) struct Grouper {
    keys: Keys,
    updates: Vec<Update>,
    /// The only aggregate is COUNT(*).
    count_alone: bool,
    window: Option<Window>,
    /// The key that is the event time, where that is not this grouping's window.
    time_key: Option<usize>,
    /// Whether the watermark tells which windows are late.
    windows_expire: bool,
}

enum Keys {
    /// One STRING column of the JSON value.
    Text(usize),
    Exprs(Vec<Key>),
}

enum Key {
    Expr(Expr),
    Window,
}

/// An aggregate, as far as records go.
struct Update {
    arguments: Vec<Expr>,
    filter: Option<Expr>,
}

/// The state of each level of a query that has seen nothing.
pub(super) fn new_states(plan: &plan::Plan) -> Vec<State> {
    let states = (0..=plan.last_level()).map(|level| match plan.level(level) {
        (_, Some(grouping)) => new_state(grouping, plan.width_of(level)),
        (_, None) => State::None,
    });
    states.collect()
}

/// Of a grouping of rows with so many columns.
fn new_state(grouping: &Grouping, window_column: usize) -> State {
    let is_window = |key: &plan::GroupKey| grouping.window.is_some() && is_column(&key.expr, window_column);
    let aggregates = Aggregates::new(grouping.aggregates.iter().map(|it| (it.function.clone(), &it.input)));
    let value = |key: &plan::GroupKey| KeyColumn::Value(key.data_type.clone());
    if let Some(Window::Session { .. }) = grouping.window {
        let place = grouping.keys.iter().position(is_window).unwrap_or(grouping.keys.len());
        let keys = grouping.keys.iter().filter(|key| !is_window(key)).map(value).collect();
        return State::Sessions(SessionTable::new(keys, place, aggregates));
    }
    let key = |key: &plan::GroupKey| match grouping.window {
        Some(Window::Sliding { size_micros, .. }) if is_window(key) => KeyColumn::Window { size_micros },
        _ => value(key),
    };
    State::Groups(GroupTable::with_aggregates(grouping.keys.iter().map(key).collect(), aggregates, grouping.event_time))
}

fn is_column(expr: &Expr, wanted: usize) -> bool {
    matches!(expr, Expr::Column(column) if *column == wanted)
}

impl Grouper {
    /// Of rows with `width` columns; `is_text` says which of them have a [text](FlowRow::text).
    pub(super) fn new(grouping: &Grouping, width: usize, is_text: impl Fn(usize) -> bool) -> Self {
        let text = match grouping.keys.as_slice() {
            [plan::GroupKey { expr: Expr::Column(column), data_type: DataType::String, .. }] => {
                is_text(*column).then_some(*column)
            }
            _ => None,
        };
        let keys = match text {
            Some(column) => Keys::Text(column),
            None => Keys::Exprs(
                grouping
                    .keys
                    .iter()
                    .map(|key| match is_column(&key.expr, width) {
                        true => Key::Window,
                        false => Key::Expr(key.expr.clone()),
                    })
                    .collect(),
            ),
        };
        let updates = grouping
            .aggregates
            .iter()
            .map(|aggregate| Update { arguments: aggregate.arguments.clone(), filter: aggregate.filter.clone() })
            .collect();
        let count_alone = matches!(
            grouping.aggregates.as_slice(),
            [plan::Aggregate { function: AggregateFunction::CountAll, filter: None, .. }]
        );
        let (time_key, windows_expire) = match grouping.event_time {
            None => (None, false),
            Some(EventTime::WindowEnd(_)) if grouping.window.is_some() => (None, true),
            Some(EventTime::Time(number) | EventTime::WindowEnd(number)) => (Some(number), false),
        };
        Self { keys, updates, count_alone, window: grouping.window.clone(), time_key, windows_expire }
    }

    /// Adds a record to the state; returns how many of its groups are late by `late_by`, which it is not added to.
    #[inline]
    pub(super) fn add<R: FlowRow>(
        &self,
        row: &mut R,
        state: &mut State,
        late_by: Option<i64>,
    ) -> Result<u64, TooManyGroups> {
        match (&self.window, state) {
            (None, State::Groups(groups)) => self.add_to_group(row, groups, late_by),
            (Some(Window::Sliding { time, size_micros, slide_micros, start_micros }), State::Groups(groups)) => {
                let Value::Timestamp(time) = time.eval(row) else { return Ok(0) };
                let late_by = late_by.filter(|_| self.windows_expire);
                let mut late = 0;
                let mut start = last_start(time, *slide_micros, *start_micros);
                while start.saturating_add(*size_micros) > time {
                    let end = start.saturating_add(*size_micros);
                    if late_by.is_some_and(|watermark| end <= watermark) {
                        late += 1;
                    } else {
                        row.enter(start, end);
                        late += self.add_to_group(row, groups, None)?;
                    }
                    match start.checked_sub(*slide_micros) {
                        Some(before) => start = before,
                        None => break,
                    }
                }
                Ok(late)
            }
            (Some(Window::Session { time, gap_micros }), State::Sessions(sessions)) => {
                let (Value::Timestamp(start), Value::BigInt(gap)) = (time.eval(row), gap_micros.eval(row)) else {
                    return Ok(0);
                };
                let end = start.saturating_add(gap);
                if end > start && late_by.filter(|_| self.windows_expire).is_some_and(|watermark| end <= watermark) {
                    return Ok(1);
                }
                self.add_to_session(row, sessions, start, end)?;
                Ok(0)
            }
            _ => Ok(0),
        }
    }

    #[inline]
    fn add_to_group<R: FlowRow>(
        &self,
        row: &R,
        groups: &mut GroupTable,
        late_by: Option<i64>,
    ) -> Result<u64, TooManyGroups> {
        let id = match &self.keys {
            Keys::Text(column) => {
                if self.count_alone {
                    groups.count_text(row.text(*column))?;
                    return Ok(0);
                }
                groups.touch_text(row.text(*column))?
            }
            Keys::Exprs(keys) => {
                groups.begin_key();
                for (number, key) in keys.iter().enumerate() {
                    match (key, row.window()) {
                        (Key::Window, Some((start, _))) => groups.push_window(start),
                        (Key::Window, None) => groups.push_key(&Value::Null),
                        (Key::Expr(expr), _) => {
                            let value = expr.eval(row);
                            if self.time_key == Some(number)
                                && let (Some(time), Some(watermark)) = (time_of(&value), late_by)
                                && time <= watermark
                            {
                                return Ok(1);
                            }
                            groups.push_key(&value);
                        }
                    }
                }
                if self.count_alone {
                    groups.count_key()?;
                    return Ok(0);
                }
                groups.touch_key()?
            }
        };
        for (number, update) in self.updates.iter().enumerate() {
            if update.takes(row) {
                update.with_arguments(row, |arguments| groups.update(id, number, arguments));
            }
        }
        Ok(0)
    }

    fn add_to_session<R: FlowRow>(
        &self,
        row: &R,
        sessions: &mut SessionTable,
        start: i64,
        end: i64,
    ) -> Result<(), TooManyGroups> {
        sessions.begin_key();
        if let Keys::Exprs(keys) = &self.keys {
            for key in keys {
                if let Key::Expr(expr) = key {
                    sessions.push_key(&expr.eval(row));
                }
            }
        }
        let Some(id) = sessions.add(start, end)? else { return Ok(()) };
        for (number, update) in self.updates.iter().enumerate() {
            if update.takes(row) {
                update.with_arguments(row, |arguments| sessions.update(id, number, arguments));
            }
        }
        Ok(())
    }

    /// The group of a query that has no keys is there in every batch.
    pub(super) fn begin_batch(&self, state: &mut State) -> Result<(), TooManyGroups> {
        if let (Keys::Exprs(keys), State::Groups(groups)) = (&self.keys, state)
            && keys.is_empty()
        {
            groups.begin_key();
            groups.touch_key()?;
        }
        Ok(())
    }
}

impl Update {
    #[inline]
    fn takes<R: FlowRow>(&self, row: &R) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.test(row) == Some(true))
    }

    #[inline]
    fn with_arguments<R: FlowRow>(&self, row: &R, update: impl FnOnce(&[Value<'_>])) {
        match self.arguments.as_slice() {
            [] => update(&[]),
            [one] => update(&[one.eval(row)]),
            several => {
                let values: Vec<Value<'_>> = several.iter().map(|argument| argument.eval(row)).collect();
                update(&values);
            }
        }
    }
}

/// The start of the last window that begins at or before `time`: windows begin at multiples of the slide, counted from
/// 1970 and moved by `start` (`TimeWindowResolution` of Spark).
pub(super) fn last_start(time: i64, slide: i64, start: i64) -> i64 {
    time.saturating_sub(time.wrapping_sub(start).rem_euclid(slide.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_at_multiples_of_the_slide_before_1970_too() {
        assert_eq!(last_start(25, 10, 0), 20);
        assert_eq!(last_start(20, 10, 0), 20);
        assert_eq!(last_start(-1, 10, 0), -10);
        assert_eq!(last_start(-10, 10, 0), -10);
        assert_eq!(last_start(25, 10, 3), 23);
        assert_eq!(last_start(22, 10, 3), 13);
    }
}
