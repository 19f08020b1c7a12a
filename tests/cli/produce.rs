//! `brooklet produce` against `brooklet serve`.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::common::{Brooklet, client, run, run_with_input};

fn serve() -> (Brooklet, String, std::net::SocketAddr) {
    let (brooklet, address) = Brooklet::serve(&["--storage", "memory"]);
    (brooklet, address.to_string(), address)
}

fn values(records: Vec<client::KeyValue>) -> Vec<String> {
    records.into_iter().map(|(key, value)| (assert_eq!(key, None), value.unwrap()).1).collect()
}

#[test]
fn a_line_is_a_record_from_a_file_and_from_standard_input() {
    let (_brooklet, server, address) = serve();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines");
    fs::write(&file, "{\"level\": \"INFO\"}\n\nplain text\nlast without newline").unwrap();
    let output = run(&["produce", "--topic", "file", "--bootstrap-server", &server, file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(output.stdout, "");
    assert!(output.stderr.starts_with("3 records acknowledged in "), "{}", output.stderr);
    assert_eq!(
        values(client::read_all(address, "file")),
        ["{\"level\": \"INFO\"}", "plain text", "last without newline"]
    );
    for dash in [&["-"][..], &[]] {
        let topic = format!("stdin{}", dash.len());
        let args = [&["produce", "--topic", &topic, "--bootstrap-server", &server], dash].concat();
        assert!(run_with_input(&args, b"one\ntwo").status.success());
        assert_eq!(values(client::read_all(address, &topic)), ["one", "two"]);
    }
}

#[test]
fn keys_stand_before_the_separator() {
    let (_brooklet, server, address) = serve();
    let args = ["produce", "--topic", "keyed", "--bootstrap-server", &server, "--key-separator", "=>"];
    assert!(run_with_input(&args, b"a=>1\nnone\nb=>=>\n").status.success());
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        client::read_all(address, "keyed"),
        [(text("a"), text("1")), (None, text("none")), (text("b"), text("=>"))]
    );
}

#[test]
fn generated_records_are_summed_up_in_one_line_of_json() {
    let (_brooklet, server, address) = serve();
    for (codec, acks) in [("none", "all"), ("gzip", "1"), ("snappy", "all"), ("lz4", "all"), ("zstd", "all")] {
        let args = ["--bootstrap-server", &server, "--generate", "2000", "--size", "300", "--json"];
        let args = [&["produce", "--topic", codec, "--compression", codec, "--acks", acks], &args[..]].concat();
        let output = run(&args);
        assert!(output.status.success(), "{codec}: {}", output.stderr);
        assert_eq!(output.stdout.lines().count(), 1);
        let summary: BTreeMap<String, Value> = serde_json::from_str(&output.stdout).unwrap();
        let fields: Vec<_> = summary.keys().map(String::as_str).collect();
        assert_eq!(
            fields,
            ["ack_us_p50", "ack_us_p99", "bytes", "failed", "mb_per_s", "records", "records_per_s", "seconds"]
        );
        assert_eq!(
            (&summary["records"], &summary["bytes"], &summary["failed"]),
            (&2000.into(), &600_000.into(), &0.into())
        );
        assert!(summary["records_per_s"].as_f64().unwrap() > 0.0);
        let records = values(client::read_all(address, codec));
        assert_eq!(records.len(), 2000, "{codec}");
        assert!(records.iter().all(|it| it.len() == 300 && serde_json::from_str::<Value>(it).is_ok()));
    }
}

#[test]
fn one_in_flight_and_no_acknowledgement_arrive_all_the_same() {
    let (_brooklet, server, address) = serve();
    let base = ["produce", "--topic", "t", "--bootstrap-server", &server, "--generate", "50", "--json"];
    for more in [&["--max-queued", "1", "--linger", "0s"][..], &["--idempotent"], &["--acks", "0"]] {
        let output = run(&[&base[..], more].concat());
        assert!(output.status.success(), "{more:?}: {}", output.stderr);
    }
    assert_eq!(client::read_all(address, "t").len(), 150);
}

#[test]
fn records_that_are_not_delivered_are_counted_with_their_reason() {
    let (_brooklet, server, _) = serve();
    let line = "x".repeat(3_000_000);
    let args = ["produce", "--topic", "t", "--bootstrap-server", &server, "--json", "-X", "message.max.bytes=10000000"];
    let output = run_with_input(&args, format!("short\n{line}\nlast").as_bytes());
    assert_eq!(output.status.code(), Some(1));
    let summary: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((&summary["records"], &summary["failed"]), (&2.into(), &1.into()));
    assert!(output.stderr.contains("1 record not delivered"), "{}", output.stderr);
    assert!(output.stderr.to_lowercase().contains("too large"), "{}", output.stderr);
}

#[test]
fn a_name_that_no_topic_may_have_is_told() {
    let (_brooklet, server, _) = serve();
    let output = run_with_input(&["produce", "--topic", "a b", "--bootstrap-server", &server], b"x");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stderr, "brooklet: a b: InvalidTopic (Broker: Invalid topic)\n");
}

#[test]
fn an_interrupt_flushes_and_reports() {
    use rustix::process::Signal;
    let (_brooklet, server, address) = serve();
    let producer = Brooklet::spawn(&[
        "produce",
        "--topic",
        "t",
        "--bootstrap-server",
        &server,
        "--generate",
        "1000000",
        "--rate",
        "200",
        "--json",
    ]);
    client::wait_for_records(address, "t", 5);
    producer.signal(Signal::INT);
    let output = producer.wait();
    assert!(output.status.success(), "{}", output.stderr);
    let summary: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(summary["records"], client::read_all(address, "t").len());
}
