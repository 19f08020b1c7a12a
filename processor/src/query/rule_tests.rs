//! Where a query starts, and what it does when records are gone: Spark's rules.

use std::sync::Arc;
use std::time::Duration;

use brooklet_model::Offset;
use brooklet_storage::{Engine, Fsync, Storage, StorageConfig};

use super::*;
use crate::options::{OnDataLoss, StartFrom, Trigger};
use crate::testing::{Screen, level, memory, send, topic};

const COUNT: &str = "SELECT level, COUNT(*) AS count FROM logs GROUP BY level";

fn start(storage: &Arc<Storage>, options: QueryOptions) -> Query {
    let plan = crate::plan(COUNT).unwrap();
    Query::start(storage.clone(), plan, options, Box::new(Screen::default())).unwrap()
}

fn available(from: StartFrom, on_data_loss: OnDataLoss) -> QueryOptions {
    QueryOptions { from, on_data_loss, trigger: Trigger::AvailableNow, ..QueryOptions::default() }
}

/// Runs over what is there; how many records were read since the query's first start.
async fn run(storage: &Arc<Storage>, options: QueryOptions) -> Result<u64, QueryError> {
    let mut query = start(storage, options);
    query.wait().await.map(|()| query.progress().records_in)
}

fn data_loss(result: Result<u64, QueryError>) -> String {
    match result {
        Err(QueryError::DataLoss(what)) => what,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_query_starts_at_the_end_or_the_start_and_then_where_it_was() {
    let old = [level("A"), level("A")];
    for (from, before) in [(StartFrom::Latest, 0), (StartFrom::Earliest, 2)] {
        let storage = memory();
        topic(&storage, "logs", 1);
        send(&storage, "logs", 0, &old);
        assert_eq!(run(&storage, available(from, OnDataLoss::Fail)).await.unwrap(), before);
        send(&storage, "logs", 0, &[level("A")]);
        // The checkpoint goes before what the option says.
        for from in [StartFrom::Latest, StartFrom::Earliest] {
            assert_eq!(run(&storage, available(from, OnDataLoss::Fail)).await.unwrap(), before + 1);
        }
    }
}

#[tokio::test]
async fn a_missing_topic_is_made() {
    let storage = memory();
    let query = start(&storage, QueryOptions { partitions: 3, ..QueryOptions::default() });
    assert_eq!(storage.topic("logs").unwrap().partitions.len(), 3);
    query.stop().await.unwrap();
}

#[tokio::test]
async fn a_topic_that_was_made_anew_ends_the_query_or_is_read_from_its_start() {
    let storage = memory();
    topic(&storage, "logs", 1);
    send(&storage, "logs", 0, &[level("A"), level("A")]);
    run(&storage, available(StartFrom::Earliest, OnDataLoss::Fail)).await.unwrap();
    storage.delete_topic("logs").unwrap();
    let gone = data_loss(run(&storage, available(StartFrom::Earliest, OnDataLoss::Fail)).await);
    assert_eq!(gone, "topic logs was deleted");
    topic(&storage, "logs", 1);
    send(&storage, "logs", 0, &[level("B")]);
    let anew = data_loss(run(&storage, available(StartFrom::Earliest, OnDataLoss::Fail)).await);
    assert_eq!(anew, "topic logs was deleted and made anew");
    assert_eq!(run(&storage, available(StartFrom::Earliest, OnDataLoss::Continue)).await.unwrap(), 3);
    assert_eq!(run(&storage, available(StartFrom::Earliest, OnDataLoss::Fail)).await.unwrap(), 3);
}

#[tokio::test]
async fn records_that_were_deleted_unread_end_the_query_or_are_passed_over() {
    let storage = memory();
    topic(&storage, "logs", 1);
    let log = storage.log("logs", 0).unwrap();
    run(&storage, available(StartFrom::Earliest, OnDataLoss::Fail)).await.unwrap();
    send(&storage, "logs", 0, &[level("A"), level("A"), level("A")]);
    log.delete_records_before(Offset(2)).unwrap();
    let lost = data_loss(run(&storage, available(StartFrom::Earliest, OnDataLoss::Fail)).await);
    assert_eq!(lost, "the records 0 to 1 of logs-0 are gone");
    assert_eq!(run(&storage, available(StartFrom::Earliest, OnDataLoss::Continue)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_topic_deleted_under_a_query_ends_it_or_is_waited_for() {
    let storage = memory();
    let mut failing = start(&storage, QueryOptions { name: Some("failing".into()), ..QueryOptions::default() });
    let waiting = QueryOptions { on_data_loss: OnDataLoss::Continue, ..QueryOptions::default() };
    let waiting = start(&storage, waiting);
    waiting.progress_changed().wait_for(|progress| progress.batches == 1).await.unwrap();
    storage.delete_topic("logs").unwrap();
    data_loss(failing.wait().await.map(|()| 0));
    topic(&storage, "logs", 1);
    send(&storage, "logs", 0, &[level("A")]);
    waiting.progress_changed().wait_for(|progress| progress.records_in == 1).await.unwrap();
    waiting.stop().await.unwrap();
}

#[tokio::test]
async fn an_interval_gathers_records_and_misses_none() {
    let storage = memory();
    let trigger = Trigger::Interval(Duration::from_millis(20));
    let query = start(&storage, QueryOptions { trigger, ..QueryOptions::default() });
    for _ in 0..50 {
        send(&storage, "logs", 0, &[level("A")]);
        tokio::task::yield_now().await;
    }
    query.progress_changed().wait_for(|progress| progress.records_in == 50).await.unwrap();
    query.stop().await.unwrap();
}

#[tokio::test]
async fn it_runs_where_only_synced_records_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let config = StorageConfig { engine: Engine::Segments, fsync: Fsync::Always, ..StorageConfig::new(folder.path()) };
    let storage = Storage::open(config).unwrap();
    topic(&storage, "logs", 1);
    for round in 1..4 {
        send(&storage, "logs", 0, &[level("A")]);
        let log = storage.log("logs", 0).unwrap();
        log.durable(log.log_end_offset()).await.unwrap();
        assert_eq!(run(&storage, available(StartFrom::Earliest, OnDataLoss::Fail)).await.unwrap(), round);
    }
}

#[tokio::test]
async fn a_storage_that_is_shut_down_ends_the_query() {
    let storage = memory();
    let mut query = start(&storage, QueryOptions::default());
    query.progress_changed().wait_for(|progress| progress.batches == 1).await.unwrap();
    storage.shutdown().await.unwrap();
    query.wait().await.unwrap_err();
}
