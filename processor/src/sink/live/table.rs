//! The table of a live query: its rows, how fast each one's number grows, and the picture of it. Time is handed in.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::console::display_width;

/// A column of a sparkline.
pub(super) const TICK: Duration = Duration::from_secs(1);
/// Columns of a sparkline: the last half minute.
const TICKS: usize = 30;
/// The rate is of so many ticks.
const RATE_TICKS: usize = 5;
/// Rows kept; of more, those that changed last.
const ROWS_MAX: usize = 1000;
/// Cells are cut to this width.
const CELL_WIDTH_MAX: usize = 40;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A row as it comes.
pub(super) struct Row {
    /// What tells it from others; `None` if it is one of its own.
    pub(super) key: Option<String>,
    pub(super) cells: Vec<String>,
    /// The number that is measured.
    pub(super) measured: Option<f64>,
}

pub(super) struct Table {
    names: Vec<String>,
    is_number: Vec<bool>,
    measures: bool,
    /// By the number that is measured, the largest first; else as they come.
    sorted: bool,
    rows: HashMap<String, Kept>,
    /// Counts rows as they come.
    clock: u64,
    batch: Option<u64>,
    /// A query that goes on with a state has rows that it does not know the past of.
    knows_all: bool,
    /// Ticks since `started`.
    started: Option<Instant>,
}

struct Kept {
    cells: Vec<String>,
    measured: Option<f64>,
    came: u64,
    history: History,
}

/// What was added in each of the last ticks, the latest last.
#[derive(Default)]
struct History {
    ticks: VecDeque<f64>,
    /// Number of the last one.
    at: u64,
}

impl History {
    fn advance(&mut self, tick: u64) {
        let passed = tick.saturating_sub(self.at).min(TICKS as u64 + 1);
        for _ in 0..passed {
            self.ticks.push_back(0.0);
        }
        while self.ticks.len() > TICKS + 1 {
            self.ticks.pop_front();
        }
        self.at = tick;
    }

    fn add(&mut self, tick: u64, change: f64) {
        self.advance(tick);
        if self.ticks.is_empty() {
            self.ticks.push_back(0.0);
        }
        if let Some(last) = self.ticks.back_mut() {
            *last += change;
        }
    }

    /// Whether anything of it would be seen.
    fn is_moving(&self, tick: u64) -> bool {
        let passed = usize::try_from(tick.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let gone = self.ticks.len().saturating_add(passed).saturating_sub(TICKS + 1);
        self.ticks.iter().skip(gone).any(|change| *change != 0.0)
    }

    /// A second, over the last whole ticks.
    fn rate(&self) -> f64 {
        // From nothing on: the sum of no numbers is -0.
        self.ticks.iter().rev().skip(1).take(RATE_TICKS).fold(0.0, |sum, change| sum + change) / RATE_TICKS as f64
    }

    fn sparkline(&self) -> String {
        let max = self.ticks.iter().copied().fold(0.0, f64::max);
        let bar = |change: &f64| match *change {
            change if change <= 0.0 || max <= 0.0 => ' ',
            change => {
                let step = (change / max * BARS.len() as f64).ceil() as usize;
                BARS.get(step.saturating_sub(1)).copied().unwrap_or(' ')
            }
        };
        let blank = (TICKS + 1).saturating_sub(self.ticks.len());
        std::iter::repeat_n(' ', blank).chain(self.ticks.iter().map(bar)).collect()
    }
}

impl Table {
    pub(super) fn new(names: Vec<String>, is_number: Vec<bool>, measures: bool, sorted: bool) -> Self {
        Self {
            names,
            is_number,
            measures,
            sorted,
            rows: HashMap::new(),
            clock: 0,
            batch: None,
            knows_all: false,
            started: None,
        }
    }

    /// Takes a batch's rows; in complete mode they are all there are.
    pub(super) fn take(&mut self, batch: u64, rows: Vec<Row>, complete: bool, now: Instant) {
        if self.batch.is_none() {
            self.knows_all = batch == 0;
        }
        self.batch = Some(batch);
        let tick = self.tick(now);
        let since = self.clock;
        for Row { key, cells, measured } in rows {
            self.clock += 1;
            let key = key.unwrap_or_else(|| self.clock.to_string());
            let known = self.rows.remove(&key);
            let before = known.as_ref().and_then(|known| known.measured);
            let before = before.or_else(|| self.knows_all.then_some(0.0));
            let mut history = known.map_or_else(History::default, |known| known.history);
            history.add(tick, measured.zip(before).map_or(0.0, |(now, before)| now - before));
            self.rows.insert(key, Kept { cells, measured, came: self.clock, history });
        }
        if complete {
            self.rows.retain(|_, row| row.came > since);
        }
        if self.rows.len() > ROWS_MAX {
            let mut came: Vec<u64> = self.rows.values().map(|row| row.came).collect();
            came.sort_unstable();
            let oldest = came.get(came.len() - ROWS_MAX).copied().unwrap_or(0);
            self.rows.retain(|_, row| row.came >= oldest);
        }
    }

    fn tick(&mut self, now: Instant) -> u64 {
        let started = *self.started.get_or_insert(now);
        now.saturating_duration_since(started).as_secs() / TICK.as_secs()
    }

    /// Whether the picture changes by time alone.
    pub(super) fn is_moving(&mut self, now: Instant) -> bool {
        let tick = self.tick(now);
        self.measures && self.rows.values().any(|row| row.history.is_moving(tick))
    }

    /// The lines of the picture, for a terminal of this size.
    pub(super) fn render(&mut self, columns: usize, lines: usize, now: Instant) -> Vec<String> {
        let tick = self.tick(now);
        self.rows.values_mut().for_each(|row| row.history.advance(tick));
        let mut rows: Vec<&Kept> = self.rows.values().collect();
        if self.sorted {
            rows.sort_by(|a, b| {
                let by_measure =
                    b.measured.unwrap_or(f64::NEG_INFINITY).total_cmp(&a.measured.unwrap_or(f64::NEG_INFINITY));
                by_measure.then_with(|| a.cells.cmp(&b.cells))
            });
        } else {
            rows.sort_by_key(|row| row.came);
        }
        // The heading, the last line, and the line that the cursor stands on.
        let shown = rows.len().min(lines.saturating_sub(3).max(1));
        // Rows that are no groups go by: the last ones are seen.
        let skip = if self.sorted || self.measures { 0 } else { rows.len() - shown };
        let visible: Vec<&Kept> = rows.iter().copied().skip(skip).take(shown).collect();

        let cells: Vec<Vec<String>> =
            visible.iter().map(|row| row.cells.iter().map(|cell| printable(cell)).collect()).collect();
        let width = |column: usize| {
            let name = self.names.get(column).map_or(0, |name| display_width(&printable(name)));
            cells.iter().filter_map(|row| row.get(column)).map(|cell| display_width(cell)).max().unwrap_or(0).max(name)
        };
        let widths: Vec<usize> = (0..self.names.len()).map(width).collect();
        let line = |cells: &[String]| {
            let mut text = String::new();
            for (number, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width.saturating_sub(display_width(cell)));
                let right = self.is_number.get(number).copied().unwrap_or(false);
                let (before, after) = if right { (pad.as_str(), "") } else { ("", pad.as_str()) };
                text.push_str(&format!("{before}{cell}{after}  "));
            }
            text
        };
        let names: Vec<String> = self.names.iter().map(|name| printable(name)).collect();
        let mut picture = vec![line(&names)];
        if self.measures
            && let Some(heading) = picture.first_mut()
        {
            heading.push_str(&format!("{:>10}  last {TICKS} s", "/s"));
        }
        for (row, cells) in visible.iter().zip(&cells) {
            let mut text = line(cells);
            if self.measures {
                text.push_str(&format!("{:>10.1}  {}", row.history.rate(), row.history.sparkline()));
            }
            picture.push(text);
        }
        let hidden = rows.len() - shown;
        let more = if hidden > 0 { format!(", {hidden} of them not shown") } else { String::new() };
        let batch = self.batch.map_or_else(|| "no batch yet".to_owned(), |batch| format!("batch {batch}"));
        let plural = if rows.len() == 1 { "" } else { "s" };
        picture.push(format!("{batch}, {} row{plural}{more}", rows.len()));
        picture.iter().map(|line| cut(line.trim_end(), columns)).collect()
    }
}

/// What a terminal would take for a command is shown as a dot; long cells are cut.
fn printable(cell: &str) -> String {
    let text: String = cell.chars().map(|character| if character.is_control() { '·' } else { character }).collect();
    if display_width(&text) <= CELL_WIDTH_MAX { text } else { cut(&text, CELL_WIDTH_MAX - 1) + "…" }
}

/// As much of it as fits.
fn cut(text: &str, width: usize) -> String {
    let mut used = 0;
    let fits = |character: &char| {
        used += display_width(character.encode_utf8(&mut [0; 4]));
        used <= width
    };
    text.chars().take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(level: &str, count: u64) -> Row {
        Row {
            key: Some(level.to_owned()),
            cells: vec![level.to_owned(), count.to_string()],
            measured: Some(count as f64),
        }
    }

    fn counts() -> Table {
        Table::new(vec!["level".to_owned(), "count".to_owned()], vec![false, true], true, true)
    }

    #[test]
    fn groups_are_sorted_by_their_count_and_have_a_rate_and_a_sparkline() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut table = counts();
        table.take(0, vec![], false, at(0));
        table.take(1, vec![row("INFO", 10), row("ERROR", 40)], false, at(1));
        table.take(2, vec![row("INFO", 60)], false, at(2));
        assert!(table.is_moving(at(4)));
        let picture = table.render(100, 24, at(4));
        let blank = " ".repeat(26);
        assert_eq!(
            picture,
            [
                "level  count          /s  last 30 s".to_owned(),
                format!("INFO      60        12.0  {blank} ▂█"),
                format!("ERROR     40         8.0  {blank} █"),
                "batch 2, 2 rows".to_owned(),
            ]
        );
        assert!(!table.is_moving(at(40)));
        assert_eq!(table.render(100, 24, at(40))[1], "INFO      60         0.0");
    }

    #[test]
    fn a_group_that_has_just_come_has_no_rate_yet() {
        let start = Instant::now();
        let mut table = counts();
        table.take(0, vec![row("INFO", 3)], false, start);
        let picture = table.render(100, 24, start);
        assert!(picture[1].starts_with("INFO       3         0.0"), "{picture:?}");
        assert_eq!(picture[2], "batch 0, 1 row");
    }

    #[test]
    fn what_a_state_held_before_is_no_growth() {
        let start = Instant::now();
        let mut table = counts();
        table.take(7, vec![row("INFO", 1000)], false, start);
        table.take(8, vec![row("INFO", 1005)], false, start);
        let picture = table.render(100, 24, start + Duration::from_secs(1));
        assert!(picture[1].starts_with("INFO    1005         1.0"), "{picture:?}");
    }

    #[test]
    fn a_small_terminal_and_hostile_text_do_no_harm() {
        let start = Instant::now();
        let mut table = counts();
        let rows = (0..5000).map(|number| row(&format!("\x1b[2J{number}{}", "字".repeat(50)), number)).collect();
        table.take(0, rows, false, start);
        let picture = table.render(20, 10, start);
        assert_eq!(picture.len(), 9);
        assert!(picture.iter().all(|line| display_width(line) <= 20 && !line.contains('\x1b')), "{picture:?}");
        assert_eq!(picture[8], "batch 0, 1000 rows, ");
        assert_eq!(table.render(0, 0, start).len(), 3);
    }

    #[test]
    fn complete_mode_forgets_what_is_gone_and_plain_rows_scroll() {
        let start = Instant::now();
        let mut table = counts();
        table.take(0, vec![row("A", 1), row("B", 2)], true, start);
        table.take(1, vec![row("B", 3)], true, start);
        assert_eq!(table.render(80, 24, start).len(), 3);

        let mut rows = Table::new(vec!["level".to_owned()], vec![false], false, false);
        let plain = |number: usize| Row { key: None, cells: vec![format!("row {number}")], measured: None };
        rows.take(0, (0..10).map(plain).collect(), false, start);
        assert_eq!(
            rows.render(80, 6, start),
            ["level", "row 7", "row 8", "row 9", "batch 0, 10 rows, 7 of them not shown"]
        );
    }
}
