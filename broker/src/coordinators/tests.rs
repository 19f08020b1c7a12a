//! The shell on a real log, with time-outs so short that a test can await them.

use std::sync::Arc;
use std::time::Duration;

use brooklet_coordinator::groups::{
    Command, Commit, CommitPartition, GroupConfig, GroupError, Join, JoinRefused, Protocol, Reply, State,
};
use brooklet_coordinator::transactions::TransactionConfig;
use brooklet_model::TopicPartition;
use brooklet_storage::{Engine, Storage, StorageConfig};
use tokio_util::sync::CancellationToken;

use super::{CoordinatorError, Coordinators};

/// However slow the machine, it does not take this long.
const PATIENCE: Duration = Duration::from_secs(60);
/// A session that does not end within a test.
const LONG_MS: i32 = 600_000;

fn coordinators(storage: &Arc<Storage>) -> Coordinators {
    let config = GroupConfig { min_session_timeout_ms: 1, new_member_join_timeout_ms: 50, ..GroupConfig::default() };
    Coordinators::start(storage, config, TransactionConfig::default(), CancellationToken::new())
}

/// Closes the data folder: the coordinators' task lets go of it once it is told that nobody is left to ask.
async fn close(coordinators: Coordinators, storage: Arc<Storage>) {
    drop(coordinators);
    while Arc::strong_count(&storage) > 1 {
        tokio::task::yield_now().await;
    }
}

fn in_memory() -> Arc<Storage> {
    Storage::open(StorageConfig::memory()).unwrap()
}

fn commit(offset: i64) -> Command {
    Command::Commit(Commit {
        group: "g".into(),
        member_id: "".into(),
        instance: None,
        generation: -1,
        retention_ms: None,
        names_missing_group: true,
        partitions: vec![CommitPartition {
            partition: TopicPartition::new("t", 0),
            offset,
            leader_epoch: 0,
            metadata: "m".into(),
        }],
    })
}

fn join(member_id: &str, session_timeout_ms: i32) -> Command {
    Command::Join(Join {
        group: "g".into(),
        member_id: member_id.into(),
        instance: None,
        client_id: "c".into(),
        client_host: "/127.0.0.1".into(),
        session_timeout_ms,
        rebalance_timeout_ms: 50,
        protocol_type: "consumer".into(),
        protocols: vec![Protocol { name: "range".into(), metadata: "".into() }],
        member_id_required: true,
        can_skip_assignment: true,
    })
}

/// The id that a new member is given.
async fn member_id(coordinators: &Coordinators) -> Arc<str> {
    match coordinators.ask(join("", LONG_MS)).await {
        Ok(Reply::Join(Err(JoinRefused { error: GroupError::MemberIdRequired, member_id }))) => member_id,
        other => panic!("no member id: {other:?}"),
    }
}

async fn state(coordinators: &Coordinators) -> Option<State> {
    coordinators.look(|groups| groups.describe("g").map(|group| group.state)).await.unwrap()
}

async fn committed(coordinators: &Coordinators) -> Option<i64> {
    let key = TopicPartition::new("t", 0);
    coordinators.look(move |groups| groups.committed("g", &key).map(|offset| offset.offset)).await.unwrap()
}

#[tokio::test]
async fn offsets_and_groups_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    for run in 0..3 {
        let config = StorageConfig { engine: Engine::Segments, ..StorageConfig::new(folder.path()) };
        let storage = Storage::open(config).unwrap();
        let coordinators = coordinators(&storage);
        assert_eq!(committed(&coordinators).await, (run > 0).then_some(run));
        coordinators.ask(commit(run + 1)).await.unwrap();
        assert_eq!(committed(&coordinators).await, Some(run + 1));
        storage.shutdown().await.unwrap();
        close(coordinators, storage).await;
    }
}

#[tokio::test]
async fn nothing_is_created_before_there_is_something_to_keep() {
    let storage = in_memory();
    let coordinators = coordinators(&storage);
    assert_eq!(committed(&coordinators).await, None);
    assert!(storage.topics().is_empty());
    coordinators.ask(commit(1)).await.unwrap();
    let topics = storage.topics();
    assert_eq!(topics.len(), 1);
    assert!(topics[0].internal && &*topics[0].name == super::groups::OFFSETS_TOPIC);
}

/// Ends when the group has no members left, and never if they are not dropped.
async fn emptied(coordinators: &Coordinators) {
    while state(coordinators).await != Some(State::Empty) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_member_that_falls_silent_is_dropped() {
    let coordinators = coordinators(&in_memory());
    let id = member_id(&coordinators).await;
    assert!(matches!(coordinators.ask(join(&id, 50)).await, Ok(Reply::Join(Ok(_)))));
    tokio::time::timeout(PATIENCE, emptied(&coordinators)).await.unwrap();
}

#[tokio::test]
async fn a_client_that_vanishes_while_its_join_is_parked_holds_up_nobody_for_long() {
    let coordinators = coordinators(&in_memory());
    let first = member_id(&coordinators).await;
    assert!(matches!(coordinators.ask(join(&first, LONG_MS)).await, Ok(Reply::Join(Ok(_)))));
    let second = member_id(&coordinators).await;
    // Its connection closes: the handler is dropped in the middle of its waiting.
    let parked = coordinators.ask(join(&second, 50));
    tokio::select! {
        biased;
        _ = parked => panic!("the second member does not wait for the first"),
        rejoined = async { state(&coordinators).await } => assert_eq!(rejoined, Some(State::PreparingRebalance)),
    }
    // Neither comes back: the first is left behind when the rebalance has waited long enough, the second when its
    // session ends.
    tokio::time::timeout(PATIENCE, emptied(&coordinators)).await.unwrap();
}

#[tokio::test]
async fn whoever_waits_is_told_when_the_broker_stops() {
    let shutdown = CancellationToken::new();
    let coordinators =
        Coordinators::start(&in_memory(), GroupConfig::default(), TransactionConfig::default(), shutdown.clone());
    let first = member_id(&coordinators).await;
    coordinators.ask(join(&first, LONG_MS)).await.unwrap();
    let second = member_id(&coordinators).await;
    let (parked, ()) = tokio::join!(coordinators.ask(join(&second, LONG_MS)), async { shutdown.cancel() });
    assert_eq!(parked, Err(CoordinatorError::Unavailable));
}

#[tokio::test]
async fn a_write_that_fails_is_not_acknowledged_and_not_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(StorageConfig::new(folder.path())).unwrap();
    let coordinators = coordinators(&storage);
    coordinators.ask(commit(1)).await.unwrap();
    storage.shutdown().await.unwrap();
    assert_eq!(coordinators.ask(commit(2)).await, Err(CoordinatorError::Unavailable));
    close(coordinators, storage).await;
    let storage = Storage::open(StorageConfig::new(folder.path())).unwrap();
    assert_eq!(committed(&self::coordinators(&storage)).await, Some(1));
}

#[tokio::test]
async fn a_deleted_topic_takes_its_offsets_along() {
    let coordinators = coordinators(&in_memory());
    coordinators.ask(commit(1)).await.unwrap();
    coordinators.topic_deleted("t").await;
    assert_eq!(committed(&coordinators).await, None);
}

#[tokio::test]
async fn producer_ids_are_not_given_twice_across_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut last = -1;
    for _ in 0..3 {
        let storage = Storage::open(StorageConfig::new(folder.path())).unwrap();
        let coordinators = coordinators(&storage);
        for _ in 0..3 {
            let id = coordinators.allocate_producer_id().await.unwrap().0;
            assert!(id > last);
            last = id;
        }
        storage.shutdown().await.unwrap();
        close(coordinators, storage).await;
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_costs_nobody_their_groups() {
    let storage = in_memory();
    let first = coordinators(&storage);
    first.ask(commit(7)).await.unwrap();
    drop(first);
    let log = storage.log(super::groups::OFFSETS_TOPIC, 0).unwrap();
    log.append_updates(0, &[(b"\0\x01garbage".to_vec(), Some(b"x".to_vec())), (vec![], Some(vec![]))]).unwrap();
    let second = coordinators(&storage);
    assert_eq!(committed(&second).await, Some(7));
    second.ask(commit(8)).await.unwrap();
    assert_eq!(committed(&second).await, Some(8));
}
