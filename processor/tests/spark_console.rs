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

fn ordered(table: &GroupTable, ids: impl IntoIterator<Item = GroupId>) -> Vec<(u32, Option<String>, String)> {
    let mut ids: Vec<GroupId> = ids.into_iter().collect();
    ids.sort_by_key(|&id| spark_partition(table.key(id)));
    let text = |key: &[u8]| String::from_utf8(key.to_vec()).unwrap();
    ids.iter()
        .map(|&id| {
            (spark_partition(table.key(id)), table.key(id).next().flatten().map(text), table.count(id).to_string())
        })
        .collect()
}

/// The label that the console shows for a level, as far as these batches need it.
fn label(level: Option<&str>) -> String {
    let level = level.unwrap_or("null").replace('\n', "\\n");
    if level.len() > 20 { format!("{}...", &level[..17]) } else { level }
}

/// In complete mode Spark shows the groups of a partition in the order of its state store's hash map: here they are
/// put as the capture has them.
fn put_ties_as_captured(rows: &mut [(u32, Option<String>, String)], capture: &str, batch: usize) {
    let lines: Vec<&str> = capture.split("Batch: ").nth(batch + 1).unwrap().lines().collect();
    let place = |level: Option<&str>| {
        let label = label(level);
        lines
            .iter()
            .position(|line| line.split('|').nth(1).is_some_and(|cell| cell.trim() == label))
            .unwrap_or(usize::MAX)
    };
    rows.sort_by_key(|(partition, level, _)| (*partition, place(level.as_deref())));
}

fn printed(complete: Option<&str>) -> String {
    let mut table = GroupTable::new(1);
    let mut out = Vec::new();
    for (number, batch) in batches().iter().enumerate() {
        table.begin_batch();
        for (level, count) in batch {
            let id = table.touch([level.as_deref().map(str::as_bytes)]).unwrap();
            table.add(id, *count);
        }
        let mut rows = match complete {
            Some(_) => ordered(&table, table.ids()),
            None => ordered(&table, table.touched().to_vec()),
        };
        if let Some(capture) = complete {
            put_ties_as_captured(&mut rows, capture, number);
        }
        let rows = rows.iter().map(|(_, level, count)| [level.as_deref(), Some(count.as_str())]);
        render_batch(&mut out, number as u64, &["level", "count"], rows);
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn update_mode_prints_what_spark_printed() {
    assert_eq!(printed(None), include_str!("data/console-update-3.4.4.txt"));
}

#[test]
fn complete_mode_prints_what_spark_printed_but_for_the_order_within_a_partition() {
    let capture = include_str!("data/console-complete-3.4.4.txt");
    assert_eq!(printed(Some(capture)), capture);
}

#[derive(serde::Deserialize)]
struct Recording {
    tables: Vec<Table>,
    keys: Vec<Key>,
}

#[derive(serde::Deserialize)]
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
    shown: String,
}

#[derive(serde::Deserialize)]
struct Key {
    key: Vec<Option<String>>,
    partition: u32,
}

fn recording() -> Recording {
    serde_json::from_str(include_str!("data/console-3.4.0-generated.json")).unwrap()
}

#[test]
fn generated_tables_are_shown_as_spark_shows_them() {
    let tables = recording().tables;
    assert!(tables.len() >= 32);
    for table in tables {
        let columns: Vec<&str> = table.columns.iter().map(String::as_str).collect();
        let mut out = Vec::new();
        render_batch(&mut out, 7, &columns, table.rows.iter().map(|row| row.iter().map(Option::as_deref)));
        let rule = "-".repeat(43);
        assert_eq!(String::from_utf8(out).unwrap(), format!("{rule}\nBatch: 7\n{rule}\n{}\n", table.shown));
    }
}

#[test]
fn generated_keys_go_to_the_partitions_that_spark_sends_them_to() {
    let keys = recording().keys;
    assert!(keys.len() >= 350);
    for Key { key, partition } in keys {
        assert_eq!(
            spark_partition(key.iter().map(|column| column.as_deref().map(str::as_bytes))),
            partition,
            "{key:?}"
        );
    }
}
