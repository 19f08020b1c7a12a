//! Subscriptions to clients' metrics (`org.apache.kafka.server.metrics.ClientMetricsConfigs`, KIP-714). Clients are not
//! asked for metrics, as in a Kafka without a plugin that takes them: subscriptions are kept and told.

use brooklet_storage::Settings;
use kafka_protocol::ResponseError;

use super::{Synonym, Told};
use crate::error::ApiError;
use crate::topics::config::{Definition, Kind, Rule, Source};

const INTERVAL: &str = "interval.ms";
const MATCH: &str = "match";
const INTERVAL_MS_MIN: i32 = 100;
const INTERVAL_MS_MAX: i32 = 3_600_000;

const fn setting(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Definition {
    Definition { name, kind, default, rule: Rule::Any, synonym: None, doc }
}

const TABLE: &[Definition] = &[
    setting(INTERVAL, Kind::Int, "300000", "Time between two pushes of a client, in ms."),
    setting(MATCH, Kind::List, "", "Which clients: NAME=PATTERN of what they say of themselves; none is all."),
    setting("metrics", Kind::List, "", "Which metrics, by the beginnings of their names; * is all."),
];

/// What a pattern can be about.
const MATCHED: [&str; 6] = [
    "client_instance_id",
    "client_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

/// Checks a subscription's settings all together.
pub(crate) fn validate(subscription: &str, settings: &Settings) -> Result<(), ApiError> {
    let request = |message: String| Err(ApiError::new(ResponseError::InvalidRequest, message));
    let config = |message: String| ApiError::new(ResponseError::InvalidConfig, message);
    if subscription.is_empty() {
        return request("Subscription name can't be empty".to_owned());
    }
    let is_known = |name: &String| TABLE.iter().any(|definition| definition.name == *name);
    if let Some(unknown) = settings.keys().find(|name| !is_known(name)) {
        return request(format!("Unknown client metrics configuration: {unknown}"));
    }
    for definition in TABLE {
        let list = settings.get(definition.name).filter(|_| definition.kind == Kind::List);
        let list = list.map(|value| value.trim()).unwrap_or_default();
        if !list.is_empty() && list.split(',').any(|word| word.trim().is_empty()) {
            return Err(config(format!("Configuration '{}' values must not be empty.", definition.name)));
        }
        settings.get(definition.name).map_or(Ok(()), |value| definition.validate(value)).map_err(config)?;
    }
    if let Some(interval) = settings.get(INTERVAL).and_then(|value| value.trim().parse::<i32>().ok())
        && !(INTERVAL_MS_MIN..=INTERVAL_MS_MAX).contains(&interval)
    {
        return request(format!(
            "Invalid value {interval} for {INTERVAL}, interval must be between 100 and 3600000 (1 hour)"
        ));
    }
    let patterns = settings.get(MATCH).map(|value| value.trim()).unwrap_or_default();
    let mut patterns = patterns.split(',').map(str::trim).filter(|_| !patterns.is_empty());
    match patterns.find(|pattern| !is_pattern(pattern)) {
        Some(wrong) => Err(config(format!("Illegal client matching pattern: {wrong}"))),
        None => Ok(()),
    }
}

/// Whether it is NAME=PATTERN.
fn is_pattern(text: &str) -> bool {
    let parts: Vec<_> = text.split('=').collect();
    let [name, pattern] = parts.as_slice() else { return false };
    !pattern.is_empty() && MATCHED.contains(&name.trim()) && fancy_regex::Regex::new(pattern.trim()).is_ok()
}

/// The wanted settings as they hold for a subscription.
pub(crate) fn told(settings: &Settings, wanted: impl Fn(&str) -> bool) -> Vec<Told> {
    let tell = |definition: &Definition| {
        let set = settings.get(definition.name);
        let value = definition.canonical(set.map_or(definition.default, String::as_str));
        let synonym = set.map(|_| Synonym::new(definition.name, &value, Source::ClientMetrics));
        Told {
            name: definition.name.into(),
            kind: definition.kind,
            source: synonym.as_ref().map_or(Source::Default, |synonym| synonym.source),
            value: Some(value),
            read_only: false,
            sensitive: false,
            synonyms: synonym.into_iter().collect(),
            doc: definition.doc,
        }
    };
    TABLE.iter().filter(|definition| wanted(definition.name)).map(tell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pattern_takes_more_than_it_may() {
        for pattern in
            ["(".repeat(30_000), "(".repeat(10_000) + &")".repeat(10_000), "(((a{900}){900}){900})".to_owned()]
        {
            assert!(!is_pattern(&format!("client_id={pattern}")));
        }
        assert!(is_pattern(&format!("client_id={}", "a|".repeat(10_000))));
    }
}
