//! Queries over several topics, held against the same records in one, and their rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_storage::Storage;
use proptest::prelude::*;

use super::kill_tests::{options, run_plan};
use super::*;
use crate::adhoc::{AdHocQuery, Format};
use crate::options::{OnDataLoss, StartFrom, Trigger};
use crate::plan::OutputMode;
use crate::sql::{PlanSettings, plan_all};
use crate::testing::{Screen, headers, memory, put, records, send, topic};

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

fn plan(sql: &str, mode: OutputMode, batch: bool) -> Plan {
    let settings = PlanSettings { mode: Some(mode), batch, ..PlanSettings::default() };
    plan_all(&format!("{TABLES} {sql}"), &settings).unwrap().remove(0)
}

/// The topic, level, number, and second of each record.
type Input = Vec<(bool, u8, u8, u8)>;

/// A record far ahead ends what is before it, in each topic.
fn fill(storage: &Storage, input: &[(bool, u8, u8, u8)]) {
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

fn batch_of(storage: &Storage, plan: Plan) -> Vec<String> {
    let screen = Screen::default();
    let mut query = AdHocQuery::new(plan, &options(1), Format::Json, Box::new(screen.clone()));
    let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    executor.block_on(query.run_on_storage(storage)).unwrap();
    screen.text().lines().map(str::to_owned).collect()
}

/// What a stream has written when all is read: of a query with keys the last row of each.
fn rows(storage: &Storage, name: &str) -> Vec<String> {
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

/// The rows of each level, without a watermark.
const COUNTS: &str = "INSERT INTO out SELECT level, COUNT(*) c FROM \
    (SELECT level FROM a WHERE level <> 'x' UNION ALL SELECT level FROM b) GROUP BY level";

fn level(level: &str) -> String {
    format!("{{\"level\":\"{level}\"}}")
}

fn two_topics() -> Arc<Storage> {
    let storage = memory();
    topic(&storage, "a", 1);
    topic(&storage, "b", 2);
    storage
}

fn update(sql: &str) -> Plan {
    crate::plan(sql).unwrap()
}

fn run(storage: &Arc<Storage>, sql: &str, options: QueryOptions) {
    assert!(run_plan(storage, update(sql), options, None));
}

#[test]
fn a_changed_query_goes_on_if_it_reads_the_same_topics() {
    let storage = two_topics();
    send(&storage, "a", 0, &[level("k")]);
    send(&storage, "b", 1, &[level("k"), level("x")]);
    run(&storage, COUNTS, options(10));
    send(&storage, "b", 0, &[level("k")]);
    // Another condition, of one SELECT.
    run(&storage, &COUNTS.replace("FROM b", "FROM b WHERE level <> 'y'"), options(10));
    assert_eq!(rows(&storage, "out"), [r#"{"level":"k","c":3}"#, r#"{"level":"x","c":1}"#]);

    let start = |sql: &str| open_checkpoint(&storage, "killed", &update(sql), &options(10), Sizes::default());
    let others = [
        COUNTS.replace("FROM b", "FROM c"),
        COUNTS.replace("FROM a", "FROM c"),
        COUNTS.replace(" UNION ALL SELECT level FROM b", ""),
        COUNTS.replace("FROM b", "FROM b UNION ALL SELECT level FROM c"),
        COUNTS.replace("FROM a", "FROM c").replace("FROM b", "FROM a").replace("FROM c", "FROM b"),
    ];
    for other in others {
        let refused = start(&other).unwrap_err().to_string();
        assert!(refused.contains("take another --name, or forget it with --reset killed"), "{other}: {refused}");
        assert!(refused.contains("the same topics"), "{refused}");
    }
    reset(&storage, "killed").unwrap();
    start(&others_topic()).unwrap();
}

fn others_topic() -> String {
    COUNTS.replace("FROM b", "FROM c")
}

#[test]
fn rows_of_other_topics_are_another_query() {
    let storage = two_topics();
    topic(&storage, "c", 1);
    let sql = "INSERT INTO out SELECT level FROM a UNION ALL SELECT level FROM b";
    run(&storage, sql, options(10));
    run(&storage, &format!("{sql} WHERE level <> 'x'"), options(10));
    let other = update(&sql.replace("FROM b", "FROM c"));
    let refused = open_checkpoint(&storage, "killed", &other, &options(10), Sizes::default()).unwrap_err();
    assert!(matches!(refused, StartError::OtherQuery { .. }), "{refused}");
}

#[test]
fn bad_records_of_each_topic_are_sent_on_once() {
    let storage = two_topics();
    send(&storage, "a", 0, &["no JSON of a".to_owned(), level("k")]);
    send(&storage, "b", 1, &["no JSON of b".to_owned()]);
    // The topic `a` is read by two SELECTs, and its record is one.
    let sql = format!("{COUNTS} UNION ALL SELECT level, COUNT(*) FROM a GROUP BY level");
    for kill in 0..12 {
        run_plan(&storage, update(&sql), options(1), Some(kill));
    }
    run(&storage, &sql, options(1));
    let dead = storage.topic("dead").unwrap().partitions.clone();
    let mut letters: Vec<_> = dead.iter().flat_map(|log| records(log).into_iter().zip(headers(log))).collect();
    letters.sort();
    let values: Vec<_> = letters.iter().map(|((_, value), _)| value.clone().unwrap()).collect();
    assert_eq!(values, ["no JSON of a", "no JSON of b"]);
    for ((_, headers), topic) in letters.iter().zip(["a", "b"]) {
        assert!(headers.iter().any(|(_, value)| value == topic), "{headers:?}");
    }
}

#[test]
fn a_query_begins_in_each_topic_where_it_was_told_to() {
    let storage = two_topics();
    send(&storage, "a", 0, &[level("old")]);
    send(&storage, "b", 0, &[level("old")]);
    let from = |from| QueryOptions { from, ..options(10) };
    run(&storage, COUNTS, from(StartFrom::Latest));
    send(&storage, "a", 0, &[level("new")]);
    send(&storage, "b", 1, &[level("new")]);
    run(&storage, COUNTS, from(StartFrom::Latest));
    assert_eq!(rows(&storage, "out"), [r#"{"level":"new","c":2}"#]);
    reset(&storage, "killed").unwrap();
    storage.delete_topic("out").unwrap();
    run(&storage, COUNTS, from(StartFrom::Earliest));
    assert_eq!(rows(&storage, "out"), [r#"{"level":"new","c":2}"#, r#"{"level":"old","c":2}"#]);
}

#[test]
fn one_batch_takes_what_all_topics_have() {
    let storage = two_topics();
    send(&storage, "a", 0, &[level("k"), level("k")]);
    send(&storage, "b", 0, &[level("k"), level("k")]);
    run(&storage, COUNTS, QueryOptions { trigger: Trigger::Once, ..options(1) });
    let out = storage.topic("out").unwrap().partitions.clone();
    let written: Vec<_> = out.iter().flat_map(|log| records(log)).filter_map(|(_, row)| row).collect();
    assert_eq!(written, [r#"{"level":"k","c":4}"#]);
}

/// A topic that is gone ends the query, or is left out until it comes back, and then begins anew.
#[test]
fn a_topic_may_be_lost_and_come_back() {
    let storage = two_topics();
    send(&storage, "a", 0, &[level("k")]);
    send(&storage, "b", 0, &[level("k")]);
    run(&storage, COUNTS, options(10));
    storage.delete_topic("b").unwrap();
    send(&storage, "a", 0, &[level("k")]);
    let executor = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let one = |on_data_loss| {
        let options = QueryOptions { on_data_loss, ..options(10) };
        let console = Box::new(Screen::default());
        let mut query = Query::start(storage.clone(), update(COUNTS), options, console).unwrap();
        executor.block_on(query.wait())
    };
    let lost = one(OnDataLoss::Fail).unwrap_err().to_string();
    assert!(lost.starts_with("topic b was deleted; the query stops"), "{lost}");
    one(OnDataLoss::Continue).unwrap();
    assert_eq!(rows(&storage, "out"), [r#"{"level":"k","c":3}"#]);
    topic(&storage, "b", 1);
    send(&storage, "b", 0, &[level("k"), level("l")]);
    one(OnDataLoss::Continue).unwrap();
    assert_eq!(rows(&storage, "out"), [r#"{"level":"k","c":4}"#, r#"{"level":"l","c":1}"#]);
}

#[tokio::test]
async fn a_running_query_wakes_for_each_topic_and_tells_of_all() {
    let storage = two_topics();
    let options = QueryOptions { name: Some("both".into()), from: StartFrom::Earliest, ..QueryOptions::default() };
    let query = Query::start(storage.clone(), update(COUNTS), options, Box::new(Screen::default())).unwrap();
    let mut progress = query.progress_changed();
    for (sent, (topic, partition)) in (1..).zip([("b", 1), ("a", 0), ("b", 0)]) {
        send(&storage, topic, partition, &[level("k")]);
        progress.wait_for(|progress| progress.records_in == sent).await.unwrap();
    }
    let status = query.status().read();
    let positions: Vec<_> = status.positions.iter().map(|at| (at.topic.as_str(), at.partition, at.next)).collect();
    assert_eq!(positions, [("a", 0, 1), ("b", 0, 1), ("b", 1, 1)]);
    assert_eq!((status.topics, status.positions.len()), (vec!["a".to_owned(), "b".to_owned()], 3));
    query.stop().await.unwrap();
}

/// Each branch's watermark is kept: a topic without news does not hold the others back after a restart.
#[test]
fn a_watermark_of_a_topic_survives_a_restart() {
    let storage = memory();
    fill(&storage, &[(false, 0, 1, 5), (true, 0, 1, 5)]);
    let sql = "INSERT INTO out SELECT window.start, COUNT(*) c FROM (SELECT ts FROM a UNION ALL SELECT ts FROM b)
        GROUP BY window(ts, '10 seconds')";
    let append = plan(sql, OutputMode::Append, false);
    assert!(run_plan(&storage, append.clone(), options(100), None));
    send(&storage, "a", 0, &[r#"{"ts":"2026-01-01T02:00:00Z"}"#]);
    assert!(run_plan(&storage, append.clone(), options(100), None));
    // Of `b` alone: what `a` has reached is known from before.
    send(&storage, "b", 0, &[r#"{"ts":"2026-01-01T01:30:00Z"}"#]);
    assert!(run_plan(&storage, append, options(100), None));
    assert_eq!(rows(&storage, "out").len(), 2);
}

#[test]
fn columns_of_an_inner_query_are_found_whatever_else_it_has() {
    let storage = two_topics();
    send(&storage, "a", 0, &[r#"{"p":"1","q":"2","r":"3"}"#, r#"{"p":"0","q":"5","r":"6"}"#]);
    let table = "CREATE TABLE t (p STRING, q STRING, r STRING) WITH (topic = 'a');";
    let settings = PlanSettings { batch: true, ..PlanSettings::default() };
    let rows = |sql: &str| batch_of(&storage, plan_all(&format!("{table}{sql}"), &settings).unwrap().remove(0));
    assert_eq!(rows("SELECT q, r FROM (SELECT p, q, r FROM t)"), [r#"{"q":"2","r":"3"}"#, r#"{"q":"5","r":"6"}"#]);
    // In the order of a column that is no column of the result, or another one.
    assert_eq!(
        rows("SELECT r, q FROM (SELECT p, q, r FROM t ORDER BY p)"),
        [r#"{"r":"6","q":"5"}"#, r#"{"r":"3","q":"2"}"#]
    );
}
