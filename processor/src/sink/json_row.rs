//! A result row as the key and the value of a record.

use super::OutputRow;
use crate::expr::Expr;
use crate::plan::Plan;
use crate::types::{DataType, Value, to_json, write_json_string};

/// Writes the columns of SELECT as a JSON object, in their order.
#[derive(Debug)]
pub(super) struct ValueWriter {
    columns: Vec<Column>,
}

/// Writes the columns of GROUP BY as a JSON object (those of SELECT first, by their names there, then those that are
/// only grouped by), so that it tells every group from every other. A global aggregate has the key `{}`.
#[derive(Debug)]
pub(super) struct KeyWriter {
    columns: Vec<(usize, Column)>,
}

#[derive(Debug)]
struct Column {
    /// `"name":`
    name: Vec<u8>,
    data_type: DataType,
}

impl Column {
    fn new(name: &str, data_type: &DataType) -> Self {
        let mut written = Vec::new();
        write_json_string(name.as_bytes(), &mut written);
        written.push(b':');
        Self { name: written, data_type: data_type.clone() }
    }

    fn write(&self, first: bool, value: &Value<'_>, out: &mut Vec<u8>) {
        if !first {
            out.push(b',');
        }
        out.extend_from_slice(&self.name);
        to_json(value, &self.data_type, out);
    }
}

impl ValueWriter {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { columns: plan.output.iter().map(|column| Column::new(&column.name, &column.data_type)).collect() }
    }

    /// Appends the row's object.
    pub(super) fn write(&self, row: &OutputRow<'_>, out: &mut Vec<u8>) {
        out.push(b'{');
        for (index, (column, value)) in self.columns.iter().zip(row.values).enumerate() {
            column.write(index == 0, value, out);
        }
        out.push(b'}');
    }
}

impl KeyWriter {
    /// None for a query whose rows have no key.
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        let keys = &plan.grouping.as_ref()?.keys;
        let mut columns: Vec<(usize, Column)> = Vec::with_capacity(keys.len());
        let mut add = |number: usize, name: &str| {
            if let Some(key) = keys.get(number)
                && !columns.iter().any(|(known, _)| *known == number)
            {
                columns.push((number, Column::new(name, &key.data_type)));
            }
        };
        for column in &plan.output {
            if let Expr::Column(number) = column.expr {
                add(number, &column.name);
            }
        }
        for (number, key) in keys.iter().enumerate() {
            add(number, &key.name);
        }
        Some(Self { columns })
    }

    /// Appends the key's object.
    pub(super) fn write(&self, row: &OutputRow<'_>, out: &mut Vec<u8>) {
        out.push(b'{');
        for (index, (number, column)) in self.columns.iter().enumerate() {
            column.write(index == 0, row.key.get(*number).unwrap_or(&Value::Null), out);
        }
        out.push(b'}');
    }
}
