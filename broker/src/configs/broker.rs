//! What is set on brokers while they run: on one, or on all (KIP-226, `DynamicBrokerConfig`).

use std::time::Duration;

use brooklet_storage::{Settings, Storage, Tuning};
use kafka_protocol::ResponseError;

use super::broker_start;
use super::broker_table::{Dynamic, OTHER_UNITS, RATES, Scope, TABLE, THREADS};
use super::{BROKER, Synonym};
use crate::error::ApiError;
use crate::shared::NODE_ID;
use crate::topics::config::{self, Definition, Kind, MIN_INSYNC_REPLICAS, Rule, Source};

const LISTENER_PREFIX: &str = "listener.name.";
/// Settings that may be kept on one resource, those that mean nothing included.
const SETTINGS_MAX: usize = 1_000;

/// The settings on this broker, and on all.
#[derive(Clone, Debug, Default)]
pub(crate) struct BrokerSettings {
    pub(crate) node: Settings,
    pub(crate) all: Settings,
}

impl BrokerSettings {
    pub(crate) fn kept(storage: &Storage) -> Self {
        let mut all = storage.resource_config(BROKER, "");
        // A new Kafka cluster sets this one for all brokers, for its eligible leader replicas (KIP-966).
        all.entry(MIN_INSYNC_REPLICAS.to_owned()).or_insert_with(|| "1".to_owned());
        Self { node: storage.resource_config(BROKER, &NODE_ID.0.to_string()), all }
    }

    /// One setting that is set: on this broker, or on all.
    pub(crate) fn one(storage: &Storage, name: &str) -> Option<String> {
        let node = NODE_ID.0.to_string();
        storage.resource_setting(BROKER, &node, name).or_else(|| storage.resource_setting(BROKER, "", name))
    }

    /// With other settings on the resource of that name, which is empty for all brokers.
    pub(super) fn with(mut self, resource: &str, settings: Settings) -> Self {
        if resource.is_empty() {
            self.all = settings
        } else {
            self.node = settings
        }
        self
    }

    /// What is set, if it is.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.node.get(name).or_else(|| self.all.get(name)).map(String::as_str)
    }

    /// All that a setting's value could come from. `at_start` has what the broker was started with, and the default.
    pub(crate) fn synonyms(&self, name: &str, at_start: impl Fn(&str) -> [Option<Synonym>; 2]) -> Vec<Synonym> {
        let names = names_of(name);
        let set = |settings: &Settings, source| {
            let one = |name: &&str| {
                let synonym = Synonym::new((*name).to_owned(), settings.get(*name)?, source);
                Some(Synonym { value: synonym.value.filter(|_| !is_secret(name)), ..synonym })
            };
            names.iter().filter_map(one).collect::<Vec<_>>()
        };
        let started: Vec<_> = names.iter().map(|name| at_start(name)).collect();
        let mut synonyms = set(&self.node, Source::DynamicBroker);
        synonyms.extend(set(&self.all, Source::DynamicDefault));
        synonyms.extend(started.iter().filter_map(|[given, _]| given.clone()));
        synonyms.extend(started.iter().filter_map(|[_, default]| default.clone()));
        // Those in another unit count only behind the setting itself.
        synonyms.into_iter().skip_while(|synonym| synonym.name != name).collect()
    }

    /// What holds for topics without settings of their own, by their names for it.
    pub(super) fn topic_defaults(&self) -> Settings {
        let of_topic = |definition: &Definition| {
            let value = self.get(definition.synonym?)?;
            let value = match (definition.name, value.trim().parse::<i64>()) {
                // Kafka takes anything below zero for "without limit" here, and nothing but -1 on a topic.
                ("retention.ms", Ok(ms)) if ms < 0 => "-1".to_owned(),
                _ => definition.canonical(value),
            };
            Some((definition.name.to_owned(), value))
        };
        config::TABLE.iter().filter_map(of_topic).collect()
    }
}

/// Has the storage go by what is set.
pub(crate) fn tune(storage: &Storage) {
    let set = BrokerSettings::kept(storage);
    let number = |name: &str| set.get(name).and_then(|value| value.trim().parse::<u64>().ok());
    storage.tune(Tuning {
        producer_expiration: number("producer.id.expiration.ms").map(Duration::from_millis),
        cleaner_backoff: number("log.cleaner.backoff.ms").map(Duration::from_millis),
        cleaner_bytes_max: number("log.cleaner.dedupe.buffer.size").and_then(|bytes| usize::try_from(bytes).ok()),
    });
}

/// A setting under the names that it goes by.
fn names_of(name: &str) -> Vec<&str> {
    for (first, others) in &OTHER_UNITS {
        if *first == name || others.contains(&name) {
            return std::iter::once(*first).chain(others.iter().copied()).collect();
        }
    }
    std::iter::once(name).chain(of_listener(name)).collect()
}

/// What a listener's setting is called without the listener.
fn of_listener(name: &str) -> Option<&str> {
    name.strip_prefix(LISTENER_PREFIX)?.split_once('.').map(|(_, setting)| setting)
}

fn dynamic(name: &str) -> Option<&'static Dynamic> {
    TABLE.iter().find(|it| it.name == name)
}

/// The setting of that name that can be changed, on a listener too; those that hold for topics are topics' own by
/// another name.
pub(crate) fn definition(name: &str) -> Option<Definition> {
    let plain = of_listener(name).unwrap_or(name);
    if let Some(it) = dynamic(plain) {
        let default = it.default.unwrap_or_default();
        return Some(Definition { name: it.name, kind: it.kind, default, rule: it.rule, synonym: None, doc: it.doc });
    }
    if let Some(rate) = RATES.iter().find(|rate| **rate == plain) {
        let doc = "Kept, and without effect on one node.";
        let rule = Rule::AtLeast(0);
        return Some(Definition { name: rate, kind: Kind::Long, default: "", rule, synonym: None, doc });
    }
    let of_topic = config::TABLE.iter().find(|it| it.synonym == Some(plain))?;
    Some(Definition { name: of_topic.synonym?, ..*of_topic })
}

/// Type and default of the setting of that name that can only be set at the start.
pub(crate) fn at_start(name: &str) -> Option<(Kind, Option<&'static str>)> {
    let found = broker_start::TABLE.binary_search_by_key(&name, |(known, _, _)| known).ok()?;
    broker_start::TABLE.get(found).map(|&(_, kind, default)| (kind, default))
}

/// The names of all settings, but for those of listeners.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    changeable().chain(broker_start::TABLE.iter().map(|(name, _, _)| *name))
}

/// The names of all settings that can be changed.
fn changeable() -> impl Iterator<Item = &'static str> {
    let of_topics = config::TABLE.iter().filter_map(|it| it.synonym).filter(|name| dynamic(name).is_none());
    TABLE.iter().map(|it| it.name).chain(of_topics)
}

/// Kafka's default of a setting.
pub(crate) fn default_of(name: &str) -> Option<&'static str> {
    if let Some((_, default)) = at_start(name) {
        return default;
    }
    match dynamic(name) {
        Some(it) => it.default,
        None => definition(name).filter(|it| it.name == name && !RATES.contains(&name)).map(|it| it.default),
    }
}

/// Whether a setting is told as one that can be changed.
pub(crate) fn can_change(name: &str) -> bool {
    !name.starts_with(LISTENER_PREFIX) && !RATES.contains(&name) && definition(name).is_some()
}

/// A value that is told to nobody: a password, and whatever is not known.
pub(crate) fn is_secret(name: &str) -> bool {
    match definition(name) {
        Some(definition) => definition.kind == Kind::Password,
        None => at_start(name).is_none_or(|(kind, _)| kind == Kind::Password),
    }
}

/// Checks the settings of a broker, or of all, all together; `kept` are those before.
pub(super) fn validate(resource: &str, kept: &BrokerSettings, settings: &Settings) -> Result<(), ApiError> {
    let refuse = |message: String| Err(ApiError::new(ResponseError::InvalidRequest, message));
    // Kafka prints collections as Scala does.
    let set_of = |wrong: Vec<&str>| format!("Set({})", wrong.join(", "));
    let those = |is_wrong: &dyn Fn(&str) -> bool| -> Vec<&str> {
        settings.keys().map(String::as_str).filter(|name| is_wrong(name)).collect()
    };
    let scope = |name: &str| dynamic(name).map(|it| it.scope);
    let fixed = those(&|name| at_start(name).is_some() || scope(name) == Some(Scope::Start));
    if !fixed.is_empty() {
        return refuse(format!("Cannot update these configs dynamically: {}", set_of(fixed)));
    }
    let without_listener = those(&|name| scope(name) == Some(Scope::Listener));
    if !without_listener.is_empty() {
        return refuse(format!(
            "These security configs can be dynamically updated only per-listener using the listener prefix: Hash{}",
            set_of(without_listener)
        ));
    }
    if settings.len() > SETTINGS_MAX {
        let message = format!("A broker cannot have more than {SETTINGS_MAX} settings.");
        return Err(ApiError::new(ResponseError::PolicyViolation, message));
    }
    for (name, value) in settings {
        if let Err(message) = definition(name).map_or(Ok(()), |definition| definition.validate(value)) {
            return refuse(message);
        }
    }
    let of_one = those(&|name| name.starts_with(LISTENER_PREFIX) || scope(name) == Some(Scope::Broker));
    if resource.is_empty() && !of_one.is_empty() {
        let set = set_of(of_one);
        return refuse(format!(
            "Cannot update these configs at default cluster level, broker id must be specified: {set}"
        ));
    }
    let after = kept.clone().with(resource, settings.clone());
    together(kept, &after).or_else(refuse)?;
    replicas(resource, kept, settings)
}

/// What a value must be beside the others.
fn together(before: &BrokerSettings, after: &BrokerSettings) -> Result<(), String> {
    let number = |settings: &BrokerSettings, name: &str| {
        let value = settings.get(name).or_else(|| default_of(name));
        value.and_then(|value| value.trim().parse::<i64>().ok())
    };
    let is_below = |name: &str, least: i64| number(after, name).is_some_and(|value| value < least);
    let retention = number(after, "log.retention.ms").unwrap_or(7 * 24 * 60 * 60 * 1000);
    if retention == 0 {
        return Err(
            "requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1".to_owned()
        );
    }
    if is_below("log.roll.ms", 1) {
        return Err("requirement failed: log.roll.ms must be greater than or equal to 1".to_owned());
    }
    if is_below("log.roll.jitter.ms", 0) {
        return Err("requirement failed: log.roll.jitter.ms must be greater than or equal to 0".to_owned());
    }
    let cleaners = number(after, "log.cleaner.threads").unwrap_or(1);
    if cleaners == 0 {
        return Err("/ by zero".to_owned());
    }
    if number(after, "log.cleaner.dedupe.buffer.size").unwrap_or(i64::MAX) / cleaners <= 1 << 20 {
        return Err(
            "requirement failed: log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.".to_owned()
        );
    }
    for name in THREADS {
        let (old, new) = (number(before, name).unwrap_or(1), number(after, name).unwrap_or(1));
        if new != old && (new > old * 2 || new < old / 2) {
            return Err(format!("{name} cannot be changed from {old} to {new}: at most doubled or halved."));
        }
    }
    for name in ["max.connections", "max.connection.creation.rate"] {
        if is_below(name, 1) {
            return Err(format!("Invalid {name} 0"));
        }
    }
    let overrides = after.get("max.connections.per.ip.overrides").unwrap_or_default();
    if is_below("max.connections.per.ip", 1) && overrides.is_empty() {
        return Err(
            "requirement failed: max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides \
                    property is set."
                .to_owned(),
        );
    }
    let is_place = |place: &str| place.rsplit_once(':').is_some_and(|(_, count)| count.trim().parse::<i32>().is_ok());
    if !overrides.split(',').filter(|place| !place.trim().is_empty()).all(is_place) {
        return Err("Error parsing configuration property 'max.connections.per.ip.overrides'".to_owned());
    }
    let local = number(after, "log.local.retention.ms").unwrap_or(-2);
    if local != -2 && retention > 0 && !(0..=retention).contains(&local) {
        return Err(format!("log.local.retention.ms ({local}) must not be more than log.retention.ms ({retention})."));
    }
    // No class can be loaded here but those that Kafka has set.
    for name in ["metric.reporters", "principal.builder.class", "ssl.engine.factory.class"] {
        if let Some(class) = after.get(name).filter(|class| Some(*class) != default_of(name) && !class.is_empty()) {
            return Err(format!("Invalid value {class} for configuration {name}: Class {class} could not be found."));
        }
    }
    Ok(())
}

/// With eligible leader replicas this one setting is for all brokers alike (`ReplicationControlManager`, KIP-966).
fn replicas(resource: &str, kept: &BrokerSettings, settings: &Settings) -> Result<(), ApiError> {
    let refuse = |message: &'static str| Err(ApiError::new(ResponseError::InvalidConfig, message));
    let is_set = settings.contains_key(MIN_INSYNC_REPLICAS);
    match resource.is_empty() {
        true if !is_set && kept.all.contains_key(MIN_INSYNC_REPLICAS) => {
            refuse("Cluster-level min.insync.replicas cannot be removed while ELR is enabled.")
        }
        false if is_set => refuse("Broker-level min.insync.replicas cannot be altered while ELR is enabled."),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
