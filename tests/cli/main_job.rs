//! The main job: real Kafka producers write JSON lines, the console shows Spark's text, `log_counts` gets the counts.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::common::{Brooklet, client, command, run_with_input};

const COUNT: &str = "SELECT level, COUNT(*) AS count FROM logs GROUP BY level";
const INSERT: &str = "INSERT INTO log_counts SELECT level, COUNT(*) AS count FROM logs GROUP BY level";

/// A batch as Spark's console prints it, from rows as they stand there.
fn batch(number: u32, rows: &[&str]) -> String {
    let line = "-------------------------------------------\n";
    let rows: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let rule = "+-----+-----+\n";
    format!("{line}Batch: {number}\n{line}{rule}|level|count|\n{rule}{rows}{rule}\n")
}

fn table(rows: &[(&str, u64)]) -> BTreeMap<String, String> {
    let quote = |level: &str| if level == "null" { level.to_owned() } else { format!("{level:?}") };
    let row = |(level, count): &(&str, u64)| {
        let level = quote(level);
        (format!("{{\"level\":{level}}}"), format!("{{\"level\":{level},\"count\":{count}}}"))
    };
    rows.iter().map(row).collect()
}

const FIRST: [&str; 6] = [
    r#"{"level": "INFO", "message": "User logged in"}"#,
    r#"{"level": "ERROR", "message": "Payment failed"}"#,
    r#"{"level": "INFO"}"#,
    "not json at all",
    r#"{"message": "no level"}"#,
    r#"{"message": "x", "level": "INFO"}"#,
];
const FIRST_ROWS: [&str; 3] = ["| INFO|    3|", "|ERROR|    1|", "| null|    2|"];

fn wait_for_console(brooklet: &Brooklet, expected: &str) {
    let text = brooklet.stdout.wait_for(expected, |text| text.len() >= expected.len());
    assert_eq!(text, expected);
}

/// `brooklet` alone, told by its environment where to listen and where the data is.
fn alone(data: &Path) -> Brooklet {
    let mut command = command::<&str>(&[]);
    command.env("BROOKLET_LISTEN", "127.0.0.1:0").env("BROOKLET_DATA_DIR", data).stdin(Stdio::null());
    Brooklet::from_command(&mut command)
}

#[test]
fn brooklet_alone_prints_counts_by_level_as_spark_does_and_resumes_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let brooklet = alone(folder.path());
    let address = brooklet.listening();
    let mut expected = batch(0, &[]);
    wait_for_console(&brooklet, &expected);
    client::send(address, "logs", &FIRST);
    expected += &batch(1, &FIRST_ROWS);
    wait_for_console(&brooklet, &expected);
    client::send(address, "logs", &[r#"{"level": "INFO"}"#]);
    expected += &batch(2, &["| INFO|    4|"]);
    wait_for_console(&brooklet, &expected);
    let output = brooklet.terminate();
    assert_eq!(output.status.code(), Some(0), "{}", output.stderr);
    assert_eq!(output.stdout, expected, "standard output carries the console and nothing else");

    let brooklet = alone(folder.path());
    client::send(brooklet.listening(), "logs", &[r#"{"level": "ERROR"}"#, r#"{"level": "WARN"}"#]);
    wait_for_console(&brooklet, &batch(3, &["|ERROR|    2|", "| WARN|    1|"]));
    assert_eq!(brooklet.terminate().status.code(), Some(0));
}

#[test]
fn insert_into_keeps_a_topic_of_counts_on_every_engine() {
    for engine in ["segments", "sled", "memory"] {
        let folder = tempfile::tempdir().unwrap();
        let args = ["--data-dir", folder.path().to_str().unwrap(), "--storage", engine, "--query", INSERT];
        let (brooklet, address) = Brooklet::serve(&args);
        client::send(address, "logs", &FIRST);
        let first = table(&[("INFO", 3), ("ERROR", 1), ("null", 2)]);
        assert_eq!(client::wait_for_table(address, "log_counts", &first).len(), 3, "{engine}");
        let output = brooklet.terminate();
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(0), ""), "{engine}: {}", output.stderr);
        if engine == "memory" {
            continue;
        }
        let (_brooklet, address) = Brooklet::serve(&args);
        client::send(address, "logs", &[r#"{"level": "INFO"}"#]);
        let second = table(&[("INFO", 4), ("ERROR", 1), ("null", 2)]);
        assert_eq!(client::wait_for_table(address, "log_counts", &second).len(), 4, "{engine}");
    }
}

#[test]
fn several_queries_run_side_by_side() {
    let errors = "INSERT INTO errors SELECT level, COUNT(*) AS count FROM logs WHERE level = 'ERROR' GROUP BY level";
    let queries = ["--storage", "memory", "--query", COUNT, "--query", INSERT, "--query", errors];
    let (brooklet, address) = Brooklet::serve(&queries);
    wait_for_console(&brooklet, &batch(0, &[]));
    client::send(address, "logs", &FIRST);
    wait_for_console(&brooklet, &(batch(0, &[]) + &batch(1, &FIRST_ROWS)));
    client::wait_for_table(address, "log_counts", &table(&[("INFO", 3), ("ERROR", 1), ("null", 2)]));
    client::wait_for_table(address, "errors", &table(&[("ERROR", 1)]));
}

#[test]
fn from_earliest_counts_what_is_there_and_latest_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = ["--data-dir", folder.path().to_str().unwrap()];
    let (brooklet, address) = Brooklet::serve(&data);
    client::send(address, "logs", &FIRST);
    brooklet.terminate();
    let query = [&data[..], &["--query", COUNT, "--from", "earliest"]].concat();
    let (brooklet, _) = Brooklet::serve(&query);
    wait_for_console(&brooklet, &batch(0, &FIRST_ROWS));
    brooklet.terminate();

    let query = [&data[..], &["--query", INSERT, "--from", "latest"]].concat();
    let (_brooklet, address) = Brooklet::serve(&query);
    client::send(address, "logs", &[r#"{"level": "INFO"}"#]);
    client::wait_for_table(address, "log_counts", &table(&[("INFO", 1)]));
}

#[test]
fn a_trigger_gathers_records_into_fewer_batches() {
    const TRIGGER: Duration = Duration::from_millis(300);
    let args = ["--storage", "memory", "--query", COUNT, "--trigger", "300ms"];
    let started = Instant::now();
    let (brooklet, address) = Brooklet::serve(&args);
    let lines: String = (0..20).map(|_| "{\"level\": \"INFO\"}\n").collect();
    let server = address.to_string();
    let produce = ["produce", "--topic", "logs", "--bootstrap-server", &server, "--max-queued", "1", "--linger", "0s"];
    assert!(run_with_input(&produce, lines.as_bytes()).status.success());
    let console = brooklet.stdout.wait_contains("| INFO|   20|");
    // One to begin with, and no more than one each 300 ms.
    let batches_max = 2 + started.elapsed().as_millis() / TRIGGER.as_millis();
    assert!(console.matches("Batch: ").count() as u128 <= batches_max, "more than {batches_max}:\n{console}");
}

#[test]
fn records_that_are_not_json_are_reported_on_standard_error() {
    let (brooklet, address) = Brooklet::serve(&["--storage", "memory", "--query", COUNT]);
    client::send(address, "logs", &["oops", r#"{"level": "INFO"}"#]);
    brooklet.stdout.wait_contains("| null|    1|");
    brooklet.stderr.wait_for("bad records", |text| text.contains("not JSON") || text.contains("bad record"));
}
