//! `brooklet status`, and what else a query shows of itself to those who run it.

use serde_json::Value;

use crate::common::{Brooklet, client, refusing_address, run, wait_until};

const COUNT: &str = "SELECT level, COUNT(*) AS count FROM logs GROUP BY level";

fn json(address: &str) -> Value {
    let output = run(&["status", "--json", "--bootstrap-server", address]);
    assert_eq!(output.status.code(), Some(0), "{}", output.stderr);
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn it_tells_of_each_query_of_a_running_broker() {
    let args = ["--storage", "memory", "--from", "earliest", "--name", "counts", "--query", COUNT];
    let (brooklet, address) = Brooklet::serve(&[&args[..], &["--dead-letter", "dead"]].concat());
    let address_text = address.to_string();
    client::send(address, "logs", &[r#"{"level": "INFO"}"#, "no JSON", r#"{"level": "INFO"}"#]);
    brooklet.stdout.wait_contains("| INFO|    2|");
    brooklet.stdout.wait_contains("| null|    1|");
    // The rows are printed before the batch is committed, and told of when it is.
    let told = wait_until("the batch is committed", || json(&address_text), |told| told[0]["records_in"] == 3);
    let query = &told[0];
    assert_eq!(
        (&query["name"], &query["phase"], &query["topics"][0]),
        (&"counts".into(), &"running".into(), &"logs".into())
    );
    assert_eq!((&query["lag_records"], &query["groups"]), (&0.into(), &2.into()));
    assert_eq!(query["positions"][0]["next"], 3);
    assert_eq!(query["bad_records"], serde_json::json!({ "not-a-json-object": 1 }));
    assert_eq!(query["last_bad_records"][0]["value"], "no JSON");
    assert!(query["batch_ms"]["last"].as_f64().unwrap() > 0.0);

    let text = run(&["status", "--bootstrap-server", &address_text]).stdout;
    assert!(text.starts_with("counts  running, reads logs\n"), "{text}");
    assert!(text.contains("logs-0 offset 1: it is not a JSON object: \"no JSON\"\n"), "{text}");
    assert_eq!(client::read_all(address, "dead"), [(None, Some("no JSON".to_owned()))]);
}

#[test]
fn a_broker_without_queries_says_so_and_no_broker_is_an_error() {
    let (_brooklet, address) = Brooklet::serve(&["--storage", "memory"]);
    let address = address.to_string();
    assert_eq!(run(&["status", "--bootstrap-server", &address]).stdout, "no query runs there\n");
    assert_eq!(json(&address), serde_json::json!([]));
    let (_taken, address) = refusing_address();
    let output = run(&["status", "--bootstrap-server", &address.to_string()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.contains("no broker at"), "{}", output.stderr);
}
