use std::sync::Arc;

use brooklet_storage::Storage;

use super::*;
use crate::options::{StartFrom, Trigger};
use crate::testing::{Screen, level, memory, records, send, topic};

const COUNT: &str = "SELECT level, COUNT(*) AS count FROM logs GROUP BY level";

fn options() -> QueryOptions {
    QueryOptions::default()
}

fn earliest() -> QueryOptions {
    QueryOptions { from: StartFrom::Earliest, ..options() }
}

fn start(storage: &Arc<Storage>, sql: &str, options: QueryOptions) -> (Query, Screen) {
    let screen = Screen::default();
    let query = Query::start(storage.clone(), crate::plan(sql).unwrap(), options, Box::new(screen.clone())).unwrap();
    (query, screen)
}

/// Waits until `records` records are counted.
async fn counted(query: &Query, records: u64) {
    query.progress_changed().wait_for(|progress| progress.batches > 0 && progress.records_in >= records).await.unwrap();
}

#[tokio::test]
async fn new_records_are_counted_and_printed_as_spark_does() {
    let storage = memory();
    send(&storage, &topic(&storage, "logs", 1).name, 0, &[level("OLD")]);
    let (query, screen) = start(&storage, COUNT, options());
    counted(&query, 0).await;
    send(
        &storage,
        "logs",
        0,
        &[level("INFO"), level("ERROR"), level("INFO"), "bad".into(), "{}".into(), level("INFO")],
    );
    counted(&query, 6).await;
    send(&storage, "logs", 0, &[level("INFO")]);
    counted(&query, 7).await;
    assert_eq!(query.progress().bad_records, 1);
    assert_eq!(query.progress().groups, 3);
    query.stop().await.unwrap();
    let line = "-------------------------------------------";
    assert_eq!(
        screen.text(),
        format!(
            "{line}\nBatch: 0\n{line}\n+-----+-----+\n|level|count|\n+-----+-----+\n+-----+-----+\n\n\
             {line}\nBatch: 1\n{line}\n+-----+-----+\n|level|count|\n+-----+-----+\n| INFO|    3|\n|ERROR|    1|\n| null|    2|\n+-----+-----+\n\n\
             {line}\nBatch: 2\n{line}\n+-----+-----+\n|level|count|\n+-----+-----+\n| INFO|    4|\n+-----+-----+\n\n"
        )
    );
}

#[tokio::test]
async fn what_is_sent_when_start_has_returned_is_counted() {
    let storage = memory();
    let (query, _) = start(&storage, COUNT, options());
    send(&storage, "logs", 0, &[level("INFO")]);
    counted(&query, 1).await;
}

#[tokio::test]
async fn insert_writes_the_touched_groups_to_a_compacted_topic() {
    let storage = memory();
    topic(&storage, "logs", 1);
    send(&storage, "logs", 0, &[level("INFO"), "{}".into()]);
    let (query, screen) = start(&storage, &format!("INSERT INTO log_counts {COUNT}"), earliest());
    counted(&query, 2).await;
    send(&storage, "logs", 0, &[level("INFO"), level("INFO")]);
    counted(&query, 4).await;
    query.stop().await.unwrap();
    let output = storage.topic("log_counts").unwrap();
    assert!(output.config.cleanup_policy.compact);
    let pair = |key: &str, value: &str| (Some(key.to_owned()), Some(value.to_owned()));
    assert_eq!(
        records(&output.partitions[0]),
        [
            pair(r#"{"level":"INFO"}"#, r#"{"level":"INFO","count":1}"#),
            pair(r#"{"level":null}"#, r#"{"level":null,"count":1}"#),
            pair(r#"{"level":"INFO"}"#, r#"{"level":"INFO","count":3}"#),
        ]
    );
    assert_eq!(screen.text(), "");
}

#[tokio::test]
async fn available_now_ends_when_all_is_done_and_goes_on_where_it_ended() {
    let storage = memory();
    topic(&storage, "logs", 2);
    let now = || QueryOptions { trigger: Trigger::AvailableNow, batch_records_max: 2, ..earliest() };
    send(&storage, "logs", 0, &[level("A"), level("A"), level("A")]);
    send(&storage, "logs", 1, &[level("A")]);
    let (mut query, _) = start(&storage, COUNT, now());
    query.wait().await.unwrap();
    assert_eq!(query.progress().records_in, 4);
    assert_eq!(query.progress().batches, 2);
    send(&storage, "logs", 1, &[level("A")]);
    let (mut query, screen) = start(&storage, COUNT, now());
    query.wait().await.unwrap();
    query.wait().await.unwrap();
    assert_eq!(query.progress().records_in, 5);
    assert!(screen.text().contains("Batch: 2\n") && screen.text().contains("|    A|    5|"), "{}", screen.text());
}

#[tokio::test]
async fn a_global_count_is_one_row_in_every_batch() {
    let storage = memory();
    topic(&storage, "logs", 1);
    let (query, screen) = start(&storage, "SELECT COUNT(*) FROM logs WHERE level = 'A'", options());
    counted(&query, 0).await;
    send(&storage, "logs", 0, &[level("B")]);
    counted(&query, 1).await;
    send(&storage, "logs", 0, &[level("A"), level("A"), "{}".into()]);
    counted(&query, 4).await;
    query.stop().await.unwrap();
    let counts: Vec<String> = screen.text().lines().filter(|line| line.starts_with("| ")).map(str::to_owned).collect();
    assert_eq!(counts, ["|       0|", "|       0|", "|       2|"]);
}

#[tokio::test]
async fn a_new_partition_is_read_from_its_start() {
    let storage = memory();
    topic(&storage, "logs", 1);
    let (query, _) = start(&storage, COUNT, options());
    counted(&query, 0).await;
    storage.create_partitions("logs", 2).unwrap();
    send(&storage, "logs", 1, &[level("A")]);
    counted(&query, 1).await;
}

#[tokio::test]
async fn names_are_checked_and_taken_once() {
    let storage = memory();
    let named = |name: &str| QueryOptions { name: Some(name.into()), ..options() };
    let again = |sql: &str, options| {
        Query::start(storage.clone(), crate::plan(sql).unwrap(), options, Box::new(Screen::default())).unwrap_err()
    };
    assert!(matches!(again(COUNT, named("a/b")), StartError::Name(_)));
    let (query, _) = start(&storage, COUNT, named("q"));
    assert!(matches!(again(COUNT, named("q")), StartError::Running(_)));
    query.stop().await.unwrap();
    let other = again("SELECT COUNT(*) FROM logs", named("q"));
    assert!(matches!(other, StartError::OtherQuery { .. }), "{other}");
    let (query, _) = start(&storage, COUNT, named("q"));
    query.stop().await.unwrap();
}

#[tokio::test]
async fn a_closed_console_ends_the_query_alone() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let storage = memory();
    let mut query = Query::start(storage, crate::plan(COUNT).unwrap(), options(), Box::new(Closed)).unwrap();
    assert!(matches!(query.wait().await, Err(QueryError::Console(_))));
}

#[tokio::test]
async fn too_large_a_state_ends_the_query_alone() {
    let storage = memory();
    topic(&storage, "logs", 1);
    let levels: Vec<String> = (0..1000).map(|number| level(&number.to_string())).collect();
    send(&storage, "logs", 0, &levels);
    let (mut query, _) = start(&storage, COUNT, QueryOptions { state_bytes_max: 1000, ..earliest() });
    assert!(matches!(query.wait().await, Err(QueryError::StateTooLarge { .. })));
    let (mut query, _) = start(&storage, COUNT, QueryOptions { trigger: Trigger::AvailableNow, ..earliest() });
    query.wait().await.unwrap();
    assert_eq!((query.progress().groups, query.progress().records_in), (1000, 1000));
}

#[tokio::test]
async fn a_batch_that_cannot_be_unfolded_is_bad_and_passed_over() {
    let storage = memory();
    topic(&storage, "logs", 1);
    let long = level(&"x".repeat(5000));
    crate::testing::send_compressed(&storage, "logs", 0, &[&long, &long], brooklet_model::Compression::Zstd);
    crate::testing::send_compressed(&storage, "logs", 0, &[level("A")], brooklet_model::Compression::Gzip);
    let (query, _) = start(&storage, COUNT, QueryOptions { unfolded_bytes_max: 1000, ..earliest() });
    counted(&query, 3).await;
    assert_eq!((query.progress().bad_records, query.progress().groups), (2, 1));
}
