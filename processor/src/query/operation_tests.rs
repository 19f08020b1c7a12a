//! What a query is to those who run it: bad records and where they go, status, restarts, changes.

use std::sync::Arc;
use std::time::Duration;

use brooklet_storage::Storage;

use super::*;
use crate::bad::BadReason;
use crate::options::{StartFrom, Trigger};
use crate::restart::Backoff;
use crate::status::Phase;
use crate::testing::{Screen, headers, level, memory, records, send, topic};
use crate::{PlanSettings, plan_all};

const COUNT: &str = "SELECT level, COUNT(*) AS n FROM logs GROUP BY level";

fn named(trigger: Trigger) -> QueryOptions {
    QueryOptions { name: Some("q".into()), from: StartFrom::Earliest, trigger, ..QueryOptions::default() }
}

fn plan_json(sql: &str) -> Plan {
    plan_all(sql, &PlanSettings { sink: Sink::Json, ..PlanSettings::default() }).unwrap().remove(0)
}

async fn run(storage: &Arc<Storage>, sql: &str, options: QueryOptions) -> Result<(String, Query), StartError> {
    let screen = Screen::default();
    let mut query = Query::start(storage.clone(), plan_json(sql), options, Box::new(screen.clone()))?;
    query.wait().await.unwrap();
    Ok((screen.text(), query))
}

async fn available(storage: &Arc<Storage>, sql: &str) -> String {
    run(storage, sql, named(Trigger::AvailableNow)).await.unwrap().0
}

#[tokio::test]
async fn bad_records_are_sent_on_with_where_they_came_from() {
    let storage = memory();
    topic(&storage, "logs", 2);
    send(&storage, "logs", 0, &[level("A"), "no JSON".to_owned()]);
    send(&storage, "logs", 1, &["[1, 2]".to_owned(), level("B"), "x".repeat(300)]);
    let options = QueryOptions { dead_letters: Some("dead".into()), ..named(Trigger::AvailableNow) };
    let (_, query) = run(&storage, COUNT, options).await.unwrap();
    let dead = storage.topic("dead").unwrap();
    let values: Vec<_> = records(&dead.partitions[0]).into_iter().map(|(_, value)| value.unwrap()).collect();
    assert_eq!(values, ["no JSON", "[1, 2]", &"x".repeat(300)]);
    let told = headers(&dead.partitions[0]);
    let first: Vec<_> = told[0].iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        first[..6],
        [
            ("__brooklet.errors.query", "q"),
            ("__brooklet.errors.topic", "logs"),
            ("__brooklet.errors.partition", "0"),
            ("__brooklet.errors.offset", "1"),
            ("__brooklet.errors.reason", "not-a-json-object"),
            ("__brooklet.errors.message", "it is not a JSON object"),
        ]
    );
    assert_eq!(first[6].0, "__brooklet.errors.time");
    assert!(first[6].1.parse::<i64>().unwrap() > 1_700_000_000_000);

    let status = query.status().read();
    assert_eq!((status.bad.of(BadReason::NotAnObject), status.bad.total()), (3, 3));
    let last = status.last_bad.last().unwrap();
    assert_eq!((last.partition, last.offset.0, last.value.as_ref().unwrap().len()), (1, 2, 200));
}

#[tokio::test]
async fn letters_that_the_topic_cannot_take_go_without_their_value() {
    let storage = memory();
    topic(&storage, "logs", 1);
    let mut dead = brooklet_storage::NewTopic::new("dead", 1);
    dead.overrides.insert("max.message.bytes".into(), "8000".into());
    storage.create_topic(dead).unwrap();
    send(&storage, "logs", 0, &["x".repeat(9000), "short".to_owned()]);
    let options = QueryOptions { dead_letters: Some("dead".into()), ..named(Trigger::AvailableNow) };
    run(&storage, COUNT, options).await.unwrap();
    let log = &storage.topic("dead").unwrap().partitions[0];
    assert_eq!(records(log), [(None, None), (None, Some("short".to_owned()))]);
    assert!(headers(log)[0].contains(&("__brooklet.errors.value.dropped".to_owned(), "true".to_owned())));
}

#[tokio::test]
async fn dead_letters_need_a_topic_of_their_own() {
    for letters in ["logs", "counts"] {
        let options = QueryOptions { dead_letters: Some(letters.into()), ..named(Trigger::Asap) };
        let plan = crate::plan(&format!("INSERT INTO counts {COUNT}")).unwrap();
        let refused = Query::start(memory(), plan, options, Box::new(Screen::default())).unwrap_err();
        assert!(matches!(refused, StartError::DeadLetters(_)), "{refused}");
    }
}

#[tokio::test]
async fn dead_letters_go_on_where_they_were_left_off() {
    let storage = memory();
    topic(&storage, "logs", 1);
    let with = || QueryOptions { dead_letters: Some("dead".into()), ..named(Trigger::AvailableNow) };
    for (text, options) in [("one", with()), ("two", named(Trigger::AvailableNow)), ("three", with())] {
        send(&storage, "logs", 0, &[text]);
        run(&storage, COUNT, options).await.unwrap();
    }
    let values = records(&storage.topic("dead").unwrap().partitions[0]);
    assert_eq!(values.iter().map(|(_, value)| value.as_deref().unwrap()).collect::<Vec<_>>(), ["one", "three"]);
}

#[tokio::test]
async fn once_is_one_batch_over_all_there_is() {
    let storage = memory();
    topic(&storage, "logs", 1);
    send(&storage, "logs", 0, &[level("A"), level("B"), level("A")]);
    let options = || QueryOptions { batch_records_max: 2, ..named(Trigger::Once) };
    let (text, query) = run(&storage, COUNT, options()).await.unwrap();
    assert_eq!(text, "{\"level\":\"B\",\"n\":1}\n{\"level\":\"A\",\"n\":2}\n");
    assert_eq!((query.progress().batches, query.status().read().phase), (1, Phase::Ended));
    assert_eq!(run(&storage, COUNT, options()).await.unwrap().0, "");
}

#[tokio::test]
async fn a_changed_query_goes_on_with_its_state_where_it_can() {
    let storage = memory();
    topic(&storage, "logs", 1);
    send(&storage, "logs", 0, &[level("A"), level("B"), level("A")]);
    available(&storage, COUNT).await;
    send(&storage, "logs", 0, &[level("A"), level("B"), level("A")]);
    // Another WHERE, another name, a HAVING, another place for the rows.
    let changed = "SELECT level AS l, COUNT(*) * 10 AS tens FROM logs WHERE level = 'A' GROUP BY level";
    assert_eq!(available(&storage, changed).await, "{\"l\":\"A\",\"tens\":40}\n");
    assert_eq!(available(&storage, changed).await, "");
    send(&storage, "logs", 0, &[level("B"), level("A")]);
    let plan = crate::plan(&format!("INSERT INTO counts {COUNT}")).unwrap();
    let mut query =
        Query::start(storage.clone(), plan, named(Trigger::AvailableNow), Box::new(Screen::default())).unwrap();
    query.wait().await.unwrap();
    let rows = records(&storage.topic("counts").unwrap().partitions[0]);
    let rows: Vec<_> = rows.iter().map(|(_, value)| value.as_deref().unwrap()).collect();
    assert_eq!(rows, ["{\"level\":\"B\",\"n\":2}", "{\"level\":\"A\",\"n\":5}"]);
    for other in [
        "SELECT level, COUNT(level) AS n FROM logs GROUP BY level",
        "SELECT level, COUNT(*) AS n FROM others GROUP BY level",
        "SELECT level, host, COUNT(*) AS n FROM logs GROUP BY level, host",
        "CREATE TABLE logs (level BIGINT); SELECT level, COUNT(*) AS n FROM logs GROUP BY level",
        "SELECT level FROM logs",
    ] {
        let refused = run(&storage, other, named(Trigger::AvailableNow)).await.unwrap_err();
        assert!(matches!(refused, StartError::OtherQuery { .. }), "{other}: {refused}");
    }
}

#[tokio::test]
async fn windows_of_other_sizes_are_another_state() {
    let storage = memory();
    topic(&storage, "logs", 1);
    let windows = |size: &str| {
        format!(
            "CREATE TABLE logs (ts TIMESTAMP) WITH (watermark = 'ts 3 seconds');
             SELECT COUNT(*) n FROM logs GROUP BY window(ts, '{size}')"
        )
    };
    available(&storage, &windows("10 seconds")).await;
    available(&storage, &windows("10 seconds").replace("3 seconds", "5 seconds")).await;
    let refused = run(&storage, &windows("20 seconds"), named(Trigger::AvailableNow)).await.unwrap_err();
    assert!(matches!(refused, StartError::OtherQuery { .. }), "{refused}");
}

/// A batch that was planned and not committed before the change: what it wrote belongs to the query as it was.
#[test]
fn a_query_that_is_changed_within_a_batch_writes_that_batch_itself() {
    let insert = |what: &str| crate::plan(&format!("INSERT INTO counts SELECT level, {what} FROM logs GROUP BY level"));
    for kill in 0..12 {
        let storage = memory();
        topic(&storage, "logs", 1);
        send(&storage, "logs", 0, &[level("A"), level("B"), level("A")]);
        let options = QueryOptions { name: Some("killed".into()), ..named(Trigger::AvailableNow) };
        kill_tests::run_plan(&storage, insert("COUNT(*) AS n").unwrap(), options.clone(), Some(kill));
        send(&storage, "logs", 0, &[level("A"), level("B")]);
        let changed = insert("COUNT(*) * 10 AS n").unwrap();
        assert!(kill_tests::run_plan(&storage, changed, options, None));
        let rows = records(&storage.topic("counts").unwrap().partitions[0]);
        let last = |name: &str| rows.iter().rfind(|(key, _)| key.as_ref().unwrap().contains(name)).unwrap().1.clone();
        assert_eq!(last("A").unwrap(), "{\"level\":\"A\",\"n\":30}", "killed after {kill} steps");
        assert_eq!(last("B").unwrap(), "{\"level\":\"B\",\"n\":20}", "killed after {kill} steps");
    }
}

#[tokio::test]
async fn a_query_that_fails_is_started_again_until_it_works() {
    let storage = memory();
    topic(&storage, "logs", 1);
    send(&storage, "logs", 0, &[level("A")]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("rows");
    let settings = PlanSettings {
        mode: Some(crate::OutputMode::Append),
        sink: Sink::File(path.clone()),
        ..PlanSettings::default()
    };
    let plan = plan_all("SELECT level FROM logs", &settings).unwrap().remove(0);
    let backoff = Some(Backoff { first: Duration::from_millis(1), max: Duration::from_millis(20) });
    let options = QueryOptions { backoff, ..named(Trigger::Asap) };
    let query = Query::start(storage.clone(), plan, options, Box::new(Screen::default())).unwrap();
    let reader = query.status();
    // Nothing tells of a failure but the status.
    while reader.read().restarts < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let failure = reader.read().last_error.unwrap();
    assert!(failure.error.contains("rows cannot be written"), "{}", failure.error);
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    query.progress_changed().wait_for(|progress| progress.records_in == 1).await.unwrap();
    let status = reader.read();
    assert_eq!((status.phase, status.batches, status.rows_out), (Phase::Running, 1, 1));
    assert!(status.last_error.is_some());
    query.stop().await.unwrap();
    assert_eq!(reader.read().phase, Phase::Ended);
    assert_eq!(std::fs::read_to_string(path).unwrap(), "{\"level\":\"A\"}\n");
}

#[tokio::test]
async fn a_query_waiting_to_be_started_again_can_be_stopped() {
    let storage = memory();
    topic(&storage, "logs", 1);
    let settings = PlanSettings {
        mode: Some(crate::OutputMode::Append),
        sink: Sink::File("/nowhere/at/all".into()),
        ..PlanSettings::default()
    };
    let plan = plan_all("SELECT level FROM logs", &settings).unwrap().remove(0);
    let backoff = Some(Backoff { first: Duration::from_secs(3600), max: Duration::from_secs(3600) });
    let options = QueryOptions { backoff, ..named(Trigger::Asap) };
    let query = Query::start(storage, plan, options, Box::new(Screen::default())).unwrap();
    while query.status().read().phase != Phase::Waiting {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    query.stop().await.unwrap();
}

#[tokio::test]
async fn the_status_tells_what_is_left_to_read() {
    let storage = memory();
    topic(&storage, "logs", 2);
    let sql = "CREATE TABLE logs (level STRING, ts TIMESTAMP) WITH (watermark = 'ts 1 second');
               SELECT level, COUNT(*) n FROM logs GROUP BY level";
    let at = |second: u8| format!("{{\"level\":\"A\",\"ts\":\"1970-01-01T00:00:{second:02}Z\"}}");
    send(&storage, "logs", 0, &[at(5), at(7)]);
    let (_, query) = run(&storage, sql, named(Trigger::AvailableNow)).await.unwrap();
    send(&storage, "logs", 1, &[at(8), at(8), at(8)]);
    let status = query.status().read();
    let positions: Vec<_> =
        status.positions.iter().map(|at| (at.topic.as_str(), at.partition, at.next, at.end)).collect();
    assert_eq!(positions, [("logs", 0, 2, 2), ("logs", 1, 0, 3)]);
    assert_eq!((status.lag_records(), status.records_in, status.rows_out), (3, 2, 1));
    assert_eq!((status.watermark, status.groups), (Some(6_000_000), 1));
    // The test's records are of 1970.
    assert!(status.lag.unwrap() > Duration::from_secs(1_000_000_000));
    assert!(status.batch_last.unwrap() <= status.batch_max.unwrap());
}
