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
