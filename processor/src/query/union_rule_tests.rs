//! Where a query over several topics begins and goes on, what it may be changed to, and what it tells of each topic.

use std::sync::Arc;

use brooklet_storage::Storage;

use super::kill_tests::{options, run_plan};
use super::union_tests::{batch_of, fill, plan, rows};
use super::*;
use crate::options::{OnDataLoss, StartFrom, Trigger};
use crate::plan::OutputMode;
use crate::sql::{PlanSettings, plan_all};
use crate::testing::{Screen, headers, memory, records, send, topic};

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

/// Two tables of a topic that have a column of two types read it twice; without that column, once.
#[test]
fn a_topic_that_is_read_twice_and_then_once_is_another_query() {
    let storage = two_topics();
    let tables = "CREATE TABLE t (x STRING, level STRING) WITH (topic = 'a'); \
        CREATE TABLE n (x INT, level STRING) WITH (topic = 'a');";
    let sql = |condition: &str| {
        let plan = format!(
            "{tables} INSERT INTO out SELECT level, COUNT(*) c FROM (SELECT level FROM t WHERE x <> 'y' \
             UNION ALL SELECT level FROM n WHERE {condition}) GROUP BY level"
        );
        update(&plan)
    };
    send(&storage, "a", 0, &[r#"{"level":"k","x":"1"}"#, r#"{"level":"k","x":2}"#]);
    assert_eq!(sql("x > 1").source_topics().count(), 2);
    assert!(run_plan(&storage, sql("x > 1"), options(10), None));
    assert_eq!(rows(&storage, "out"), [r#"{"level":"k","c":3}"#]);
    assert!(open_checkpoint(&storage, "killed", &sql("x > 0"), &options(10), Sizes::default()).is_ok());
    let refused =
        open_checkpoint(&storage, "killed", &sql("level <> 'y'"), &options(10), Sizes::default()).unwrap_err();
    assert!(matches!(refused, StartError::OtherQuery { .. }), "{refused}");
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
    for (sent, topic, partition) in [(1, "b", 1), (2, "a", 0), (3, "b", 0)] {
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

/// What is asked of all rows of a UNION ALL inside of another is asked of those of each SELECT: a table, of each its own.
#[test]
fn tables_are_joined_to_groups_and_to_unions_in_unions() {
    let storage = memory();
    let record = |topic: bool, level: u8| (topic, level, 1, 5);
    fill(&storage, &[record(false, 0), record(true, 1), record(true, 1), record(false, 2)]);
    let sql = "INSERT INTO out SELECT name, level FROM (SELECT level FROM a UNION ALL SELECT level FROM b) u
        JOIN names ON names.key = u.level UNION ALL
        SELECT name, CAST(c AS STRING) FROM (SELECT level, COUNT(*) c FROM b GROUP BY level) g
        JOIN names ON names.key = g.level";
    let both = plan(sql, OutputMode::Update, false);
    assert_eq!(both.table_topics().count(), 3);
    for kill in 0..30 {
        run_plan(&storage, both.clone(), options(1), Some(kill));
    }
    assert!(run_plan(&storage, both, options(1), None));
    let row = |name: u8, level: &str| format!("{{\"name\":\"name {name}\",\"level\":\"{level}\"}}");
    let expected =
        [row(0, "level 0"), row(0, "level 2"), row(1, "1"), row(1, "2"), row(1, "level 1"), row(1, "level 1")];
    assert_eq!(rows(&storage, "out"), expected);
}
