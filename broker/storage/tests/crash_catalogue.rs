//! A process that makes and deletes topics is killed again and again, in the middle of compactions of the log in which
//! they are on record: what was said to be there is there, what was said to be deleted does not come back.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::Write;

use brooklet_storage::{Engine, Fsync, NewTopic, Storage};
use common::batch;
use common::killed::Place;

/// Topics that are there between two steps.
const KEPT: usize = 3;
/// Kills of the process.
const ROUNDS: usize = 8;

/// A long name, so that the log grows fast.
fn name(number: usize) -> String {
    format!("{number:06}-{}", "t".repeat(220))
}

/// The numbers of the topics that are there, in order.
fn numbers(storage: &Storage) -> Vec<usize> {
    storage.topics().iter().map(|topic| topic.name.split('-').next().unwrap().parse().unwrap()).collect()
}

/// The process that is killed: makes a topic, deletes the oldest, and says what it has done.
#[test]
#[ignore = "run by the tests below"]
fn child() {
    let storage = Place::of_child().open_busy();
    let mut out = std::io::stdout();
    let mut say = |what: &str, number: usize| {
        out.write_all(format!("{what} {number}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    };
    loop {
        let there = numbers(&storage);
        let next = there.last().map_or(0, |last| last + 1);
        storage.create_topic(NewTopic::new(name(next), 1)).unwrap();
        say("made", next);
        for number in there.iter().rev().skip(KEPT - 1) {
            storage.delete_topic(&name(*number)).unwrap();
            say("deleted", *number);
        }
    }
}

fn topics_are_as_told(engine: Engine, fsync: Fsync) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path(), engine, fsync);
    let mut last = 0;
    for round in 0..ROUNDS {
        let (mut made, mut deleted) = (0, None);
        place.run_and_kill(200 + (round * 7919) % 300, |words| match words {
            ["made", number] => {
                made = number.parse().unwrap();
                true
            }
            ["deleted", number] => {
                deleted = Some(number.parse::<usize>().unwrap());
                false
            }
            _ => false,
        });
        if engine == Engine::Segments && round % 4 == 3 {
            fs::remove_dir_all(folder.path().join("sled")).unwrap();
        }
        let storage = place.open_busy();
        let there = numbers(&storage);
        last = *there.last().unwrap();
        assert!((made..=made + 1).contains(&last), "{made} was made last, there are {there:?}");
        assert!((KEPT..=KEPT + 1).contains(&there.len()), "there are {there:?}");
        assert!(deleted.is_none_or(|deleted| there[0] > deleted), "{deleted:?} was deleted, there are {there:?}");
        assert!(there.windows(2).all(|two| two[1] == two[0] + 1), "there are {there:?}");
        for number in there {
            common::append(&storage.log(&name(number), 0).unwrap(), batch(&["a"]));
        }
    }
    if engine == Engine::Segments {
        let files = fs::read_dir(folder.path().join("__brooklet_catalog-0")).unwrap();
        let size: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
        // Each topic was on record with more than a thousand bytes.
        assert!(size < last as u64 * 1000, "{size} bytes after {last} topics");
    }
}

#[test]
fn segments_know_their_topics() {
    topics_are_as_told(Engine::Segments, Fsync::Interval);
}

#[test]
fn synced_segments_know_their_topics() {
    topics_are_as_told(Engine::Segments, Fsync::Always);
}

#[test]
fn sled_knows_its_topics() {
    topics_are_as_told(Engine::Sled, Fsync::Interval);
}
