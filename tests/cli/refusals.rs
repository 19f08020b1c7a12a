//! What cannot be started ends with one clear line, status 1, and nothing left behind.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::common::{Brooklet, Output, refusing_address, run};

fn assert_refused(output: &Output, parts: &[&str]) {
    assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
    assert_eq!(output.stdout, "");
    assert_eq!(output.stderr.lines().count(), 1, "one line: {}", output.stderr);
    assert!(output.stderr.starts_with("brooklet: "), "{}", output.stderr);
    for part in parts {
        assert!(output.stderr.contains(part), "no {part:?} in: {}", output.stderr);
    }
}

fn path(folder: &Path) -> &str {
    folder.to_str().unwrap()
}

#[test]
fn a_taken_port_is_found_before_a_folder_is_made() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = run(&["serve", "--listen", &address, "--data-dir", path(&data)]);
    assert_refused(&output, &[&address, "in use"]);
    assert!(!data.exists());
    assert_refused(&run(&["demo", "--listen", &address]), &[&address, "in use"]);
}

#[test]
fn bad_sql_is_found_before_the_port_and_the_folder() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let good = "SELECT level, COUNT(*) AS count FROM logs GROUP BY level";
    for bad in ["SELEC level FROM logs", "SELECT level, COUNT(*) FROM logs\nGROUP BY level ORDER BY 1", ""] {
        let args = ["serve", "--listen", &address, "--data-dir", path(&data), "--query", good, "--query", bad];
        assert_refused(&run(&args), &[]);
        assert!(!data.exists());
    }
    let output = run(&["serve", "--query", "SELECT level, COUNT(*)\nFROM logs\nGROUP BY level\nORDER BY level"]);
    assert_refused(&output, &["4:"]);
}

#[test]
fn a_folder_in_use_names_the_process_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let (brooklet, _) = Brooklet::serve(&["--data-dir", path(folder.path())]);
    let output = run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", path(folder.path())]);
    assert_refused(&output, &[path(folder.path()), &brooklet.id().to_string()]);
    assert_eq!(brooklet.terminate().status.code(), Some(0));
    let (brooklet, _) = Brooklet::serve(&["--data-dir", path(folder.path())]);
    brooklet.kill();
    let (_brooklet, _) = Brooklet::serve(&["--data-dir", path(folder.path())]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    for data in [file.clone(), file.join("below"), Path::new("/proc/nothing").to_owned()] {
        let output = run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", path(&data)]);
        assert_refused(&output, &[path(&data)]);
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "not a folder");
}

#[test]
fn a_folder_made_by_another_engine_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["serve", "--listen", "127.0.0.1:0", "--data-dir", path(folder.path())];
    let (brooklet, _) = Brooklet::serve(&["--data-dir", path(folder.path())]);
    assert_eq!(brooklet.terminate().status.code(), Some(0));
    let output = run(&[&args[..], &["--storage", "sled"]].concat());
    assert_refused(&output, &[path(folder.path()), "segments", "sled"]);
}

#[test]
fn a_query_given_twice_is_refused() {
    let query = ["--query", "SELECT level, COUNT(*) AS count FROM logs GROUP BY level"];
    let output = run(&[&["serve", "--listen", "127.0.0.1:0", "--storage", "memory"], &query[..], &query[..]].concat());
    assert_refused(&output, &["given twice"]);
}

#[test]
fn a_host_that_is_not_here_is_named() {
    let output = run(&["serve", "--listen", "192.0.2.1:0", "--storage", "memory"]);
    assert_refused(&output, &["192.0.2.1:0"]);
}

#[test]
fn produce_refuses_what_it_cannot_send() {
    let (_taken, address) = refusing_address();
    let address = address.to_string();
    let output = run(&["produce", "--topic", "t", "--bootstrap-server", &address, "--generate", "1"]);
    assert_refused(&output, &[&address, "refused"]);
    assert_refused(&run(&["produce", "--topic", "t", "/no/such/file"]), &["/no/such/file"]);
    assert_refused(
        &run(&["produce", "--topic", "t", "-X", "no.such.setting=1", "--generate", "1"]),
        &["no.such.setting"],
    );
}
