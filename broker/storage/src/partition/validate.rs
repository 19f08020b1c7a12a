//! What a batch must be before it is appended, and what it becomes by the topic's settings, outside the partition's
//! lock. See `org.apache.kafka.storage.internals.log.LogValidator`.
//!
//! Records are looked at only where a setting asks for it: keys of a compacted topic, times that may be out of range,
//! another codec. Else what the header says of them is taken as said.

use brooklet_model::{Batch, Compression, Record, Rewritten, Timestamp, TimestampType, TopicPartition};

use crate::log_config::StoredCompression;
use crate::{AppendError, LogConfig, RefusedRecords, StorageError};

/// A compressed batch may unfold to this, where its records have to be looked at.
const UNFOLDED_BYTES_MAX: usize = 128 << 20;

/// Checks `batch`, which is a client's or a coordinator's; returns it as it is to be stored.
pub(super) fn validate(
    batch: Batch,
    id: &TopicPartition,
    config: &LogConfig,
    now: Timestamp,
    of_client: bool,
) -> Result<Batch, AppendError> {
    check_size(&batch, config)?;
    batch.verify_checksum()?;
    batch.verify_counts()?;
    let header = &batch.header;
    let Ok(codec) = header.compression() else {
        return Err(AppendError::Unreadable(format!("no compression codec has the number {}", header.attributes & 7)));
    };
    batch.verify_layout()?;
    if header.is_control() {
        return Err(invalid("clients may not write control batches".to_owned()));
    }
    if header.producer_id.0 >= 0 && header.base_sequence < 0 && of_client {
        let (sequence, id) = (header.base_sequence, header.producer_id);
        return Err(invalid(format!("invalid sequence number {sequence} in a batch of the producer {id}")));
    }
    let target = match config.compression {
        StoredCompression::Producer => codec,
        StoredCompression::Codec(target) => target,
    };
    let mut records = Vec::new();
    let mut max_timestamp = header.max_timestamp;
    let checks = Checks { id, config, now, batch: &batch };
    if target != codec || checks.need_records() {
        max_timestamp = checks.check(&mut records)?;
    }
    let timestamp_type = config.timestamp_type;
    if timestamp_type == TimestampType::LogAppendTime {
        max_timestamp = now;
    }
    let stored = if target != codec {
        let unfolded = if codec == Compression::None { batch.body() } else { records.as_slice() };
        let level = config.level(target);
        let same = header.rewritten(unfolded, header.record_count);
        batch
            .rewrite(&Rewritten { codec: target, level, timestamp_type, max_timestamp, ..same })
            .map_err(StorageError::from)?
    } else if (timestamp_type, max_timestamp) != (header.timestamp_type(), header.max_timestamp) {
        batch.with_max_timestamp(timestamp_type, max_timestamp)
    } else {
        batch
    };
    check_size(&stored, config)?;
    if stored.header.size as u64 > config.segment_bytes && config.segments_bound_batches {
        return Err(AppendError::LargerThanSegment { size: stored.header.size, max: config.segment_bytes });
    }
    Ok(stored)
}

fn check_size(batch: &Batch, config: &LogConfig) -> Result<(), AppendError> {
    match batch.header.size {
        size if size > config.max_message_bytes => Err(AppendError::TooLarge { size, max: config.max_message_bytes }),
        _ => Ok(()),
    }
}

fn invalid(what: String) -> AppendError {
    AppendError::InvalidRecord(what)
}

/// Checks of the records one by one.
struct Checks<'a> {
    id: &'a TopicPartition,
    config: &'a LogConfig,
    now: Timestamp,
    batch: &'a Batch,
}

impl Checks<'_> {
    /// Whether the header does not say it all.
    fn need_records(&self) -> bool {
        let (header, config) = (&self.batch.header, self.config);
        let of_append = header.timestamp_type() == TimestampType::LogAppendTime;
        let may_be_out_of_range = config.timestamp_type == TimestampType::CreateTime
            && (config.timestamp_before_max_ms != i64::MAX
                || header.max_timestamp.saturating_sub(self.now) > config.timestamp_after_max_ms);
        config.cleanup_policy.compact || of_append || may_be_out_of_range
    }

    /// Looks at each record, unfolding them into `unfolded` if they are compressed; returns the largest timestamp.
    fn check(&self, unfolded: &mut Vec<u8>) -> Result<Timestamp, AppendError> {
        let mut refused = RefusedRecords::default();
        let mut max_timestamp = -1;
        for (index, record) in (0..).zip(self.batch.records(unfolded, UNFOLDED_BYTES_MAX)?) {
            let record = record?;
            max_timestamp = max_timestamp.max(record.timestamp);
            if self.config.cleanup_policy.compact && record.key.is_none() {
                refused.add(index, false, || {
                    format!("Compacted topic cannot accept message without key in topic partition {}", self.id)
                });
            } else {
                self.check_time(index, &record, &mut refused);
            }
        }
        if refused.is_empty() { Ok(max_timestamp) } else { Err(AppendError::Refused(refused)) }
    }

    fn check_time(&self, index: i32, record: &Record<'_>, refused: &mut RefusedRecords) {
        let (config, now, timestamp) = (self.config, self.now, record.timestamp);
        if config.timestamp_type == TimestampType::CreateTime && timestamp != -1 {
            let age = now.wrapping_sub(timestamp);
            if age > config.timestamp_before_max_ms || age.wrapping_neg() > config.timestamp_after_max_ms {
                let (from, to) =
                    (now.wrapping_sub(config.timestamp_before_max_ms), now.wrapping_add(config.timestamp_after_max_ms));
                refused.add(index, true, || {
                    format!(
                        "Timestamp {timestamp} of message with offset {} is out of range. The timestamp should be \
                         within [{from}, {to}]",
                        record.offset
                    )
                });
            }
        } else if self.batch.header.timestamp_type() == TimestampType::LogAppendTime {
            let size = |field: Option<&[u8]>| field.map_or(0, <[u8]>::len);
            refused.add(index, true, || {
                format!(
                    "Invalid timestamp type in message DefaultRecord(offset={}, timestamp={timestamp}, key={} bytes, \
                     value={} bytes). Producer should not set timestamp type to LogAppendTime.",
                    record.offset,
                    size(record.key),
                    size(record.value),
                )
            });
        }
    }
}
