//! A running query prints what Spark printed for the same records, to the byte.

#![allow(clippy::unwrap_used)]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord};
use brooklet_processor::{Query, QueryOptions, StartFrom, plan};
use brooklet_storage::{Engine, NewTopic, Storage, StorageConfig};

#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The records of each micro-batch behind the captured output. A level that is not there has no record of its own:
/// the ways to the null group are a record without the field and one that is not JSON.
fn batches() -> Vec<Vec<String>> {
    let level = |level: &str| format!("{{\"level\": {}, \"message\": \"m\"}}", serde_json::to_string(level).unwrap());
    let levels = |levels: &[&str]| levels.iter().map(|text| level(text)).collect::<Vec<_>>();
    let mut first = levels(&["INFO", "ERROR", "INFO", "INFO"]);
    first.extend(["{\"message\": \"m\"}".to_owned(), "no JSON".to_owned()]);
    let second =
        ["INFO", "123456789012345678901", "12345678901234567890", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "", "a\nb", "日本"];
    let third = (0..25).map(|number| level(&format!("L{number:02}"))).collect();
    vec![first, levels(&second), third, vec![level("INFO"); 123_456]]
}

/// All in one append, so that no micro-batch sees a part of it.
fn send(storage: &Storage, values: &[String]) {
    let mut builder = BatchBuilder::new();
    for value in values {
        builder.push(NewRecord { timestamp: 0, value: Some(value.as_bytes()), ..NewRecord::default() });
    }
    let batch = Batch::parse(&builder.finish(Compression::Zstd).unwrap()).unwrap();
    storage.log("logs", 0).unwrap().append(batch).unwrap();
}

#[tokio::test]
async fn a_query_prints_what_spark_printed() {
    let storage = Storage::open(StorageConfig { engine: Engine::Memory, ..StorageConfig::default() }).unwrap();
    storage.create_topic(NewTopic::new("logs", 1)).unwrap();
    let mut batches = batches().into_iter();
    let mut sent = 0;
    let mut send_next = || {
        let Some(values) = batches.next() else { return false };
        send(&storage, &values);
        sent += values.len() as u64;
        true
    };
    send_next();
    let screen = Screen::default();
    let count = plan("SELECT level, COUNT(*) AS count FROM logs GROUP BY level").unwrap();
    let options = QueryOptions { from: StartFrom::Earliest, ..QueryOptions::default() };
    let query = Query::start(storage.clone(), count, options, Box::new(screen.clone())).unwrap();
    let mut done = 0;
    loop {
        done += 1;
        query.progress_changed().wait_for(|progress| progress.batches == done).await.unwrap();
        if !send_next() {
            break;
        }
    }
    assert_eq!(query.progress().records_in, sent);
    query.stop().await.unwrap();
    let printed = String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
    assert_eq!(printed, include_str!("data/console-update-3.4.4.txt"));
}
