use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::*;
use crate::{Clock, Engine, StorageConfig};

#[test]
fn a_hidden_table_is_as_large_as_what_it_is_about() {
    for engine in [Engine::Segments, Engine::Sled] {
        let folder = tempfile::tempdir().unwrap();
        let open = || Storage::open(StorageConfig { engine, ..StorageConfig::new(folder.path()) }).unwrap();
        let values = |storage: &Storage| {
            let mut values = BTreeMap::new();
            let table = storage.hidden_table("__brooklet_table").unwrap();
            table.for_each(&mut |key, value| drop(values.insert(key.to_vec(), value.to_vec()))).unwrap();
            (values, table.log().size_bytes())
        };
        let mut expected = BTreeMap::new();
        let storage = open();
        let table = storage.hidden_table("__brooklet_table").unwrap();
        // Twenty megabytes about ten keys.
        for number in 0..200u8 {
            let (key, value) = (vec![number % 10], vec![number; 100_000]);
            table.append(0, &[(key.clone(), Some(value.clone()))]).unwrap();
            expected.insert(key, value);
        }
        // Only what is served is compacted.
        let served = table.log().durable(table.log().log_end_offset());
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(served).unwrap();
        drop(table);
        storage.clean();
        let (kept, size) = values(&storage);
        assert!(kept == expected && size < 8 << 20, "{engine}: {size}");
        drop(storage);
        let (kept, size) = values(&open());
        assert!(kept == expected && size < 8 << 20, "{engine}: {size}");
    }
}

#[test]
fn a_hidden_log_becomes_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Storage::open(StorageConfig::new(folder.path())).unwrap();
    let storage = open();
    storage.hidden_log("__brooklet_table").unwrap();
    drop(storage);
    let is_compacted = |storage: &Storage| {
        let log = storage.known_hidden_log("__brooklet_table").unwrap();
        log.config().cleanup_policy.compact
    };
    let storage = open();
    assert!(!is_compacted(&storage));
    storage.hidden_table("__brooklet_table").unwrap();
    assert!(is_compacted(&storage));
    drop(storage);
    assert!(is_compacted(&open()));
}

#[test]
fn the_catalogue_is_as_large_as_what_it_is_about() {
    for engine in [Engine::Segments, Engine::Sled, Engine::Memory] {
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicI64::new(1_700_000_000_000));
        let open = || {
            let now = now.clone();
            let clock = Clock::new(move || now.load(Ordering::Relaxed));
            // Only this test compacts.
            let cleaner_backoff = Duration::from_secs(3600);
            let config = StorageConfig { engine, clock, cleaner_backoff, ..StorageConfig::new(folder.path()) };
            Storage::open(config).unwrap()
        };
        let name = |number: usize| format!("{number}-{}", "t".repeat(200));
        let size = |storage: &Storage| storage.catalogue.log().size_bytes();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let storage = open();
        for number in 0..4000 {
            storage.create_topic(NewTopic::new(name(number), 1)).unwrap();
            if number >= 3 {
                storage.delete_topic(&name(number - 3)).unwrap();
            }
            if number % 1000 == 999 {
                // Only what is served is compacted.
                let log = storage.catalogue.log();
                runtime.block_on(log.durable(log.log_end_offset())).unwrap();
                storage.clean();
                // What the pass found removed need not be kept by the next.
                now.fetch_add(3_600_001, Ordering::Relaxed);
            }
        }
        // Each was on record with more than a thousand bytes.
        assert!(size(&storage) < 5 << 19, "{engine}: {}", size(&storage));
        let expected: Vec<_> = (3997..4000).map(name).collect();
        let names = |storage: &Storage| storage.topics().iter().map(|it| it.name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&storage), expected);
        drop(storage);
        if engine != Engine::Memory {
            let storage = open();
            assert_eq!(names(&storage), expected);
            assert!(size(&storage) < 5 << 19, "{engine}: {}", size(&storage));
        }
    }
}

#[test]
fn a_deletion_that_was_interrupted_goes_on() {
    for engine in [Engine::Segments, Engine::Sled] {
        let folder = tempfile::tempdir().unwrap();
        let open = || Storage::open(StorageConfig { engine, ..StorageConfig::new(folder.path()) }).unwrap();
        let storage = open();
        storage.create_topic(NewTopic::new("doomed", 2)).unwrap();
        storage.hidden_log("__brooklet_doomed").unwrap();
        let records = storage.records.lock();
        let topic = catalogue::begin_delete("topic", "doomed", &records.topics["doomed"]);
        let hidden = catalogue::begin_delete("hidden", "__brooklet_doomed", &records.hidden["__brooklet_doomed"]);
        drop(records);
        storage.catalogue.write(&topic).unwrap();
        storage.catalogue.write(&hidden).unwrap();
        drop(storage);
        let storage = open();
        assert!(storage.topic("doomed").is_none());
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.filter(|name| name.to_str().unwrap().contains("doomed")).count(), 0);
        assert!(storage.catalogue.contents().unwrap().deleting.is_empty());
        let again = storage.create_topic(NewTopic::new("doomed", 1)).unwrap();
        assert_eq!(again.partitions[0].log_end_offset().0, 0);
    }
}
