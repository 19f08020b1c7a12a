//! `brooklet query`, and queries of a broker that take several topics or groups.

use crate::common::{Brooklet, client, run};

const TABLES: &str = "CREATE TABLE clicks (user_id STRING, ts TIMESTAMP) WITH (watermark = 'ts 1 second');
    CREATE TABLE users (id STRING, country STRING) WITH (latest_by = 'id');";
const JOIN: &str =
    "SELECT country, COUNT(*) AS clicks FROM clicks LEFT JOIN users ON user_id = users.id GROUP BY country";

fn click(user: &str, second: u8) -> String {
    format!(r#"{{"user_id": "{user}", "ts": "2026-01-01 00:00:{second:02}"}}"#)
}

fn user(id: &str, country: &str) -> String {
    format!(r#"{{"id": "{id}", "country": "{country}"}}"#)
}

fn rows(args: &[&str], sql: &str) -> Vec<String> {
    let output = run(&[&["query", "--output", "csv"], args, &[sql]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", output.stderr);
    let mut rows: Vec<String> = output.stdout.lines().skip(1).map(str::to_owned).collect();
    rows.sort();
    rows
}

#[test]
fn a_topic_is_joined_as_a_table_in_a_stream_from_a_broker_and_at_rest() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let sql = format!("{TABLES} {JOIN}");
    let (brooklet, address) = Brooklet::serve(&["--data-dir", &data, "--from", "earliest", "--query", &sql]);
    let address_text = address.to_string();
    client::send(address, "users", &[&user("a", "DE"), &user("b", "FR"), &user("a", "IT")]);
    client::send(address, "clicks", &[&click("a", 1), &click("b", 2), &click("c", 3), &click("a", 4)]);
    brooklet.stdout.wait_contains("|     IT|     2|");
    brooklet.stdout.wait_contains("|   null|     1|");
    client::send(address, "users", &[&user("a", "DE")]);
    client::send(address, "clicks", &[&click("a", 5)]);
    brooklet.stdout.wait_contains("|     DE|     1|");
    let status = run(&["status", "--bootstrap-server", &address_text]).stdout;
    assert!(status.contains("running, reads clicks, joins users\n"), "{status}");

    // At the end of both topics there is one country for each user.
    let expected = [",1", "DE,3", "FR,1"];
    assert_eq!(rows(&["--bootstrap-server", &address_text], &sql), expected);
    brooklet.terminate();
    assert_eq!(rows(&["--data-dir", &data], &sql), expected);
}

#[test]
fn groups_are_grouped_again() {
    let sql = format!(
        "{TABLES} SELECT COUNT(*) AS users, SUM(n) AS clicks FROM (SELECT window AS w, user_id, COUNT(*) AS n \
         FROM clicks GROUP BY window(ts, '10 seconds'), user_id) GROUP BY window(w, '10 seconds')"
    );
    let args = ["--storage", "memory", "--from", "earliest", "--output-mode", "append", "--query", &sql];
    let (brooklet, address) = Brooklet::serve(&args);
    client::send(address, "clicks", &[&click("a", 1), &click("b", 2), &click("a", 3), &click("z", 59)]);
    brooklet.stdout.wait_contains("|    2|     3|");
    assert_eq!(rows(&["--bootstrap-server", &address.to_string()], &sql), ["1,1", "2,3"]);
}

const UNION: &str = "CREATE TABLE web (path STRING, ts TIMESTAMP) WITH (watermark = 'ts 0 seconds');
    CREATE TABLE app (screen STRING, at TIMESTAMP) WITH (watermark = 'at 5 seconds');
    SELECT place, COUNT(*) AS visits FROM (SELECT path AS place, ts FROM web UNION ALL SELECT screen, at FROM app)";

fn visit(place: &str, second: u8) -> [String; 2] {
    let time = format!("2026-01-01T00:00:{second:02}Z");
    [format!(r#"{{"path": "{place}", "ts": "{time}"}}"#), format!(r#"{{"screen": "{place}", "at": "{time}"}}"#)]
}

#[test]
fn several_topics_are_one_in_a_stream_from_a_broker_and_at_rest() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let sql = format!("{UNION} GROUP BY place");
    let args = ["--data-dir", &data, "--from", "earliest", "--name", "visits", "--query", &sql];
    let (brooklet, address) = Brooklet::serve(&args);
    let bootstrap = address.to_string();
    let of = |place: &str| visit(place, 1);
    client::send(address, "web", &[&of("home")[0], &of("shop")[0]]);
    brooklet.stdout.wait_contains("| shop|     1|");
    client::send(address, "app", &[&of("home")[1]]);
    brooklet.stdout.wait_contains("| home|     2|");
    let status = loop {
        let status = run(&["status", "--json", "--bootstrap-server", &bootstrap]).stdout;
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        // Rows are printed before their batch is committed, and told of when it is.
        if status[0]["records_in"] == 3 {
            break status[0].clone();
        }
    };
    assert_eq!((&status["topics"], &status["lag_records"]), (&serde_json::json!(["app", "web"]), &0.into()));
    let at = |topic: &str, next: u8| serde_json::json!({ "topic": topic, "partition": 0, "next": next, "end": next });
    assert_eq!(status["positions"], serde_json::json!([at("app", 1), at("web", 2)]));
    let group = run(&["groups", "__brooklet_query_visits", "--json", "--bootstrap-server", &bootstrap]).stdout;
    let group: serde_json::Value = serde_json::from_str(&group).unwrap();
    let mut told: Vec<_> =
        group.as_array().unwrap().iter().map(|it| (it["topic"].as_str(), it["lag"].as_i64())).collect();
    told.sort();
    assert_eq!(told, [(Some("app"), Some(0)), (Some("web"), Some(0))]);

    let expected = ["home,2", "shop,1"];
    assert_eq!(rows(&["--bootstrap-server", &bootstrap], &sql), expected);
    brooklet.terminate();
    assert_eq!(rows(&["--data-dir", &data], &sql), expected);
}

#[test]
fn several_topics_are_followed_each_as_records_come() {
    let (_brooklet, address) = Brooklet::serve(&["--storage", "memory"]);
    let bootstrap = address.to_string();
    client::send(address, "web", &[&visit("home", 1)[0]]);
    client::send(address, "app", &[&visit("home", 2)[1]]);
    let sql = format!("{UNION} GROUP BY window(ts, '10 seconds'), place");
    let args =
        ["query", "--follow", "--output-mode", "append", "--output", "csv", "--bootstrap-server", &bootstrap, &sql];
    let follower = Brooklet::spawn(&args);
    // The window ends when the slower of both is past it.
    client::send(address, "web", &[&visit("shop", 40)[0]]);
    client::send(address, "app", &[&visit("shop", 14)[1]]);
    client::send(address, "app", &[&visit("home", 3)[1]]);
    client::send(address, "app", &[&visit("shop", 30)[1]]);
    follower.stdout.wait_for("both windows", |text| text.contains("home,") && text.contains("shop,"));
    let output = follower.terminate();
    assert_eq!(output.status.code(), Some(0), "{}", output.stderr);
    let mut rows: Vec<&str> = output.stdout.lines().collect();
    rows.sort();
    assert_eq!(rows, ["home,3", "place,visits", "shop,1"]);
}
