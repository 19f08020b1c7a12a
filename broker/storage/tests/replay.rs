//! A log read as changes, on every engine: in its order, and so that compaction and restarts change nothing of what
//! results.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_model::{EndMarker, ProducerEpoch, ProducerId};
use brooklet_storage::{Engine, NewTopic, PartitionLog, Replayed, Storage};
use common::{NOW, block_on, open};
use proptest::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    Update { producer: Option<i64>, key: u8, value: Option<Vec<u8>> },
    End { producer: i64, commit: bool },
}

#[derive(Clone, Debug)]
enum Act {
    /// Updates of one batch: a key, and how many bytes of value, or none.
    Write(Option<i64>, Vec<(u8, Option<usize>)>),
    End(i64, bool),
    Roll,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let producer = proptest::option::of(0..3i64);
    let updates = proptest::collection::vec((0..5u8, proptest::option::weighted(0.8, 0..3000usize)), 1..5);
    let act = prop_oneof![
        6 => (producer, updates).prop_map(|(producer, updates)| Act::Write(producer, updates)),
        3 => (0..3i64, any::<bool>()).prop_map(|(producer, commit)| Act::End(producer, commit)),
        1 => Just(Act::Roll),
    ];
    proptest::collection::vec(act, 1..40)
}

fn log_of(storage: &Storage) -> Arc<PartitionLog> {
    if let Some(log) = storage.log("t", 0) {
        return log;
    }
    let settings = [("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0")];
    let overrides = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    storage.create_topic(NewTopic { overrides, ..NewTopic::new("t", 1) }).unwrap().partitions[0].clone()
}

fn replayed(log: &PartitionLog) -> Vec<Change> {
    let mut changes = Vec::new();
    log.replay(&mut |replayed| {
        changes.push(match replayed {
            Replayed::Update { producer_id, key, value } => {
                Change::Update { producer: producer_id.map(|id| id.0), key: key[0], value: value.map(<[u8]>::to_vec) }
            }
            Replayed::TransactionEnded { producer_id, commit } => Change::End { producer: producer_id.0, commit },
        });
    })
    .unwrap();
    changes
}

type Values = BTreeMap<u8, Vec<u8>>;
/// Whose, key, value.
type Pending = Vec<(i64, u8, Vec<u8>)>;

/// The values that count, and those that are pending: of two of a key the later in the log counts, whenever its
/// transaction ends.
fn fold(changes: &[Change]) -> (Values, Pending) {
    let outcome = |at: usize, owner: Option<i64>| match owner {
        None => Some(true),
        Some(owner) => changes[at..].iter().find_map(|change| match change {
            Change::End { producer, commit } if *producer == owner => Some(*commit),
            _ => None,
        }),
    };
    let (mut values, mut pending) = (Values::new(), Pending::new());
    for (at, change) in changes.iter().enumerate() {
        let Change::Update { producer, key, value } = change else { continue };
        match (outcome(at, *producer), value) {
            (Some(true), Some(value)) => drop(values.insert(*key, value.clone())),
            (Some(true), None) => drop(values.remove(key)),
            (None, Some(value)) => pending.push((producer.unwrap(), *key, value.clone())),
            _ => {}
        }
    }
    (values, pending)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changes_come_back_in_order_and_compaction_changes_nothing(
        acts in acts(),
        engine in prop_oneof![Just(Engine::Segments), Just(Engine::Sled), Just(Engine::Memory)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let storage = open(folder.path(), engine);
        let log = log_of(&storage);
        let mut expected = Vec::new();
        for act in acts {
            let appended = match act {
                Act::Roll => {
                    log.roll().unwrap();
                    continue;
                }
                Act::End(producer, commit) => {
                    expected.push(Change::End { producer, commit });
                    let marker = EndMarker { commit, coordinator_epoch: 0 };
                    log.end_transaction(ProducerId(producer), ProducerEpoch(0), marker, false).unwrap()
                }
                Act::Write(producer, updates) => {
                    let value = |key: u8, len: usize| vec![key; len];
                    let updates: Vec<_> =
                        updates.iter().map(|(key, len)| (vec![*key], len.map(|len| value(*key, len)))).collect();
                    expected.extend(updates.iter().map(|(key, value)| {
                        Change::Update { producer, key: key[0], value: value.clone() }
                    }));
                    match producer {
                        None => log.append_updates(NOW, &updates).unwrap(),
                        Some(producer) => log
                            .append_updates_in_transaction(NOW, ProducerId(producer), ProducerEpoch(0), &updates)
                            .unwrap(),
                    }
                }
            };
            block_on(log.durable(appended.last_offset.plus(1))).unwrap();
        }
        prop_assert_eq!(&replayed(&log), &expected);
        log.roll().unwrap();
        storage.clean();
        prop_assert_eq!(fold(&replayed(&log)), fold(&expected));
        if engine != Engine::Memory {
            drop(log);
            block_on(storage.shutdown()).unwrap();
            drop(storage);
            let storage = open(folder.path(), engine);
            prop_assert_eq!(fold(&replayed(&log_of(&storage))), fold(&expected));
        }
    }
}
