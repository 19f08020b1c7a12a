//! Settings of what is no topic are kept, and those that hold for all topics hold at once and after a restart.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use brooklet_model::ProducerId;
use brooklet_storage::{AlterResourceError, Engine, NewTopic, Settings, Storage, Tuning};
use common::{TestClock, append, block_on, config, open, sequenced};

const BROKER: i8 = 4;
const GROUP: i8 = 32;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn largest_message(storage: &Storage, topic: &str) -> usize {
    let topic = storage.topic(topic).unwrap();
    assert_eq!(topic.partitions[0].config().max_message_bytes, topic.config.max_message_bytes);
    topic.config.max_message_bytes
}

#[test]
fn settings_outlive_a_restart() {
    for engine in [Engine::Segments, Engine::Sled] {
        let folder = tempfile::tempdir().unwrap();
        let storage = open(folder.path(), engine);
        for (kind, name) in [(BROKER, ""), (BROKER, "1"), (GROUP, "a/b%ü"), (GROUP, "gone")] {
            storage.alter_resource_config(kind, name, settings(&[("name", name)]), None).unwrap();
        }
        storage.alter_resource_config(GROUP, "gone", Settings::new(), None).unwrap();
        block_on(storage.shutdown()).unwrap();
        drop(storage);
        let storage = open(folder.path(), engine);
        assert_eq!(storage.resource_names(BROKER), ["", "1"]);
        assert_eq!(storage.resource_names(GROUP), ["a/b%ü"]);
        assert_eq!(storage.resource_config(GROUP, "a/b%ü"), settings(&[("name", "a/b%ü")]));
        assert_eq!(storage.resource_config(GROUP, "gone"), Settings::new());
    }
}

#[test]
fn defaults_of_topics_hold_at_once_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), Engine::Segments);
    storage.create_topic(NewTopic::new("plain", 1)).unwrap();
    let own = NewTopic { overrides: settings(&[("max.message.bytes", "1000")]), ..NewTopic::new("own", 1) };
    storage.create_topic(own).unwrap();
    let defaults = settings(&[("max.message.bytes", "5000")]);
    storage.alter_resource_config(BROKER, "", settings(&[("a", "b")]), Some(defaults.clone())).unwrap();
    storage.create_topic(NewTopic::new("late", 1)).unwrap();
    let holds = |storage: &Storage| {
        let largest = ["plain", "own", "late"].map(|topic| largest_message(storage, topic));
        assert_eq!(largest, [5000, 1000, 5000]);
        assert_eq!(storage.topic_defaults(), defaults);
    };
    holds(&storage);
    block_on(storage.shutdown()).unwrap();
    drop(storage);
    let storage = open(folder.path(), Engine::Segments);
    holds(&storage);
    let own = storage.alter_topic_config("own", Settings::new()).unwrap();
    assert_eq!(own.config.max_message_bytes, 5000);
    storage.alter_resource_config(BROKER, "", Settings::new(), Some(Settings::new())).unwrap();
    assert_eq!(largest_message(&storage, "plain"), 1_048_588);
}

#[test]
fn defaults_that_cannot_be_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), Engine::Memory);
    let wrong = storage.alter_resource_config(
        BROKER,
        "",
        settings(&[("a", "b")]),
        Some(settings(&[("max.message.bytes", "x")])),
    );
    assert!(matches!(wrong, Err(AlterResourceError::Config(_))), "{wrong:?}");
    assert_eq!(storage.resource_config(BROKER, ""), Settings::new());
}

#[test]
fn there_is_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), Engine::Memory);
    let alter =
        |name: usize, value: &Settings| storage.alter_resource_config(GROUP, &name.to_string(), value.clone(), None);
    let (some, none) = (settings(&[("a", "b")]), Settings::new());
    (0..10_000).for_each(|name| alter(name, &some).unwrap());
    assert!(matches!(alter(10_000, &some), Err(AlterResourceError::TooMany(10_000))));
    alter(0, &some).unwrap();
    alter(10_000, &none).unwrap();
    alter(0, &none).unwrap();
    alter(10_000, &some).unwrap();
}

#[test]
fn settings_take_a_bounded_number_of_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path(), Engine::Memory);
    let large = |bytes: usize| settings(&[("a", &"x".repeat(bytes))]);
    for name in ["1", "2", "3"] {
        storage.alter_resource_config(GROUP, name, large(5 << 20), None).unwrap();
    }
    let refused = storage.alter_resource_config(GROUP, "4", large(2 << 20), None);
    assert!(matches!(refused, Err(AlterResourceError::TooLarge(_))), "{refused:?}");
    storage.alter_resource_config(GROUP, "3", large(4 << 20), None).unwrap();
    storage.alter_resource_config(GROUP, "4", large(1 << 20), None).unwrap();
    assert_eq!(storage.resource_setting(GROUP, "4", "a").map(|value| value.len()), Some(1 << 20));
    assert_eq!(storage.resource_setting(GROUP, "4", "b"), None);
}

#[test]
fn producers_are_remembered_as_long_as_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let storage = Storage::open(brooklet_storage::StorageConfig {
        clock: clock.clock(),
        retention_check_interval: Duration::from_secs(3600),
        ..config(folder.path(), Engine::Memory)
    })
    .unwrap();
    let topic = storage.create_topic(NewTopic::new("t", 1)).unwrap();
    let log = &topic.partitions[0];
    append(log, sequenced(7, 0, 0, &["a"]));
    clock.advance(10_000);
    storage.enforce_retention();
    assert!(log.producer_state(ProducerId(7)).is_some());
    storage.tune(Tuning { producer_expiration: Some(Duration::from_secs(5)), ..Tuning::default() });
    storage.enforce_retention();
    assert!(log.producer_state(ProducerId(7)).is_none());
    append(log, sequenced(8, 0, 0, &["b"]));
    storage.tune(Tuning::default());
    clock.advance(10_000);
    storage.enforce_retention();
    assert!(log.producer_state(ProducerId(8)).is_some());
}
