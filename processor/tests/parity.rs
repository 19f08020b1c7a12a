//! The queries of `tests/spark-parity` against what Spark 3.4.0 gave: the same columns, and the same rows in the same
//! batches; and what Spark refuses is refused. The README there says what the files hold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use brooklet_model::{Batch, BatchBuilder, Compression, NewRecord};
use brooklet_processor::{OutputMode, Plan, PlanSettings, Query, QueryOptions, Sink, StartFrom, Trigger, plan_all};
use brooklet_storage::{Engine, NewTopic, Storage, StorageConfig};
use serde_json::Value;

const FIRST_TIMESTAMP: i64 = 1_704_067_200_000;

/// Cases that brooklet answers otherwise than Spark on purpose, and why.
const INTENDED: &[(&str, &str)] = &[
    ("no-two-statements", "a query's text may hold several statements"),
    ("no-unknown-table", "a topic without CREATE TABLE has every column"),
    ("no-count-distinct", "an extension: COUNT(DISTINCT) in a stream"),
    ("no-count-distinct-by-group", "an extension: COUNT(DISTINCT) in a stream"),
    ("type-date-fails-the-query", "one bad value does not end a query: NULL, and a bad record"),
    ("type-timestamp-fails-the-query", "one bad value does not end a query: NULL, and a bad record"),
    ("to-timestamp-fails-the-query", "one bad value does not end a query: NULL"),
    ("split-part-zero", "one bad value does not end a query: NULL"),
    ("chained-three", "windows of windows of windows: Spark 3.4.0 takes the second for the third"),
    (
        "union-limit-in-branches",
        "Spark 3.4.0 fails where a side of UNION ALL with LIMIT had nothing to read in a batch",
    ),
    ("union-of-groups-limited-complete", "Spark 3.4.0 leaves LIMIT out where a side had nothing to read in a batch"),
    ("union-with", "WITH over several topics: Spark 3.4.0 does not see that it is a stream"),
    (
        "union-watermark-restart",
        "a restart forgets no watermark: Spark takes a topic without news for one without data",
    ),
    ("time-without-a-date", "NULL, not a time of today: a batch that runs again gives the same rows"),
];

struct Case {
    name: String,
    case: Value,
    recorded: Value,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/spark-parity")
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder().join("corpus")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let read = |path: PathBuf| -> Vec<Value> { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
        let recorded: BTreeMap<String, Value> = read(folder().join("recorded").join(file.file_name().unwrap()))
            .into_iter()
            .map(|recorded| (recorded["name"].as_str().unwrap().to_owned(), recorded))
            .collect();
        for case in read(file) {
            let name = case["name"].as_str().unwrap().to_owned();
            let recorded = recorded.get(&name).unwrap_or_else(|| panic!("{name} is not recorded")).clone();
            cases.push(Case { name, case, recorded });
        }
    }
    cases
}

/// What is written, cut where it is flushed: a batch's rows end so.
#[derive(Clone, Default)]
struct Batches(Arc<Mutex<(Vec<u8>, Vec<String>)>>);

impl Batches {
    fn len(&self) -> usize {
        self.0.lock().unwrap().1.len()
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().1.clone()
    }
}

impl Write for Batches {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let (text, batches) = &mut *self.0.lock().unwrap();
        batches.push(String::from_utf8(std::mem::take(text)).unwrap());
        Ok(())
    }
}

impl Case {
    /// Each table by its name.
    fn tables(&self) -> Vec<(&str, &Value)> {
        match self.case["tables"].as_object() {
            Some(tables) => tables.iter().map(|(name, table)| (name.as_str(), table)).collect(),
            None => vec![(self.case["topic"].as_str().unwrap_or("logs"), &self.case)],
        }
    }

    fn topics(&self) -> BTreeSet<&str> {
        self.tables().iter().map(|(name, table)| table["topic"].as_str().unwrap_or(name)).collect()
    }

    /// What a step produces, by topic.
    fn records<'s>(&'s self, step: &'s Value) -> Vec<(&'s str, &'s [Value])> {
        let records = step.get("restart").unwrap_or(step);
        let topic = self.topics().into_iter().next().unwrap();
        match (records.as_array(), records.as_object()) {
            (Some(records), _) => vec![(topic, records)],
            (None, Some(by_topic)) => {
                by_topic.iter().map(|(topic, records)| (topic.as_str(), &records.as_array().unwrap()[..])).collect()
            }
            (None, None) => Vec::new(),
        }
    }

    fn mode(&self) -> OutputMode {
        match self.case["mode"].as_str() {
            Some("complete") => OutputMode::Complete,
            Some("append") => OutputMode::Append,
            _ => OutputMode::Update,
        }
    }

    /// The query with the tables that it reads.
    fn sql(&self) -> String {
        let mut sql = String::new();
        for (name, table) in self.tables() {
            let schema = match table["schema"].as_str() {
                Some(schema) => schema.to_owned(),
                None => {
                    let columns = table["columns"].as_array().unwrap().iter();
                    columns.map(|name| format!("`{}` STRING", name.as_str().unwrap())).collect::<Vec<_>>().join(", ")
                }
            };
            let mut with = vec![format!("topic = '{}'", table["topic"].as_str().unwrap_or(name))];
            if let Some(of) = table["watermark"].as_array() {
                with.push(format!("watermark = '{} {}'", of[0].as_str().unwrap(), of[1].as_str().unwrap()));
            }
            sql.push_str(&format!("CREATE TABLE {name} ({schema}) WITH ({});\n", with.join(", ")));
        }
        sql + self.case["sql"].as_str().unwrap()
    }

    fn plan(&self, sink: Sink) -> Result<Plan, String> {
        let settings = PlanSettings { mode: Some(self.mode()), sink, ..PlanSettings::default() };
        let mut plans = plan_all(&self.sql(), &settings).map_err(|error| error.to_string())?;
        assert_eq!(plans.len(), 1, "{}", self.name);
        Ok(plans.remove(0))
    }

    /// Runs it to the end, and returns what each batch wrote and after which step it ran.
    async fn run(&self, sink: &Sink) -> Result<Vec<(usize, String)>, String> {
        let storage = Storage::open(StorageConfig { engine: Engine::Memory, ..StorageConfig::default() }).unwrap();
        // The records say that they are of any time at all.
        let any_time = ("message.timestamp.after.max.ms".to_owned(), i64::MAX.to_string());
        let overrides = BTreeMap::from([("retention.ms".to_owned(), "-1".to_owned()), any_time]);
        for name in self.topics() {
            let overrides = overrides.clone();
            storage
                .create_topic(NewTopic { name: name.to_owned(), partitions: 1, overrides, internal: false })
                .unwrap();
        }
        let mut produced: BTreeMap<&str, usize> = BTreeMap::new();
        let mut batches = Vec::new();
        for (number, step) in self.case["steps"].as_array().unwrap().iter().enumerate() {
            for (topic, records) in self.records(step) {
                let before = produced.entry(topic).or_default();
                produce(&storage, topic, records, *before);
                *before += records.len();
            }
            // A start for each step: what holds over steps holds over restarts.
            let plan = self.plan(sink.clone())?;
            let written = Batches::default();
            let options = QueryOptions {
                name: Some("case".to_owned()),
                from: StartFrom::Earliest,
                trigger: Trigger::AvailableNow,
                batch_records_max: self.case["records_per_batch"].as_u64().unwrap_or(1 << 40),
                ..QueryOptions::default()
            };
            let mut query = Query::start(storage.clone(), plan, options, Box::new(written.clone()))
                .map_err(|error| error.to_string())?;
            query.wait().await.map_err(|error| error.to_string())?;
            assert_eq!(query.progress().batches as usize, batches.len() + written.len(), "{}", self.name);
            batches.extend(written.all().into_iter().map(|text| (number, text)));
        }
        Ok(batches)
    }

    fn check_run(&self, runtime: &tokio::runtime::Runtime) -> Result<(), String> {
        let plan = self.plan(Sink::Console)?;
        let columns: Vec<(String, String)> =
            plan.columns().map(|(name, it)| (name.to_owned(), it.to_string())).collect();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let wanted = self.recorded["columns"].as_array().unwrap();
        let wanted: Vec<(String, String)> = wanted.iter().map(|it| (text(&it[0]), text(&it[1]))).collect();
        if columns != wanted {
            return Err(format!("columns {columns:?}\n    Spark's {wanted:?}"));
        }
        let recorded = self.recorded["batches"].as_array().unwrap();
        let ordered = plan.is_ordered();
        let got = runtime.block_on(self.run(&Sink::Json))?;
        let rows: Vec<(u64, Vec<Value>)> = got
            .iter()
            .map(|(step, text)| (*step as u64, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()))
            .collect();
        let wanted: Vec<(u64, Vec<Value>)> = recorded
            .iter()
            .map(|batch| {
                let rows = batch["json"].as_array().unwrap().iter();
                (
                    batch["step"].as_u64().unwrap(),
                    rows.map(|row| serde_json::from_str(row.as_str().unwrap()).unwrap()).collect(),
                )
            })
            .collect();
        compare(&rows, &wanted, ordered)?;
        self.check_console(runtime, &columns, recorded)
    }

    /// What fits on the console is there as Spark's own would show it.
    fn check_console(
        &self,
        runtime: &tokio::runtime::Runtime,
        columns: &[(String, String)],
        recorded: &[Value],
    ) -> Result<(), String> {
        let got = runtime.block_on(self.run(&Sink::Console))?;
        for ((_, got), batch) in got.iter().zip(recorded) {
            let rows: Vec<Vec<Option<&str>>> = batch["rows"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row.as_array().unwrap().iter().map(Value::as_str).collect())
                .collect();
            if rows.len() > brooklet_processor::ROWS_SHOWN || columns.iter().any(|(_, it)| it.contains("double")) {
                continue;
            }
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let mut wanted = Vec::new();
            brooklet_processor::render_batch(&mut wanted, batch["batch"].as_u64().unwrap(), &names, rows);
            let sorted = |text: &str| {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                lines.sort();
                lines
            };
            let wanted = String::from_utf8(wanted).unwrap();
            if sorted(got) != sorted(&wanted) {
                return Err(format!("the console shows\n{got}\n    Spark's\n{wanted}"));
            }
        }
        Ok(())
    }
}

fn produce(storage: &Storage, topic: &str, records: &[Value], before: usize) {
    let log = storage.log(topic, 0).unwrap();
    let mut builder = BatchBuilder::new();
    for (number, record) in records.iter().enumerate() {
        let of = |name: &str| record.get(name).and_then(Value::as_str).map(str::as_bytes);
        let value = if record.is_string() { record.as_str().map(str::as_bytes) } else { of("value") };
        let headers: Vec<(&[u8], Option<&[u8]>)> =
            record.get("headers").and_then(Value::as_array).map_or(vec![], |headers| {
                headers
                    .iter()
                    .map(|it| (it[0].as_str().unwrap().as_bytes(), it[1].as_str().map(str::as_bytes)))
                    .collect()
            });
        let timestamp = record.get("timestamp").and_then(Value::as_i64);
        let timestamp = timestamp.unwrap_or(FIRST_TIMESTAMP + (before + number) as i64);
        builder.push(NewRecord { timestamp, key: of("key"), value, headers: &headers });
    }
    if !builder.is_empty() {
        log.append(Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap()).unwrap();
    }
}

fn compare(got: &[(u64, Vec<Value>)], wanted: &[(u64, Vec<Value>)], ordered: bool) -> Result<(), String> {
    let same = got.len() == wanted.len()
        && got
            .iter()
            .zip(wanted)
            .all(|(a, b)| a.0 == b.0 && if ordered { all_close(&a.1, &b.1) } else { same_rows(&a.1, &b.1) });
    if same {
        return Ok(());
    }
    let show = |batches: &[(u64, Vec<Value>)]| {
        let lines = batches.iter().enumerate().map(|(number, (step, rows))| {
            let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
            format!("      batch {number} after step {step}: {}", rows.join(" "))
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    Err(format!("rows\n{}\n    Spark's\n{}", show(got), show(wanted)))
}

/// Multisets, each row with its twin.
fn same_rows(got: &[Value], wanted: &[Value]) -> bool {
    let mut left: Vec<&Value> = wanted.iter().collect();
    got.len() == wanted.len()
        && got.iter().all(|row| match left.iter().position(|other| close(row, other)) {
            Some(at) => {
                left.swap_remove(at);
                true
            }
            None => false,
        })
}

fn all_close(got: &[Value], wanted: &[Value]) -> bool {
    got.len() == wanted.len() && got.iter().zip(wanted).all(|(a, b)| close(a, b))
}

/// Equal, DOUBLE within 1e-12.
fn close(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) if a != b && a.is_f64() && b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
        }
        (Value::Array(a), Value::Array(b)) => all_close(a, b),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((a, x), (b, y))| a == b && close(x, y))
        }
        (a, b) => a == b,
    }
}

#[test]
fn every_query_gives_sparks_rows_in_sparks_batches() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let only = std::env::var("BROOKLET_PARITY_CASE").ok();
    let mut differences = Vec::new();
    let (mut run, mut refused, mut intended) = (0, 0, 0);
    for case in cases() {
        if only.as_ref().is_some_and(|only| !case.name.contains(only.as_str())) {
            continue;
        }
        if INTENDED.iter().any(|(name, _)| *name == case.name) {
            intended += 1;
            continue;
        }
        let outcome = match case.recorded["refused"].as_str() {
            Some(spark) => {
                refused += 1;
                match case.plan(Sink::Console) {
                    Ok(_) => Err(format!("is not refused; Spark says: {spark}")),
                    Err(_) => Ok(()),
                }
            }
            None => {
                run += 1;
                case.check_run(&runtime)
            }
        };
        if let Err(difference) = outcome {
            differences.push(format!("{}: {}\n    {}", case.name, difference, case.case["sql"].as_str().unwrap()));
        }
    }
    let all = run + refused + intended;
    assert!(only.is_some() || (run >= 120 && refused >= 30), "only {run} queries run and {refused} are refused");
    let count = differences.len();
    assert!(count == 0, "{count} of {all} cases differ:\n\n{}", differences.join("\n\n"));
}
