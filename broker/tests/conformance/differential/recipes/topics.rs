//! Topics, and the records in them.

use serde_json::{Value, json};

use super::super::generate::Generator;

/// Settings of topics, with values that may be wrong.
const SETTINGS: &[(&str, &[&str])] = &[
    ("cleanup.policy", &["compact", "delete", "compact,delete", "delete, compact", "", "none"]),
    ("compression.type", &["producer", "uncompressed", "gzip", "zstd", "lz4", "snappy", "none"]),
    ("compression.gzip.level", &["-1", "1", "9", "10", "0"]),
    ("compression.zstd.level", &["3", "-131072", "23"]),
    ("delete.retention.ms", &["0", "1000", "-1"]),
    ("file.delete.delay.ms", &["0", "60000"]),
    ("flush.messages", &["1", "0"]),
    ("follower.replication.throttled.replicas", &["*", "0:1", "x"]),
    ("index.interval.bytes", &["0", "1", "4096"]),
    ("local.retention.ms", &["-2", "-1", "1"]),
    ("max.compaction.lag.ms", &["1", "0", "100000"]),
    ("max.message.bytes", &["100", "1000", "0", "-1", "2147483648"]),
    ("message.timestamp.after.max.ms", &["0", "1000", "9223372036854775807"]),
    ("message.timestamp.before.max.ms", &["0", "1000", "9223372036854775807"]),
    ("message.timestamp.type", &["CreateTime", "LogAppendTime", "createtime"]),
    ("min.cleanable.dirty.ratio", &["0", "0.5", "1.5", "x"]),
    ("min.compaction.lag.ms", &["0", "200000"]),
    ("min.insync.replicas", &["1", "2", "0"]),
    ("preallocate", &["true", "false", "maybe"]),
    ("remote.storage.enable", &["true", "false"]),
    ("retention.bytes", &["-1", "1000000", "-2"]),
    ("retention.ms", &["-1", "9000000000000", "-2"]),
    ("segment.bytes", &["1048576", "14", "1048575", "2147483647", "2147483648"]),
    ("segment.ms", &["1", "604800000", "0"]),
    ("unclean.leader.election.enable", &["true", "false"]),
    ("no.such.setting", &["1"]),
];

/// A topic's setting: name and value, right or wrong.
pub(super) fn setting(g: &mut Generator<'_>) -> (Value, Value) {
    let (name, values) = g.pick(SETTINGS);
    (name.into(), g.pick(values).into())
}

fn new_topic(g: &mut Generator<'_>, number: usize) -> Value {
    let settings: Vec<_> = (0..g.rng.usize(..3))
        .map(|_| {
            let (name, value) = setting(g);
            json!({ "name": name, "value": value })
        })
        .collect();
    let partitions = g.pick(&[1, 2, 2, -1]);
    json!({ "name": format!("${{p}}t{number}"), "numPartitions": partitions, "replicationFactor": 1, "configs": settings })
}

/// Two topics, one of them with settings.
pub(in super::super) fn begin(g: &mut Generator<'_>) {
    for number in 0..2 {
        let topic = match number {
            0 => json!({ "name": "${p}t0", "numPartitions": 2, "replicationFactor": 1 }),
            _ => new_topic(g, number),
        };
        let step = g.plain("CreateTopics", 7, json!({ "timeoutMs": 30000, "topics": [topic] }));
        step.insert("keep".to_owned(), json!({ format!("id{number}"): "topics.0.topicId" }));
    }
}

/// Asks for all that may have come to be.
pub(in super::super) fn inspect(g: &mut Generator<'_>) {
    let partitions = [0, 1];
    let every = |name: &str| {
        partitions.map(|partition| json!({ name: partition, "fetchOffset": 0, "partitionMaxBytes": 1_000_000 }))
    };
    for topic in ["${p}t0", "${p}t1"] {
        let topics = json!([{ "topic": topic, "partitions": every("partition") }]);
        g.plain("Fetch", 12, json!({ "maxBytes": 10_000_000, "topics": topics }));
        for timestamp in [-3, -2, -1] {
            let asked = partitions.map(|partition| json!({ "partitionIndex": partition, "timestamp": timestamp }));
            let topics = json!([{ "name": topic, "partitions": asked }]);
            g.plain("ListOffsets", 8, json!({ "replicaId": -1, "topics": topics }));
        }
        g.plain("DescribeProducers", 0, json!({ "topics": [{ "name": topic, "partitionIndexes": partitions }] }));
    }
    let groups = json!([{ "groupId": "${p}g0", "topics": null }, { "groupId": "${p}g1", "topics": null }]);
    g.plain("OffsetFetch", 9, json!({ "groups": groups }));
    g.plain("DescribeGroups", 6, json!({ "groups": ["${p}g0", "${p}g1"] }));
    g.plain("DescribeTransactions", 0, json!({ "transactionalIds": ["${p}x0", "${p}x1"] }));
}

pub(super) fn produce(g: &mut Generator<'_>) {
    produce_as(g, None);
}

pub(super) fn produce_idempotent(g: &mut Generator<'_>) {
    if g.one_in(3) {
        let step = g.ask("InitProducerId", json!({ "transactionalId": null, "transactionTimeoutMs": 60000 }));
        step.insert("keep".to_owned(), json!({ "pid2": "producerId", "ep2": "producerEpoch" }));
        g.sequences.retain(|(producer, ..), _| *producer != 2);
    }
    produce_as(g, Some(2));
}

fn produce_as(g: &mut Generator<'_>, producer: Option<usize>) {
    let (topic, name, id) = g.topic_and_id();
    let partition = g.partition();
    let place = producer.map(|number| (number, topic, partition as usize));
    let records = g.records(place, false);
    let acks = g.pick(&[-1, -1, -1, 1, 1, 0]);
    let topics =
        json!([{ "name": name, "topicId": id, "partitionData": [{ "index": partition, "records": records }] }]);
    let body = json!({ "acks": acks, "timeoutMs": 30000, "topicData": topics });
    let step = g.ask("Produce", body);
    if step["body"]["acks"] == 0 {
        // What comes of it shows in whether the connection lives.
        step.insert("silent".to_owned(), true.into());
        step.insert("on".to_owned(), "unanswered".into());
        g.plain("Metadata", 12, json!({ "topics": [] })).insert("on".to_owned(), "unanswered".into());
    }
}

pub(super) fn fetch(g: &mut Generator<'_>) {
    let (_, name, id) = g.topic_and_id();
    let (partition, offset) = (g.partition(), g.offset());
    let (isolation, bytes) = (g.pick(&[0, 1]), g.pick(&[1_000_000, 1_000_000, 1, 0, 100]));
    let (session, epoch) = g.pick(&[(json!(0), -1), (json!(0), -1), (json!(0), 0), (json!("$session"), 1)]);
    let asked = json!({ "partition": partition, "fetchOffset": offset, "partitionMaxBytes": bytes });
    let total = g.pick(&[10_000_000, 10_000_000, 100, 0]);
    let topics = json!([{ "topic": name, "topicId": id, "partitions": [asked] }]);
    let body = json!({
        "maxWaitMs": 0, "maxBytes": total, "isolationLevel": isolation, "sessionId": session, "sessionEpoch": epoch,
        "topics": topics,
    });
    g.ask("Fetch", body).insert("keep".to_owned(), json!({ "session": "sessionId" }));
}

pub(super) fn list_offsets(g: &mut Generator<'_>) {
    let (name, partition, isolation) = (g.topic(), g.partition(), g.pick(&[0, 1]));
    let timestamp = g.pick(&[-1i64, -2, -3, -4, -5, -6, 0, 1_700_000_000_000, 1_700_000_000_001, 1_900_000_000_000]);
    let asked = json!([{ "partitionIndex": partition, "timestamp": timestamp }]);
    let topics = json!([{ "name": name, "partitions": asked }]);
    g.ask("ListOffsets", json!({ "replicaId": -1, "isolationLevel": isolation, "topics": topics }));
}

pub(super) fn delete_records(g: &mut Generator<'_>) {
    let (name, partition, offset) = (g.topic(), g.partition(), g.offset());
    let topics = json!([{ "name": name, "partitions": [{ "partitionIndex": partition, "offset": offset }] }]);
    g.ask("DeleteRecords", json!({ "timeoutMs": 30000, "topics": topics }));
}

pub(super) fn create(g: &mut Generator<'_>) {
    let number = g.pick(&[0, 1, 2, 2, 2]);
    let topic = new_topic(g, number);
    let validate = g.one_in(4);
    let step = g.ask("CreateTopics", json!({ "timeoutMs": 30000, "validateOnly": validate, "topics": [topic] }));
    if number == 2 {
        step.insert("keep".to_owned(), json!({ "id2": "topics.0.topicId" }));
    }
}

pub(super) fn delete(g: &mut Generator<'_>) {
    let (_, name, id) = g.topic_and_id();
    let asked = if g.one_in(2) { json!({ "name": name }) } else { json!({ "topicId": id }) };
    g.ask("DeleteTopics", json!({ "timeoutMs": 30000, "topicNames": [name], "topics": [asked] }));
}

pub(super) fn create_partitions(g: &mut Generator<'_>) {
    let (name, count, validate) = (g.topic(), g.pick(&[1, 2, 3, 4]), g.one_in(3));
    let assignments = g.pick(&[Value::Null, Value::Null, json!([{ "brokerIds": [1] }]), json!([{ "brokerIds": [9] }])]);
    let topics = json!([{ "name": name, "count": count, "assignments": assignments }]);
    g.ask("CreatePartitions", json!({ "timeoutMs": 30000, "validateOnly": validate, "topics": topics }));
}

pub(super) fn leader_epochs(g: &mut Generator<'_>) {
    let (name, partition, epoch) = (g.topic(), g.partition(), g.pick(&[0, 0, 1, -1]));
    let asked = json!([{ "partition": partition, "leaderEpoch": epoch }]);
    g.ask("OffsetForLeaderEpoch", json!({ "replicaId": -2, "topics": [{ "topic": name, "partitions": asked }] }));
}

pub(super) fn metadata(g: &mut Generator<'_>) {
    let (_, name, id) = g.topic_and_id();
    let asked = g.pick(&[json!([{ "name": name }]), json!([{ "topicId": id, "name": null }]), json!([]), Value::Null]);
    // Ids and names without a topic came later than the request.
    let version = if asked[0]["topicId"].is_null() { g.rng.i16(1..=13) } else { g.rng.i16(12..=13) };
    g.ask_version("Metadata", version, json!({ "topics": asked, "allowAutoTopicCreation": false }));
}

pub(super) fn describe_partitions(g: &mut Generator<'_>) {
    let names = [g.topic(), g.topic()].map(|name| json!({ "name": name }));
    let limit = g.pick(&[2000, 1, 2, 3]);
    g.ask("DescribeTopicPartitions", json!({ "topics": names, "responsePartitionLimit": limit }));
}

pub(super) fn log_dirs(g: &mut Generator<'_>) {
    let (name, partition) = (g.topic(), g.partition());
    g.ask("DescribeLogDirs", json!({ "topics": [{ "topic": name, "partitions": [partition] }] }));
}

pub(super) fn replicas(g: &mut Generator<'_>) {
    let (name, partition) = (g.topic(), g.partition());
    match g.rng.u8(..4) {
        0 => {
            let replicas = g.pick(&[Value::Null, json!([1]), json!([1, 1]), json!([]), json!([2]), json!([-1])]);
            let asked = json!([{ "partitionIndex": partition, "replicas": replicas }]);
            let topics = json!([{ "name": name, "partitions": asked }]);
            g.ask("AlterPartitionReassignments", json!({ "timeoutMs": 30000, "topics": topics }));
        }
        1 => {
            let topics = json!([{ "name": name, "partitionIndexes": [partition] }]);
            g.ask("ListPartitionReassignments", json!({ "timeoutMs": 30000, "topics": topics }));
        }
        2 => {
            let topics = json!([{ "topic": name, "partitions": [partition] }]);
            let kind = g.pick(&[0, 1]);
            g.ask("ElectLeaders", json!({ "electionType": kind, "topicPartitions": topics, "timeoutMs": 30000 }));
        }
        _ => {
            let topics = json!([{ "name": name, "partitions": [partition] }]);
            g.ask("AlterReplicaLogDirs", json!({ "dirs": [{ "path": "/nowhere", "topics": topics }] }));
        }
    }
}
