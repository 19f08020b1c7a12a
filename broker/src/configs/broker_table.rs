//! The settings of a broker that can be changed while it runs (`DynamicBrokerConfig.AllDynamicConfigs`), beside those
//! that hold for topics: name, type, default, rule, who may be told, what it is for.

use crate::topics::config::{Kind, Rule};

/// Which resource a setting can be set on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// One broker, or all.
    Any,
    /// One broker.
    Broker,
    /// A listener of one broker, by the prefix `listener.name.NAME.`.
    Listener,
    /// Nothing: it is fixed at the start, unlike in Kafka.
    Start,
}

/// A setting that can be changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dynamic {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) default: Option<&'static str>,
    pub(super) rule: Rule,
    pub(super) scope: Scope,
    pub(super) doc: &'static str,
}

const NO_EFFECT: &str = "Kept, and without effect here.";
const NO_SECURITY: &str = "Kept, and without effect: neither TLS nor SASL is served.";
const NO_TIERS: &str = "Kept, and without effect: there is no tiered storage.";
const I32_MAX: &str = "2147483647";
const I64_MAX: &str = "9223372036854775807";

const fn any(name: &'static str, kind: Kind, default: &'static str, rule: Rule, doc: &'static str) -> Dynamic {
    Dynamic { name, kind, default: Some(default), rule, scope: Scope::Any, doc }
}

const fn remote(name: &'static str, kind: Kind, default: &'static str) -> Dynamic {
    any(name, kind, default, Rule::AtLeast(1), NO_TIERS)
}

const fn security(name: &'static str, kind: Kind, default: Option<&'static str>, rule: Rule) -> Dynamic {
    Dynamic { name, kind, default, rule, scope: Scope::Broker, doc: NO_SECURITY }
}

const fn store(name: &'static str, kind: Kind, default: Option<&'static str>) -> Dynamic {
    Dynamic { name, kind, default, rule: Rule::Any, scope: Scope::Listener, doc: NO_SECURITY }
}

const fn unset(name: &'static str, doc: &'static str) -> Dynamic {
    Dynamic { name, kind: Kind::Long, default: None, rule: Rule::Any, scope: Scope::Any, doc }
}

const fn at_start(name: &'static str, kind: Kind, default: Option<&'static str>, doc: &'static str) -> Dynamic {
    Dynamic { name, kind, default, rule: Rule::Any, scope: Scope::Start, doc }
}

#[rustfmt::skip]
pub(super) const TABLE: &[Dynamic] = &[
    any("background.threads", Kind::Int, "10", Rule::AtLeast(1), NO_EFFECT),
    any("config.providers", Kind::List, "", Rule::Any, NO_EFFECT),
    at_start("listener.security.protocol.map", Kind::Text,
        Some("SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT"),
        "Protocol of each listener."),
    at_start("listeners", Kind::List, Some("PLAINTEXT://:9092"), "Where the broker listens."),
    any("log.cleaner.backoff.ms", Kind::Long, "15000", Rule::AtLeast(0),
        "How long compaction rests where no log is worth it, in ms."),
    any("log.cleaner.dedupe.buffer.size", Kind::Long, "134217728", Rule::Any,
        "Bytes that compaction may take for the keys of a log."),
    any("log.cleaner.io.buffer.load.factor", Kind::Double, "0.9", Rule::Any, NO_EFFECT),
    any("log.cleaner.io.buffer.size", Kind::Int, "524288", Rule::AtLeast(0), NO_EFFECT),
    any("log.cleaner.io.max.bytes.per.second", Kind::Double, "1.7976931348623157E308", Rule::Any, NO_EFFECT),
    any("log.cleaner.threads", Kind::Int, "1", Rule::AtLeast(0), "Kept, and without effect: one thread compacts."),
    unset("log.flush.interval.ms", "Time after which the log is synced. Has no effect here: --fsync says when."),
    unset("log.retention.ms", "Age at which segments are deleted."),
    unset("log.roll.jitter.ms", "Largest random time taken off log.roll.ms. Has no effect here."),
    unset("log.roll.ms", "Age at which a segment is closed."),
    any("max.connection.creation.rate", Kind::Int, I32_MAX, Rule::AtLeast(0), NO_EFFECT),
    any("max.connections", Kind::Int, I32_MAX, Rule::AtLeast(0), "Connections at once."),
    any("max.connections.per.ip", Kind::Int, I32_MAX, Rule::AtLeast(0), NO_EFFECT),
    any("max.connections.per.ip.overrides", Kind::Text, "", Rule::Any, NO_EFFECT),
    any("metric.reporters", Kind::List, "org.apache.kafka.common.metrics.JmxReporter", Rule::Any, NO_EFFECT),
    any("num.io.threads", Kind::Int, "8", Rule::AtLeast(1), NO_EFFECT),
    any("num.network.threads", Kind::Int, "3", Rule::AtLeast(1), NO_EFFECT),
    any("num.recovery.threads.per.data.dir", Kind::Int, "2", Rule::AtLeast(1), NO_EFFECT),
    any("num.replica.fetchers", Kind::Int, "1", Rule::AtLeast(1), NO_EFFECT),
    any("producer.id.expiration.ms", Kind::Int, "86400000", Rule::AtLeast(1),
        "How long a producer that writes nothing is remembered, in ms."),
    any("remote.fetch.max.wait.ms", Kind::Int, "500", Rule::AtLeast(1), NO_TIERS),
    remote("remote.list.offsets.request.timeout.ms", Kind::Long, "30000"),
    remote("remote.log.index.file.cache.total.size.bytes", Kind::Long, "1073741824"),
    remote("remote.log.manager.copier.thread.pool.size", Kind::Int, "10"),
    remote("remote.log.manager.copy.max.bytes.per.second", Kind::Long, I64_MAX),
    remote("remote.log.manager.expiration.thread.pool.size", Kind::Int, "10"),
    remote("remote.log.manager.fetch.max.bytes.per.second", Kind::Long, I64_MAX),
    remote("remote.log.manager.follower.thread.pool.size", Kind::Int, "2"),
    remote("remote.log.reader.threads", Kind::Int, "10"),
    security("principal.builder.class", Kind::Class,
        Some("org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder"), Rule::Any),
    security("sasl.enabled.mechanisms", Kind::List, Some("GSSAPI"), Rule::Any),
    security("sasl.jaas.config", Kind::Password, None, Rule::Any),
    security("sasl.kerberos.kinit.cmd", Kind::Text, Some("/usr/bin/kinit"), Rule::Any),
    security("sasl.kerberos.min.time.before.relogin", Kind::Long, Some("60000"), Rule::Any),
    security("sasl.kerberos.principal.to.local.rules", Kind::List, Some("DEFAULT"), Rule::Any),
    security("sasl.kerberos.service.name", Kind::Text, None, Rule::Any),
    security("sasl.kerberos.ticket.renew.jitter", Kind::Double, Some("0.05"), Rule::Any),
    security("sasl.kerberos.ticket.renew.window.factor", Kind::Double, Some("0.8"), Rule::Any),
    security("sasl.login.refresh.buffer.seconds", Kind::Short, Some("300"), Rule::Any),
    security("sasl.login.refresh.min.period.seconds", Kind::Short, Some("60"), Rule::Any),
    security("sasl.login.refresh.window.factor", Kind::Double, Some("0.8"), Rule::Any),
    security("sasl.login.refresh.window.jitter", Kind::Double, Some("0.05"), Rule::Any),
    security("sasl.mechanism.inter.broker.protocol", Kind::Text, Some("GSSAPI"), Rule::Any),
    security("ssl.cipher.suites", Kind::List, Some(""), Rule::Any),
    security("ssl.client.auth", Kind::Text, Some("none"), Rule::OneOf(&["required", "requested", "none"])),
    security("ssl.enabled.protocols", Kind::List, Some("TLSv1.2,TLSv1.3"), Rule::Any),
    security("ssl.endpoint.identification.algorithm", Kind::Text, Some("https"), Rule::Any),
    security("ssl.engine.factory.class", Kind::Class, None, Rule::Any),
    store("ssl.key.password", Kind::Password, None),
    security("ssl.keymanager.algorithm", Kind::Text, Some("SunX509"), Rule::Any),
    store("ssl.keystore.certificate.chain", Kind::Password, None),
    store("ssl.keystore.key", Kind::Password, None),
    store("ssl.keystore.location", Kind::Text, None),
    store("ssl.keystore.password", Kind::Password, None),
    store("ssl.keystore.type", Kind::Text, Some("JKS")),
    security("ssl.protocol", Kind::Text, Some("TLSv1.3"), Rule::Any),
    security("ssl.provider", Kind::Text, None, Rule::Any),
    security("ssl.secure.random.implementation", Kind::Text, None, Rule::Any),
    security("ssl.trustmanager.algorithm", Kind::Text, Some("PKIX"), Rule::Any),
    store("ssl.truststore.certificates", Kind::Password, None),
    store("ssl.truststore.location", Kind::Text, None),
    store("ssl.truststore.password", Kind::Password, None),
    store("ssl.truststore.type", Kind::Text, Some("JKS")),
    any("transaction.partition.verification.enable", Kind::Boolean, "true", Rule::Any, NO_EFFECT),
];

/// Rates that can be set and are told as if they could not (`DynamicConfig.Broker`).
pub(super) const RATES: [&str; 3] = [
    "follower.replication.throttled.rate",
    "leader.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
];

/// Counts of threads: a change may at most double or halve one (`DynamicThreadPool`).
pub(super) const THREADS: [&str; 10] = [
    "background.threads",
    "log.cleaner.threads",
    "num.io.threads",
    "num.network.threads",
    "num.recovery.threads.per.data.dir",
    "num.replica.fetchers",
    "remote.log.manager.copier.thread.pool.size",
    "remote.log.manager.expiration.thread.pool.size",
    "remote.log.manager.follower.thread.pool.size",
    "remote.log.reader.threads",
];

/// Settings that are the same in another unit, where the first is not set.
pub(super) const OTHER_UNITS: [(&str, &[&str]); 4] = [
    ("log.flush.interval.ms", &["log.flush.scheduler.interval.ms"]),
    ("log.retention.ms", &["log.retention.minutes", "log.retention.hours"]),
    ("log.roll.jitter.ms", &["log.roll.jitter.hours"]),
    ("log.roll.ms", &["log.roll.hours"]),
];
