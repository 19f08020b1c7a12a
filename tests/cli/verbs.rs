//! `brooklet topics`, `groups`, `configs` and `consume` against a broker.

use std::net::SocketAddr;
use std::thread;

use brooklet_producer::{From, TopicReader};
use serde_json::{Value, json};

use crate::common::{Brooklet, DEADLINE, Output, client, fixed_address, refusing_address, run, wait_until};

fn broker() -> (Brooklet, SocketAddr) {
    Brooklet::serve(&["--storage", "memory"])
}

fn on(address: SocketAddr, args: &[&str]) -> Output {
    run(&[args, &["--bootstrap-server", &address.to_string()]].concat())
}

fn ok(address: SocketAddr, args: &[&str]) -> String {
    let output = on(address, args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", output.stderr);
    output.stdout
}

fn json_of(address: SocketAddr, args: &[&str]) -> Value {
    serde_json::from_str(&ok(address, &[args, &["--json"]].concat())).unwrap()
}

#[test]
fn topics_are_created_listed_and_deleted() {
    let (_brooklet, address) = broker();
    ok(address, &["topics", "create", "logs", "--partitions", "2", "--config", "retention.ms=60000"]);
    client::send(address, "logs", &["a", "b", "c"]);
    assert_eq!(
        json_of(address, &["topics"]),
        json!([{ "topic": "logs", "partitions": 2, "replicas": 1, "records": 3, "internal": null }])
    );
    assert_eq!(
        ok(address, &["topics"]),
        "TOPIC  PARTITIONS  REPLICAS  RECORDS  INTERNAL\nlogs            2         1        3\n"
    );
    let partitions = json_of(address, &["topics", "logs"]);
    let ends: i64 = partitions.as_array().unwrap().iter().map(|it| it["end_offset"].as_i64().unwrap()).sum();
    assert_eq!((partitions.as_array().unwrap().len(), ends), (2, 3));
    let again = on(address, &["topics", "create", "logs"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(again.stderr.contains("logs: TopicAlreadyExists"), "{}", again.stderr);
    ok(address, &["topics", "delete", "logs"]);
    assert_eq!(json_of(address, &["topics"]), json!([]));
    let missing = on(address, &["topics", "logs"]);
    assert!(missing.stderr.contains("logs: UnknownTopicOrPartition"), "{}", missing.stderr);
}

#[test]
fn settings_are_set_shown_and_unset_one_by_one() {
    let (_brooklet, address) = broker();
    ok(address, &["topics", "create", "logs"]);
    ok(address, &["configs", "set", "logs", "retention.ms=60000", "cleanup.policy=compact"]);
    ok(address, &["configs", "unset", "logs", "cleanup.policy"]);
    let shown = json_of(address, &["configs", "logs"]);
    let of_topic: Vec<&Value> = shown.as_array().unwrap().iter().filter(|it| it["source"] == "topic").collect();
    assert_eq!(of_topic, [&json!({ "setting": "retention.ms", "value": "60000", "source": "topic" })]);
    assert!(json_of(address, &["configs", "logs", "--all"]).as_array().unwrap().len() > 10);
    assert!(ok(address, &["configs", "--broker", "1", "--all"]).contains("num.partitions"));
    for (resource, setting, source) in [
        (&["--broker", "1"][..], "max.connections=500", "dynamic broker"),
        (&["--broker-defaults"][..], "max.connections=400", "dynamic default broker"),
        (&["--group", "readers"][..], "consumer.session.timeout.ms=50000", "group"),
        (&["--client-metrics", "all"][..], "interval.ms=1000", "client metrics"),
    ] {
        let (name, value) = setting.split_once('=').unwrap();
        let shown = || json_of(address, &[&["configs"][..], resource].concat());
        let is_set = |shown: &serde_json::Value| {
            shown
                .as_array()
                .unwrap()
                .iter()
                .any(|row| *row == json!({"setting": name, "value": value, "source": source}))
        };
        ok(address, &[&["configs", "set"][..], resource, &[setting][..]].concat());
        assert!(is_set(&shown()), "{}", shown());
        ok(address, &[&["configs", "unset"][..], resource, &[name][..]].concat());
        assert!(!is_set(&shown()), "{}", shown());
    }
    for nothing in [&["configs", "set", "logs"][..], &["configs", "unset", "--broker", "1"][..]] {
        assert!(!on(address, nothing).status.success());
    }
    let bad = on(address, &["configs", "set", "--broker", "1", "logs", "max.connections=1"]);
    assert!(bad.stderr.contains("`logs`"), "{}", bad.stderr);
    let bad = on(address, &["configs", "set", "logs", "retention.ms=soon"]);
    assert!(bad.stderr.contains("InvalidConfig"), "{}", bad.stderr);
}

#[test]
fn a_query_is_a_group_with_its_lag() {
    let query = "SELECT COUNT(*) FROM logs";
    let args = ["--storage", "memory", "--from", "earliest", "--name", "all", "--query", query];
    let (brooklet, address) = Brooklet::serve(&args);
    client::send(address, "logs", &["{}", "{}"]);
    brooklet.stdout.wait_contains("|       2|");
    let group = || json_of(address, &["groups", "__brooklet_query_all"]);
    let told = wait_until("both records are committed", group, |told| told[0]["committed"] == 2);
    assert_eq!(
        (&told[0]["topic"], &told[0]["lag"], &told[0]["client"]),
        (&"logs".into(), &0.into(), &"brooklet".into())
    );
    assert_eq!(json_of(address, &["groups"])[0]["state"], "Stable");
    let missing = on(address, &["groups", "nobody"]);
    assert!(missing.stderr.contains("nobody: GroupIdNotFound"), "{}", missing.stderr);
}

#[test]
fn records_are_printed_as_the_format_says() {
    let (_brooklet, address) = broker();
    client::send(address, "logs", &["a", "b", "c"]);
    assert_eq!(ok(address, &["consume", "logs"]), "a\nb\nc\n");
    assert_eq!(ok(address, &["consume", "logs", "-n", "2", "-f", "%t %p %o %K %s|"]), "logs 0 0 -1 a|logs 0 1 -1 b|");
    assert_eq!(ok(address, &["consume", "logs", "--from", "2", "--partition", "0"]), "c\n");
    assert_eq!(ok(address, &["consume", "logs", "--from", "latest"]), "");
    assert_eq!(ok(address, &["consume", "logs", "--from", "2020-01-01T00:00:00Z"]), "a\nb\nc\n");
    assert_eq!(ok(address, &["consume", "logs", "--from", "2999-01-01T00:00:00Z"]), "");
    let missing = on(address, &["consume", "nothing"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(missing.stderr.contains("there is no topic nothing"), "{}", missing.stderr);
    let no_partition = on(address, &["consume", "logs", "--partition", "7"]);
    assert!(no_partition.stderr.contains("logs has no partition 7"), "{}", no_partition.stderr);
}

#[test]
fn a_topic_of_many_partitions_is_listed_and_read() {
    let (_broker, address) = broker();
    ok(address, &["topics", "create", "wide", "--partitions", "2000"]);
    client::send(address, "wide", &["a"]);
    let partitions = ok(address, &["topics", "wide"]);
    assert_eq!(partitions.lines().count(), 2001);
    assert_eq!(ok(address, &["consume", "wide"]), "a\n");
    assert_eq!(ok(address, &["query", "--output", "csv", "SELECT COUNT(*) AS n FROM wide"]), "n\n1\n");
    assert_eq!(ok(address, &["consume", "wide", "--from", "latest"]), "");
}

#[test]
fn a_follower_prints_what_comes_until_it_is_told_to_stop() {
    let (_brooklet, address) = broker();
    client::send(address, "logs", &["before"]);
    let bootstrap = address.to_string();
    let follower = Brooklet::spawn(&["consume", "logs", "--follow", "--bootstrap-server", &bootstrap]);
    follower.stdout.wait_contains("before\n");
    client::send(address, "logs", &["after"]);
    follower.stdout.wait_contains("after\n");
    let output = follower.terminate();
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(0), "before\nafter\n"));
}

#[test]
fn followers_wait_for_a_broker_that_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let address = fixed_address().to_string();
    let args = ["serve", "--listen", &address, "--data-dir", folder.path().to_str().unwrap()];
    let broker = Brooklet::spawn(&args);
    client::send(broker.listening(), "logs", &["{}"]);
    let consumer = Brooklet::spawn(&["consume", "logs", "--follow", "--bootstrap-server", &address]);
    consumer.stdout.wait_contains("{}\n");
    let sql = "SELECT COUNT(*) AS n FROM logs";
    let query = Brooklet::spawn(&["query", "--follow", "--bootstrap-server", &address, sql]);
    query.stdout.wait_contains("|  1|");
    broker.kill();
    for follower in [&consumer, &query] {
        follower.stderr.wait_contains("no broker answers; waiting for one");
    }
    let broker = Brooklet::spawn(&args);
    client::send(broker.listening(), "logs", &["{\"a\":1}"]);
    consumer.stdout.wait_contains("{}\n{\"a\":1}\n");
    query.stdout.wait_contains("|  2|");
    for follower in [consumer, query] {
        assert_eq!(follower.terminate().status.code(), Some(0));
    }
}

#[test]
fn a_reader_may_end_as_soon_as_it_began() {
    let (_brooklet, address) = broker();
    client::send(address, "logs", &["a", "b", "c"]);
    let open = |from| TopicReader::open(&address.to_string(), &[], "logs", None, from, true, DEADLINE).unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    drop(open(From::Latest));
                    open(From::Earliest).go_on(DEADLINE).unwrap();
                }
            });
        }
    });
}

#[test]
fn no_broker_is_an_error() {
    let (_taken, address) = refusing_address();
    for verb in [&["topics"][..], &["groups"], &["transactions"], &["consume", "logs"]] {
        let output = on(address, verb);
        assert_eq!(output.status.code(), Some(1));
        let reason = format!("brooklet: no broker at {address}: {address}: Connection refused (os error ");
        assert!(output.stderr.starts_with(&reason), "{}", output.stderr);
    }
}
