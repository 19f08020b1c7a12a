//! The live sink: on a terminal, one table of a query's groups that is drawn in place, with how fast each grows.
//!
//! Rows are taken batch by batch; a thread of the sink's own draws, at most ten times a second, and once a second while
//! a rate still falls. Nothing wakes while nothing changes.

mod table;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::OutputRow;
use super::console::Texts;
use crate::expr::Expr;
use crate::plan::{OutputMode, Plan};
use crate::types::DataType;
use table::{Row, Table};

/// Between two pictures.
const PAUSE: Duration = Duration::from_millis(100);

/// The size of the terminal: columns and lines. Asked before each picture.
pub type TerminalSize = fn() -> (u16, u16);

pub(crate) struct LiveSink {
    texts: Texts,
    /// Of the columns of SELECT, the one that is measured.
    measure: Option<usize>,
    grouped: bool,
    complete: bool,
    rows: Vec<Row>,
    picture: Arc<Picture>,
    thread: Option<JoinHandle<()>>,
}

struct Picture {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    table: Table,
    changed: bool,
    ended: bool,
    failed: Option<io::Error>,
}

impl LiveSink {
    pub(super) fn new(plan: &Plan, mut out: Box<dyn Write + Send>, size: TerminalSize) -> io::Result<Self> {
        let key_count = plan.grouping.as_ref().map_or(0, |grouping| grouping.keys.len());
        let measure = plan.output.iter().position(|column| {
            let is_key = matches!(column.expr, Expr::Column(number) if number < key_count);
            !is_key && is_number(&column.data_type)
        });
        let texts = Texts::new(plan);
        let names = texts.names().into_iter().map(str::to_owned).collect();
        let is_number = plan.output.iter().map(|column| is_number(&column.data_type)).collect();
        let measure = measure.filter(|_| plan.grouping.is_some());
        let sorted = plan.grouping.is_some() && plan.order_by.is_empty();
        let table = Table::new(names, is_number, measure.is_some(), sorted);
        let state = State { table, changed: true, ended: false, failed: None };
        let picture = Arc::new(Picture { state: Mutex::new(state), changed: Condvar::new() });
        let drawn = picture.clone();
        let thread =
            std::thread::Builder::new().name("live table".to_owned()).spawn(move || drawn.draw(&mut out, size))?;
        Ok(Self {
            texts,
            measure,
            grouped: plan.grouping.is_some(),
            complete: plan.mode == OutputMode::Complete,
            rows: Vec::new(),
            picture,
            thread: Some(thread),
        })
    }

    pub(super) fn begin(&mut self) {
        self.rows.clear();
    }

    pub(super) fn push(&mut self, row: &OutputRow<'_>) {
        let cells: Vec<String> =
            self.texts.of(row).into_iter().map(|cell| cell.unwrap_or_else(|| "null".to_owned())).collect();
        let measured = self.measure.and_then(|column| cells.get(column)?.parse().ok());
        // A row without a group is one of its own.
        let key = self.grouped.then(|| format!("{:?}", row.key));
        self.rows.push(Row { key, cells, measured });
    }

    pub(super) fn finish(&mut self, batch: u64) -> io::Result<()> {
        let mut state = self.picture.state.lock();
        if let Some(error) = state.failed.take() {
            return Err(error);
        }
        state.table.take(batch, std::mem::take(&mut self.rows), self.complete, Instant::now());
        state.changed = true;
        self.picture.changed.notify_one();
        Ok(())
    }
}

impl Drop for LiveSink {
    fn drop(&mut self) {
        self.picture.state.lock().ended = true;
        self.picture.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // It draws the last picture and ends; it cannot panic but where this would too.
            let _ = thread.join();
        }
    }
}

impl Picture {
    fn draw(&self, out: &mut dyn Write, size: TerminalSize) {
        let mut lines_drawn = 0;
        let mut state = self.state.lock();
        loop {
            let (columns, lines) = size();
            let text = state.table.render(columns.into(), lines.into(), Instant::now());
            let ended = state.ended;
            state.changed = false;
            drop(state);
            let drawn = redraw(out, lines_drawn, &text);
            lines_drawn = text.len();
            if ended {
                return;
            }
            state = self.state.lock();
            if let Err(error) = drawn {
                state.failed = Some(error);
                return;
            }
            // Changes that come close together are one picture; the end is not waited for.
            let next = Instant::now() + PAUSE;
            while !state.ended && !self.changed.wait_until(&mut state, next).timed_out() {}
            let falls = Instant::now() + table::TICK;
            while !state.changed && !state.ended {
                if !state.table.is_moving(Instant::now()) {
                    self.changed.wait(&mut state);
                } else if self.changed.wait_until(&mut state, falls).timed_out() {
                    break;
                }
            }
        }
    }
}

/// Writes the lines over those drawn before.
fn redraw(out: &mut dyn Write, lines_drawn: usize, lines: &[String]) -> io::Result<()> {
    let mut text = String::new();
    if lines_drawn > 0 {
        text.push_str(&format!("\x1b[{lines_drawn}A"));
    }
    text.push_str("\r\x1b[J");
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn is_number(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int | DataType::BigInt | DataType::Double | DataType::Decimal { .. })
}
