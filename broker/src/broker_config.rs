//! The broker's settings by Kafka's names, as tools ask for them (`KafkaConfig`, `AbstractKafkaConfig`).
//!
//! All of Kafka's are listed. Those that mean nothing here are told with Kafka's default, and their documentation says
//! so.

use std::borrow::Cow;
use std::collections::BTreeMap;

use brooklet_storage::Settings;

use crate::configs::broker::{self, BrokerSettings};
use crate::configs::{Synonym, Told};
use crate::shared::{NODE_ID, Shared};
use crate::topics::config::{Kind, Source};

/// What those of the settings are for that can only be set at the start and mean something here.
#[rustfmt::skip]
const MEANT: &[(&str, &str)] = &[
    ("advertised.listeners", "Where clients are told to connect to."),
    ("authorizer.class.name", "Who decides what a client may do: nobody."),
    ("auto.create.topics.enable", "Whether a topic is made on first use."),
    ("broker.id", "The broker's id."),
    ("broker.rack", "Where the broker stands."),
    ("default.replication.factor", "Replicas of a topic that does not say."),
    ("delete.topic.enable", "Whether topics can be deleted."),
    ("fetch.max.bytes", "Largest answer to a fetch."),
    ("group.coordinator.rebalance.protocols", "Protocols of groups: the classic one alone."),
    ("group.initial.rebalance.delay.ms", "How long a new group waits for more members."),
    ("group.max.session.timeout.ms", "Longest session timeout of a group's member."),
    ("group.max.size", "Members of one group."),
    ("group.min.session.timeout.ms", "Shortest session timeout of a group's member."),
    ("log.cleaner.enable", "Whether topics are compacted."),
    ("log.dirs", "Where the data is."),
    ("log.retention.hours", "Age at which segments are deleted, where log.retention.ms is not set."),
    ("log.retention.minutes", "Age at which segments are deleted, where log.retention.ms is not set."),
    ("log.roll.hours", "Age at which a segment is closed, where log.roll.ms is not set."),
    ("max.incremental.fetch.session.cache.slots", "Incremental fetch sessions kept."),
    ("node.id", "The broker's id."),
    ("num.partitions", "Partitions of a topic that does not say."),
    ("offset.metadata.max.bytes", "Longest metadata of a committed offset."),
    ("offsets.retention.check.interval.ms", "Time between two looks at which committed offsets have expired."),
    ("offsets.retention.minutes", "How long the committed offsets of a group without members are kept."),
    ("offsets.topic.replication.factor", "Replicas of the committed offsets."),
    ("process.roles", "What this process is."),
    ("security.inter.broker.protocol", "Protocol between brokers; there is one broker."),
    ("socket.request.max.bytes", "Largest request."),
    ("transaction.max.timeout.ms", "Longest timeout that a transaction may ask for."),
    ("transaction.state.log.min.isr", "Replicas that must have a transaction's state."),
    ("transaction.state.log.replication.factor", "Replicas of the states of transactions."),
    ("transactional.id.expiration.ms", "How long a transactional id that is not used is remembered."),
];
const NO_EFFECT: &str = "Kafka's default, without effect here.";

/// All settings of this broker.
pub(crate) fn told(shared: &Shared, set: &BrokerSettings) -> Vec<Told> {
    let started = started_with(shared);
    let kept = set.node.keys().chain(set.all.keys()).map(|name| Cow::Owned(name.clone()));
    let mut names: Vec<Cow<'static, str>> = broker::names().map(Cow::Borrowed).chain(kept).collect();
    names.sort();
    names.dedup();
    let tell = |name: Cow<'static, str>| {
        let synonyms = set.synonyms(&name, |name| {
            let given = started.get(name).map(String::as_str);
            [(given, Source::StaticBroker), (broker::default_of(name), Source::Default)]
                .map(|(value, source)| Some(Synonym::new(name.to_owned(), value?, source)))
        });
        tell(name, synonyms)
    };
    names.into_iter().map(tell).collect()
}

/// The settings that are set on all brokers.
pub(crate) fn told_of_all(all: &Settings) -> Vec<Told> {
    let tell = |(name, value): (&String, &String)| {
        let shown = Some(value.clone()).filter(|_| !broker::is_secret(name));
        let name: Cow<'static, str> = Cow::Owned(name.clone());
        let synonym = Synonym { name: name.clone(), value: shown.clone(), source: Source::DynamicDefault };
        Told { value: shown, ..tell(name, vec![synonym]) }
    };
    all.iter().map(tell).collect()
}

fn tell(name: Cow<'static, str>, synonyms: Vec<Synonym>) -> Told {
    let definition = broker::definition(&name);
    let first = synonyms.first();
    let value = first.and_then(|first| first.value.as_deref());
    let value = value.map(|value| definition.map_or_else(|| value.to_owned(), |it| it.canonical(value)));
    let (kind, doc) = match (definition, broker::at_start(&name)) {
        (Some(it), _) => (it.kind, it.doc),
        (None, Some((kind, _))) => {
            let meant = MEANT.iter().find(|(meant, _)| *meant == name);
            (kind, meant.map_or(NO_EFFECT, |(_, doc)| *doc))
        }
        (None, None) => (Kind::Unknown, ""),
    };
    Told {
        kind,
        value,
        source: first.map_or(Source::Default, |first| first.source),
        read_only: !broker::can_change(&name),
        sensitive: broker::is_secret(&name),
        name,
        synonyms,
        doc,
    }
}

/// What the broker was started with, where that is not Kafka's default.
fn started_with(shared: &Shared) -> BTreeMap<&'static str, String> {
    let limits = &shared.config.limits;
    let node = NODE_ID.0.to_string();
    let one = || "1".to_owned();
    let always = [
        ("advertised.listeners", format!("PLAINTEXT://{}:{}", shared.host.as_str(), shared.port)),
        ("broker.id", node.clone()),
        ("group.coordinator.rebalance.protocols", "classic".to_owned()),
        ("group.initial.rebalance.delay.ms", "0".to_owned()),
        ("listeners", format!("PLAINTEXT://{}", shared.config.listen)),
        ("log.dirs", shared.storage.data_dir().to_string_lossy().into_owned()),
        ("node.id", node),
        ("offsets.topic.replication.factor", one()),
        ("process.roles", "broker,controller".to_owned()),
        ("transaction.state.log.min.isr", one()),
        ("transaction.state.log.replication.factor", one()),
    ];
    let where_it_differs = [
        ("fetch.max.bytes", limits.fetch_bytes_max.to_string()),
        ("group.max.size", limits.group_members_max.to_string()),
        ("log.cleaner.dedupe.buffer.size", shared.storage.cleaner_bytes_at_start().to_string()),
        ("max.connections", limits.connections_max.to_string()),
        ("max.incremental.fetch.session.cache.slots", limits.fetch_sessions_max.to_string()),
        ("num.partitions", shared.config.default_partitions.to_string()),
        ("socket.request.max.bytes", limits.frame_bytes_max.to_string()),
    ];
    let differs = |(name, value): &(&'static str, String)| Some(value.as_str()) != broker::default_of(name);
    always.into_iter().chain(where_it_differs.into_iter().filter(differs)).collect()
}
