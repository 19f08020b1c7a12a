//! `brooklet demo`: the newcomer's first command.

use std::collections::BTreeMap;
use std::process::Stdio;

use rustix::process::Signal;

use crate::common::{Brooklet, command};

/// The demo with a temporary folder of its own as TMPDIR.
fn demo(args: &[&str], folder: &tempfile::TempDir) -> Brooklet {
    let mut command = command(&["demo"]);
    Brooklet::from_command(command.args(args).env("TMPDIR", folder.path()).stdin(Stdio::null()))
}

/// The last count of each level that a console shows.
fn last_counts(console: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in console.lines().filter(|line| line.starts_with('|') && *line != "|level|count|") {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        counts.insert(cells[0].to_owned(), cells[1].parse().unwrap());
    }
    counts
}

#[test]
fn it_ends_when_all_records_are_counted_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = demo(&["--records", "500", "--rate", "500", "--listen", "127.0.0.1:0"], &folder).wait();
    assert_eq!(output.status.code(), Some(0), "{}", output.stderr);
    let counts = last_counts(&output.stdout);
    assert_eq!(counts.values().sum::<u64>(), 500, "{}", output.stdout);
    assert!(counts.contains_key("INFO") && counts.contains_key("ERROR"), "{counts:?}");
    assert!(output.stderr.contains("brooklet produce --topic logs --bootstrap-server 127.0.0.1:"), "{}", output.stderr);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn without_a_number_it_runs_until_it_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let demo = demo(&[], &folder);
    demo.stdout.wait_contains("Batch: 1\n");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    demo.signal(Signal::INT);
    assert_eq!(demo.wait().status.code(), Some(0));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
