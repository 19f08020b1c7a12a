//! The broker's settings by Kafka's names, as tools ask for them (`KafkaConfig`, `AbstractKafkaConfig`).
//!
//! Only those that mean something here are listed. None can be changed while the broker runs.

use crate::shared::{NODE_ID, Shared};
use crate::topics::config::{Kind, Source, TABLE};

/// One setting of the broker.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) value: Option<String>,
    /// Set at the start, or the default.
    pub(crate) source: Source,
    /// Kafka's default, where there is one.
    pub(crate) default: Option<&'static str>,
    pub(crate) doc: &'static str,
}

/// Settings that have one value here.
#[rustfmt::skip]
const FIXED: &[(&str, Kind, &str, &str)] = &[
    ("auto.create.topics.enable", Kind::Boolean, "true", "Whether a topic is made on first use."),
    ("delete.topic.enable", Kind::Boolean, "true", "Whether topics can be deleted."),
    ("default.replication.factor", Kind::Int, "1", "Replicas of a topic that does not say."),
    ("offsets.topic.replication.factor", Kind::Short, "1", "Replicas of the topic of committed offsets."),
    ("log.retention.hours", Kind::Int, "168", "Age at which segments are deleted, where log.retention.ms is not set."),
    ("log.roll.hours", Kind::Int, "168", "Age at which a segment is closed, where log.roll.ms is not set."),
    ("group.min.session.timeout.ms", Kind::Int, "6000", "Shortest session timeout of a group's member."),
    ("group.max.session.timeout.ms", Kind::Int, "1800000", "Longest session timeout of a group's member."),
    ("offset.metadata.max.bytes", Kind::Int, "4096", "Longest metadata of a committed offset."),
    ("authorizer.class.name", Kind::Text, "", "Who decides what a client may do: nobody."),
    ("security.inter.broker.protocol", Kind::Text, "PLAINTEXT", "Protocol between brokers; there is one broker."),
];

/// Settings that Kafka knows and that are not set.
#[rustfmt::skip]
const UNSET: &[(&str, Kind, &str)] = &[
    ("log.retention.ms", Kind::Long, "Age at which segments are deleted."),
    ("log.retention.minutes", Kind::Int, "Age at which segments are deleted, where log.retention.ms is not set."),
    ("log.roll.ms", Kind::Long, "Age at which a segment is closed."),
    ("broker.rack", Kind::Text, "Where the broker stands."),
];

/// All settings, in the order of their names.
pub(crate) fn settings(shared: &Shared) -> Vec<Setting> {
    let fixed = FIXED.iter().map(|&(name, kind, value, doc)| default(name, kind, value, doc));
    let unset =
        UNSET.iter().map(|&(name, kind, doc)| Setting { value: None, default: None, ..default(name, kind, "", doc) });
    let of_topics = TABLE.iter().filter_map(|it| Some(default(it.synonym?, it.kind, it.default, it.doc)));
    let mut settings: Vec<_> = fixed.chain(unset).chain(of_topics).chain(started_with(shared)).collect();
    settings.sort_by_key(|setting| setting.name);
    settings
}

fn default(name: &'static str, kind: Kind, value: &'static str, doc: &'static str) -> Setting {
    Setting { name, kind, value: Some(value.to_owned()), source: Source::Default, default: Some(value), doc }
}

/// What the broker was started with.
fn started_with(shared: &Shared) -> Vec<Setting> {
    let limits = &shared.config.limits;
    let number = |name, value: usize, default, doc| {
        let source = if value.to_string() == default { Source::Default } else { Source::StaticBroker };
        Setting { name, kind: Kind::Int, value: Some(value.to_string()), source, default: Some(default), doc }
    };
    let set = |name, kind, value, default, doc| Setting {
        name,
        kind,
        value: Some(value),
        source: Source::StaticBroker,
        default,
        doc,
    };
    let advertised = format!("PLAINTEXT://{}:{}", shared.host.as_str(), shared.port);
    let listeners = format!("PLAINTEXT://{}", shared.config.listen);
    vec![
        set("broker.id", Kind::Int, NODE_ID.0.to_string(), Some("-1"), "The broker's id."),
        set("node.id", Kind::Int, NODE_ID.0.to_string(), None, "The broker's id."),
        set("process.roles", Kind::List, "broker,controller".to_owned(), None, "What this process is."),
        set("listeners", Kind::List, listeners, Some("PLAINTEXT://:9092"), "Where the broker listens."),
        set("advertised.listeners", Kind::List, advertised, None, "Where clients are told to connect to."),
        set(
            "num.partitions",
            Kind::Int,
            shared.config.default_partitions.to_string(),
            Some("1"),
            "Partitions of a topic that does not say.",
        ),
        set(
            "group.initial.rebalance.delay.ms",
            Kind::Int,
            "0".to_owned(),
            Some("3000"),
            "How long a new group waits for more members.",
        ),
        number("socket.request.max.bytes", limits.frame_bytes_max, "104857600", "Largest request."),
        number("fetch.max.bytes", limits.fetch_bytes_max, "57671680", "Largest answer to a fetch."),
        number("max.connections", limits.connections_max, "2147483647", "Connections at once."),
        number("group.max.size", limits.group_members_max, "2147483647", "Members of one group."),
        number(
            "max.incremental.fetch.session.cache.slots",
            limits.fetch_sessions_max,
            "1000",
            "Incremental fetch sessions kept.",
        ),
    ]
}
