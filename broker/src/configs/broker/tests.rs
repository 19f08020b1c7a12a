use brooklet_storage::LogConfig;
use proptest::prelude::*;

use super::*;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn any_name() -> impl Strategy<Value = String> {
    let names: Vec<_> =
        changeable().map(str::to_owned).chain(["a.b", "listener.name.x.ssl.key.password"].map(String::from)).collect();
    prop::sample::select(names)
}

fn any_value() -> impl Strategy<Value = String> {
    let words = [
        "",
        "0",
        "1",
        "-1",
        "-2",
        " 7 ",
        "+5",
        "x",
        "true",
        "FALSE",
        "0.5",
        "NaN",
        "inf",
        "1e3",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "compact",
        "compact, delete",
        ",",
        "zstd",
        "gzip",
        "CreateTime",
        "1048576",
    ];
    prop_oneof![
        prop::sample::select(words.to_vec()).prop_map(str::to_owned),
        any::<i64>().prop_map(|it| it.to_string())
    ]
}

proptest! {
    /// What is accepted for brokers can be taken over by topics, and can be told.
    #[test]
    fn what_is_accepted_holds_for_topics(
        changes in prop::collection::vec((any::<bool>(), any_name(), any_value()), 1..12),
    ) {
        let mut kept = BrokerSettings { all: settings(&[(MIN_INSYNC_REPLICAS, "1")]), ..BrokerSettings::default() };
        for (on_all, name, value) in changes {
            let resource = if on_all { "" } else { "1" };
            let mut after = if on_all { kept.all.clone() } else { kept.node.clone() };
            after.insert(name.clone(), value.clone());
            if validate(resource, &kept, &after).is_ok() {
                kept = kept.with(resource, after);
                let defaults = kept.topic_defaults();
                prop_assert!(LogConfig::default().with_overrides(&defaults).is_ok(), "{name}={value:?}: {defaults:?}");
                let synonyms = kept.synonyms(&name, |_| [None, None]);
                prop_assert_eq!(&synonyms[0].name, &name);
                prop_assert_eq!(synonyms[0].value.is_none(), is_secret(&name));
            }
        }
    }
}

#[test]
fn one_broker_counts_before_all_and_both_before_the_start() {
    let kept = BrokerSettings {
        node: settings(&[("log.retention.ms", "1")]),
        all: settings(&[("log.retention.ms", "2"), ("log.segment.bytes", "3000000")]),
    };
    let at_start = |name: &str| {
        [(name == "log.retention.hours").then(|| Synonym::new("log.retention.hours", "4", Source::StaticBroker)), None]
    };
    let told = |name| {
        let synonyms = kept.synonyms(name, at_start);
        synonyms.into_iter().map(|it| (it.name.into_owned(), it.value.unwrap_or_default())).collect::<Vec<_>>()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = [pair("log.retention.ms", "1"), pair("log.retention.ms", "2"), pair("log.retention.hours", "4")];
    assert_eq!(told("log.retention.ms"), expected);
    assert_eq!(told("log.retention.hours"), [pair("log.retention.hours", "4")]);
    assert_eq!(told("log.roll.ms"), []);
    let defaults = kept.topic_defaults();
    assert_eq!((defaults["retention.ms"].as_str(), defaults["segment.bytes"].as_str()), ("1", "3000000"));
}

#[test]
fn a_broker_keeps_a_bounded_number_of_settings() {
    let kept = BrokerSettings::default();
    let many = |count: usize| (0..count).map(|number| (format!("any.{number}"), String::new())).collect::<Settings>();
    assert!(validate("1", &kept, &many(SETTINGS_MAX)).is_ok());
    let refused = validate("1", &kept, &many(SETTINGS_MAX + 1)).unwrap_err();
    assert_eq!(refused.kind(), ResponseError::PolicyViolation);
}
