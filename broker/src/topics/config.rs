//! A topic's settings: which there are, what their values may be, what holds for a topic
//! (`org.apache.kafka.storage.internals.log.LogConfig`, `ConfigDef`).

use brooklet_storage::Settings;

/// All settings, in the order in which Kafka checks them.
pub(crate) use super::config_table::TABLE;

/// Longest value that can be told to every version of a client.
const VALUE_LEN_MAX: usize = 32_767;

/// The one setting that is set for all brokers while they run.
pub(crate) const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";

/// A setting's type, with its number in DescribeConfigs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unknown = 0,
    Boolean = 1,
    Text = 2,
    Int = 3,
    Short = 4,
    Long = 5,
    Double = 6,
    List = 7,
    Class = 8,
    Password = 9,
}

/// What a value must be beyond its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    Any,
    AtLeast(i64),
    Between(i64, i64),
    /// Between two numbers, or a third one.
    BetweenOr(i64, i64, i64),
    /// A fraction from 0 to 1.
    Ratio,
    OneOf(&'static [&'static str]),
    /// `*`, or PARTITION:BROKER pairs.
    Replicas,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) default: &'static str,
    pub(crate) rule: Rule,
    /// The broker's setting that the default comes from.
    pub(crate) synonym: Option<&'static str>,
    pub(crate) doc: &'static str,
}

/// Where a value comes from, with its number in DescribeConfigs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Set on the topic.
    Topic = 1,
    /// Set on this broker while it runs.
    DynamicBroker = 2,
    /// Set for all brokers while they run.
    DynamicDefault = 3,
    /// Set when the broker was started.
    StaticBroker = 4,
    /// Not set.
    Default = 5,
    /// A level of logging.
    Logger = 6,
    /// Set on a subscription to metrics.
    ClientMetrics = 7,
    /// Set on a group.
    Group = 8,
}

/// The setting of that name.
pub(crate) fn definition(name: &str) -> Option<&'static Definition> {
    TABLE.iter().find(|definition| definition.name == name)
}

/// Checks a topic's overrides all together; the error is in Kafka's words (code INVALID_CONFIG).
pub(crate) fn validate(overrides: &Settings) -> Result<(), String> {
    if let Some(unknown) = overrides.keys().find(|name| definition(name).is_none()) {
        return Err(format!("Unknown topic config name: {unknown}"));
    }
    for definition in TABLE {
        if let Some(value) = overrides.get(definition.name) {
            if value.len() > VALUE_LEN_MAX {
                return Err(format!("The value of configuration {} is too long", definition.name));
            }
            definition.validate(value)?;
        }
    }
    let number = |name: &str| {
        let value = overrides.get(name).map(String::as_str).or_else(|| definition(name).map(|it| it.default));
        value.and_then(|value| value.trim().parse::<i64>().ok()).unwrap_or_default()
    };
    let (lag_min, lag_max) = (number("min.compaction.lag.ms"), number("max.compaction.lag.ms"));
    if lag_min > lag_max {
        return Err(format!(
            "conflict topic config setting min.compaction.lag.ms ({lag_min}) > max.compaction.lag.ms ({lag_max})"
        ));
    }
    if overrides.get("remote.storage.enable").is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
        return Err("Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote \
                    log storage."
            .to_owned());
    }
    Ok(())
}

impl Definition {
    /// A value as it is told: without blanks around it, and as its type is written.
    pub(crate) fn canonical(&self, value: &str) -> String {
        let trimmed = value.trim();
        match self.kind {
            Kind::Boolean => trimmed.to_ascii_lowercase(),
            Kind::Int | Kind::Short | Kind::Long => {
                trimmed.parse::<i64>().map_or_else(|_| trimmed.to_owned(), |number| number.to_string())
            }
            // As Java prints it; what it prints in another way is large enough for nobody to set.
            Kind::Double => trimmed.parse::<f64>().map_or_else(
                |_| trimmed.to_owned(),
                |number| if number.abs() < 1e7 { format!("{number:?}") } else { trimmed.to_owned() },
            ),
            Kind::List => trimmed.split(',').map(str::trim).collect::<Vec<_>>().join(","),
            Kind::Text | Kind::Class | Kind::Password | Kind::Unknown => value.to_owned(),
        }
    }

    /// Checks one value by its type and rule.
    pub(crate) fn validate(&self, value: &str) -> Result<(), String> {
        let trimmed = value.trim();
        let wrong =
            |value: &str, why: &str| Err(format!("Invalid value {value} for configuration {}: {why}", self.name));
        let outcome = match self.kind {
            Kind::Boolean if trimmed.eq_ignore_ascii_case("true") || trimmed.eq_ignore_ascii_case("false") => Ok(()),
            Kind::Boolean => Err("Expected value to be either true or false".to_owned()),
            Kind::Int => trimmed.parse::<i32>().map_err(|_| not_a("INT")).and_then(|it| self.rule.number(it.into())),
            Kind::Short => {
                trimmed.parse::<i16>().map_err(|_| not_a("SHORT")).and_then(|it| self.rule.number(it.into()))
            }
            Kind::Long => trimmed.parse::<i64>().map_err(|_| not_a("LONG")).and_then(|it| self.rule.number(it)),
            Kind::Double => trimmed.parse::<f64>().map_err(|_| not_a("DOUBLE")).and_then(|it| self.rule.fraction(it)),
            Kind::Text | Kind::Class | Kind::Password | Kind::Unknown => self.rule.word(value),
            Kind::List => return self.validate_list(trimmed),
        };
        outcome.or_else(|why| match self.kind {
            Kind::Text => wrong(value, &why),
            Kind::Double => wrong(&self.canonical(value), &why),
            _ => wrong(trimmed, &why),
        })
    }

    fn validate_list(&self, value: &str) -> Result<(), String> {
        let words: Vec<_> = value.split(',').map(str::trim).filter(|_| !value.is_empty()).collect();
        if self.rule == Rule::Replicas {
            let are_pairs = words.iter().all(|word| {
                let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
                word.split_once(':').is_some_and(|(partition, broker)| number(partition) && number(broker))
            });
            if are_pairs || words == ["*"] {
                return Ok(());
            }
            return Err(format!(
                "Invalid value [{}] for configuration {name}: {name} must be the literal '*' or a list of replicas in \
                 the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
                words.join(", "),
                name = self.name,
            ));
        }
        for word in words {
            self.rule
                .word(word)
                .map_err(|why| format!("Invalid value {word} for configuration {}: {why}", self.name))?;
        }
        Ok(())
    }
}

fn not_a(kind: &str) -> String {
    format!("Not a number of type {kind}")
}

impl Rule {
    fn number(self, value: i64) -> Result<(), String> {
        match self {
            Self::AtLeast(min) | Self::Between(min, _) if value < min => Err(format!("Value must be at least {min}")),
            Self::Between(_, max) if value > max => Err(format!("Value must be no more than {max}")),
            Self::BetweenOr(min, max, or) if value != or && !(min..=max).contains(&value) => {
                Err(format!("Value must be between {min} and {max} or equal to {or}"))
            }
            _ => Ok(()),
        }
    }

    fn fraction(self, value: f64) -> Result<(), String> {
        match self {
            Self::Ratio if value.is_nan() => Err(not_a("DOUBLE")),
            Self::Ratio if value < 0.0 => Err("Value must be at least 0".to_owned()),
            Self::Ratio if value > 1.0 => Err("Value must be no more than 1".to_owned()),
            _ => Ok(()),
        }
    }

    fn word(self, value: &str) -> Result<(), String> {
        match self {
            Self::OneOf(words) if !words.contains(&value) => {
                Err(format!("String must be one of: {}", words.join(", ")))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(settings: &[(&str, &str)]) -> Result<(), String> {
        validate(&settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn every_default_is_valid() {
        for definition in TABLE {
            assert_eq!(definition.validate(definition.default), Ok(()), "{}", definition.name);
        }
        assert_eq!(TABLE.len(), 33);
    }

    /// Each as a running Apache Kafka 4.2 answers.
    #[test]
    fn values_are_refused_in_kafkas_words() {
        for (name, value, message) in [
            ("compression.type", "x", "String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer"),
            ("compression.gzip.level", "0", "Value must be between 1 and 9 or equal to -1"),
            ("compression.lz4.level", "18", "Value must be no more than 17"),
            ("cleanup.policy", "none", "String must be one of: compact, delete"),
            ("flush.messages", "0", "Value must be at least 1"),
            ("index.interval.bytes", "2147483648", "Not a number of type INT"),
            ("max.message.bytes", "1.5", "Not a number of type INT"),
            ("message.timestamp.type", "logappendtime", "String must be one of: CreateTime, LogAppendTime"),
            ("min.cleanable.dirty.ratio", "1.1", "Value must be no more than 1"),
            ("min.cleanable.dirty.ratio", "x", "Not a number of type DOUBLE"),
            ("preallocate", "yes", "Expected value to be either true or false"),
            ("retention.ms", "-2", "Value must be at least -1"),
            ("segment.bytes", "14", "Value must be at least 1048576"),
        ] {
            assert_eq!(
                check(&[(name, value)]),
                Err(format!("Invalid value {value} for configuration {name}: {message}"))
            );
        }
        assert_eq!(
            check(&[("cleanup.policy", "compact,x")]),
            Err("Invalid value x for configuration cleanup.policy: String must be one of: compact, delete".to_owned())
        );
        assert_eq!(check(&[("unknown.name", "1")]), Err("Unknown topic config name: unknown.name".to_owned()));
        assert!(
            check(&[("leader.replication.throttled.replicas", "y")]).unwrap_err().starts_with("Invalid value [y] for")
        );
    }

    #[test]
    fn values_are_taken_as_kafka_takes_them() {
        for (name, value) in [
            ("max.message.bytes", " 7 "),
            ("cleanup.policy", ""),
            ("cleanup.policy", "compact, delete"),
            ("preallocate", "TRUE"),
            ("retention.bytes", "-2"),
            ("compression.gzip.level", "-1"),
            ("follower.replication.throttled.replicas", "0:1,1:1"),
            ("follower.replication.throttled.replicas", "*"),
        ] {
            assert_eq!(check(&[(name, value)]), Ok(()), "{name}={value}");
        }
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        let message = "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)";
        assert_eq!(check(&[("min.compaction.lag.ms", "10"), ("max.compaction.lag.ms", "5")]), Err(message.to_owned()));
        assert!(check(&[("remote.storage.enable", "true")]).unwrap_err().contains("Tiered Storage"));
    }

    #[test]
    fn the_first_setting_in_kafkas_order_is_the_one_complained_of() {
        let message = check(&[("retention.ms", "x"), ("segment.bytes", "0")]).unwrap_err();
        assert!(message.contains("segment.bytes"), "{message}");
    }
}
