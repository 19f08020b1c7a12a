//! Settings of all kinds, quotas, credentials, and what is asked of a cluster.

use serde_json::{Value, json};

use super::super::generate::Generator;
use super::topics::setting;

const OF_GROUPS: &[&str] = &[
    "consumer.session.timeout.ms",
    "consumer.heartbeat.interval.ms",
    "share.session.timeout.ms",
    "share.auto.offset.reset",
    "streams.num.standby.replicas",
    "nothing",
];
const OF_METRICS: &[(&str, &str)] = &[
    ("interval.ms", "1000"),
    ("interval.ms", "99"),
    ("metrics", "a.,b."),
    ("metrics", ""),
    ("match", "client_id=x.*"),
    ("match", "x=y"),
    ("nothing", "1"),
];
const OF_BROKERS: &[(&str, &[&str])] = &[
    ("log.retention.ms", &["-1", "1000", "-2", "x"]),
    ("log.cleaner.threads", &["1", "2", "100", "0"]),
    ("num.io.threads", &["8", "4", "100"]),
    ("message.max.bytes", &["1000", "-1", ""]),
    ("log.cleanup.policy", &["compact", "none"]),
    ("max.connections", &["10", "-1"]),
    ("max.connections.per.ip.overrides", &["127.0.0.1:10", "x"]),
    ("listeners", &["PLAINTEXT://127.0.0.1:1"]),
    ("node.id", &["2"]),
    ("no.such.setting", &["1"]),
];

/// What is set, with a name and a value of its kind.
fn resource(g: &mut Generator<'_>) -> (i64, Value, Value, Value) {
    match g.rng.u8(..8) {
        0 => {
            let (name, of) = (g.pick(OF_GROUPS), g.group());
            let value = g.pick(&["5000", "45000", "1", "x", "latest", "2"]);
            (32, of, name.into(), value.into())
        }
        1 => {
            let (name, value) = g.pick(OF_METRICS);
            (16, "${p}s0".into(), name.into(), value.into())
        }
        _ => {
            let (of, (name, value)) = (g.topic(), setting(g));
            (2, of, name, value)
        }
    }
}

pub(super) fn alter_incremental(g: &mut Generator<'_>) {
    let (kind, of, name, value) = resource(g);
    let (operation, validate) = (g.pick(&[0, 0, 0, 1, 2, 3]), g.one_in(5));
    let settings = json!([{ "name": name, "configOperation": operation, "value": value }]);
    let resources = json!([{ "resourceType": kind, "resourceName": of, "configs": settings }]);
    g.ask("IncrementalAlterConfigs", json!({ "resources": resources, "validateOnly": validate }));
}

pub(super) fn alter(g: &mut Generator<'_>) {
    let (kind, of, name, value) = resource(g);
    let validate = g.one_in(5);
    let resources =
        json!([{ "resourceType": kind, "resourceName": of, "configs": [{ "name": name, "value": value }] }]);
    g.ask("AlterConfigs", json!({ "resources": resources, "validateOnly": validate }));
}

/// Of brokers only what would come of it: the change would be there for every later sequence.
pub(super) fn brokers(g: &mut Generator<'_>) {
    let (name, values) = g.pick(OF_BROKERS);
    let (value, of) = (g.pick(values), g.pick(&["", "1", "2", "x"]));
    let operation = g.pick(&[0, 0, 1, 2, 3]);
    let settings = json!([{ "name": name, "configOperation": operation, "value": value }]);
    let resources = json!([{ "resourceType": 4, "resourceName": of, "configs": settings }]);
    g.plain("IncrementalAlterConfigs", 1, json!({ "resources": resources, "validateOnly": true }));
    let resources = json!([{ "resourceType": 4, "resourceName": of, "configs": [{ "name": name, "value": value }] }]);
    g.plain("AlterConfigs", 2, json!({ "resources": resources, "validateOnly": true }));
}

pub(super) fn describe(g: &mut Generator<'_>) {
    let (kind, of, name, _) = resource(g);
    let keys = g.pick(&[json!([name]), json!([name, name]), json!([])]);
    let (synonyms, documentation) = (g.one_in(2), g.one_in(4));
    let mut resource = json!({ "resourceType": kind, "resourceName": of, "configurationKeys": keys });
    if g.one_in(3) {
        resource["configurationKeys"] = Value::Null;
    }
    let body = json!({
        "resources": [resource], "includeSynonyms": synonyms, "includeDocumentation": documentation,
    });
    g.ask("DescribeConfigs", body);
}

pub(super) fn list(g: &mut Generator<'_>) {
    let kinds = g.pick(&[json!([]), json!([2]), json!([16]), json!([32, 16]), json!([99]), json!([2, 2])]);
    g.ask("ListConfigResources", json!({ "resourceTypes": kinds }));
}

pub(super) fn quotas(g: &mut Generator<'_>) {
    let entity = g.pick(&[
        json!([{ "entityType": "client-id", "entityName": "${p}u" }]),
        json!([{ "entityType": "user", "entityName": "${p}u" }]),
        json!([{ "entityType": "user", "entityName": "${p}u" }, { "entityType": "client-id", "entityName": "${p}v" }]),
        json!([{ "entityType": "ip", "entityName": "10.1.2.3" }]),
        json!([{ "entityType": "nothing", "entityName": "${p}u" }]),
    ]);
    let key =
        g.pick(&["producer_byte_rate", "consumer_byte_rate", "request_percentage", "connection_creation_rate", "x"]);
    let value = g.pick(&[1000.0, 1.5, 0.0, -1.0, 200.0]);
    let operations = json!([{ "key": key, "value": value, "remove": g.one_in(4) }]);
    let validate = g.one_in(4);
    g.ask(
        "AlterClientQuotas",
        json!({ "entries": [{ "entity": entity, "ops": operations }], "validateOnly": validate }),
    );
}

pub(super) fn describe_quotas(g: &mut Generator<'_>) {
    let kind = g.pick(&["user", "client-id", "ip", "nothing"]);
    let (how, name) = g.pick(&[(0, json!("${p}u")), (0, json!("${p}v")), (2, Value::Null), (1, Value::Null)]);
    let components = json!([{ "entityType": kind, "matchType": how, "match": name }]);
    let strict = g.one_in(2);
    g.ask("DescribeClientQuotas", json!({ "components": components, "strict": strict }));
}

pub(super) fn scram(g: &mut Generator<'_>) {
    let mechanism = g.pick(&[1, 2, 0, 3]);
    let added = json!([{
        "name": "${p}u", "mechanism": mechanism, "iterations": 4096, "salt": "salt", "saltedPassword": "password",
    }]);
    let removed = json!([{ "name": "${p}u", "mechanism": mechanism }]);
    let (removed, added) = g.pick(&[(json!([]), added.clone()), (removed.clone(), json!([])), (removed, added)]);
    g.ask("AlterUserScramCredentials", json!({ "deletions": removed, "upsertions": added }));
}

pub(super) fn describe_scram(g: &mut Generator<'_>) {
    let users = g.pick(&[json!([{ "name": "${p}u" }]), json!([{ "name": "${p}u" }, { "name": "${p}u" }]), json!([])]);
    g.ask("DescribeUserScramCredentials", json!({ "users": users }));
}

pub(super) fn acls(g: &mut Generator<'_>) {
    let api = g.pick(&["DescribeAcls", "CreateAcls", "DeleteAcls"]);
    g.ask(api, json!({}));
}

pub(super) fn tokens(g: &mut Generator<'_>) {
    let api =
        g.pick(&["CreateDelegationToken", "RenewDelegationToken", "ExpireDelegationToken", "DescribeDelegationToken"]);
    g.ask(api, json!({}));
}

pub(super) fn cluster(g: &mut Generator<'_>) {
    let api = g.pick(&["DescribeCluster", "DescribeQuorum", "ApiVersions"]);
    match api {
        "DescribeQuorum" => {
            let topics = json!([{ "topicName": "__cluster_metadata", "partitions": [{ "partitionIndex": 0 }] }]);
            g.ask(api, json!({ "topics": topics }));
        }
        "DescribeCluster" => drop(g.ask(api, json!({ "endpointType": 1 }))),
        _ => drop(g.ask(api, json!({ "clientSoftwareName": "x", "clientSoftwareVersion": "1" }))),
    }
}

pub(super) fn sasl(g: &mut Generator<'_>) {
    let mechanism = g.pick(&["PLAIN", "SCRAM-SHA-256", ""]);
    g.ask("SaslHandshake", json!({ "mechanism": mechanism })).insert("on".to_owned(), "sasl".into());
    g.ask("SaslAuthenticate", json!({ "authBytes": "x" })).insert("on".to_owned(), "sasl".into());
}
