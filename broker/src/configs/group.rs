//! Settings of groups (`org.apache.kafka.coordinator.group.GroupConfig`). They are those of the newer protocols, which
//! are not served yet: they are kept and told.

use brooklet_storage::Settings;
use kafka_protocol::ResponseError;

use super::{Synonym, Told};
use crate::error::ApiError;
use crate::topics::config::{Definition, Kind, Rule, Source};

/// What bounds a number beside its rule: the least and the most, by the broker's settings of these names.
type Bounds = Option<(i64, i64, &'static str)>;

const fn setting(name: &'static str, kind: Kind, default: &'static str, rule: Rule, doc: &'static str) -> Definition {
    Definition { name, kind, default, rule, synonym: None, doc }
}

const HEARTBEAT: &str = "Time between two heartbeats of a member, in ms.";
const SESSION: &str = "Time without a heartbeat after which a member is out of its group, in ms.";
const ISOLATION: &[&str] = &["read_committed", "read_uncommitted"];

#[rustfmt::skip]
const TABLE: &[(Definition, Bounds)] = &[
    (setting("consumer.heartbeat.interval.ms", Kind::Int, "5000", Rule::AtLeast(1), HEARTBEAT),
        Some((5_000, 15_000, "group.consumer.*.heartbeat.interval.ms"))),
    (setting("consumer.session.timeout.ms", Kind::Int, "45000", Rule::AtLeast(1), SESSION),
        Some((45_000, 60_000, "group.consumer.*.session.timeout.ms"))),
    (setting("share.auto.offset.reset", Kind::Text, "latest", Rule::Any,
        "Where a share group begins: earliest, latest, or by_duration: and a duration such as PT1H."), None),
    (setting("share.heartbeat.interval.ms", Kind::Int, "5000", Rule::AtLeast(1), HEARTBEAT),
        Some((5_000, 15_000, "group.share.*.heartbeat.interval.ms"))),
    (setting("share.isolation.level", Kind::Text, "read_uncommitted", Rule::OneOf(ISOLATION),
        "Whether a share group sees records of open transactions."), None),
    (setting("share.record.lock.duration.ms", Kind::Int, "30000", Rule::AtLeast(1_000),
        "How long a member of a share group may work on a record, in ms."),
        Some((15_000, 60_000, "group.share.*.record.lock.duration.ms"))),
    (setting("share.session.timeout.ms", Kind::Int, "45000", Rule::AtLeast(1), SESSION),
        Some((45_000, 60_000, "group.share.*.session.timeout.ms"))),
    (setting("streams.heartbeat.interval.ms", Kind::Int, "5000", Rule::AtLeast(1), HEARTBEAT),
        Some((5_000, 15_000, "group.streams.*.heartbeat.interval.ms"))),
    (setting("streams.initial.rebalance.delay.ms", Kind::Int, "3000", Rule::AtLeast(0),
        "How long a new streams group waits for more members, in ms."), None),
    (setting("streams.num.standby.replicas", Kind::Int, "0", Rule::AtLeast(0), "Standby replicas of each task."),
        Some((0, 2, "group.streams.*.standby.replicas"))),
    (setting("streams.session.timeout.ms", Kind::Int, "45000", Rule::AtLeast(1), SESSION),
        Some((45_000, 60_000, "group.streams.*.session.timeout.ms"))),
];

/// Checks a group's settings all together.
pub(crate) fn validate(group: &str, settings: &Settings) -> Result<(), ApiError> {
    if group.is_empty() {
        return Err(ApiError::new(ResponseError::InvalidRequest, "Default group resources are not allowed."));
    }
    check(settings).map_err(|message| ApiError::new(ResponseError::InvalidConfig, message))
}

fn check(settings: &Settings) -> Result<(), String> {
    let is_known = |name: &String| TABLE.iter().any(|(definition, _)| definition.name == *name);
    if let Some(unknown) = settings.keys().find(|name| !is_known(name)) {
        return Err(format!("Unknown group config name: {unknown}"));
    }
    for (definition, bounds) in TABLE {
        let Some(value) = settings.get(definition.name) else { continue };
        definition.validate(value)?;
        let name = definition.name;
        if let Some((min, max, of_broker)) = bounds {
            let number: i64 = value.trim().parse().unwrap_or_default();
            if number < *min {
                return Err(format!("{name} must be greater than or equal to {}", of_broker.replace('*', "min")));
            }
            if number > *max {
                return Err(format!("{name} must be less than or equal to {}", of_broker.replace('*', "max")));
            }
        }
        if name == "share.auto.offset.reset" && !is_reset(value) {
            return Err(format!(
                "Invalid value {value} for configuration {name}: Invalid value `{value}` for configuration {name}. The \
                 value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."
            ));
        }
    }
    Ok(())
}

fn is_reset(value: &str) -> bool {
    match value.strip_prefix("by_duration:") {
        Some(duration) => is_duration(&duration.to_ascii_uppercase()),
        None => matches!(value, "earliest" | "latest"),
    }
}

/// Whether it is `PnDTnHnMn.nS`, with at least one part and none below zero (`java.time.Duration.parse`).
fn is_duration(text: &str) -> bool {
    let Some(text) = text.strip_prefix('P') else { return false };
    let (days, time) = match text.split_once('T') {
        Some((days, time)) => (days, Some(time)),
        None => (text, None),
    };
    let is_whole = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let are_days = days.is_empty() || days.strip_suffix('D').is_some_and(is_whole);
    let Some(time) = time else { return !days.is_empty() && are_days };
    let mut rest = time;
    for unit in ['H', 'M'] {
        if let Some((number, after)) = rest.split_once(unit) {
            if !is_whole(number) {
                return false;
            }
            rest = after;
        }
    }
    let are_seconds = rest.strip_suffix('S').is_some_and(|seconds| match seconds.split_once(['.', ',']) {
        Some((whole, part)) => is_whole(whole) && part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit()),
        None => is_whole(seconds),
    });
    are_days && !time.is_empty() && (rest.is_empty() || are_seconds)
}

/// The wanted settings as they hold for a group.
pub(crate) fn told(settings: &Settings, wanted: impl Fn(&str) -> bool) -> Vec<Told> {
    let tell = |(definition, _): &(Definition, Bounds)| {
        let (value, source) = match settings.get(definition.name) {
            Some(value) => (value.as_str(), Source::Group),
            None => (definition.default, Source::Default),
        };
        let value = definition.canonical(value);
        let synonyms = vec![Synonym::new(definition.name, &value, source)];
        Told {
            name: definition.name.into(),
            kind: definition.kind,
            value: Some(value),
            source,
            read_only: false,
            sensitive: false,
            synonyms,
            doc: definition.doc,
        }
    };
    TABLE.iter().filter(|(definition, _)| wanted(definition.name)).map(tell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_valid() {
        let defaults = TABLE.iter().map(|(it, _)| (it.name.to_owned(), it.default.to_owned())).collect();
        assert_eq!(check(&defaults), Ok(()));
    }

    #[test]
    fn durations_are_javas() {
        for text in ["PT1H", "P1D", "P1DT2H3M4.5S", "PT0S", "PT4,5S", "PT2M", "PT1H1S"] {
            assert!(is_duration(text), "{text}");
        }
        for text in ["", "P", "PT", "P1DT", "1H", "PT1", "PT1H30", "PTH", "P1Y", "-PT1H", "PT-1H", "PT1M1H", "PT1.5H"] {
            assert!(!is_duration(text), "{text}");
        }
    }
}
