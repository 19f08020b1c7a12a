//! Sinks beside the console and the topic, the extensions of Spark's SQL, and queries over what is there.

use std::path::Path;
use std::sync::Arc;

use brooklet_storage::Storage;

use super::*;
use crate::options::{StartFrom, Trigger};
use crate::plan::OutputMode;
use crate::testing::{Screen, level, memory, send, topic};
use crate::{AdHocQuery, Format, PlanSettings, SourceRecord, plan_all};

fn available() -> QueryOptions {
    QueryOptions { from: StartFrom::Earliest, trigger: Trigger::AvailableNow, ..QueryOptions::default() }
}

async fn run(storage: &Arc<Storage>, sql: &str, mode: OutputMode, sink: Sink) -> String {
    let settings = PlanSettings { mode: Some(mode), sink, ..PlanSettings::default() };
    let plan = plan_all(sql, &settings).unwrap().remove(0);
    let screen = Screen::default();
    let mut query = Query::start(storage.clone(), plan, available(), Box::new(screen.clone())).unwrap();
    query.wait().await.unwrap();
    screen.text()
}

async fn batch(storage: &Storage, sql: &str, format: Format) -> String {
    let settings = PlanSettings { batch: true, ..PlanSettings::default() };
    let plan = plan_all(sql, &settings).unwrap().remove(0);
    let screen = Screen::default();
    let mut query = AdHocQuery::new(plan, &QueryOptions::default(), format, Box::new(screen.clone()));
    query.run_on_storage(storage).await.unwrap();
    screen.text()
}

async fn append_to(storage: &Arc<Storage>, path: &Path) {
    run(storage, "SELECT level FROM logs WHERE level <> 'no'", OutputMode::Append, Sink::File(path.to_owned())).await;
}

#[tokio::test]
async fn a_file_keeps_what_it_had_and_is_written_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows");
    std::fs::write(&path, "before\n").unwrap();
    let storage = memory();
    topic(&storage, "logs", 1);
    send(&storage, "logs", 0, &[level("A"), level("no")]);
    append_to(&storage, &path).await;
    send(&storage, "logs", 0, &[level("B")]);
    append_to(&storage, &path).await;
    let rows = "before\n{\"level\":\"A\"}\n{\"level\":\"B\"}\n";
    assert_eq!(std::fs::read_to_string(&path).unwrap(), rows);
    // What a batch wrote that was never committed is cut off by the next one.
    std::fs::write(&path, format!("{rows}half a r")).unwrap();
    send(&storage, "logs", 0, &[level("C")]);
    append_to(&storage, &path).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{rows}{{\"level\":\"C\"}}\n"));
}

#[tokio::test]
async fn different_values_are_counted_in_a_stream_too() {
    let storage = memory();
    topic(&storage, "logs", 1);
    let pair = |level: &str, host: &str| format!("{{\"level\":\"{level}\",\"host\":{host}}}");
    let records = [pair("A", "\"x\""), pair("A", "\"x\""), pair("A", "\"y\""), pair("B", "\"x\""), pair("B", "null")];
    send(&storage, "logs", 0, &records);
    let sql = "SELECT COUNT(DISTINCT level) levels, COUNT(DISTINCT level, host) pairs FROM logs";
    let rows = run(&storage, sql, OutputMode::Update, Sink::Json).await;
    assert_eq!(rows, "{\"levels\":2,\"pairs\":3}\n");
    send(&storage, "logs", 0, &[pair("C", "\"x\""), pair("A", "\"y\"")]);
    let rows = run(&storage, sql, OutputMode::Update, Sink::Json).await;
    assert_eq!(rows, "{\"levels\":3,\"pairs\":4}\n");
}

#[tokio::test]
async fn a_batch_reads_all_there_is_in_every_format() {
    let storage = memory();
    topic(&storage, "logs", 2);
    send(&storage, "logs", 0, &[level("A"), level("a, \"b\""), "no JSON".to_owned()]);
    send(&storage, "logs", 1, &[level("A")]);
    let sql = "SELECT level, COUNT(*) AS n FROM logs GROUP BY level ORDER BY n DESC, level";
    assert_eq!(
        batch(&storage, sql, Format::Table).await,
        "+------+---+\n| level|  n|\n+------+---+\n|     A|  2|\n|  null|  1|\n|a, \"b\"|  1|\n+------+---+\n"
    );
    assert_eq!(batch(&storage, sql, Format::Csv).await, "level,n\nA,2\n,1\n\"a, \"\"b\"\"\",1\n");
    assert_eq!(batch(&storage, "SELECT level FROM logs LIMIT 1", Format::Json).await, "{\"level\":\"A\"}\n");
    let error = {
        let plan = plan_all("SELECT a FROM nothing", &PlanSettings { batch: true, ..PlanSettings::default() });
        let out = Box::new(Screen::default());
        let mut query = AdHocQuery::new(plan.unwrap().remove(0), &QueryOptions::default(), Format::Json, out);
        query.run_on_storage(&storage).await.unwrap_err()
    };
    assert_eq!(error.to_string(), "there is no topic nothing");
}

#[tokio::test]
async fn records_of_any_broker_have_kafkas_columns() {
    let sql = "SELECT CAST(kafka.key AS STRING) k, kafka.partition p, kafka.offset o, kafka.timestamp t,
               kafka.timestampType y, kafka.headers[0].key h FROM logs";
    let plan = plan_all(sql, &PlanSettings { batch: true, ..PlanSettings::default() }).unwrap().remove(0);
    let screen = Screen::default();
    let mut query = AdHocQuery::new(plan, &QueryOptions::default(), Format::Json, Box::new(screen.clone()));
    let headers: [(&[u8], Option<&[u8]>); 1] = [(b"trace", None)];
    let record = SourceRecord {
        partition: 3,
        offset: 70,
        timestamp: 1_000,
        is_append_time: true,
        key: Some(b"K"),
        value: Some(b"{}"),
        headers: &headers,
    };
    query.run_batch(|feed| feed.take(&record)).await.unwrap();
    let wanted = r#"{"k":"K","p":3,"o":70,"t":"1970-01-01T00:00:01.000Z","y":1,"h":"trace"}"#;
    assert_eq!(screen.text(), format!("{wanted}\n"));
}

#[tokio::test]
async fn a_query_that_is_reset_starts_anew() {
    let storage = memory();
    topic(&storage, "logs", 1);
    send(&storage, "logs", 0, &[level("A")]);
    let sql = "SELECT level, COUNT(*) n FROM logs GROUP BY level";
    let counted = "{\"level\":\"A\",\"n\":1}\n";
    assert_eq!(run(&storage, sql, OutputMode::Update, Sink::Json).await, counted);
    assert_eq!(run(&storage, sql, OutputMode::Update, Sink::Json).await, "");
    let settings = PlanSettings { sink: Sink::Json, ..PlanSettings::default() };
    let name = plan_all(sql, &settings).unwrap().remove(0).derived_name();
    assert!(reset(&storage, &name).unwrap());
    assert!(!reset(&storage, &name).unwrap());
    assert_eq!(run(&storage, sql, OutputMode::Update, Sink::Json).await, counted);
}
