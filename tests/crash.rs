//! kill -9 at random points while real producers write: what was acknowledged is there, once, and counts are exact.
//!
//! BROOKLET_CRASH_KILLS (default 20) says how often, BROOKLET_CRASH_SEED where the random points are.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper of a test may fail the test")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use common::client::{self, KeyValue, Producer};
use common::{Brooklet, DEADLINE, command, fixed_address};
use rdkafka::producer::BaseRecord;

const CONSOLE: &str = "SELECT level, COUNT(*) AS count FROM logs GROUP BY level";
const INSERT: &str = "INSERT INTO log_counts SELECT level, COUNT(*) AS count FROM logs GROUP BY level";
const LEVELS: [&str; 4] = ["INFO", "WARN", "ERROR", "DEBUG"];
/// Records sent between two kills.
const ROUND: usize = 400;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn spawn(address: SocketAddr, data: &str, engine: &str, fsync: &str) -> Brooklet {
    let listen = address.to_string();
    let args = ["serve", "--listen", &listen, "--data-dir", data, "--storage", engine, "--fsync", fsync];
    let mut command = command(&[&args[..], &["--query", INSERT, "--query", CONSOLE]].concat());
    Brooklet::from_command(command.stdin(std::process::Stdio::null()))
}

/// Numbers that are random enough, the same for the same seed.
struct Random(u64);

impl Random {
    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    /// Lets any time up to `max` pass. Not to wait for anything: the kill is to come at any point of what goes on.
    fn pause(&mut self, max: Duration) {
        thread::sleep(Duration::from_micros(self.below(max.as_micros() as usize) as u64));
    }
}

fn send_round(producer: &Producer, first: usize, idempotent: bool) {
    for number in first..first + ROUND {
        let level = LEVELS[number % LEVELS.len()];
        let value = format!("{{\"n\": {number}, \"level\": \"{level}\", \"idempotent\": {idempotent}}}");
        let record: BaseRecord<'_, (), str, usize> = BaseRecord::with_opaque_to("logs", number).payload(&value);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
}

/// What became of the records sent so far.
#[derive(Default)]
struct Outcomes {
    known: usize,
    acknowledged: BTreeSet<usize>,
}

impl Outcomes {
    /// Waits until the outcome of so many more records is known.
    fn wait_for(&mut self, records: usize, told: &Receiver<(usize, bool)>) {
        for _ in 0..records {
            let (number, acknowledged) = told.recv_timeout(DEADLINE).unwrap();
            self.known += 1;
            if acknowledged {
                self.acknowledged.insert(number);
            }
        }
    }
}

fn number(record: &KeyValue) -> usize {
    let value: serde_json::Value = serde_json::from_str(record.1.as_ref().unwrap()).unwrap();
    usize::try_from(value["n"].as_u64().unwrap()).unwrap()
}

fn counts(records: &[KeyValue]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for record in records {
        *counts.entry(LEVELS[number(record) % LEVELS.len()].to_owned()).or_default() += 1;
    }
    counts
}

/// Counts as the records of `log_counts`.
fn as_records(counts: &BTreeMap<String, u64>) -> BTreeMap<String, String> {
    let row = |(level, count): (&String, &u64)| {
        (format!("{{\"level\":\"{level}\"}}"), format!("{{\"level\":\"{level}\",\"count\":{count}}}"))
    };
    counts.iter().map(row).collect()
}

/// What the consoles of all lives of the broker show, batch by batch. The last batch before a kill may be cut off, and
/// it may be printed again by the next life: then it is the same.
fn batches<'a>(consoles: impl IntoIterator<Item = &'a str>) -> BTreeMap<u64, String> {
    let mut batches = BTreeMap::new();
    for console in consoles {
        let rule = "-------------------------------------------\n";
        for batch in console.split(&format!("{rule}Batch: ")).filter(|batch| batch.ends_with("+\n\n")) {
            let (number, table) = batch.split_once('\n').unwrap();
            let before = batches.insert(number.parse().unwrap(), table.to_owned());
            assert!(before.is_none_or(|before| before == table), "batch {number} was printed otherwise before");
        }
    }
    batches
}

/// The last count of each level that was printed.
fn printed(batches: &BTreeMap<u64, String>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in batches.values().flat_map(|table| table.lines()) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let [level, count] = cells[..]
            && let Ok(count) = count.parse()
        {
            counts.insert(level.to_owned(), count);
        }
    }
    counts
}

/// Every count of a level follows the one before: none is written twice, none is taken back.
fn assert_counts_only_grow(records: &[KeyValue]) {
    let mut last = BTreeMap::new();
    for (key, value) in records {
        let value: serde_json::Value = serde_json::from_str(value.as_ref().unwrap()).unwrap();
        let count = value["count"].as_u64().unwrap();
        let before = last.insert(key.clone().unwrap(), count).unwrap_or(0);
        assert!(count > before, "{key:?}: {count} after {before}");
    }
}

fn crash(engine: &str, fsync: &str, kills: u64, idempotent: bool) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut random = Random(setting("BROOKLET_CRASH_SEED", 1));
    let address = fixed_address();
    let mut config = client::config(address);
    config
        .set("acks", "all")
        .set("enable.idempotence", idempotent.to_string())
        .set("linger.ms", "1")
        .set("batch.num.messages", "20")
        .set("reconnect.backoff.ms", "5")
        .set("reconnect.backoff.max.ms", "50")
        .set("retry.backoff.ms", "5")
        .set("retry.backoff.max.ms", "50")
        .set("message.timeout.ms", "60000");
    let mut brooklet = spawn(address, data, engine, fsync);
    let (producer, told) = client::producer(&config, ROUND * (kills as usize + 1));
    let (mut sent, mut outcomes) = (0, Outcomes::default());
    let mut consoles = Vec::new();
    for _ in 0..kills {
        send_round(&producer, sent, idempotent);
        sent += ROUND;
        outcomes.wait_for(random.below(sent - outcomes.known), &told);
        random.pause(Duration::from_millis(3));
        consoles.push(brooklet.kill().stdout);
        if random.below(3) == 0 {
            // While it starts, or just after.
            let starting = spawn(address, data, engine, fsync);
            random.pause(Duration::from_millis(60));
            consoles.push(starting.kill().stdout);
        }
        brooklet = spawn(address, data, engine, fsync);
    }
    send_round(&producer, sent, idempotent);
    sent += ROUND;
    outcomes.wait_for(sent - outcomes.known, &told);

    let log = client::read_all(address, "logs");
    let stored: Vec<usize> = log.iter().map(number).collect();
    let once: BTreeSet<usize> = stored.iter().copied().collect();
    let lost: Vec<_> = outcomes.acknowledged.difference(&once).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    if idempotent {
        assert_eq!(outcomes.acknowledged.len(), sent, "all are delivered in the end");
        assert!(stored.iter().copied().eq(0..sent), "each once and in order");
    }
    let counts = counts(&log);
    let counted = client::wait_for_table(address, "log_counts", &as_records(&counts));
    assert_counts_only_grow(&counted);
    let all = |last: &str| batches(consoles.iter().map(String::as_str).chain([last]));
    brooklet.stdout.wait_for("the last count", |console| printed(&all(console)) == counts);
    let output = brooklet.terminate();
    assert_eq!(output.status.code(), Some(0), "{}", output.stderr);
    let batches = all(&output.stdout);
    assert!(batches.keys().copied().eq(0..batches.len() as u64), "no batch is left out");
}

#[test]
fn segments_with_an_idempotent_producer() {
    crash("segments", "interval", setting("BROOKLET_CRASH_KILLS", 20), true);
}

#[test]
fn segments_synced_before_each_acknowledgement() {
    crash("segments", "always", setting("BROOKLET_CRASH_KILLS", 20) / 2, true);
}

#[test]
fn segments_with_a_plain_producer() {
    crash("segments", "interval", setting("BROOKLET_CRASH_KILLS", 20) / 2, false);
}

#[test]
fn sled_with_an_idempotent_producer() {
    crash("sled", "interval", setting("BROOKLET_CRASH_KILLS", 20) / 2, true);
}
