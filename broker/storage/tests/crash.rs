//! A process that writes is killed again and again: what it had acknowledged is there, whole and in order.

#![allow(clippy::unwrap_used)]

mod common;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use brooklet_model::Offset;
use brooklet_storage::{Engine, Fsync, NewTopic, Storage, StorageConfig};
use common::{NOW, append, block_on, read_all, sequenced};

const CHILD: &str = "BROOKLET_STORAGE_CRASH_CHILD";

fn config(folder: &Path, engine: Engine, fsync: Fsync) -> StorageConfig {
    StorageConfig { fsync, checkpoint_interval: Duration::from_millis(3), ..common::config(folder, engine) }
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
    let text = env::var(CHILD).unwrap();
    let [folder, engine, fsync] = text.split('|').collect::<Vec<_>>().try_into().unwrap();
    let storage = Storage::open(config(Path::new(folder), engine.parse().unwrap(), fsync.parse().unwrap())).unwrap();
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

/// Runs a child until it has said `lines` lines; returns the last of what it said.
fn run_and_kill(folder: &Path, engine: Engine, fsync: Fsync, lines: usize, said: &mut Acknowledged) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "child", "--nocapture"])
        .env(CHILD, format!("{}|{engine}|{fsync}", folder.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut count = 0;
    for line in out.lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<i64>().unwrap();
        match words.first() {
            Some(&"log") if words.len() == 3 => said.batch = (number(1), number(2)),
            Some(&"table") if words.len() == 2 => said.table = number(1),
            Some(&"start") if words.len() == 2 => said.start = number(1),
            _ => continue,
        }
        count += 1;
        if count == lines {
            // What stands in the pipe was acknowledged too: the loop goes on to its end.
            child.kill().unwrap();
        }
    }
    assert!(count >= lines, "the child ended by itself: {:?}", child.wait());
    child.wait().unwrap();
}

fn acknowledged_is_kept(engine: Engine, fsync: Fsync) {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(config(folder.path(), engine, fsync)).unwrap();
    let overrides = [("segment.bytes".to_owned(), "60000".to_owned())].into();
    storage.create_topic(NewTopic { overrides, ..NewTopic::new("logs", 1) }).unwrap();
    drop(storage);
    let mut said = Acknowledged::default();
    for round in 0..10 {
        let lines = 1 + (round * 7919) % 400;
        run_and_kill(folder.path(), engine, fsync, lines, &mut said);
        if engine == Engine::Segments && round % 3 == 2 {
            fs::remove_dir_all(folder.path().join("sled")).unwrap();
        }
        let storage = Storage::open(config(folder.path(), engine, fsync)).unwrap();
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
