//! A query that is killed at any step and started again leaves what one that was never killed leaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_storage::Storage;
use proptest::prelude::*;

use super::*;
use crate::options::{StartFrom, Trigger};
use crate::testing::{Pair, Screen, level, memory, records, segments, send, topic};

const INSERT: &str =
    "INSERT INTO counts SELECT level, COUNT(*) AS count FROM logs WHERE level <> 'no' OR level IS NULL GROUP BY level";

/// A level, or a record that is not JSON.
type Input = Vec<(i32, Option<u8>)>;

/// Small, so that a few rows take several records and batches, and snapshots come often.
const TINY: Sizes = Sizes { record_bytes: 12, batch_bytes: 60, snapshot_bytes_min: 150 };

pub(super) fn options(batch_records_max: u64) -> QueryOptions {
    QueryOptions {
        name: Some("killed".into()),
        from: StartFrom::Earliest,
        trigger: Trigger::AvailableNow,
        batch_records_max,
        partitions: 2,
        dead_letters: Some("dead".into()),
        ..QueryOptions::default()
    }
}

fn run_once(storage: &Arc<Storage>, options: QueryOptions, kill: Option<usize>) -> bool {
    run_plan(storage, crate::plan(INSERT).unwrap(), options, kill)
}

/// Runs over what is there. `kill` is after how many steps the process ends; true if that did not come.
pub(super) fn run_plan(storage: &Arc<Storage>, plan: Plan, options: QueryOptions, kill: Option<usize>) -> bool {
    let log = open_checkpoint(storage, "killed", &plan, &options, TINY).unwrap();
    let mut left = kill;
    let gate = Gate::new(move |_| match &mut left {
        None => true,
        Some(steps) => steps.checked_sub(1).map(|rest| *steps = rest).is_some(),
    });
    let tell = Tell { progress: watch::channel(Progress::default()).0, status: StatusBoard::default() };
    let (_stop, stopped) = watch::channel(false);
    let console = Box::new(Screen::default());
    let name = "killed".to_owned();
    let parts = Parts { storage: storage.clone(), name, plan, options, sizes: TINY, log, console, gate, tell };
    let executor = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    match executor.block_on(async { Runtime::open(parts).await?.run(stopped).await }) {
        Ok(()) => true,
        Err(QueryError::Stopped(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

fn fill(storage: &Storage, input: &Input) {
    topic(storage, "logs", 2);
    for (number, (partition, name)) in input.iter().enumerate() {
        let record = name.map_or(format!("not JSON {number}"), |name| match name {
            0 => level("no"),
            name => level(&format!("level {name}")),
        });
        send(storage, "logs", *partition, &[record]);
    }
}

fn output(storage: &Storage) -> Vec<Vec<Pair>> {
    all(storage, "counts")
}

fn all(storage: &Storage, topic: &str) -> Vec<Vec<Pair>> {
    storage.topic(topic).unwrap().partitions.iter().map(|log| records(log)).collect()
}

/// The values that are no JSON, in the order of their partition.
fn letters(input: &Input) -> Vec<Vec<Pair>> {
    let of = |wanted: i32| {
        let bad = input.iter().enumerate().filter(|(_, (partition, name))| *partition == wanted && name.is_none());
        bad.map(|(number, _)| (None, Some(format!("not JSON {number}")))).collect()
    };
    vec![of(0), of(1)]
}

/// The last value of each key.
fn last(output: &[Vec<Pair>]) -> BTreeMap<String, String> {
    output.iter().flatten().map(|(key, value)| (key.clone().unwrap(), value.clone().unwrap())).collect()
}

fn expected(input: &Input) -> BTreeMap<String, String> {
    let mut counts = BTreeMap::new();
    for (_, name) in input.iter().filter(|(_, name)| *name != Some(0)) {
        let name = name.map_or("null".to_owned(), |name| format!("\"level {name}\""));
        *counts.entry(name).or_insert(0) += 1;
    }
    counts
        .into_iter()
        .map(|(name, count)| (format!("{{\"level\":{name}}}"), format!("{{\"level\":{name},\"count\":{count}}}")))
        .collect()
}

fn input() -> impl Strategy<Value = Input> {
    prop::collection::vec((0..2, prop::option::weighted(0.9, 0u8..30)), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn kills_leave_the_output_of_an_undisturbed_run(input in input(), max in 1u64..60, kills in prop::collection::vec(0usize..60, 1..12)) {
        let calm = memory();
        fill(&calm, &input);
        prop_assert!(run_once(&calm, options(max), None));

        let killed = memory();
        fill(&killed, &input);
        for kill in kills {
            run_once(&killed, options(max), Some(kill));
        }
        prop_assert!(run_once(&killed, options(max), None));
        prop_assert_eq!(output(&killed), output(&calm));
        prop_assert_eq!(last(&output(&killed)), expected(&input));
        prop_assert_eq!(all(&killed, "dead"), letters(&input));
    }

    #[test]
    fn any_split_into_batches_gives_the_same_counts(input in input(), splits in prop::collection::vec((1u64..30, prop::option::of(0usize..60)), 1..8)) {
        let storage = memory();
        fill(&storage, &Vec::new());
        let parts = input.chunks(input.len().div_ceil(splits.len()));
        for (part, (max, kill)) in parts.zip(splits.iter().cycle()) {
            for (partition, name) in part {
                let record = name.map_or("[]".to_owned(), |name| if name == 0 { level("no") } else { level(&format!("level {name}")) });
                send(&storage, "logs", *partition, &[record]);
            }
            run_once(&storage, options(*max), *kill);
        }
        prop_assert!(run_once(&storage, options(1000), None));
        prop_assert_eq!(last(&output(&storage)), expected(&input));
        for log in output(&storage) {
            // Each row of a group counts more than the one before: none is there twice.
            let count = |value: &str| value.rsplit(':').next().unwrap().trim_end_matches('}').parse::<u64>().unwrap();
            let mut seen: BTreeMap<String, u64> = BTreeMap::new();
            for (key, value) in log {
                let now = count(&value.unwrap());
                prop_assert!(seen.insert(key.unwrap(), now) < Some(now));
            }
        }
    }
}

#[test]
fn an_output_topic_that_was_deleted_is_made_anew_and_written_on() {
    let input: Input = vec![(0, Some(1)), (0, Some(2)), (0, Some(1))];
    // Killed when the first batch is planned, and when it is done.
    for kill in [0, 1000] {
        let storage = memory();
        fill(&storage, &input);
        run_once(&storage, options(2), Some(kill));
        storage.delete_topic("counts").unwrap();
        send(&storage, "logs", 0, &[level("level 1")]);
        assert!(run_once(&storage, options(2), None));
        let key = |name: u8| format!("{{\"level\":\"level {name}\"}}");
        let row = |name: u8, count: u8| format!("{{\"level\":\"level {name}\",\"count\":{count}}}");
        let counts = last(&output(&storage));
        assert_eq!(counts.get(&key(1)), Some(&row(1, 3)));
        assert_eq!(counts.get(&key(2)), (kill == 0).then(|| row(2, 1)).as_ref());
    }
}

/// At every single step of a run, on files, with the storage opened anew each time.
#[test]
fn a_kill_at_any_step_is_made_good_on_files() {
    let input: Input = (0..60).map(|number| (number % 2, (number % 7 != 3).then_some((number % 20) as u8))).collect();
    let calm = memory();
    fill(&calm, &input);
    assert!(run_once(&calm, options(25), None));
    let wanted = output(&calm);
    let mut done = false;
    for kill in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let storage = segments(folder.path());
        fill(&storage, &input);
        done = run_once(&storage, options(25), Some(kill)) || done;
        drop(storage);
        let storage = segments(folder.path());
        assert!(run_once(&storage, options(25), None));
        assert_eq!(output(&storage), wanted, "killed after {kill} steps");
        assert_eq!(all(&storage, "dead"), letters(&input), "killed after {kill} steps");
        if done {
            assert!(kill > 40, "only {kill} steps were tried");
            return;
        }
    }
}
