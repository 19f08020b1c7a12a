//! Producers, and their transactions.

use serde_json::{Value, json};

use super::super::generate::Generator;
use super::groups::offsets;

/// Which of the two transactional producers.
fn producer(g: &mut Generator<'_>) -> usize {
    g.pick(&[0, 0, 0, 1])
}

pub(super) fn init(g: &mut Generator<'_>) {
    let number = producer(g);
    init_as(g, number);
}

fn init_as(g: &mut Generator<'_>, number: usize) {
    let current = json!((format!("$pid{number}"), format!("$ep{number}")));
    let current = if g.one_in(4) { current } else { json!([-1, -1]) };
    let body = json!({
        "transactionalId": format!("${{p}}x{number}"), "transactionTimeoutMs": 60000, "producerId": current[0],
        "producerEpoch": current[1],
    });
    let keep = json!({ format!("pid{number}"): "producerId", format!("ep{number}"): "producerEpoch" });
    g.ask("InitProducerId", body).insert("keep".to_owned(), keep);
    g.sequences.retain(|(producer, ..), _| *producer != number);
}

pub(super) fn whole(g: &mut Generator<'_>) {
    let number = producer(g);
    if !g.one_in(4) {
        init_as(g, number);
    }
    for _ in 0..g.rng.usize(1..3) {
        if !g.one_in(5) {
            add_as(g, number);
        }
        produce_as(g, number);
    }
    if g.one_in(3) {
        add_offsets_as(g, number);
        commit_as(g, number);
    }
    if !g.one_in(4) {
        end_as(g, number);
    }
}

pub(super) fn add_partitions(g: &mut Generator<'_>) {
    let number = producer(g);
    add_as(g, number);
}

fn add_as(g: &mut Generator<'_>, number: usize) {
    let name = g.topic();
    let partitions = g.pick(&[json!([0]), json!([0, 1]), json!([0, 0]), json!([1]), json!([5])]);
    let topics = json!([{ "name": name, "partitions": partitions }]);
    let (id, producer) = (format!("${{p}}x{number}"), format!("$pid{number}"));
    let (epoch, only) = (format!("$ep{number}"), g.one_in(6));
    let body = json!({
        "transactions": [{
            "transactionalId": id, "producerId": producer, "producerEpoch": epoch, "verifyOnly": only, "topics": topics,
        }],
        "v3AndBelowTransactionalId": id, "v3AndBelowProducerId": producer, "v3AndBelowProducerEpoch": epoch,
        "v3AndBelowTopics": topics,
    });
    g.ask("AddPartitionsToTxn", body);
}

pub(super) fn produce(g: &mut Generator<'_>) {
    let number = producer(g);
    produce_as(g, number);
}

fn produce_as(g: &mut Generator<'_>, number: usize) {
    let (topic, name, id) = g.topic_and_id();
    let partition = g.partition();
    let records = g.records(Some((number, topic, partition as usize)), true);
    let topics =
        json!([{ "name": name, "topicId": id, "partitionData": [{ "index": partition, "records": records }] }]);
    let body = json!({
        "transactionalId": format!("${{p}}x{number}"), "acks": -1, "timeoutMs": 30000, "topicData": topics,
    });
    let step = g.ask("Produce", body);
    if step["body"]["acks"] == 0 {
        step["body"]["acks"] = (-1).into();
    }
}

pub(super) fn add_offsets(g: &mut Generator<'_>) {
    let number = producer(g);
    add_offsets_as(g, number);
}

fn add_offsets_as(g: &mut Generator<'_>, number: usize) {
    let group = g.group();
    let body = json!({
        "transactionalId": format!("${{p}}x{number}"), "producerId": format!("$pid{number}"),
        "producerEpoch": format!("$ep{number}"), "groupId": group,
    });
    g.ask("AddOffsetsToTxn", body);
}

pub(super) fn commit_offsets(g: &mut Generator<'_>) {
    let number = producer(g);
    commit_as(g, number);
}

fn commit_as(g: &mut Generator<'_>, number: usize) {
    let (group, mut topics) = (g.group(), offsets(g));
    // Here a topic has a name only.
    topics[0].as_object_mut().unwrap().remove("topicId");
    let (generation, member) = g.pick(&[(json!(-1), ""), (json!(-1), ""), (json!("$gen"), "${m0}")]);
    let body = json!({
        "transactionalId": format!("${{p}}x{number}"), "groupId": group, "producerId": format!("$pid{number}"),
        "producerEpoch": format!("$ep{number}"), "generationId": generation, "memberId": member, "topics": topics,
    });
    g.ask("TxnOffsetCommit", body);
}

pub(super) fn end(g: &mut Generator<'_>) {
    let number = producer(g);
    end_as(g, number);
}

fn end_as(g: &mut Generator<'_>, number: usize) {
    let body = json!({
        "transactionalId": format!("${{p}}x{number}"), "producerId": format!("$pid{number}"),
        "producerEpoch": format!("$ep{number}"), "committed": g.one_in(2),
    });
    let step = g.ask("EndTxn", body);
    // From version 5 on the answer has the producer's next epoch.
    if step["v"].as_i64() >= Some(5) {
        let keep = json!({ format!("pid{number}"): "producerId", format!("ep{number}"): "producerEpoch" });
        step.insert("keep".to_owned(), keep);
        g.sequences.retain(|(producer, ..), _| *producer != number);
    }
}

pub(super) fn markers(g: &mut Generator<'_>) {
    let (number, name, committed) = (producer(g), g.topic(), g.one_in(2));
    let epoch = g.pick(&[0, 0, 1, -1]);
    let marker = json!({
        "producerId": format!("$pid{number}"), "producerEpoch": format!("$ep{number}"), "transactionResult": committed,
        "coordinatorEpoch": epoch, "topics": [{ "name": name, "partitionIndexes": [0] }],
    });
    g.ask("WriteTxnMarkers", json!({ "markers": [marker] }));
}

pub(super) fn describe(g: &mut Generator<'_>) {
    let ids = g.pick(&[json!(["${p}x0"]), json!(["${p}x0", "${p}x1", "${p}none"]), json!(["${p}x0", "${p}x0"])]);
    g.ask("DescribeTransactions", json!({ "transactionalIds": ids }));
}

pub(super) fn list(g: &mut Generator<'_>) {
    let states = g.pick(&[json!([]), json!(["Ongoing"]), json!(["Empty", "x"]), json!(["CompleteCommit"])]);
    let producers = g.pick(&[json!([]), json!(["$pid0"]), json!([-1])]);
    let pattern = g.pick(&[Value::Null, "".into(), "${p}.*".into(), ".*x0".into(), "[".into()]);
    let body = json!({
        "stateFilters": states, "producerIdFilters": producers, "transactionalIdPattern": pattern,
    });
    g.ask("ListTransactions", body);
}

pub(super) fn producers(g: &mut Generator<'_>) {
    let name = g.topic();
    g.ask("DescribeProducers", json!({ "topics": [{ "name": name, "partitionIndexes": [0, 1] }] }));
}
