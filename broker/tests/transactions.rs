//! Transactions on the wire, both versions of the protocol.
#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

mod common;

use brooklet_model::{BatchBuilder, Compression, NewRecord, ProducerEpoch, ProducerId as Id};
use bytes::Bytes;
use common::{Client, TestBroker, batch};
use kafka_protocol::messages::add_partitions_to_txn_request::{AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction};
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;

const INVALID_PRODUCER_EPOCH: i16 = 47;
const INVALID_TXN_STATE: i16 = 48;
const INVALID_PRODUCER_ID_MAPPING: i16 = 49;
const CONCURRENT_TRANSACTIONS: i16 = 51;
const OPERATION_NOT_ATTEMPTED: i16 = 55;
const UNSTABLE_OFFSET_COMMIT: i16 = 88;
const PRODUCER_FENCED: i16 = 90;
const TRANSACTIONAL_ID_NOT_FOUND: i16 = 105;
const TRANSACTION_ABORTABLE: i16 = 120;

fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

fn in_transaction(producer: (i64, i16), sequence: i32, value: &str) -> Bytes {
    // A marker has the broker's time: with records of long ago it would begin a segment.
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let timestamp = i64::try_from(now).unwrap();
    let mut builder = BatchBuilder::new().producer(Id(producer.0), ProducerEpoch(producer.1), sequence).transactional();
    builder.push(NewRecord { timestamp, value: Some(value.as_bytes()), ..NewRecord::default() });
    builder.finish(Compression::None).unwrap()
}

async fn init(client: &mut Client, id: &'static str) -> (i16, (i64, i16)) {
    let request = InitProducerIdRequest::default()
        .with_transactional_id(Some(text(id).into()))
        .with_transaction_timeout_ms(60_000);
    let response = client.call(request, 5).await;
    (response.error_code, (response.producer_id.0, response.producer_epoch))
}

async fn add(client: &mut Client, producer: (i64, i16), partitions: &[i32], version: i16) -> Vec<i16> {
    let topic = AddPartitionsToTxnTopic::default().with_name(text("t").into()).with_partitions(partitions.to_vec());
    let mut request = AddPartitionsToTxnRequest::default();
    if version < 4 {
        request = request
            .with_v3_and_below_transactional_id(text("x").into())
            .with_v3_and_below_producer_id(producer.0.into())
            .with_v3_and_below_producer_epoch(producer.1)
            .with_v3_and_below_topics(vec![topic]);
    } else {
        let transaction = AddPartitionsToTxnTransaction::default()
            .with_transactional_id(text("x").into())
            .with_producer_id(producer.0.into())
            .with_producer_epoch(producer.1)
            .with_topics(vec![topic]);
        request = request.with_transactions(vec![transaction]);
    }
    let response = client.call(request, version).await;
    let topics = match version < 4 {
        true => response.results_by_topic_v3_and_below,
        false => response.results_by_transaction[0].topic_results.clone(),
    };
    topics[0].results_by_partition.iter().map(|partition| partition.partition_error_code).collect()
}

async fn produce(client: &mut Client, id: Option<&'static str>, records: Bytes, version: i16) -> i16 {
    let data = PartitionProduceData::default().with_index(0).with_records(Some(records));
    let topic = TopicProduceData::default().with_name(text("t").into()).with_partition_data(vec![data]);
    let request = ProduceRequest::default()
        .with_transactional_id(id.map(|id| text(id).into()))
        .with_acks(-1)
        .with_topic_data(vec![topic]);
    client.call(request, version).await.responses[0].partition_responses[0].error_code
}

async fn end(client: &mut Client, producer: (i64, i16), commit: bool, version: i16) -> (i16, (i64, i16)) {
    let request = EndTxnRequest::default()
        .with_transactional_id(text("x").into())
        .with_producer_id(producer.0.into())
        .with_producer_epoch(producer.1)
        .with_committed(commit);
    let response = client.call(request, version).await;
    (response.error_code, (response.producer_id.0, response.producer_epoch))
}

struct Fetched {
    stable: i64,
    aborted: Option<Vec<(i64, i64)>>,
    bytes: usize,
}

async fn fetch(client: &mut Client, from: i64, committed: bool, wait_ms: i32) -> Fetched {
    let partition =
        FetchPartition::default().with_partition(0).with_fetch_offset(from).with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_topic(text("t").into()).with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_max_wait_ms(wait_ms)
        .with_min_bytes(1)
        .with_isolation_level(committed.into())
        .with_topics(vec![topic]);
    let response = client.call(request, 12).await;
    let data = &response.responses[0].partitions[0];
    assert_eq!(data.error_code, 0);
    let aborted = data.aborted_transactions.as_ref();
    Fetched {
        stable: data.last_stable_offset,
        aborted: aborted.map(|all| all.iter().map(|known| (known.producer_id.0, known.first_offset)).collect()),
        bytes: data.records.as_ref().unwrap().len(),
    }
}

async fn end_offset(client: &mut Client, committed: bool) -> i64 {
    let partition = ListOffsetsPartition::default().with_partition_index(0).with_timestamp(-1);
    let topic = ListOffsetsTopic::default().with_name(text("t").into()).with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default()
        .with_replica_id((-1).into())
        .with_isolation_level(committed.into())
        .with_topics(vec![topic]);
    client.call(request, 7).await.topics[0].partitions[0].offset
}

async fn commit_offset(client: &mut Client, producer: (i64, i16), offset: i64, version: i16) -> i16 {
    let partition = TxnOffsetCommitRequestPartition::default().with_partition_index(0).with_committed_offset(offset);
    let topic = TxnOffsetCommitRequestTopic::default().with_name(text("t").into()).with_partitions(vec![partition]);
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(text("x").into())
        .with_group_id(text("g").into())
        .with_producer_id(producer.0.into())
        .with_producer_epoch(producer.1)
        .with_topics(vec![topic]);
    client.call(request, version).await.topics[0].partitions[0].error_code
}

async fn committed(client: &mut Client, stable: bool) -> (i16, i64) {
    let topic = OffsetFetchRequestTopics::default().with_name(text("t").into()).with_partition_indexes(vec![0]);
    let group = OffsetFetchRequestGroup::default().with_group_id(text("g").into()).with_topics(Some(vec![topic]));
    let request = OffsetFetchRequest::default().with_groups(vec![group]).with_require_stable(stable);
    let response = client.call(request, 8).await;
    let partition = &response.groups[0].topics[0].partitions[0];
    (partition.error_code, partition.committed_offset)
}

#[tokio::test]
async fn the_first_protocol_commits_and_aborts() {
    let broker = TestBroker::start().await;
    broker.topic("t", 2, &[]);
    let mut client = broker.client().await;
    let (_, producer) = init(&mut client, "x").await;
    assert_eq!(add(&mut client, producer, &[0, 1, 2], 3).await, [OPERATION_NOT_ATTEMPTED, OPERATION_NOT_ATTEMPTED, 3]);
    // Not in the transaction: as the versions understand it.
    for (version, code) in [(9, INVALID_TXN_STATE), (11, TRANSACTION_ABORTABLE)] {
        assert_eq!(produce(&mut client, Some("x"), in_transaction(producer, 0, "a"), version).await, code);
    }
    assert_eq!(add(&mut client, producer, &[0], 3).await, [0]);
    assert_eq!(produce(&mut client, Some("x"), in_transaction(producer, 0, "a"), 9).await, 0);
    assert_eq!((end_offset(&mut client, true).await, end_offset(&mut client, false).await), (0, 1));
    assert_eq!(fetch(&mut client, 0, true, 0).await.bytes, 0);
    assert_eq!(end(&mut client, producer, true, 3).await, (0, (-1, -1)));
    assert_eq!(end_offset(&mut client, true).await, 2);
    assert_eq!(add(&mut client, producer, &[0], 0).await, [0]);
    assert_eq!(produce(&mut client, Some("x"), in_transaction(producer, 1, "b"), 9).await, 0);
    assert_eq!(end(&mut client, producer, false, 1).await.0, 0);
    let fetched = fetch(&mut client, 0, true, 0).await;
    assert_eq!((fetched.stable, fetched.aborted), (4, Some(vec![(producer.0, 2)])));
    assert_eq!(fetch(&mut client, 0, false, 0).await.aborted, None);
    // Who is fenced hears of it as its version knows.
    let old = (producer.0, producer.1 - 1);
    assert_eq!(add(&mut client, old, &[0], 1).await, [INVALID_PRODUCER_EPOCH]);
    assert_eq!(add(&mut client, old, &[0], 2).await, [PRODUCER_FENCED]);
    assert_eq!(end(&mut client, old, true, 1).await.0, INVALID_PRODUCER_EPOCH);
    assert_eq!(end(&mut client, old, true, 2).await.0, PRODUCER_FENCED);
    assert_eq!(end(&mut client, (77, 0), true, 2).await.0, INVALID_PRODUCER_ID_MAPPING);
    assert_eq!(end(&mut client, producer, true, 2).await.0, INVALID_TXN_STATE);
}

#[tokio::test]
async fn the_second_protocol_adds_partitions_and_bumps_the_epoch() {
    let broker = TestBroker::start().await;
    broker.topic("t", 1, &[]);
    let mut client = broker.client().await;
    let versions = client
        .call(
            ApiVersionsRequest::default().with_client_software_name(text("a")).with_client_software_version(text("1")),
            4,
        )
        .await;
    let named = |name: &str| versions.finalized_features.iter().find(|feature| feature.name.as_str() == name);
    let feature = named("transaction.version").unwrap();
    assert_eq!((feature.name.as_str(), feature.max_version_level), ("transaction.version", 2));
    let (_, first) = init(&mut client, "x").await;
    assert_eq!(produce(&mut client, Some("x"), in_transaction(first, 0, "a"), 12).await, 0);
    assert_eq!(produce(&mut client, None, in_transaction(first, 1, "b"), 12).await, 53);
    assert_eq!(produce(&mut client, Some("x"), in_transaction(first, 1, "b"), 12).await, 0);
    let (code, second) = end(&mut client, first, true, 5).await;
    assert_eq!((code, second), (0, (first.0, first.1 + 1)));
    assert_eq!(end(&mut client, first, true, 5).await, (0, second));
    assert_eq!(produce(&mut client, Some("x"), in_transaction(first, 2, "late"), 12).await, INVALID_PRODUCER_EPOCH);
    assert_eq!(produce(&mut client, Some("x"), in_transaction(second, 0, "c"), 12).await, 0);
    let (code, third) = end(&mut client, second, false, 5).await;
    assert_eq!((code, third.1), (0, second.1 + 1));
    assert_eq!(fetch(&mut client, 0, true, 0).await.aborted, Some(vec![(first.0, 3)]));
    assert_eq!(end(&mut client, third, true, 5).await.0, INVALID_TXN_STATE);
}

#[tokio::test]
async fn a_new_producer_takes_over() {
    let broker = TestBroker::start().await;
    broker.topic("t", 1, &[]);
    let mut client = broker.client().await;
    let (_, first) = init(&mut client, "x").await;
    assert_eq!(produce(&mut client, Some("x"), in_transaction(first, 0, "a"), 12).await, 0);
    assert_eq!(init(&mut client, "x").await, (CONCURRENT_TRANSACTIONS, (-1, -1)));
    let (code, second) = init(&mut client, "x").await;
    assert_eq!((code, second), (0, (first.0, first.1 + 2)));
    assert_eq!(end_offset(&mut client, true).await, 2);
    assert_eq!(produce(&mut client, Some("x"), in_transaction(first, 1, "b"), 12).await, INVALID_PRODUCER_EPOCH);
    let expects = |producer: (i64, i16)| {
        InitProducerIdRequest::default()
            .with_transactional_id(Some(text("x").into()))
            .with_transaction_timeout_ms(60_000)
            .with_producer_id(producer.0.into())
            .with_producer_epoch(producer.1)
    };
    assert_eq!(client.call(expects(first), 3).await.error_code, INVALID_PRODUCER_EPOCH);
    assert_eq!(client.call(expects(first), 4).await.error_code, PRODUCER_FENCED);
    assert_eq!(client.call(expects(second), 4).await.producer_epoch, second.1 + 1);
}

#[tokio::test]
async fn offsets_count_once_the_transaction_is_committed() {
    let broker = TestBroker::start().await;
    broker.topic("t", 1, &[]);
    let mut client = broker.client().await;
    let (_, producer) = init(&mut client, "x").await;
    assert_eq!(commit_offset(&mut client, producer, 5, 3).await, INVALID_TXN_STATE);
    assert_eq!(commit_offset(&mut client, producer, 5, 4).await, TRANSACTION_ABORTABLE);
    let offsets = AddOffsetsToTxnRequest::default()
        .with_transactional_id(text("x").into())
        .with_group_id(text("g").into())
        .with_producer_id(producer.0.into())
        .with_producer_epoch(producer.1);
    assert_eq!(client.call(offsets, 3).await.error_code, 0);
    assert_eq!(commit_offset(&mut client, producer, 5, 3).await, 0);
    assert_eq!(committed(&mut client, false).await, (0, -1));
    assert_eq!(committed(&mut client, true).await, (UNSTABLE_OFFSET_COMMIT, -1));
    assert_eq!(end(&mut client, producer, true, 3).await.0, 0);
    assert_eq!(committed(&mut client, true).await, (0, 5));
    // The second protocol needs no word before.
    assert_eq!(commit_offset(&mut client, producer, 9, 5).await, 0);
    let (_, next) = end(&mut client, producer, false, 5).await;
    assert_eq!(committed(&mut client, true).await, (0, 5));
    assert_eq!(commit_offset(&mut client, producer, 9, 5).await, INVALID_PRODUCER_EPOCH);
    assert_eq!(commit_offset(&mut client, next, 9, 5).await, 0);
    end(&mut client, next, true, 5).await;
    assert_eq!(committed(&mut client, true).await, (0, 9));
}

#[tokio::test]
async fn a_reader_of_committed_records_is_woken_by_the_end() {
    let broker = TestBroker::start().await;
    broker.topic("t", 1, &[]);
    let mut client = broker.client().await;
    let mut reader = broker.client().await;
    let (_, producer) = init(&mut client, "x").await;
    assert_eq!(produce(&mut client, Some("x"), in_transaction(producer, 0, "a"), 12).await, 0);
    let fetched = tokio::spawn(async move { fetch(&mut reader, 0, true, 60_000).await });
    assert_eq!(produce(&mut client, None, batch(&["plain"]), 12).await, 0);
    end(&mut client, producer, true, 5).await;
    let fetched = fetched.await.unwrap();
    assert!(fetched.bytes > 0);
    assert_eq!(fetched.stable, 3);
}

#[tokio::test]
async fn tools_see_transactions_and_end_them() {
    let broker = TestBroker::start().await;
    broker.topic("t", 1, &[]);
    let mut client = broker.client().await;
    let (_, producer) = init(&mut client, "x").await;
    produce(&mut client, Some("x"), in_transaction(producer, 0, "a"), 12).await;
    let listed = client.call(ListTransactionsRequest::default().with_duration_filter(-1), 2).await;
    let state = &listed.transaction_states[0];
    assert_eq!((state.transactional_id.as_str(), state.transaction_state.as_str()), ("x", "Ongoing"));
    let unknown = ListTransactionsRequest::default().with_state_filters(vec![text("Nothing")]).with_duration_filter(-1);
    let listed = client.call(unknown, 1).await;
    assert_eq!((listed.unknown_state_filters.len(), listed.transaction_states.len()), (1, 0));
    let pattern = |pattern| {
        ListTransactionsRequest::default().with_duration_filter(-1).with_transactional_id_pattern(Some(text(pattern)))
    };
    assert_eq!(client.call(pattern("[a-z]"), 2).await.transaction_states.len(), 1);
    assert_eq!(client.call(pattern("y"), 2).await.transaction_states.len(), 0);
    assert_eq!(client.call(pattern("["), 2).await.error_code, 128);
    let ids = vec![text("x").into(), text("y").into(), text("").into()];
    let described = client.call(DescribeTransactionsRequest::default().with_transactional_ids(ids), 0).await;
    let codes: Vec<_> = described.transaction_states.iter().map(|state| state.error_code).collect();
    assert_eq!(codes, [0, TRANSACTIONAL_ID_NOT_FOUND, 42]);
    assert_eq!(described.transaction_states[0].topics[0].partitions, [0]);
    let topic = TopicRequest::default().with_name(text("t").into()).with_partition_indexes(vec![0, 1]);
    let producers = client.call(DescribeProducersRequest::default().with_topics(vec![topic]), 0).await;
    let active = &producers.topics[0].partitions[0].active_producers[0];
    assert_eq!((active.current_txn_start_offset, active.last_sequence), (0, 0));
    assert_eq!(producers.topics[0].partitions[1].error_code, 3);
    let topic = WritableTxnMarkerTopic::default().with_name(text("t").into()).with_partition_indexes(vec![0, 1]);
    let marker = WritableTxnMarker::default()
        .with_producer_id(producer.0.into())
        .with_producer_epoch(producer.1)
        .with_topics(vec![topic]);
    let written = client.call(WriteTxnMarkersRequest::default().with_markers(vec![marker]), 1).await;
    let codes: Vec<_> = written.markers[0].topics[0].partitions.iter().map(|partition| partition.error_code).collect();
    assert_eq!(codes, [0, 3]);
    assert_eq!(end_offset(&mut client, true).await, 2);
}

/// The state that a crash leaves between the decision and its markers.
#[tokio::test]
async fn what_a_crash_left_half_ended_is_ended_at_the_next_start() {
    use brooklet_coordinator::transactions::{ClientVersion, NO_EPOCH, State, Transaction, TransactionRecord};
    use brooklet_model::{Batch, TopicPartition};
    use brooklet_storage::{NewTopic, Storage, StorageConfig};

    for (state, ended) in [(State::PrepareCommit, "CompleteCommit"), (State::PrepareAbort, "CompleteAbort")] {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(StorageConfig::new(folder.path())).unwrap();
        let log = storage.create_topic(NewTopic::new("t", 1)).unwrap().partitions[0].clone();
        let verified = log.begin_transaction(Id(5), ProducerEpoch(0));
        let data = Batch::parse(&in_transaction((5, 0), 0, "a")).unwrap();
        log.append_in_transaction(data, verified).unwrap();
        let decided = Transaction {
            producer_id: Id(5),
            previous_producer_id: Id(5),
            next_producer_id: Id::NONE,
            epoch: ProducerEpoch(1),
            last_epoch: NO_EPOCH,
            timeout_ms: 60_000,
            state,
            // The first marker may be written, and the topic of another partition may be gone.
            partitions: [TopicPartition::new("t", 0), TopicPartition::new("gone", 0)].into(),
            update_timestamp: 1,
            start_timestamp: 1,
            client_version: ClientVersion::V2,
        };
        let record = TransactionRecord { id: "x".into(), value: Some(std::sync::Arc::new(decided)) };
        let topic = NewTopic { internal: true, ..NewTopic::new("__transaction_state", 1) };
        storage.create_topic(topic).unwrap().partitions[0].append_updates(1, &[record.encode()]).unwrap();
        drop(log);
        storage.shutdown().await.unwrap();
        drop(storage);

        let storage = Storage::open(StorageConfig::new(folder.path())).unwrap();
        let broker = TestBroker::start_on(Default::default(), storage).await;
        let mut client = broker.client().await;
        // Parked until the marker is there, if it is not yet.
        assert!(fetch(&mut client, 0, true, 60_000).await.bytes > 0);
        let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![text("x").into()]);
        let described = client.call(request, 0).await;
        assert_eq!(described.transaction_states[0].transaction_state.as_str(), ended);
        assert_eq!(end_offset(&mut client, true).await, 2);
        let aborted = fetch(&mut client, 0, true, 0).await.aborted.unwrap();
        assert_eq!(aborted.len(), usize::from(state == State::PrepareAbort));
    }
}
