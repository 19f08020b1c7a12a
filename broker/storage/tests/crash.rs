//! A process that writes is killed again and again: what it had acknowledged is there, whole and in order.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::Write;
use std::time::Duration;

use brooklet_model::Offset;
use brooklet_storage::{Engine, Fsync, NewTopic, Storage, StorageConfig};
use common::killed::Place;
use common::{NOW, append, block_on, read_all, sequenced};

fn config(place: &Place) -> StorageConfig {
    let Place { folder, engine, fsync } = place;
    let config = common::config(folder, *engine);
    StorageConfig { fsync: *fsync, checkpoint_interval: Duration::from_millis(3), ..config }
}

/// The value of the record at `offset`: all that is read can be checked. Some are large.
fn value(offset: i64) -> String {
    let repeat = if offset % 50 == 0 { 3000 } else { (offset % 20) as usize };
    format!("{offset}:{}", "v".repeat(repeat * 10))
}

/// The process that is killed: appends, and says what was acknowledged.
#[test]
#[ignore = "run by the tests below"]
fn child() {
    let storage = Storage::open(config(&Place::of_child())).unwrap();
    let log = storage.log("logs", 0).unwrap();
    let table = storage.table(storage.hidden_log("__brooklet_table").unwrap()).unwrap();
    let mut out = std::io::stdout();
    for round in 0.. {
        let next = log.log_end_offset().0;
        let values: Vec<String> = (next..=next + round % 3).map(value).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        // All records of one producer: its sequences are the offsets, and must go on where they ended.
        append(&log, sequenced(1, 0, next as i32, &values));
        out.write_all(format!("log {next} {}\n", values.len()).as_bytes()).unwrap();
        let end = next + values.len() as i64;
        if round % 7 == 0 {
            let entry = (b"end".to_vec(), Some(end.to_string().into_bytes()));
            let appended = table.append(NOW, &[entry]).unwrap();
            block_on(table.log().durable(appended.last_offset.plus(1))).unwrap();
            out.write_all(format!("table {end}\n").as_bytes()).unwrap();
        }
        if round % 101 == 100 {
            log.delete_records_before(Offset(end - 100)).unwrap();
            out.write_all(format!("start {}\n", end - 100).as_bytes()).unwrap();
        }
        out.flush().unwrap();
    }
}

#[derive(Default)]
struct Acknowledged {
    batch: (i64, i64),
    table: i64,
    start: i64,
}

impl Acknowledged {
    /// Takes a line; tells whether it is one of the child's.
    fn take(&mut self, words: &[&str]) -> bool {
        let number = |at: usize| words[at].parse::<i64>().unwrap();
        match words.first() {
            Some(&"log") if words.len() == 3 => self.batch = (number(1), number(2)),
            Some(&"table") if words.len() == 2 => self.table = number(1),
            Some(&"start") if words.len() == 2 => self.start = number(1),
            _ => return false,
        }
        true
    }
}

fn acknowledged_is_kept(engine: Engine, fsync: Fsync) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path(), engine, fsync);
    let storage = Storage::open(config(&place)).unwrap();
    let overrides = [("segment.bytes".to_owned(), "60000".to_owned())].into();
    storage.create_topic(NewTopic { overrides, ..NewTopic::new("logs", 1) }).unwrap();
    drop(storage);
    let mut said = Acknowledged::default();
    for round in 0..10 {
        let lines = 1 + (round * 7919) % 400;
        place.run_and_kill(lines, |words| said.take(words));
        if engine == Engine::Segments && round % 3 == 2 {
            fs::remove_dir_all(folder.path().join("sled")).unwrap();
        }
        let storage = Storage::open(config(&place)).unwrap();
        let log = storage.log("logs", 0).unwrap();
        let (base, count) = said.batch;
        let (start, end) = (log.log_start_offset(), log.high_watermark());
        assert!(end.0 >= base + count, "{base}+{count} was acknowledged, the log ends at {end}");
        assert!(start.0 >= said.start, "{} was deleted, the log starts at {start}", said.start);
        let expected: Vec<(i64, String)> = (start.0..end.0).map(|offset| (offset, value(offset))).collect();
        assert_eq!(read_all(&log, start, 10_000), expected);
        let values: Vec<String> = (base..base + count).map(value).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let again = log.append(sequenced(1, 0, base as i32, &values)).unwrap();
        assert!(again.duplicate && again.base_offset.0 == base);
        let table = storage.table(storage.hidden_log("__brooklet_table").unwrap()).unwrap();
        let mut latest = 0;
        table.for_each(&mut |_, value| latest = std::str::from_utf8(value).unwrap().parse().unwrap()).unwrap();
        assert!(latest >= said.table && latest <= end.0, "{latest}, {} was acknowledged", said.table);
    }
}

#[test]
fn segments_keep_what_was_acknowledged() {
    acknowledged_is_kept(Engine::Segments, Fsync::Interval);
}

#[test]
fn synced_segments_keep_what_was_acknowledged() {
    acknowledged_is_kept(Engine::Segments, Fsync::Always);
}

#[test]
fn sled_keeps_what_was_acknowledged() {
    acknowledged_is_kept(Engine::Sled, Fsync::Interval);
}
