//! Queries over several topics, held against the same records in one.

use std::collections::BTreeMap;

use brooklet_storage::Storage;
use proptest::prelude::*;

use super::kill_tests::{options, run_plan};
use super::*;
use crate::adhoc::{AdHocQuery, Format};
use crate::plan::OutputMode;
use crate::sql::{PlanSettings, plan_all};
use crate::testing::{Screen, memory, put, records, send, topic};

const TABLES: &str = "CREATE TABLE logs (level STRING, n BIGINT, ts TIMESTAMP) WITH (watermark = 'ts 4 seconds');
    CREATE TABLE a (level STRING, n BIGINT, ts TIMESTAMP) WITH (watermark = 'ts 4 seconds');
    CREATE TABLE b (level STRING, n INT, ts TIMESTAMP) WITH (watermark = 'ts 4 seconds');
    CREATE TABLE names (id STRING, name STRING) WITH (latest_by = 'key');";

/// Over FROM, which is one topic or a union of two.
const QUERIES: [(&str, OutputMode); 6] = [
    ("SELECT level, n, ts FROM FROM WHERE n <> 3", OutputMode::Append),
    ("SELECT level, COUNT(*) c, SUM(n) total FROM FROM GROUP BY level", OutputMode::Complete),
    ("SELECT window.start, level, COUNT(*) c FROM FROM GROUP BY window(ts, '10 seconds'), level", OutputMode::Append),
    ("SELECT DISTINCT level, n FROM FROM", OutputMode::Complete),
    ("SELECT name, MAX(n) most FROM FROM JOIN names ON names.key = level GROUP BY name", OutputMode::Complete),
    (
        "SELECT e, COUNT(*) c FROM FROM LATERAL VIEW explode(array(level, upper(level))) AS e GROUP BY e HAVING c > 1",
        OutputMode::Complete,
    ),
];

pub(super) fn plan(sql: &str, mode: OutputMode, batch: bool) -> Plan {
    let settings = PlanSettings { mode: Some(mode), batch, ..PlanSettings::default() };
    plan_all(&format!("{TABLES} {sql}"), &settings).unwrap().remove(0)
}

/// The topic, level, number, and second of each record.
type Input = Vec<(bool, u8, u8, u8)>;

/// A record far ahead ends what is before it, in each topic.
pub(super) fn fill(storage: &Storage, input: &[(bool, u8, u8, u8)]) {
    ["logs", "a", "b", "names"].iter().for_each(|name| {
        topic(storage, name, 1);
    });
    for level in 0..3 {
        put(storage, "names", 0, &format!("level {level}"), Some(&format!("{{\"name\":\"name {}\"}}", level % 2)));
    }
    for (in_b, level, n, second) in input {
        let record = format!(r#"{{"level":"level {level}","n":{n},"ts":"2026-01-01T00:00:{second:02}Z"}}"#);
        send(storage, "logs", 0, &[&record]);
        send(storage, if *in_b { "b" } else { "a" }, 0, &[&record]);
    }
    for name in ["logs", "a", "b"] {
        send(storage, name, 0, &[r#"{"level":"last","ts":"2026-01-01T01:00:00Z"}"#]);
    }
}

/// Without those of the records that are far ahead.
fn but_last(rows: Vec<String>) -> Vec<String> {
    rows.into_iter().filter(|row| !row.to_lowercase().contains("\"last\"")).collect()
}

fn batch(storage: &Storage, sql: &str) -> Vec<String> {
    let mut rows = batch_of(storage, plan(sql, OutputMode::Update, true));
    rows.sort();
    rows
}

pub(super) fn batch_of(storage: &Storage, plan: Plan) -> Vec<String> {
    let screen = Screen::default();
    let mut query = AdHocQuery::new(plan, &options(1), Format::Json, Box::new(screen.clone()));
    let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    executor.block_on(query.run_on_storage(storage)).unwrap();
    screen.text().lines().map(str::to_owned).collect()
}

/// What a stream has written when all is read: of a query with keys the last row of each.
pub(super) fn rows(storage: &Storage, name: &str) -> Vec<String> {
    let partitions = storage.topic(name).unwrap().partitions.clone();
    let all: Vec<_> = partitions.iter().flat_map(|log| records(log)).collect();
    let mut rows: Vec<String> = match all.first() {
        Some((Some(_), _)) => all.into_iter().collect::<BTreeMap<_, _>>().into_values().flatten().collect(),
        _ => all.into_iter().filter_map(|(_, row)| row).collect(),
    };
    rows.sort();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn two_topics_are_as_one_that_has_the_records_of_both(
        input in prop::collection::vec((any::<bool>(), 0u8..4, 0u8..6, 0u8..60), 0..50),
        max in 1u64..30,
        kills in prop::collection::vec(0usize..60, 0..4),
    ) {
        let mut input: Input = input;
        // Nothing is late, however the topics are cut into batches.
        input.sort_by_key(|(.., second)| *second);
        let storage = memory();
        fill(&storage, &input);
        for (sql, mode) in QUERIES {
            let from = |what: &str| sql.replacen("FROM FROM", &format!("FROM {what}"), 1);
            let wanted = but_last(batch(&storage, &from("logs")));
            let two = from("(SELECT level, n, ts FROM a UNION ALL SELECT level, n, ts FROM b)");
            prop_assert_eq!(&but_last(batch(&storage, &two)), &wanted, "{}", sql);

            let stream = plan(&format!("INSERT INTO out {two}"), mode, false);
            for kill in &kills {
                run_plan(&storage, stream.clone(), options(max), Some(*kill));
            }
            prop_assert!(run_plan(&storage, stream, options(max), None));
            prop_assert_eq!(&but_last(rows(&storage, "out")), &wanted, "{}", sql);
            reset(&storage, "killed").unwrap();
            storage.delete_topic("out").unwrap();
        }
    }
}
