//! What a batch must be before it is appended, checked outside the partition's lock.
//! See `org.apache.kafka.storage.internals.log.LogValidator`.

use brooklet_model::{Batch, Timestamp, TimestampType};

use crate::{AppendError, LogConfig};

/// A compressed batch may unfold to this, where its records have to be looked at.
const UNFOLDED_BYTES_MAX: usize = 128 << 20;

/// Checks `batch`; returns it as it is to be stored.
pub(super) fn validate(batch: Batch, config: &LogConfig, now: Timestamp) -> Result<Batch, AppendError> {
    let header = &batch.header;
    if header.size > config.max_message_bytes {
        return Err(AppendError::TooLarge { size: header.size, max: config.max_message_bytes });
    }
    batch.verify_checksum()?;
    batch.verify_counts()?;
    batch.verify_layout()?;
    if header.compression().is_err() {
        return Err(invalid(format!("no compression codec has the number {}", header.attributes & 7)));
    }
    if header.is_control() {
        return Err(invalid("clients may not write control batches".to_owned()));
    }
    if header.producer_id.0 >= 0 && header.base_sequence < 0 {
        let (sequence, id) = (header.base_sequence, header.producer_id);
        return Err(invalid(format!("invalid sequence number {sequence} in a batch of the producer {id}")));
    }
    if config.cleanup_policy.compact {
        let mut scratch = Vec::new();
        for record in batch.records(&mut scratch, UNFOLDED_BYTES_MAX)? {
            if record?.key.is_none() {
                return Err(invalid("a compacted topic cannot accept a record without a key".to_owned()));
            }
        }
    }
    match config.timestamp_type {
        TimestampType::LogAppendTime => Ok(batch.with_log_append_time(now)),
        TimestampType::CreateTime => {
            check_timestamps(&batch, config, now)?;
            Ok(batch)
        }
    }
}

fn invalid(what: String) -> AppendError {
    AppendError::InvalidRecord(what)
}

fn check_timestamps(batch: &Batch, config: &LogConfig, now: Timestamp) -> Result<(), AppendError> {
    let header = &batch.header;
    if header.timestamp_type() == TimestampType::LogAppendTime {
        let what = "the producer says log append time, the topic keeps the time of creation";
        return Err(AppendError::InvalidTimestamp(what.to_owned()));
    }
    let outside = |timestamp| {
        let text = format!("timestamp {timestamp} is out of the range that the topic allows around {now}");
        AppendError::InvalidTimestamp(text)
    };
    if header.max_timestamp.saturating_sub(now) > config.timestamp_after_max_ms {
        return Err(outside(header.max_timestamp));
    }
    if config.timestamp_before_max_ms == i64::MAX {
        return Ok(());
    }
    let mut scratch = Vec::new();
    for record in batch.records(&mut scratch, UNFOLDED_BYTES_MAX)? {
        let timestamp = record?.timestamp;
        if timestamp >= 0 && now.saturating_sub(timestamp) > config.timestamp_before_max_ms {
            return Err(outside(timestamp));
        }
    }
    Ok(())
}
