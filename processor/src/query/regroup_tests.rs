//! Groups of groups, held against plain maps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use brooklet_storage::Storage;
use proptest::prelude::*;

use super::kill_tests::{options, run_plan};
use crate::adhoc::{AdHocQuery, Format};
use crate::plan::OutputMode;
use crate::sql::{PlanSettings, plan_all};
use crate::testing::{Screen, memory, records, send, topic};

const TABLE: &str = "CREATE TABLE logs (level STRING, ts TIMESTAMP) WITH (watermark = 'ts 5 seconds');";

/// Level and second.
type Input = Vec<(u8, u8)>;

fn fill(storage: &Storage, input: &[(u8, u8)]) {
    for (level, second) in input {
        send(storage, "logs", 0, &[format!(r#"{{"level":"level {level}","ts":"2026-01-01 00:00:{second:02}"}}"#)]);
    }
}

fn batch(storage: &Arc<Storage>, sql: &str) -> BTreeSet<String> {
    let settings = PlanSettings { batch: true, ..PlanSettings::default() };
    let plan = plan_all(&format!("{TABLE}{sql}"), &settings).unwrap().remove(0);
    let screen = Screen::default();
    let mut query = AdHocQuery::new(plan, &options(1), Format::Json, Box::new(screen.clone()));
    let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    executor.block_on(query.run_on_storage(storage)).unwrap();
    screen.text().lines().map(str::to_owned).collect()
}

/// How many levels have each count of records.
fn counts_of_counts(input: &Input) -> BTreeSet<String> {
    let mut by_level: BTreeMap<u8, u64> = BTreeMap::new();
    input.iter().for_each(|(level, _)| *by_level.entry(*level).or_default() += 1);
    let mut by_count: BTreeMap<u64, u64> = BTreeMap::new();
    by_level.values().for_each(|count| *by_count.entry(*count).or_default() += 1);
    by_count.into_iter().map(|(n, levels)| format!("{{\"n\":{n},\"levels\":{levels}}}")).collect()
}

const PAIRS: &str = "SELECT date_format(window.start, 's') AS second, COUNT(*) AS pairs, SUM(n) AS total
    FROM (SELECT window AS w, level, COUNT(*) AS n FROM logs GROUP BY window(ts, '5 seconds'), level)
    GROUP BY window(w, '20 seconds')";

/// Of each 20 seconds, the pairs of a window of 5 seconds and a level, and their records.
fn pairs(input: &Input) -> BTreeSet<String> {
    let mut inner: BTreeMap<(u8, u8), u64> = BTreeMap::new();
    input.iter().for_each(|(level, second)| *inner.entry((second / 5, *level)).or_default() += 1);
    let mut outer: BTreeMap<u8, (u64, u64)> = BTreeMap::new();
    for ((five, _), count) in inner {
        let (pairs, total) = outer.entry(five / 4 * 20).or_default();
        *pairs += 1;
        *total += count;
    }
    let row = |(second, (pairs, total))| format!("{{\"second\":\"{second}\",\"pairs\":{pairs},\"total\":{total}}}");
    outer.into_iter().map(row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn they_are_those_of_plain_maps(input in prop::collection::vec((0u8..6, 0u8..60), 0..80), max in 1u64..40, kills in prop::collection::vec(0usize..80, 0..4)) {
        let storage = memory();
        topic(&storage, "logs", 1);
        let mut input: Input = input;
        // Nothing is late: a stream and a batch see the same.
        input.sort_by_key(|(_, second)| *second);
        fill(&storage, &input);
        let sql = "SELECT n, COUNT(*) AS levels FROM (SELECT level, COUNT(*) AS n FROM logs GROUP BY level) GROUP BY n";
        prop_assert_eq!(batch(&storage, sql), counts_of_counts(&input));
        prop_assert_eq!(batch(&storage, PAIRS), pairs(&input));
        let all = batch(&storage, "SELECT COUNT(*) AS c FROM (SELECT DISTINCT level FROM logs)");
        let levels: BTreeSet<u8> = input.iter().map(|(level, _)| *level).collect();
        prop_assert_eq!(all, BTreeSet::from([format!("{{\"c\":{}}}", levels.len())]));

        // A record far ahead ends all windows before it.
        let settings = PlanSettings { mode: Some(OutputMode::Append), ..PlanSettings::default() };
        let plan = plan_all(&format!("{TABLE} INSERT INTO out {PAIRS}"), &settings).unwrap().remove(0);
        send(&storage, "logs", 0, &[r#"{"level":"level 0","ts":"2026-01-01 01:00:00"}"#]);
        for kill in kills {
            run_plan(&storage, plan.clone(), options(max), Some(kill));
        }
        prop_assert!(run_plan(&storage, plan, options(max), None));
        let out = storage.topic("out").unwrap();
        let rows: Vec<String> = out.partitions.iter().flat_map(|log| records(log)).map(|(_, row)| row.unwrap()).collect();
        let distinct: BTreeSet<String> = rows.iter().cloned().collect();
        prop_assert_eq!(rows.len(), distinct.len());
        prop_assert_eq!(distinct, pairs(&input));
    }
}
