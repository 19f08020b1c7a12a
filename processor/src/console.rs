//! A micro-batch as Spark's console sink prints it: a heading, and `Dataset.show(20, truncate = 20)`.

/// Rows shown of a batch.
pub const ROWS_SHOWN: usize = 20;

/// Cells longer than this, in UTF-16 units, are cut.
const CELL_UNITS_MAX: usize = 20;
const COLUMN_WIDTH_MIN: usize = 3;

/// A cell on its way to the screen: text, how wide Java thinks it is.
struct Cell {
    text: String,
    width: usize,
}

/// Appends batch number `batch` to `out`, byte by byte as Spark 3.4 prints it. `None` is NULL. No more than 21 rows
/// are taken from `rows`; a row's missing cells are NULL.
pub fn render_batch<'a, Row>(out: &mut Vec<u8>, batch: u64, columns: &[&str], rows: impl IntoIterator<Item = Row>)
where
    Row: IntoIterator<Item = Option<&'a str>>,
{
    let mut rows = rows.into_iter();
    let mut lines = vec![columns.iter().map(|name| Cell::new(escaped(name))).collect::<Vec<_>>()];
    lines.extend(rows.by_ref().take(ROWS_SHOWN).map(|row| {
        let mut cells: Vec<Cell> = row.into_iter().take(columns.len()).map(|cell| Cell::new(shown(cell))).collect();
        cells.resize_with(columns.len(), || Cell::new(shown(None)));
        cells
    }));
    let more = rows.next().is_some();

    let heading = "-".repeat(43);
    let mut text = format!("{heading}\nBatch: {batch}\n{heading}\n");
    put_table(&mut text, &lines);
    if more {
        text.push_str(&format!("only showing top {ROWS_SHOWN} rows\n"));
    }
    text.push('\n');
    out.extend_from_slice(text.as_bytes());
}

/// A table of all rows, nothing cut.
pub(crate) fn render_table(columns: &[&str], rows: &[Vec<Option<String>>]) -> String {
    let mut lines = vec![columns.iter().map(|name| Cell::new(escaped(name))).collect::<Vec<_>>()];
    let cell = |cell: &Option<String>| Cell::new(cell.as_deref().map_or_else(|| "null".to_owned(), escaped));
    lines.extend(rows.iter().map(|row| row.iter().map(cell).collect()));
    let mut text = String::new();
    put_table(&mut text, &lines);
    text
}

/// Lines of cells with borders, the first line being the heading.
fn put_table(text: &mut String, lines: &[Vec<Cell>]) {
    let mut widths = vec![COLUMN_WIDTH_MIN; lines.first().map_or(0, Vec::len)];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.width);
        }
    }
    let rule: String = widths.iter().fold("+".to_owned(), |rule, &width| rule + &"-".repeat(width) + "+") + "\n";
    text.push_str(&rule);
    for (index, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(&widths) {
            text.push('|');
            text.push_str(&" ".repeat(width.saturating_sub(cell.width)));
            text.push_str(&cell.text);
        }
        text.push_str(if line.is_empty() { "||\n" } else { "|\n" });
        if index == 0 {
            text.push_str(&rule);
        }
    }
    text.push_str(&rule);
}

impl Cell {
    /// `StringUtils`' half width: a UTF-16 unit is one column, and an East Asian wide one is two.
    fn new(text: String) -> Self {
        let width = display_width(&text);
        Self { text, width }
    }
}

/// Columns that a text takes, as Spark counts them.
pub(crate) fn display_width(text: &str) -> usize {
    text.chars().map(|character| character.len_utf16() + usize::from(is_wide(character))).sum()
}

fn is_wide(character: char) -> bool {
    matches!(character,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}')
}

/// NULL spelled out, control characters escaped, and cut to its first 17 UTF-16 units and dots where it is too long.
fn shown(cell: Option<&str>) -> String {
    let Some(cell) = cell else { return "null".to_owned() };
    let text = escaped(cell);
    if text.encode_utf16().count() <= CELL_UNITS_MAX {
        return text;
    }
    let kept = CELL_UNITS_MAX - 3;
    // A pair that the cut parts loses its second half, and Java prints the first as a question mark.
    let cut = char::decode_utf16(text.encode_utf16().take(kept)).map(|unit| unit.unwrap_or('?'));
    cut.chain("...".chars()).collect()
}

/// `SchemaUtils.escapeMetaCharacters`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{c}' => out.push_str("\\f"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{7}' => out.push_str("\\a"),
            other => out.push(other),
        }
    }
    out
}
