//! Windows, aggregates, sessions, plain rows and unions of topics under kills, on every storage engine: the output topic is
//! that of an undisturbed run, record by record. `BROOKLET_KILL_RUNS` says how often (`just kills` does it at length).

use std::sync::Arc;

use brooklet_storage::{Engine, Storage, StorageConfig};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::kill_tests::{options, run_plan};
use super::*;
use crate::options::{StartFrom, Trigger};
use crate::plan::OutputMode;
use crate::testing::{Pair, Screen, memory, records, send, topic};
use crate::{PlanSettings, plan_all};

const TABLES: &str = "CREATE TABLE logs (level STRING, v BIGINT, ts TIMESTAMP) WITH (watermark = 'ts 3 seconds');
    CREATE TABLE more (level STRING, v BIGINT, ts TIMESTAMP) WITH (watermark = 'ts 1 second');";

/// A query of each kind.
const QUERIES: [(&str, OutputMode); 18] = [
    (
        "SELECT window.start, level, COUNT(*) n, SUM(v) total, AVG(v) mean, MIN(ts) first, MAX(level) last
         FROM logs GROUP BY window(ts, '10 seconds', '5 seconds'), level",
        OutputMode::Update,
    ),
    (
        "SELECT window.start, level, COUNT(v) n, SUM(CAST(v AS DECIMAL(10,2))) total
         FROM logs GROUP BY window(ts, '10 seconds'), level HAVING COUNT(*) > 1",
        OutputMode::Append,
    ),
    (
        "SELECT session_window.start, session_window.end, level, SUM(v) total
         FROM logs GROUP BY session_window(ts, '4 seconds'), level",
        OutputMode::Append,
    ),
    (
        "SELECT level, COUNT(*) n, MAX(v) most FROM logs GROUP BY level ORDER BY n DESC, level LIMIT 4",
        OutputMode::Complete,
    ),
    (
        "SELECT level, collect_list(v) list, collect_set(v) set, mode(v) mode, percentile(v, array(0.2, 0.9)) p,
         approx_count_distinct(v, 0.2) kinds, kurtosis(v) k, max_by(ts, v) at, bit_xor(v) bits FROM logs GROUP BY level",
        OutputMode::Update,
    ),
    (
        "SELECT session_window.start, level, collect_list(v) list, collect_set(v) set, median(v) median,
         regr_slope(v, v) slope, try_sum(v) total, min_by(v, ts) first
         FROM logs GROUP BY session_window(ts, '4 seconds'), level",
        OutputMode::Append,
    ),
    ("SELECT level, v * 2 AS twice FROM logs WHERE v > 3 LIMIT 25", OutputMode::Append),
    ("SELECT DISTINCT ts, level FROM logs", OutputMode::Append),
    (
        "SELECT window.start, COUNT(*) kinds, SUM(n) total, MAX(last) last FROM
         (SELECT window w, level, COUNT(*) n, MAX(v) last FROM logs GROUP BY window(ts, '5 seconds'), level)
         GROUP BY window(w, '10 seconds')",
        OutputMode::Append,
    ),
    ("SELECT level, v FROM (SELECT level, v FROM logs WHERE v > 1 LIMIT 20) WHERE v < 9", OutputMode::Append),
    ("SELECT level, COUNT(*) n FROM (SELECT level FROM logs LIMIT 30) GROUP BY level", OutputMode::Complete),
    ("SELECT COUNT(DISTINCT level) kinds, BOOL_OR(v > 8) some FROM logs", OutputMode::Update),
    (
        "SELECT window.start, level, COUNT(*) n, SUM(v) total
         FROM (SELECT level, v, ts FROM logs UNION ALL SELECT level, -v, ts FROM more WHERE v <> 4)
         GROUP BY window(ts, '10 seconds'), level",
        OutputMode::Append,
    ),
    (
        "SELECT level, v, ts FROM logs UNION ALL SELECT level, v * 2, ts FROM more UNION ALL SELECT 'again', v, ts FROM logs",
        OutputMode::Update,
    ),
    (
        "SELECT ts, level, COUNT(*) n FROM logs GROUP BY ts, level UNION ALL SELECT ts, 'row', v FROM more
         UNION ALL SELECT window.end, 'window', COUNT(*) FROM more GROUP BY window(ts, '5 seconds')",
        OutputMode::Append,
    ),
    (
        "SELECT level, COUNT(*) n FROM logs GROUP BY level UNION ALL SELECT level, SUM(v) FROM more GROUP BY level",
        OutputMode::Update,
    ),
    (
        "SELECT e, n FROM (SELECT level, COUNT(*) n FROM (SELECT level FROM logs UNION ALL SELECT level FROM more)
         GROUP BY level ORDER BY n DESC, level LIMIT 3) LATERAL VIEW explode(array(level, upper(level))) AS e",
        OutputMode::Complete,
    ),
    (
        "(SELECT level, v FROM logs LIMIT 7) UNION ALL (SELECT level, v FROM more WHERE v > 1 LIMIT 9) LIMIT 14",
        OutputMode::Append,
    ),
];

/// Partition (2 is the only one of `more`), level, value, second.
type Input = Vec<(i32, u8, Option<u8>, u8)>;

fn run_once(storage: &Arc<Storage>, query: (&str, OutputMode), batch_records_max: u64, kill: Option<usize>) -> bool {
    let (sql, mode) = query;
    let settings = PlanSettings { mode: Some(mode), ..PlanSettings::default() };
    let plan = plan_all(&format!("{TABLES} INSERT INTO out {sql}"), &settings).unwrap().remove(0);
    run_plan(storage, plan, options(batch_records_max), kill)
}

fn fill(storage: &Storage, input: &Input) {
    topic(storage, "logs", 2);
    topic(storage, "more", 1);
    for (partition, level, value, second) in input {
        let value = value.map_or("null".to_owned(), |value| value.to_string());
        let record = format!(r#"{{"level":"level {level}","v":{value},"ts":"2026-01-01T00:00:{second:02}Z"}}"#);
        match partition {
            2 => send(storage, "more", 0, &[record]),
            partition => send(storage, "logs", *partition, &[record]),
        }
    }
}

fn output(storage: &Storage) -> Vec<Vec<Pair>> {
    storage.topic("out").unwrap().partitions.iter().map(|log| records(log)).collect()
}

fn input() -> impl Strategy<Value = Input> {
    prop::collection::vec((0..3, 0u8..5, prop::option::weighted(0.8, 0u8..12), 0u8..60), 1..60)
}

fn runs() -> u32 {
    std::env::var("BROOKLET_KILL_RUNS").map_or(16, |runs| runs.parse().unwrap())
}

fn hold(engine: Engine) {
    let cases = if engine == Engine::Memory { runs() } else { runs().div_ceil(4) };
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    let strategy = (input(), 1u64..60, prop::collection::vec(0usize..60, 1..8));
    let outcome = runner.run(&strategy, |(input, max, kills)| {
        for query in QUERIES {
            let calm = memory();
            fill(&calm, &input);
            prop_assert!(run_once(&calm, query, max, None));

            let folder = tempfile::tempdir().unwrap();
            let open = || Storage::open(StorageConfig { engine, ..StorageConfig::new(folder.path()) }).unwrap();
            let mut storage = open();
            fill(&storage, &input);
            for kill in &kills {
                run_once(&storage, query, max, Some(*kill));
                if engine != Engine::Memory {
                    drop(storage);
                    storage = open();
                }
            }
            prop_assert!(run_once(&storage, query, max, None));
            prop_assert_eq!(output(&storage), output(&calm), "{}", query.0);
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn kills_leave_the_output_of_an_undisturbed_run_in_memory() {
    hold(Engine::Memory);
}

#[test]
fn kills_leave_the_output_of_an_undisturbed_run_on_segments() {
    hold(Engine::Segments);
}

#[test]
fn kills_leave_the_output_of_an_undisturbed_run_on_sled() {
    hold(Engine::Sled);
}

/// Without a watermark nothing is forgotten: however the input is cut, the last table is the same, and that of a query
/// over all of it at once.
#[test]
fn any_split_gives_the_same_table_and_so_does_a_batch() {
    let sql = "SELECT level, COUNT(*) n, SUM(v) total, AVG(v) mean, MIN(v) least, MAX(ts) latest FROM logs GROUP BY level ORDER BY level";
    let table = "CREATE TABLE logs (level STRING, v BIGINT, ts TIMESTAMP);";
    let rows = |text: &str| {
        text.rsplit("Batch:")
            .next()
            .unwrap()
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut runner =
        TestRunner::new(ProptestConfig { cases: runs(), failure_persistence: None, ..ProptestConfig::default() });
    let outcome = runner.run(&(input(), 1u64..60), |(input, max)| {
        let storage = memory();
        fill(&storage, &input);
        let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let at_once = Screen::default();
        let batch = plan_all(&format!("{table}{sql}"), &PlanSettings { batch: true, ..PlanSettings::default() })
            .unwrap()
            .remove(0);
        let mut query =
            crate::AdHocQuery::new(batch, &QueryOptions::default(), crate::Format::Table, Box::new(at_once.clone()));
        executor.block_on(query.run_on_storage(&storage)).unwrap();

        let settings = PlanSettings { mode: Some(OutputMode::Complete), ..PlanSettings::default() };
        let plan = plan_all(&format!("{table}{sql}"), &settings).unwrap().remove(0);
        let streamed = Screen::default();
        let options = QueryOptions {
            from: StartFrom::Earliest,
            trigger: Trigger::AvailableNow,
            batch_records_max: max,
            ..QueryOptions::default()
        };
        let mut query = Query::start(storage.clone(), plan, options, Box::new(streamed.clone())).unwrap();
        executor.block_on(query.wait()).unwrap();
        prop_assert_eq!(rows(&streamed.text()), rows(&at_once.text()));
        Ok(())
    });
    outcome.unwrap();
}
