//! The console sink: what Spark's console prints, to a writer.

use std::io::{self, Write};

use crate::console::render_batch;
use crate::groups::{GroupId, GroupTable};
use crate::plan::{OutputValue, Plan};

pub(super) fn write(
    out: &mut dyn Write,
    plan: &Plan,
    batch: u64,
    groups: &GroupTable,
    rows: &[GroupId],
) -> io::Result<()> {
    let names: Vec<&str> = plan.output.iter().map(|column| column.name.as_str()).collect();
    let cells: Vec<Vec<Option<String>>> = rows.iter().map(|id| row(plan, groups, *id)).collect();
    let mut text = Vec::new();
    render_batch(&mut text, batch, &names, cells.iter().map(|row| row.iter().map(Option::as_deref)));
    out.write_all(&text)?;
    out.flush()
}

fn row(plan: &Plan, groups: &GroupTable, id: GroupId) -> Vec<Option<String>> {
    let key: Vec<Option<&[u8]>> = groups.key(id).collect();
    let cell = |value: OutputValue| match value {
        OutputValue::Key(number) => {
            key.get(number).copied().flatten().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        }
        OutputValue::Count => Some(groups.count(id).to_string()),
    };
    plan.output.iter().map(|column| cell(column.value)).collect()
}
