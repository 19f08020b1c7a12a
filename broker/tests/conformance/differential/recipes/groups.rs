//! Groups of the classic protocol, and their offsets.

use serde_json::{Value, json};

use super::super::generate::Generator;

fn joining(group: &Value, member: &str, g: &mut Generator<'_>) -> Value {
    let protocols = g.pick(&[
        json!([{ "name": "range", "metadata": "m" }]),
        json!([{ "name": "range", "metadata": "m" }, { "name": "sticky", "metadata": "" }]),
        json!([{ "name": "sticky", "metadata": "s" }]),
    ]);
    json!({
        "groupId": group, "sessionTimeoutMs": 10000, "rebalanceTimeoutMs": 1500, "memberId": member,
        "protocolType": "consumer", "protocols": protocols,
    })
}

/// A member comes, and is told its id where the version asks for that.
pub(super) fn join(g: &mut Generator<'_>) {
    let group = g.group();
    let instance = g.pick(&[Value::Null, Value::Null, "${p}i0".into()]);
    for member in ["${m0}", "${m0}"].into_iter().take(g.rng.usize(1..3)) {
        let mut body = joining(&group, member, g);
        body["groupInstanceId"] = instance.clone();
        let step = g.ask("JoinGroup", body);
        step.insert("keep".to_owned(), json!({ "m0": "memberId", "gen": "generationId" }));
    }
    if !g.one_in(3) {
        sync_as(g, group, "${m0}");
    }
}

/// A second member comes while the first is there; both are asked to join again.
pub(super) fn join_two(g: &mut Generator<'_>) {
    let group = g.group();
    let (newest, first) = (g.pick(&[9, 5, 3]), g.pick(&[9, 5, 3]));
    let known = joining(&group, "${m1}", g);
    g.plain("JoinGroup", newest, known.clone())
        .extend([("on".to_owned(), "second".into()), ("keep".to_owned(), json!({ "m1": "memberId" }))]);
    let again = g.plain("JoinGroup", newest, known);
    again.extend([("on".to_owned(), "second".into()), ("later".to_owned(), true.into())]);
    let body = joining(&group, "${m0}", g);
    g.plain("JoinGroup", first, body).insert("keep".to_owned(), json!({ "m0": "memberId", "gen": "generationId" }));
    g.steps.push(json!({ "answer": "second" }));
    sync_as(g, group.clone(), "${m0}");
    if g.one_in(2) {
        let leaving = json!({ "groupId": group, "members": [{ "memberId": "${m1}" }] });
        g.plain("LeaveGroup", 5, leaving);
    }
}

pub(super) fn sync(g: &mut Generator<'_>) {
    let group = g.group();
    sync_as(g, group, "${m0}");
}

fn sync_as(g: &mut Generator<'_>, group: Value, member: &str) {
    let assignments = json!([{ "memberId": "${m0}", "assignment": "a" }, { "memberId": "${m1}", "assignment": "b" }]);
    let (kind, name) = g.pick(&[(Value::Null, Value::Null), ("consumer".into(), "range".into())]);
    let body = json!({
        "groupId": group, "generationId": "$gen", "memberId": member, "protocolType": kind, "protocolName": name,
        "assignments": assignments,
    });
    // Another member than the leader waits for it: no more than this connection does.
    let step = g.ask("SyncGroup", body);
    step.insert("on".to_owned(), "sync".into());
}

pub(super) fn heartbeat(g: &mut Generator<'_>) {
    let group = g.group();
    let member = g.pick(&["${m0}", "${m0}", "${m1}"]);
    let instance = g.pick(&[Value::Null, Value::Null, "${p}i0".into()]);
    g.ask(
        "Heartbeat",
        json!({ "groupId": group, "generationId": "$gen", "memberId": member, "groupInstanceId": instance }),
    );
}

pub(super) fn leave(g: &mut Generator<'_>) {
    let group = g.group();
    let member = g.pick(&["${m0}", "${m0}", "${m1}"]);
    let members = g.pick(&[
        json!([{ "memberId": member }]),
        json!([{ "memberId": member }, { "memberId": "${m1}" }]),
        json!([{ "memberId": "", "groupInstanceId": "${p}i0" }]),
    ]);
    g.ask("LeaveGroup", json!({ "groupId": group, "memberId": member, "members": members }));
}

pub(super) fn offsets(g: &mut Generator<'_>) -> Value {
    let (_, name, id) = g.topic_and_id();
    let (partition, offset) = (g.partition(), g.offset());
    let metadata = g.pick(&[Value::Null, "".into(), "m".into(), "m".repeat(5000).into()]);
    let epoch = g.pick(&[-1, -1, 0, 5]);
    let asked = json!({
        "partitionIndex": partition, "committedOffset": offset, "committedLeaderEpoch": epoch,
        "committedMetadata": metadata,
    });
    json!([{ "name": name, "topicId": id, "partitions": [asked] }])
}

pub(super) fn commit(g: &mut Generator<'_>) {
    let (group, topics) = (g.group(), offsets(g));
    let (generation, member) = g.pick(&[(json!(-1), ""), (json!("$gen"), "${m0}"), (json!("$gen"), "${m1}")]);
    g.ask(
        "OffsetCommit",
        json!({ "groupId": group, "generationIdOrMemberEpoch": generation, "memberId": member, "topics": topics }),
    );
}

pub(super) fn fetch_offsets(g: &mut Generator<'_>) {
    let group = g.group();
    let (_, name, id) = g.topic_and_id();
    let asked = json!([{ "name": name, "partitionIndexes": [0, 1] }]);
    let of_group = json!([{ "name": name, "topicId": id, "partitionIndexes": [0, 1] }]);
    let stable = g.one_in(3);
    let groups = json!([{ "groupId": group, "topics": of_group }]);
    g.ask("OffsetFetch", json!({ "groupId": group, "topics": asked, "groups": groups, "requireStable": stable }));
}

pub(super) fn delete_offsets(g: &mut Generator<'_>) {
    let (group, name, partition) = (g.group(), g.topic(), g.partition());
    let topics = json!([{ "name": name, "partitions": [{ "partitionIndex": partition }] }]);
    g.ask("OffsetDelete", json!({ "groupId": group, "topics": topics }));
}

pub(super) fn describe(g: &mut Generator<'_>) {
    let group = g.group();
    g.ask("DescribeGroups", json!({ "groups": [group] }));
}

pub(super) fn list(g: &mut Generator<'_>) {
    let states = g.pick(&[json!([]), json!(["Empty"]), json!(["stable", "EMPTY"]), json!(["x"]), json!(["Dead"])]);
    let types = g.pick(&[json!([]), json!(["classic"]), json!(["Consumer"]), json!(["x"])]);
    g.ask("ListGroups", json!({ "statesFilter": states, "typesFilter": types }));
}

pub(super) fn delete(g: &mut Generator<'_>) {
    let groups = g.pick(&[json!(["${p}g0"]), json!(["${p}g1"]), json!(["${p}g0", "${p}g1", "${p}none"])]);
    g.ask("DeleteGroups", json!({ "groupsNames": groups }));
}

pub(super) fn find_coordinator(g: &mut Generator<'_>) {
    let kind = g.pick(&[0, 1, 2]);
    let (one, other) = (g.group(), g.group());
    g.ask("FindCoordinator", json!({ "key": one, "keyType": kind, "coordinatorKeys": [one, other] }));
}
