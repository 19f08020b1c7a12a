//! What a verb has found: rows under named columns, as a table for people or as JSON for programs.

use serde_json::{Map, Value};

/// Rows of the same columns.
#[derive(Debug)]
pub(super) struct Listing {
    columns: &'static [&'static str],
    rows: Vec<Vec<Value>>,
}

impl Listing {
    pub(super) fn new(columns: &'static [&'static str]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row: a value for each column.
    pub(super) fn push(&mut self, row: Vec<Value>) {
        self.rows.push(row);
    }

    /// An array of objects.
    pub(super) fn json(&self) -> anyhow::Result<String> {
        let object = |row: &Vec<Value>| -> Value {
            let fields = self.columns.iter().zip(row).map(|(name, value)| ((*name).replace(' ', "_"), value.clone()));
            Value::Object(fields.collect::<Map<_, _>>())
        };
        Ok(serde_json::to_string_pretty(&self.rows.iter().map(object).collect::<Vec<_>>())? + "\n")
    }

    /// Columns under their names; numbers to the right, nothing for null.
    pub(super) fn table(&self) -> String {
        let cells: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
        let names: Vec<String> = self.columns.iter().map(|name| name.to_uppercase()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let lines = cells.iter().chain([&names]);
                lines.filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        let is_number = |column: usize| {
            let mut values = self.rows.iter().filter_map(|row| row.get(column)).filter(|value| !value.is_null());
            values.clone().next().is_some() && values.all(Value::is_number)
        };
        let are_numbers: Vec<bool> = (0..self.columns.len()).map(is_number).collect();
        let mut text = String::new();
        for line in [&names].into_iter().chain(&cells) {
            let mut written = String::new();
            for ((cell, width), is_number) in line.iter().zip(&widths).zip(&are_numbers) {
                let pad = " ".repeat(width - cell.chars().count());
                written += &if *is_number { format!("{pad}{cell}  ") } else { format!("{cell}{pad}  ") };
            }
            text += written.trim_end();
            text.push('\n');
        }
        text
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        // A name may hold what a terminal takes for a command.
        Value::String(text) => text.chars().map(|it| if it.is_control() { '·' } else { it }).collect(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_aligned_and_json_has_the_same() {
        let mut listing = Listing::new(&["topic", "end offset"]);
        listing.push(vec![json!("logs"), json!(5)]);
        listing.push(vec![json!("a\x1b[2J"), json!(12345)]);
        listing.push(vec![json!("x"), Value::Null]);
        assert_eq!(listing.table(), "TOPIC  END OFFSET\nlogs            5\na·[2J       12345\nx\n");
        let read: Value = serde_json::from_str(&listing.json().unwrap()).unwrap();
        assert_eq!(read[1], json!({ "topic": "a\u{1b}[2J", "end_offset": 12345 }));
        assert_eq!(read[2]["end_offset"], Value::Null);
        assert_eq!(Listing::new(&["a"]).table(), "A\n");
    }
}
