//! Which columns carry the event time, and so which group key says when a group is over.

use super::block::Goes;
use super::clauses::Clauses;
use super::lowered::{GENERATED, KEYS, WINDOW};
use crate::expr::Expr;
use crate::plan::{Generator, Grouping, OutputColumn, Stage, Window};
use crate::state::EventTime;
use crate::types::DataType;

/// Which columns of the rows of each level carry the event time. Of a UNION ALL they are those of its first SELECT, as in
/// Spark (`Union.mergeChildOutputs`).
#[derive(Default)]
pub(super) struct Carriers(Vec<(Option<usize>, usize, Vec<usize>)>);

impl Carriers {
    /// Adds where rows come from whose columns `times` do.
    pub(super) fn add(&mut self, goes: &Goes, times: Vec<usize>) {
        let times = match &goes.side {
            None => times,
            Some(side) => {
                let times = with_made(times, &side.stages);
                let outputs = side.outputs.iter().enumerate();
                outputs.filter(|(_, output)| carries(&output.expr, &times)).map(|(number, _)| number).collect()
            }
        };
        self.0.push((goes.to, goes.place, times));
    }

    /// Of the rows of a level.
    pub(super) fn of(&self, level: Option<usize>) -> Vec<usize> {
        let first = self.0.iter().filter(|(to, ..)| *to == level).min_by_key(|(_, place, _)| *place);
        first.map_or(Vec::new(), |(.., times)| times.clone())
    }
}

fn carries(expr: &Expr, times: &[usize]) -> bool {
    match expr {
        Expr::Column(column) => times.contains(column),
        // Of a window that carries it.
        other => other.window_column().is_some_and(|window| times.contains(&window)),
    }
}

/// With the windows that stages make over them.
fn with_made(mut times: Vec<usize>, stages: &[Stage]) -> Vec<usize> {
    let mut made = GENERATED;
    for stage in stages {
        if let Stage::Generate(Generator::Windows { time, .. }) = stage
            && carries(time, &times)
        {
            times.push(made);
        }
        made += stage.width();
    }
    times
}

/// The grouping of a level, of whose rows the columns `times` carry the event time.
pub(super) fn grouping(clauses: &mut Clauses, times: Vec<usize>) -> Grouping {
    let times = with_made(times, &clauses.stages);
    let (keys, window) = (std::mem::take(&mut clauses.keys), clauses.window.take());
    let event_time = keys.iter().enumerate().find_map(|(number, key)| match (&key.expr, &window) {
        (Expr::Column(WINDOW), Some(Window::Sliding { time, .. } | Window::Session { time, .. })) => {
            carries(time, &times).then_some(EventTime::WindowEnd(number))
        }
        (Expr::Column(WINDOW), None) => None,
        (expr, _) if carries(expr, &times) => Some(match key.data_type {
            DataType::Timestamp => EventTime::Time(number),
            _ => EventTime::WindowEnd(number),
        }),
        _ => None,
    });
    Grouping { keys, aggregates: std::mem::take(&mut clauses.aggregates), window, event_time }
}

/// Which columns of the rows of groups carry it.
pub(super) fn of_groups(grouping: &Grouping, outputs: &[OutputColumn]) -> Vec<usize> {
    let Some(EventTime::Time(key) | EventTime::WindowEnd(key)) = grouping.event_time else { return Vec::new() };
    let outputs = outputs.iter().enumerate();
    outputs.filter(|(_, output)| carries(&output.expr, &[KEYS + key])).map(|(number, _)| number).collect()
}
