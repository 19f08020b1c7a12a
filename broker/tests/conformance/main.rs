//! Scripted exchanges, answered as Apache Kafka 4.2 answered them: tests/conformance/README.md.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where its set-up fails")]

mod batches;
mod codec;
mod compare;
mod differential;
mod normal;
mod play;
mod schema;
mod script;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::{env, fs, thread};

use brooklet_broker::{Broker, BrokerConfig, LogLevel, RootLogger};
use brooklet_storage::{Fsync, Storage, StorageConfig};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use compare::{Difference, Intended, compare};
use play::{Exchange, Player};
use script::{Subject, corpus, folder};

/// What a subject came to.
struct Outcome {
    subject: String,
    exchanges: usize,
    intended: usize,
    differences: Vec<Difference>,
    /// Intended differences that were seen: place in the list, and path.
    seen: BTreeSet<(usize, String)>,
}

/// Plays the corpus against brooklet and holds it to the recording. With `CONFORMANCE_KAFKA=HOST:PORT` it records
/// what is there instead, one subject at a time (`CONFORMANCE_ONLY`): what tests/conformance/record does; with
/// `CONFORMANCE_RANDOM=SEED:ROUNDS` as well it asks both brokers random things (`record --random`).
#[test]
fn the_corpus_is_answered_as_kafka_answers_it() {
    let subjects = corpus();
    if let Ok(addr) = env::var("CONFORMANCE_KAFKA") {
        if let Ok(random) = env::var("CONFORMANCE_RANDOM") {
            let (seed, rounds) = random.split_once(':').unwrap();
            let found = differential::run(addr.parse().unwrap(), seed.parse().unwrap(), rounds.parse().unwrap());
            assert_eq!(found, 0, "differences");
            return;
        }
        for subject in &subjects {
            write_recording(&subject.name, &play(subject, addr.parse().unwrap(), true));
        }
        return;
    }
    let (intended, outcomes) = (Intended::list(), Mutex::new(Vec::new()));
    let waiting = Mutex::new(subjects.iter());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(subject) = waiting.lock().unwrap().next() else { return };
                    let outcome = replay(subject, &intended);
                    outcomes.lock().unwrap().push(outcome);
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap();
    outcomes.sort_by(|one, other| one.subject.cmp(&other.subject));
    let mut wrong = report(&outcomes);
    let played = |name: &String| outcomes.iter().any(|outcome| outcome.subject == *name);
    for (index, intended) in intended.iter().enumerate().filter(|(_, intended)| played(&intended.subject)) {
        for path in &intended.paths {
            if !outcomes.iter().any(|outcome| outcome.seen.contains(&(index, path.clone()))) {
                writeln!(wrong, "{}: the intended difference at {path} is gone: {}", intended.subject, intended.why)
                    .unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn replay(subject: &Subject, intended: &[Intended]) -> Outcome {
    let exchanges = on_brooklet(|addr| play(subject, addr, false));
    let differences = compare(&read_recording(&subject.name), &exchanges);
    let mut seen = BTreeSet::new();
    let mut is_intended = |difference: &Difference| {
        let covering =
            |(index, each): (usize, &Intended)| Some((index, each.covering(&subject.name, difference)?.to_owned()));
        let covering: Vec<_> = intended.iter().enumerate().filter_map(covering).collect();
        let any = !covering.is_empty();
        seen.extend(covering);
        any
    };
    let (meant, differences): (Vec<_>, Vec<_>) = differences.into_iter().partition(&mut is_intended);
    let (subject, exchanges, intended) = (subject.name.clone(), exchanges.len(), meant.len());
    Outcome { subject, exchanges, intended, differences, seen }
}

/// Prints the table; what is wrong comes back.
fn report(outcomes: &[Outcome]) -> String {
    let mut wrong = String::new();
    println!("{:<28} {:>9} {:>9} {:>9}", "subject", "exchanges", "intended", "different");
    let mut total = (0, 0, 0);
    for Outcome { subject, exchanges, intended, differences, .. } in outcomes {
        println!("{subject:<28} {exchanges:>9} {intended:>9} {:>9}", differences.len());
        total = (total.0 + exchanges, total.1 + intended, total.2 + differences.len());
        // The same difference in several exchanges is told once.
        let mut same = BTreeMap::<_, Vec<_>>::new();
        for Difference { script, label, path, kafka, brooklet } in differences {
            same.entry((path, kafka.to_string(), brooklet.to_string())).or_default().push((script, label));
        }
        for ((path, kafka, brooklet), at) in same {
            let more = if at.len() > 1 { format!(" and {} more", at.len() - 1) } else { String::new() };
            writeln!(
                wrong,
                "{subject}, {}, {}{more}: {path}\n    kafka {kafka}\n    here  {brooklet}",
                at[0].0, at[0].1
            )
            .unwrap();
        }
    }
    println!("{:<28} {:>9} {:>9} {:>9}", "all", total.0, total.1, total.2);
    wrong
}

fn play(subject: &Subject, addr: SocketAddr, recording: bool) -> Vec<Exchange> {
    let (apis, unordered) = (schema::apis(), normal::unordered());
    Player { apis: &apis, unordered: &unordered, addr, recording }.play(subject)
}

/// A broker with an empty data folder while `play` runs.
fn on_brooklet<T>(play: impl FnOnce(SocketAddr) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config = StorageConfig { fsync: Fsync::Never, ..StorageConfig::new(folder.path()) };
    let storage = Storage::open(config).unwrap();
    let config = BrokerConfig { listen: "127.0.0.1:0".to_owned(), ..BrokerConfig::default() };
    let broker = runtime.block_on(Broker::bind(config, storage.clone())).unwrap();
    broker.log_by(Box::new(Logger(Mutex::new(LogLevel::Error))));
    let (addr, shutdown) = (broker.local_addr(), CancellationToken::new());
    let served = runtime.spawn(broker.serve(shutdown.clone()));
    let played = play(addr);
    shutdown.cancel();
    runtime.block_on(async {
        served.await.unwrap();
        storage.shutdown().await.unwrap();
    });
    played
}

/// Logs nothing, at any level.
struct Logger(Mutex<LogLevel>);

impl RootLogger for Logger {
    fn level(&self) -> LogLevel {
        *self.0.lock().unwrap()
    }

    fn set_level(&self, level: LogLevel) {
        *self.0.lock().unwrap() = level;
    }
}

fn recording(subject: &str) -> PathBuf {
    folder().join("recorded").join(format!("{subject}.json"))
}

/// A line for each exchange: script, label, answer.
fn write_recording(subject: &str, exchanges: &[Exchange]) {
    let line = |it: &Exchange| serde_json::to_string(&(&it.script, &it.label, &it.answer)).unwrap();
    let lines: Vec<_> = exchanges.iter().map(line).collect();
    fs::write(recording(subject), format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
}

fn read_recording(subject: &str) -> Vec<Exchange> {
    let text = fs::read_to_string(recording(subject)).unwrap_or_else(|error| panic!("{subject}: {error}"));
    let lines: Vec<(String, String, Value)> = serde_json::from_str(&text).unwrap();
    lines.into_iter().map(|(script, label, answer)| Exchange { script, label, answer }).collect()
}
