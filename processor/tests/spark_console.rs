//! Spark's console output to the byte, order of rows included.

#![allow(clippy::unwrap_used)]

use brooklet_processor::{GroupId, GroupTable, render_batch, spark_partition};

/// The levels of each micro-batch behind the captured output.
fn batches() -> Vec<Vec<(Option<String>, i64)>> {
    let some = |level: &str, count| (Some(level.to_owned()), count);
    let first = vec![some("INFO", 3), some("ERROR", 1), (None, 2)];
    let second =
        ["INFO", "123456789012345678901", "12345678901234567890", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "", "a\nb", "日本"];
    let third = (0..25).map(|n| some(&format!("L{n:02}"), 1));
    vec![first, second.map(|level| some(level, 1)).into(), third.collect(), vec![some("INFO", 123_456)]]
}

fn ordered(table: &GroupTable, ids: impl IntoIterator<Item = GroupId>) -> Vec<(Option<String>, String)> {
    let mut ids: Vec<GroupId> = ids.into_iter().collect();
    ids.sort_by_key(|&id| spark_partition(table.key(id)));
    let text = |key: &[u8]| String::from_utf8(key.to_vec()).unwrap();
    ids.iter().map(|&id| (table.key(id).next().flatten().map(text), table.count(id).to_string())).collect()
}

fn printed(complete: bool) -> String {
    let mut table = GroupTable::new(1);
    let mut out = Vec::new();
    for (number, batch) in batches().iter().enumerate() {
        table.begin_batch();
        for (level, count) in batch {
            let id = table.touch([level.as_deref().map(str::as_bytes)]).unwrap();
            table.add(id, *count);
        }
        let rows = if complete { ordered(&table, table.ids()) } else { ordered(&table, table.touched().to_vec()) };
        let rows = rows.iter().map(|(level, count)| [level.as_deref(), Some(count.as_str())]);
        render_batch(&mut out, number as u64, &["level", "count"], rows);
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn update_mode_prints_what_spark_printed() {
    assert_eq!(printed(false), include_str!("data/console-update-3.4.4.txt"));
}
