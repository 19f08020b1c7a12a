//! The settings of a topic's log, by Kafka's names and with Kafka's defaults
//! (`org.apache.kafka.storage.internals.log.LogConfig`).

use std::collections::BTreeMap;
use std::time::Duration;

use brooklet_model::{Compression, TimestampType};

/// Values by Kafka's names.
pub type Settings = BTreeMap<String, String>;

/// What happens to old records (`cleanup.policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Old segments are deleted by time and size.
    pub delete: bool,
    /// Only the latest record of each key matters; keyless records are refused.
    pub compact: bool,
}

/// How the broker stores what producers send (`compression.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredCompression {
    /// As it comes.
    Producer,
    /// In this codec, whatever the producer's.
    Codec(Compression),
}

/// The settings of one log. -1 means "no limit" where a limit is signed.
#[derive(Clone, Debug, PartialEq)]
pub struct LogConfig {
    /// `cleanup.policy`
    pub cleanup_policy: CleanupPolicy,
    /// `retention.ms`; -1 keeps for ever.
    pub retention_ms: i64,
    /// `retention.bytes`; -1 is without limit.
    pub retention_bytes: i64,
    /// `segment.bytes`
    pub segment_bytes: u64,
    /// Whether a batch larger than `segment.bytes` is refused; brooklet's own logs have a segment for such a one.
    pub segments_bound_batches: bool,
    /// `segment.ms`
    pub segment_ms: i64,
    /// `max.message.bytes`: the largest batch, its first 12 bytes included.
    pub max_message_bytes: usize,
    /// `file.delete.delay.ms`: how long a file stays that is no part of the log any more.
    pub file_delete_delay_ms: u64,
    /// `message.timestamp.type`
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`: how far in the past a record's time may lie.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`: how far in the future a record's time may lie.
    pub timestamp_after_max_ms: i64,
    /// `compression.type`
    pub compression: StoredCompression,
    /// `compression.gzip.level`; -1 is the codec's own.
    pub gzip_level: i32,
    /// `compression.zstd.level`
    pub zstd_level: i32,
    /// `delete.retention.ms`: how long a tombstone outlives the compaction that met it first.
    pub delete_retention_ms: i64,
    /// `min.compaction.lag.ms`: below this age records are not compacted.
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`: above this age they must be.
    pub max_compaction_lag_ms: i64,
    /// `min.cleanable.dirty.ratio`: compaction waits for a larger share of records that it has not seen.
    pub min_cleanable_dirty_ratio: f64,
}

/// A setting whose value cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid value {value} for configuration {name}: {reason}")]
pub struct LogConfigError {
    /// The setting's name.
    pub name: String,
    /// The value given.
    pub value: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            cleanup_policy: CleanupPolicy { delete: true, compact: false },
            retention_ms: 7 * 24 * 60 * 60 * 1000,
            retention_bytes: -1,
            segment_bytes: 1 << 30,
            segments_bound_batches: true,
            segment_ms: 7 * 24 * 60 * 60 * 1000,
            max_message_bytes: 1024 * 1024 + 12,
            file_delete_delay_ms: 60_000,
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 60 * 60 * 1000,
            compression: StoredCompression::Producer,
            gzip_level: -1,
            zstd_level: 3,
            delete_retention_ms: 24 * 60 * 60 * 1000,
            min_compaction_lag_ms: 0,
            max_compaction_lag_ms: i64::MAX,
            min_cleanable_dirty_ratio: 0.5,
        }
    }
}

impl LogConfig {
    /// These settings with a topic's `overrides`. Names that storage does not act on are passed over.
    pub fn with_overrides(&self, overrides: &BTreeMap<String, String>) -> Result<Self, LogConfigError> {
        let mut config = self.clone();
        for (name, value) in overrides {
            config.set(name, value).map_err(|reason| LogConfigError {
                name: name.clone(),
                value: value.clone(),
                reason,
            })?;
        }
        Ok(config)
    }

    /// The settings of brooklet's own logs: nothing is deleted by time or size, batches may be large.
    pub(crate) fn hidden() -> Self {
        Self {
            retention_ms: -1,
            retention_bytes: -1,
            segment_bytes: 64 << 20,
            segments_bound_batches: false,
            segment_ms: i64::MAX,
            max_message_bytes: 256 << 20,
            timestamp_after_max_ms: i64::MAX,
            ..Self::default()
        }
    }

    /// How long a segment is written to at most: where records must be compacted by some age, the active segment must be
    /// closed by then.
    pub(crate) fn segment_ms_max(&self) -> i64 {
        match self.cleanup_policy.compact && self.max_compaction_lag_ms > 0 {
            true => self.segment_ms.min(self.max_compaction_lag_ms),
            false => self.segment_ms,
        }
    }

    /// How long a file stays that is no part of the log any more.
    pub(crate) fn file_delete_delay(&self) -> Duration {
        Duration::from_millis(self.file_delete_delay_ms)
    }

    /// The level that batches are compressed at where the broker does it; `None` is the codec's own.
    pub(crate) fn level(&self, codec: Compression) -> Option<i32> {
        match codec {
            Compression::Gzip => Some(self.gzip_level).filter(|level| *level >= 0),
            Compression::Zstd => Some(self.zstd_level),
            _ => None,
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match name {
            "cleanup.policy" => self.cleanup_policy = cleanup_policy(value)?,
            "retention.ms" => self.retention_ms = number(value, -1, i64::MAX)?,
            "retention.bytes" => self.retention_bytes = number(value, i64::MIN, i64::MAX)?,
            "segment.bytes" => self.segment_bytes = number(value, 14, i64::from(i32::MAX))? as u64,
            "segment.ms" => self.segment_ms = number(value, 1, i64::MAX)?,
            "max.message.bytes" => self.max_message_bytes = number(value, 0, i64::from(i32::MAX))? as usize,
            "file.delete.delay.ms" => self.file_delete_delay_ms = number(value, 0, i64::MAX)? as u64,
            "message.timestamp.type" => {
                self.timestamp_type = match value {
                    "CreateTime" => TimestampType::CreateTime,
                    "LogAppendTime" => TimestampType::LogAppendTime,
                    _ => return Err("String must be one of: CreateTime, LogAppendTime"),
                };
            }
            "message.timestamp.before.max.ms" => self.timestamp_before_max_ms = number(value, 0, i64::MAX)?,
            "message.timestamp.after.max.ms" => self.timestamp_after_max_ms = number(value, 0, i64::MAX)?,
            "compression.type" => self.compression = compression(value)?,
            "compression.gzip.level" => self.gzip_level = number(value, -1, 9)? as i32,
            "compression.zstd.level" => self.zstd_level = number(value, -131_072, 22)? as i32,
            "delete.retention.ms" => self.delete_retention_ms = number(value, 0, i64::MAX)?,
            "min.compaction.lag.ms" => self.min_compaction_lag_ms = number(value, 0, i64::MAX)?,
            "max.compaction.lag.ms" => self.max_compaction_lag_ms = number(value, 1, i64::MAX)?,
            "min.cleanable.dirty.ratio" => self.min_cleanable_dirty_ratio = fraction(value)?,
            _ => {}
        }
        Ok(())
    }
}

fn cleanup_policy(value: &str) -> Result<CleanupPolicy, &'static str> {
    let mut policy = CleanupPolicy { delete: false, compact: false };
    // Kafka takes the empty list: nothing old goes away.
    for word in value.split(',').map(str::trim).filter(|_| !value.trim().is_empty()) {
        match word {
            "delete" => policy.delete = true,
            "compact" => policy.compact = true,
            _ => return Err("String must be one of: compact, delete"),
        }
    }
    Ok(policy)
}

fn compression(value: &str) -> Result<StoredCompression, &'static str> {
    Ok(match value {
        "producer" => StoredCompression::Producer,
        "uncompressed" => StoredCompression::Codec(Compression::None),
        "gzip" => StoredCompression::Codec(Compression::Gzip),
        "snappy" => StoredCompression::Codec(Compression::Snappy),
        "lz4" => StoredCompression::Codec(Compression::Lz4),
        "zstd" => StoredCompression::Codec(Compression::Zstd),
        _ => return Err("String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer"),
    })
}

fn fraction(value: &str) -> Result<f64, &'static str> {
    let number: f64 = value.trim().parse().map_err(|_| "Not a number of type DOUBLE")?;
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err("Value must be from 0 to 1") }
}

fn number(value: &str, min: i64, max: i64) -> Result<i64, &'static str> {
    let number: i64 = value.trim().parse().map_err(|_| "Not a number of the right type")?;
    if number < min {
        return Err("Value is below the least that is allowed");
    }
    if number > max {
        return Err("Value is above the most that is allowed");
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, value: &str) -> Result<LogConfig, LogConfigError> {
        LogConfig::default().with_overrides(&BTreeMap::from([(name.to_owned(), value.to_owned())]))
    }

    #[test]
    fn overrides_replace_defaults() {
        assert_eq!(parse("retention.ms", "-1").unwrap().retention_ms, -1);
        assert_eq!(parse("segment.bytes", "1000").unwrap().segment_bytes, 1000);
        assert_eq!(parse("max.message.bytes", "77").unwrap().max_message_bytes, 77);
        assert!(parse("cleanup.policy", "compact, delete").unwrap().cleanup_policy.compact);
        assert_eq!(
            parse("cleanup.policy", "").unwrap().cleanup_policy,
            CleanupPolicy { delete: false, compact: false }
        );
        assert_eq!(parse("flush.messages", "what").unwrap(), LogConfig::default());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (name, value) in [
            ("retention.ms", "-2"),
            ("segment.bytes", "13"),
            ("segment.ms", "soon"),
            ("cleanup.policy", "shred"),
            ("message.timestamp.type", "Whenever"),
            ("compression.type", "zip"),
            ("compression.gzip.level", "10"),
            ("min.cleanable.dirty.ratio", "1.5"),
            ("max.compaction.lag.ms", "0"),
        ] {
            assert_eq!(parse(name, value).unwrap_err().name, name);
        }
    }
}
