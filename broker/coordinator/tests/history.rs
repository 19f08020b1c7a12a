//! Over random histories of all commands: a restart equals the fold of the durable events, every request is answered
//! once, and a group that everyone walked away from comes to rest.

mod harness;

use std::sync::Arc;

use brooklet_coordinator::groups::{
    Command, Commit, CommitPartition, GroupConfig, GroupCoordinator, Heartbeat, Join, Leave, LeaveMember, Reply, State,
    Sync,
};
use brooklet_model::{ProducerId, TopicPartition};
use harness::{Harness, join, protocols};
use proptest::prelude::*;

const GROUPS: [&str; 2] = ["g", "h"];
const TOPICS: [&str; 2] = ["t", "u"];
const INSTANCES: [&str; 2] = ["i", "j"];
const PROTOCOLS: [&[&str]; 4] = [&["range"], &["range", "sticky"], &["sticky", "range"], &["other"]];

/// What a client does next. Numbers choose among what clients have heard so far.
#[derive(Clone, Debug)]
enum Act {
    Join {
        group: usize,
        instance: Option<usize>,
        protocols: usize,
        as_known: Option<usize>,
        old_client: bool,
    },
    Sync {
        known: usize,
    },
    Heartbeat {
        known: usize,
    },
    Leave {
        known: usize,
        by_instance: Option<usize>,
    },
    Commit {
        known: Option<usize>,
        group: usize,
        topic: usize,
        offset: i64,
        long: bool,
        retention: bool,
        by: Option<i64>,
    },
    EndTransaction {
        producer: i64,
        commit: bool,
    },
    DeleteOffsets {
        group: usize,
        topic: usize,
    },
    DeleteGroup {
        group: usize,
    },
    TopicDeleted {
        topic: usize,
    },
    Pass {
        ms: u64,
    },
    Compact,
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    let instance = proptest::option::weighted(0.3, 0usize..2);
    let known = 0usize..64;
    prop_oneof![
        8 => (0usize..2, instance.clone(), 0usize..4, proptest::option::weighted(0.6, known.clone()), any::<bool>())
            .prop_map(|(group, instance, protocols, as_known, old_client)| {
                Act::Join { group, instance, protocols, as_known, old_client }
            }),
        8 => known.clone().prop_map(|known| Act::Sync { known }),
        3 => known.clone().prop_map(|known| Act::Heartbeat { known }),
        2 => (known.clone(), instance).prop_map(|(known, by_instance)| Act::Leave { known, by_instance }),
        8 => (proptest::option::of(known), 0usize..2, 0usize..2, 0i64..100, proptest::bool::weighted(0.1), any::<bool>(),
            proptest::option::of(0i64..3))
            .prop_map(|(known, group, topic, offset, long, retention, by)| {
                Act::Commit { known, group, topic, offset, long, retention, by }
            }),
        3 => (0i64..3, any::<bool>()).prop_map(|(producer, commit)| Act::EndTransaction { producer, commit }),
        1 => (0usize..2, 0usize..2).prop_map(|(group, topic)| Act::DeleteOffsets { group, topic }),
        1 => (0usize..2).prop_map(|group| Act::DeleteGroup { group }),
        1 => (0usize..2).prop_map(|topic| Act::TopicDeleted { topic }),
        3 => prop_oneof![0u64..20_000, 0u64..900_000_000].prop_map(|ms| Act::Pass { ms }),
        1 => Just(Act::Compact),
        1 => Just(Act::Restart),
    ]
}

/// What clients have heard: group, member id, generation, instance.
#[derive(Clone)]
struct Known {
    group: &'static str,
    member_id: Arc<str>,
    generation: i32,
    instance: Option<Arc<str>>,
}

struct Clients {
    known: Vec<Known>,
    asked: Vec<(brooklet_coordinator::groups::RequestId, &'static str, Option<Arc<str>>)>,
}

impl Clients {
    /// The later a client heard something, the lower the number that chooses it.
    fn choose(&self, number: usize) -> Option<&Known> {
        self.known.iter().rev().nth(number % self.known.len().clamp(1, 8))
    }

    fn hear(&mut self, harness: &mut Harness) {
        let asked = std::mem::take(&mut self.asked);
        for (request, group, instance) in asked {
            let (member_id, generation) = match harness.replies.remove(&request) {
                None => {
                    self.asked.push((request, group, instance));
                    continue;
                }
                Some(Reply::Join(Ok(joined))) => (joined.member_id, joined.generation),
                Some(Reply::Join(Err(refused))) => (refused.member_id, -1),
                Some(_) => continue,
            };
            if !member_id.is_empty() {
                self.known.push(Known { group, member_id, generation, instance });
            }
        }
    }

    fn act(&mut self, harness: &mut Harness, act: Act) {
        let command = match act {
            Act::Pass { ms } => return harness.pass(ms),
            Act::Compact => return harness.compact(),
            Act::Restart => {
                self.asked.clear();
                return harness.restart();
            }
            Act::Join { group, instance, protocols: names, as_known, old_client } => {
                let known = as_known.and_then(|number| self.choose(number)).cloned();
                let fresh_instance = instance.map(|index| Arc::from(INSTANCES[index]));
                let request = Join {
                    member_id: known.as_ref().map(|known| known.member_id.clone()).unwrap_or_default(),
                    instance: known.as_ref().map_or(fresh_instance, |known| known.instance.clone()),
                    protocols: protocols(PROTOCOLS[names]),
                    member_id_required: !old_client,
                    can_skip_assignment: !old_client,
                    ..join(known.map_or(GROUPS[group], |known| known.group))
                };
                let (group, instance) = (if *request.group == *"g" { "g" } else { "h" }, request.instance.clone());
                let (request, result) = harness.run(Command::Join(request));
                if result.is_ok() {
                    self.asked.push((request, group, instance));
                }
                return;
            }
            Act::Sync { known } => {
                let Some(known) = self.choose(known) else { return };
                Command::Sync(Sync {
                    group: known.group.into(),
                    member_id: known.member_id.clone(),
                    instance: known.instance.clone(),
                    generation: known.generation,
                    protocol_type: None,
                    protocol: None,
                    assignments: vec![(known.member_id.clone(), "part".into())],
                })
            }
            Act::Heartbeat { known } => {
                let Some(known) = self.choose(known) else { return };
                Command::Heartbeat(Heartbeat {
                    group: known.group.into(),
                    member_id: known.member_id.clone(),
                    instance: known.instance.clone(),
                    generation: known.generation,
                })
            }
            Act::Leave { known, by_instance } => {
                let Some(known) = self.choose(known) else { return };
                let member = match by_instance {
                    Some(index) => LeaveMember { member_id: "".into(), instance: Some(INSTANCES[index].into()) },
                    None => LeaveMember { member_id: known.member_id.clone(), instance: known.instance.clone() },
                };
                Command::Leave(Leave { group: known.group.into(), members: vec![member.clone(), member] })
            }
            Act::EndTransaction { producer, commit } => {
                Command::EndTransaction { producer_id: ProducerId(producer), commit }
            }
            Act::Commit { known, group, topic, offset, long, retention, by } => {
                let known = known.and_then(|number| self.choose(number));
                let commit = Commit {
                    group: known.map_or(GROUPS[group], |known| known.group).into(),
                    member_id: known.map(|known| known.member_id.clone()).unwrap_or_default(),
                    instance: known.and_then(|known| known.instance.clone()),
                    generation: known.map_or(-1, |known| known.generation),
                    retention_ms: retention.then_some(1000),
                    names_missing_group: true,
                    partitions: vec![CommitPartition {
                        partition: TopicPartition::new(TOPICS[topic], 0),
                        offset,
                        leader_epoch: 1,
                        metadata: if long { "x".repeat(4097).into() } else { "".into() },
                    }],
                };
                match by {
                    None => Command::Commit(commit),
                    Some(by) => Command::CommitInTransaction { producer_id: ProducerId(by), commit },
                }
            }
            Act::DeleteOffsets { group, topic } => Command::DeleteOffsets {
                group: GROUPS[group].into(),
                partitions: vec![TopicPartition::new(TOPICS[topic], 0)],
            },
            Act::DeleteGroup { group } => Command::DeleteGroup { group: GROUPS[group].into() },
            Act::TopicDeleted { topic } => Command::TopicDeleted { topic: TOPICS[topic].into() },
        };
        let _ = harness.run(command);
    }
}

fn same_offsets(a: &GroupCoordinator, b: &GroupCoordinator) -> bool {
    GROUPS.iter().all(|group| a.all_committed(group).eq(b.all_committed(group)))
}

fn check(harness: &Harness) -> Result<(), TestCaseError> {
    let restarted = harness.restarted();
    prop_assert_eq!(&restarted, &harness.durable);
    prop_assert!(same_offsets(&restarted, &harness.live));
    for listed in harness.live.list() {
        if matches!(listed.state, State::Stable) {
            prop_assert_eq!(restarted.describe(&listed.id), harness.live.describe(&listed.id));
        }
        if listed.state == State::Empty {
            let state = restarted.describe(&listed.id).map(|group| (group.state, group.protocol_type));
            prop_assert_eq!(state, Some((State::Empty, listed.protocol_type)));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_restart_equals_the_fold_of_the_durable_events(
        acts in proptest::collection::vec(act(), 1..80),
        delay in prop_oneof![Just(0u64), Just(3000)],
        max_size in prop_oneof![Just(2usize), Just(100)],
    ) {
        let config = GroupConfig { initial_rebalance_delay_ms: delay, max_size, ..GroupConfig::default() };
        let mut harness = Harness::new(config);
        let mut clients = Clients { known: Vec::new(), asked: Vec::new() };
        for act in acts {
            clients.act(&mut harness, act);
            clients.hear(&mut harness);
            check(&harness)?;
        }
        // Everyone walks away: whatever is parked ends, and no group keeps a member.
        harness.pass(3_600_000);
        prop_assert!(harness.open.is_empty(), "never answered: {:?}", harness.open);
        for listed in harness.live.list() {
            prop_assert_eq!(listed.state, State::Empty);
        }
        check(&harness)?;
        for producer in 0..3 {
            harness.run(Command::EndTransaction { producer_id: ProducerId(producer), commit: false }).1.unwrap();
        }
        for (group, topic) in GROUPS.iter().flat_map(|group| TOPICS.map(|topic| (group, topic))) {
            prop_assert!(!harness.live.is_unstable(group, &TopicPartition::new(topic, 0)));
        }
        check(&harness)?;
    }
}
