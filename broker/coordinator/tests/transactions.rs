//! Transactions over random histories of all commands with a virtual clock: a restart gives what was there, nobody gets
//! an identity twice, what is committed was asked to be, by the one producer that could, and nothing stays open.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use brooklet_coordinator::Timers;
use brooklet_coordinator::transactions::{
    ClientVersion, Command, Context, ListedTransactions, Markers, Producer, Reply, State, TimerKey, TransactionConfig,
    TransactionCoordinator, TransactionError, TransactionRecord,
};
use brooklet_model::{ProducerEpoch, ProducerId, TopicPartition};
use proptest::prelude::*;

const IDS: [&str; 2] = ["a", "b"];

struct Harness {
    live: TransactionCoordinator,
    config: TransactionConfig,
    log: BTreeMap<Vec<u8>, Vec<u8>>,
    timers: Timers<TimerKey>,
    now: u64,
    next_producer_id: i64,
    /// Asked for, and not written yet.
    unwritten: Vec<Markers>,
}

impl Harness {
    fn new() -> Self {
        let config = TransactionConfig::default();
        let live = TransactionCoordinator::new(config.clone());
        let (log, timers) = (BTreeMap::new(), Timers::default());
        let mut new = Self { live, config, log, timers, now: 1_000_000, next_producer_id: 0, unwritten: Vec::new() };
        new.restart();
        new
    }

    /// Does a command as the shell does, but for the markers.
    fn run(&mut self, command: Command) -> Result<Reply, TransactionError> {
        let mut context = Context { now: self.now as i64, fresh_producer_id: None };
        let mut handled = self.live.handle(&context, command.clone());
        if handled == Err(TransactionError::ProducerIdNeeded) {
            context.fresh_producer_id = Some(ProducerId(self.next_producer_id));
            self.next_producer_id += 1;
            handled = self.live.handle(&context, command);
        }
        let step = handled?;
        for record in &step.events {
            let (key, value) = record.encode();
            match value {
                Some(value) => self.log.insert(key, value),
                None => self.log.remove(&key),
            };
            self.live.replay(record);
        }
        step.timers.into_iter().for_each(|change| self.timers.apply(change, self.now));
        self.unwritten.extend(step.markers);
        step.reply
    }

    fn pass(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some(at) = self.timers.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            let key = self.timers.pop_due(at).expect("a timer is due");
            self.run(Command::TimerFired(key)).expect("a timer is not refused");
        }
        self.now = end;
    }

    /// What a restart makes of the log.
    fn restarted(&self) -> TransactionCoordinator {
        let mut restarted = TransactionCoordinator::new(self.config.clone());
        for (key, value) in &self.log {
            restarted.replay(&TransactionRecord::decode(key, Some(value)).unwrap().expect("of a known kind"));
        }
        restarted
    }

    fn restart(&mut self) {
        self.live = self.restarted();
        self.timers.clear();
        let timers = self.live.timers_after_restart(self.now as i64);
        timers.into_iter().for_each(|change| self.timers.apply(change, self.now));
        self.unwritten = self.live.unfinished();
    }

    fn state(&self, id: &str) -> Option<State> {
        self.live.describe(id).map(|transaction| transaction.state)
    }

    fn init(&mut self, id: &str) -> Producer {
        let command = Command::Init { transactional_id: id.into(), timeout_ms: 60_000, expected: None };
        match self.run(command) {
            Ok(Reply::Producer(producer_id, epoch)) => producer(id, producer_id.0, epoch.0),
            other => panic!("not initialised: {other:?}"),
        }
    }

    fn write_markers(&mut self) {
        for markers in std::mem::take(&mut self.unwritten) {
            self.run(Command::MarkersWritten(markers)).unwrap();
        }
    }

    fn add(&mut self, producer: &Producer, version: ClientVersion) -> Result<Reply, TransactionError> {
        self.run(Command::AddPartitions { producer: producer.clone(), partitions: partitions(&[0]), version })
    }

    fn end(&mut self, producer: &Producer, commit: bool, version: ClientVersion) -> Result<Reply, TransactionError> {
        self.run(Command::End { producer: producer.clone(), commit, version })
    }
}

fn producer(id: &str, producer_id: i64, epoch: i16) -> Producer {
    Producer { transactional_id: id.into(), id: ProducerId(producer_id), epoch: ProducerEpoch(epoch) }
}

fn partitions(indexes: &[i32]) -> BTreeSet<TopicPartition> {
    indexes.iter().map(|index| TopicPartition::new("t", *index)).collect()
}

#[derive(Clone, Debug)]
enum Act {
    /// The number, if there is one, chooses among who producers have been.
    Init {
        id: usize,
        expected: Option<usize>,
        timeout_ms: i32,
    },
    Add {
        known: usize,
        partition: i32,
        version: ClientVersion,
    },
    End {
        known: usize,
        commit: bool,
        version: ClientVersion,
    },
    WriteMarkers {
        most: usize,
    },
    Pass {
        ms: u64,
    },
    Restart,
    /// Puts the epoch near its end.
    Age {
        id: usize,
        epoch: i16,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let version = || prop_oneof![Just(ClientVersion::V1), Just(ClientVersion::V2)];
    prop_oneof![
        4 => (0usize..2, proptest::option::of(0usize..6), prop_oneof![Just(60_000), 1..900_000, -1..2, Just(900_001)])
            .prop_map(|(id, expected, timeout_ms)| Act::Init { id, expected, timeout_ms }),
        8 => (0usize..6, 0i32..4, version()).prop_map(|(known, partition, version)| Act::Add { known, partition, version }),
        8 => (0usize..6, any::<bool>(), version()).prop_map(|(known, commit, version)| Act::End { known, commit, version }),
        8 => (0usize..4).prop_map(|most| Act::WriteMarkers { most }),
        2 => prop_oneof![0u64..100_000, 0u64..900_000_000].prop_map(|ms| Act::Pass { ms }),
        1 => Just(Act::Restart),
        1 => (0usize..2, i16::MAX - 4..i16::MAX).prop_map(|(id, epoch)| Act::Age { id, epoch }),
    ]
}

#[derive(Default)]
struct Clients {
    /// Who producers have been told to be, the last one first.
    known: Vec<Producer>,
    /// All identities ever given, to see none given twice.
    given: BTreeSet<(i64, i16)>,
    /// What the open transaction of each id has.
    open: BTreeMap<Arc<str>, BTreeSet<TopicPartition>>,
}

impl Clients {
    fn choose(&self, number: usize) -> Option<Producer> {
        self.known.get(number % self.known.len().clamp(1, 6)).cloned()
    }

    fn told(&mut self, id: Arc<str>, producer_id: ProducerId, epoch: ProducerEpoch) {
        self.given.insert((producer_id.0, epoch.0));
        self.known.insert(0, Producer { transactional_id: id, id: producer_id, epoch });
    }

    fn act(&mut self, harness: &mut Harness, act: Act) {
        match act {
            Act::Pass { ms } => harness.pass(ms),
            Act::Restart => harness.restart(),
            Act::WriteMarkers { most } => {
                for _ in 0..most.min(harness.unwritten.len()) {
                    let markers = harness.unwritten.remove(0);
                    harness.run(Command::MarkersWritten(markers)).unwrap();
                }
            }
            Act::Age { id, epoch } => {
                let Some(transaction) = harness.live.describe(IDS[id]).cloned() else { return };
                if transaction.state.is_prepared() || transaction.epoch.0 >= epoch {
                    return;
                }
                let aged = brooklet_coordinator::transactions::Transaction {
                    epoch: ProducerEpoch(epoch),
                    last_epoch: ProducerEpoch(epoch - 1),
                    ..transaction
                };
                let (id, value) = (Arc::<str>::from(IDS[id]), Some(Arc::new(aged.clone())));
                let record = TransactionRecord { id: id.clone(), value };
                let (key, value) = record.encode();
                harness.log.insert(key, value.unwrap());
                harness.live.replay(&record);
                self.told(id, aged.producer_id, aged.epoch);
            }
            Act::Init { id, expected, timeout_ms } => {
                let expected = expected.and_then(|number| self.choose(number));
                let before = harness.live.describe(IDS[id]).cloned();
                let command = Command::Init {
                    transactional_id: IDS[id].into(),
                    timeout_ms,
                    expected: expected.as_ref().map(|known| (known.id, known.epoch)),
                };
                let replied = harness.run(command);
                if timeout_ms <= 0 || timeout_ms > 900_000 {
                    assert_eq!(replied, Err(TransactionError::InvalidTransactionTimeout));
                }
                if let Ok(Reply::Producer(producer_id, epoch)) = replied {
                    let is_repeated =
                        before.is_some_and(|before| (before.producer_id, before.epoch) == (producer_id, epoch));
                    let is_new = !self.given.contains(&(producer_id.0, epoch.0));
                    assert!(is_new || is_repeated && expected.is_some(), "{producer_id} {epoch} was somebody else");
                    self.told(IDS[id].into(), producer_id, epoch);
                }
            }
            Act::Add { known, partition, version } => {
                let Some(producer) = self.choose(known) else { return };
                let added = partitions(&[partition]);
                let command = Command::AddPartitions { producer: producer.clone(), partitions: added.clone(), version };
                if harness.run(command).is_ok() {
                    assert_eq!(harness.state(&producer.transactional_id), Some(State::Ongoing));
                    let partition = added.first().unwrap();
                    assert_eq!(harness.live.verify(&producer, partition), Ok(()));
                    self.open.entry(producer.transactional_id).or_default().extend(added);
                }
            }
            Act::End { known, commit, version } => {
                let Some(producer) = self.choose(known) else { return };
                let before = harness.live.describe(&producer.transactional_id).cloned();
                let replied = harness.end(&producer, commit, version);
                if replied.is_err() {
                    assert_eq!(harness.live.describe(&producer.transactional_id), before.as_ref());
                }
                if let Ok(Reply::Producer(producer_id, epoch)) = replied
                    && version == ClientVersion::V2
                {
                    self.told(producer.transactional_id, producer_id, epoch);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn a_restart_finds_everything_and_nothing_is_decided_twice(acts in proptest::collection::vec(act(), 1..120)) {
        let mut harness = Harness::new();
        let mut clients = Clients::default();
        for act in acts {
            let before: BTreeMap<&str, _> =
                IDS.iter().filter_map(|id| Some((*id, harness.live.describe(id)?.clone()))).collect();
            clients.act(&mut harness, act.clone());
            prop_assert_eq!(&harness.restarted(), &harness.live);
            for id in IDS {
                let Some(now) = harness.live.describe(id) else { continue };
                let Some(before) = before.get(id) else { continue };
                // An outcome that is decided stays, until it is written.
                let committed = matches!(now.state, State::PrepareCommit | State::CompleteCommit);
                match before.state {
                    State::PrepareCommit => prop_assert!(committed),
                    State::PrepareAbort => prop_assert!(matches!(now.state, State::PrepareAbort | State::CompleteAbort)),
                    State::Ongoing if committed => {
                        let asked = matches!(act, Act::End { commit: true, .. });
                        prop_assert!(asked, "committed by {:?}", act);
                    }
                    _ => {}
                }
                if now.state.is_prepared() {
                    let open = clients.open.remove(id).unwrap_or_default();
                    if !before.state.is_prepared() {
                        prop_assert_eq!(&now.partitions, &open);
                    }
                    prop_assert!(harness.unwritten.iter().any(|markers| *markers.producer.transactional_id == *id
                        && markers.partitions == now.partitions
                        && markers.commit == (now.state == State::PrepareCommit)));
                }
                // A producer that was there before can never be ahead.
                if now.producer_id == before.producer_id {
                    prop_assert!(now.epoch >= before.epoch);
                }
            }
        }
        // Left alone, everything comes to an end, and is forgotten at last.
        harness.pass(900_001);
        harness.write_markers();
        prop_assert!(IDS.iter().all(|id| harness.state(id).is_none_or(|state| !state.is_prepared() && state != State::Ongoing)));
        harness.pass(8 * 24 * 60 * 60 * 1000);
        prop_assert!(harness.log.is_empty());
    }
}

#[test]
fn the_second_protocol_bumps_the_epoch_at_each_end() {
    let mut harness = Harness::new();
    let first = harness.init("a");
    harness.add(&first, ClientVersion::V2).unwrap();
    let second = Reply::Producer(first.id, ProducerEpoch(1));
    assert_eq!(harness.end(&first, true, ClientVersion::V2), Ok(second));
    assert_eq!(harness.end(&first, true, ClientVersion::V2), Err(TransactionError::ConcurrentTransactions));
    assert_eq!(harness.end(&first, false, ClientVersion::V2), Err(TransactionError::InvalidTxnState));
    harness.write_markers();
    // Repeated: the answer was lost.
    assert_eq!(harness.end(&first, true, ClientVersion::V2), Ok(second));
    assert_eq!(harness.end(&first, false, ClientVersion::V2), Err(TransactionError::InvalidTxnState));
    let second = producer("a", first.id.0, 1);
    assert_eq!(harness.end(&second, true, ClientVersion::V2), Err(TransactionError::InvalidTxnState));
    // To abort where there is nothing is a way to a new epoch.
    assert_eq!(harness.end(&second, false, ClientVersion::V2), Ok(Reply::Producer(first.id, ProducerEpoch(2))));
    assert_eq!(harness.add(&first, ClientVersion::V2), Err(TransactionError::ProducerFenced));
    assert_eq!(harness.end(&first, false, ClientVersion::V2), Err(TransactionError::ProducerFenced));
}

#[test]
fn a_client_that_used_its_epochs_up_gets_another_producer_id() {
    let mut harness = Harness::new();
    let first = harness.init("a");
    let aged = Act::Age { id: 0, epoch: i16::MAX - 1 };
    Clients::default().act(&mut harness, aged);
    let last = producer("a", first.id.0, i16::MAX - 1);
    harness.add(&last, ClientVersion::V2).unwrap();
    let Ok(Reply::Producer(next, ProducerEpoch(0))) = harness.end(&last, true, ClientVersion::V2) else {
        panic!("no new producer")
    };
    assert_ne!(next, last.id);
    assert_eq!(harness.unwritten[0].producer.epoch.0, i16::MAX);
    harness.restart();
    harness.write_markers();
    assert_eq!(harness.end(&last, true, ClientVersion::V2), Ok(Reply::Producer(next, ProducerEpoch(0))));
    harness.add(&producer("a", next.0, 0), ClientVersion::V2).unwrap();
}

#[test]
fn a_new_producer_fences_the_old_one_and_aborts_for_it() {
    let mut harness = Harness::new();
    let old = harness.init("a");
    harness.add(&old, ClientVersion::V1).unwrap();
    let init = Command::Init { transactional_id: "a".into(), timeout_ms: 60_000, expected: None };
    assert_eq!(harness.run(init.clone()), Err(TransactionError::ConcurrentTransactions));
    assert_eq!(harness.state("a"), Some(State::PrepareAbort));
    assert_eq!(harness.run(init), Err(TransactionError::ConcurrentTransactions));
    harness.write_markers();
    let new = harness.init("a");
    assert_eq!((new.id, new.epoch.0), (old.id, 2));
    assert_eq!(harness.add(&old, ClientVersion::V1), Err(TransactionError::ProducerFenced));
    assert_eq!(harness.end(&old, true, ClientVersion::V1), Err(TransactionError::ProducerFenced));
}

#[test]
fn a_producer_goes_on_after_an_error_and_may_repeat_itself() {
    let mut harness = Harness::new();
    let first = harness.init("a");
    let init = |known: &Producer| Command::Init {
        transactional_id: "a".into(),
        timeout_ms: 60_000,
        expected: Some((known.id, known.epoch)),
    };
    let second = Ok(Reply::Producer(first.id, ProducerEpoch(1)));
    assert_eq!(harness.run(init(&first)), second);
    harness.restart();
    assert_eq!(harness.run(init(&first)), second);
    assert_eq!(harness.run(init(&producer("a", 77, 0))), Err(TransactionError::ProducerFenced));
    harness.init("a");
    assert_eq!(harness.run(init(&first)), Err(TransactionError::ProducerFenced));
}

#[test]
fn a_transaction_that_lasts_too_long_is_aborted() {
    let mut harness = Harness::new();
    let first = harness.init("a");
    harness.pass(59_000);
    harness.add(&first, ClientVersion::V2).unwrap();
    harness.pass(59_000);
    harness.restart();
    assert_eq!(harness.state("a"), Some(State::Ongoing));
    harness.pass(1_001);
    assert_eq!(harness.state("a"), Some(State::PrepareAbort));
    harness.write_markers();
    assert_eq!(harness.add(&first, ClientVersion::V2), Err(TransactionError::ProducerFenced));
    let all = harness.live.list(&ListedTransactions::default(), harness.now as i64);
    assert_eq!(all.len(), 1);
    let asked = ListedTransactions { only_states: true, ..ListedTransactions::default() };
    assert!(harness.live.list(&asked, harness.now as i64).is_empty());
}
