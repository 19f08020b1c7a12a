//! The broker's settings by Kafka's names, as tools ask for them (`KafkaConfig`, `AbstractKafkaConfig`).
//!
//! Of those that can only be set at the start, the ones are listed that mean something here; of those that can be
//! changed while the broker runs, all.

use std::borrow::Cow;
use std::collections::BTreeMap;

use brooklet_storage::Settings;

use crate::configs::broker::{self, BrokerSettings};
use crate::configs::{Synonym, Told};
use crate::shared::{NODE_ID, Shared};
use crate::topics::config::{Kind, Source};

/// A setting as it was at the start.
struct AtStart {
    name: &'static str,
    kind: Kind,
    /// Given at the start.
    value: Option<String>,
    /// Kafka's default, where there is one.
    default: Option<&'static str>,
    doc: &'static str,
}

/// Settings that have one value here.
#[rustfmt::skip]
const FIXED: &[(&str, Kind, &str, &str)] = &[
    ("auto.create.topics.enable", Kind::Boolean, "true", "Whether a topic is made on first use."),
    ("delete.topic.enable", Kind::Boolean, "true", "Whether topics can be deleted."),
    ("default.replication.factor", Kind::Int, "1", "Replicas of a topic that does not say."),
    ("offsets.topic.replication.factor", Kind::Short, "1", "Replicas of the topic of committed offsets."),
    ("log.retention.hours", Kind::Int, "168", "Age at which segments are deleted, where log.retention.ms is not set."),
    ("log.flush.scheduler.interval.ms", Kind::Long, "9223372036854775807",
        "Time between two looks at what is to be synced. Has no effect here: --fsync says when."),
    ("log.roll.jitter.hours", Kind::Int, "0", "Largest random time taken off log.roll.hours. Has no effect here."),
    ("log.roll.hours", Kind::Int, "168", "Age at which a segment is closed, where log.roll.ms is not set."),
    ("group.min.session.timeout.ms", Kind::Int, "6000", "Shortest session timeout of a group's member."),
    ("group.max.session.timeout.ms", Kind::Int, "1800000", "Longest session timeout of a group's member."),
    ("offset.metadata.max.bytes", Kind::Int, "4096", "Longest metadata of a committed offset."),
    ("authorizer.class.name", Kind::Text, "", "Who decides what a client may do: nobody."),
    ("security.inter.broker.protocol", Kind::Text, "PLAINTEXT", "Protocol between brokers; there is one broker."),
];

/// Settings that Kafka knows and that are not set.
const UNSET: &[(&str, Kind, &str)] = &[
    ("log.retention.minutes", Kind::Int, "Age at which segments are deleted, where log.retention.ms is not set."),
    ("broker.rack", Kind::Text, "Where the broker stands."),
];

/// All settings of this broker.
pub(crate) fn told(shared: &Shared, set: &BrokerSettings) -> Vec<Told> {
    let fixed = FIXED.iter().map(|&(name, kind, value, doc)| at_start(name, kind, Some(value), doc));
    let unset = UNSET.iter().map(|&(name, kind, doc)| at_start(name, kind, None, doc));
    let started: BTreeMap<_, _> =
        fixed.chain(unset).chain(started_with(shared)).map(|setting| (setting.name, setting)).collect();
    let kept = set.node.keys().chain(set.all.keys()).map(|name| Cow::Owned(name.clone()));
    let mut names: Vec<Cow<'static, str>> =
        started.keys().copied().chain(broker::names()).map(Cow::Borrowed).chain(kept).collect();
    names.sort();
    names.dedup();
    let tell = |name: Cow<'static, str>| {
        let known = started.get(&*name);
        let synonyms = set.synonyms(&name, |name| {
            let known = started.get(name);
            let given = known.and_then(|it| it.value.as_deref());
            let default = known.and_then(|it| it.default).or_else(|| broker::default_of(name));
            [(given, Source::StaticBroker), (default, Source::Default)]
                .map(|(value, source)| Some(Synonym::new(name.to_owned(), value?, source)))
        });
        tell(name, known.map(|it| (it.kind, it.doc)), synonyms)
    };
    names.into_iter().map(tell).collect()
}

/// The settings that are set on all brokers.
pub(crate) fn told_of_all(all: &Settings) -> Vec<Told> {
    let tell = |(name, value): (&String, &String)| {
        let shown = Some(value.clone()).filter(|_| !broker::is_secret(name));
        let name: Cow<'static, str> = Cow::Owned(name.clone());
        let synonym = Synonym { name: name.clone(), value: shown.clone(), source: Source::DynamicDefault };
        Told { value: shown, ..tell(name, None, vec![synonym]) }
    };
    all.iter().map(tell).collect()
}

fn tell(name: Cow<'static, str>, fixed: Option<(Kind, &'static str)>, synonyms: Vec<Synonym>) -> Told {
    let definition = broker::definition(&name);
    let first = synonyms.first();
    let value = first.and_then(|first| first.value.as_deref());
    let value = value.map(|value| definition.map_or_else(|| value.to_owned(), |it| it.canonical(value)));
    let (kind, doc) = fixed.or(definition.map(|it| (it.kind, it.doc))).unwrap_or((Kind::Unknown, ""));
    Told {
        kind,
        value,
        source: first.map_or(Source::Default, |first| first.source),
        read_only: !broker::can_change(&name),
        sensitive: fixed.is_none() && broker::is_secret(&name),
        name,
        synonyms,
        doc,
    }
}

const fn at_start(name: &'static str, kind: Kind, default: Option<&'static str>, doc: &'static str) -> AtStart {
    AtStart { name, kind, value: None, default, doc }
}

/// What the broker was started with.
fn started_with(shared: &Shared) -> Vec<AtStart> {
    let limits = &shared.config.limits;
    let given = |name, kind, value: String, default, doc| {
        let value = Some(value).filter(|value| value != default);
        AtStart { name, kind, value, default: Some(default), doc }
    };
    let number = |name, value: usize, default, doc| given(name, Kind::Int, value.to_string(), default, doc);
    let set = |name, kind, value, default, doc| AtStart { name, kind, value: Some(value), default, doc };
    let advertised = format!("PLAINTEXT://{}:{}", shared.host.as_str(), shared.port);
    let listeners = format!("PLAINTEXT://{}", shared.config.listen);
    vec![
        set("broker.id", Kind::Int, NODE_ID.0.to_string(), Some("-1"), "The broker's id."),
        set("node.id", Kind::Int, NODE_ID.0.to_string(), None, "The broker's id."),
        set("process.roles", Kind::List, "broker,controller".to_owned(), None, "What this process is."),
        set("listeners", Kind::List, listeners, Some("PLAINTEXT://:9092"), "Where the broker listens."),
        set("advertised.listeners", Kind::List, advertised, None, "Where clients are told to connect to."),
        given(
            "num.partitions",
            Kind::Int,
            shared.config.default_partitions.to_string(),
            "1",
            "Partitions of a topic that does not say.",
        ),
        set(
            "group.initial.rebalance.delay.ms",
            Kind::Int,
            "0".to_owned(),
            Some("3000"),
            "How long a new group waits for more members.",
        ),
        given(
            "log.cleaner.dedupe.buffer.size",
            Kind::Long,
            shared.storage.cleaner_bytes_at_start().to_string(),
            "134217728",
            "Bytes that compaction may take for the keys of a log.",
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
