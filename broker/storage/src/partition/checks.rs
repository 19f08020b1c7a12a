//! What is looked at in the records of a batch one by one, before it is appended.

use brooklet_model::{Batch, Record, Timestamp, TimestampType, TopicPartition, set_offset_delta};

use crate::{AppendError, LogConfig, RefusedRecords};

/// A compressed batch may unfold to this; a client that is told that it is too large sends it in parts.
pub(super) const UNFOLDED_BYTES_MAX: usize = 128 << 20;

/// What the records are, whatever the header says.
pub(super) struct Seen {
    pub(super) max_timestamp: Timestamp,
    /// Each has the offset after the one before it.
    pub(super) in_order: bool,
}

/// Checks of the records one by one.
pub(super) struct Checks<'a> {
    pub(super) id: &'a TopicPartition,
    pub(super) config: &'a LogConfig,
    pub(super) now: Timestamp,
    pub(super) batch: &'a Batch,
}

impl Checks<'_> {
    /// Looks at each record, unfolding them into `unfolded` if they are compressed.
    pub(super) fn check(&self, unfolded: &mut Vec<u8>) -> Result<Seen, AppendError> {
        let mut refused = RefusedRecords::default();
        let mut seen = Seen { max_timestamp: -1, in_order: true };
        for (index, record) in (0..).zip(self.batch.records(unfolded, UNFOLDED_BYTES_MAX)?) {
            let record = record?;
            seen.max_timestamp = seen.max_timestamp.max(record.timestamp);
            seen.in_order &= record.offset == self.batch.header.base_offset.plus(i64::from(index));
            record.headers.iter().try_for_each(|header| header.map(drop))?;
            if self.config.cleanup_policy.compact && record.key.is_none() {
                refused.add(index, false, || {
                    format!("Compacted topic cannot accept message without key in topic partition {}", self.id)
                });
            } else {
                self.check_time(index, &record, &mut refused);
            }
        }
        if refused.is_empty() { Ok(seen) } else { Err(AppendError::Refused(refused)) }
    }

    /// The records, uncompressed, with the offsets that the header promises.
    pub(super) fn renumber(&self) -> Result<Vec<u8>, AppendError> {
        let (mut unfolded, mut out) = (Vec::new(), Vec::new());
        let mut records = self.batch.records(&mut unfolded, UNFOLDED_BYTES_MAX)?;
        let mut delta = 0;
        while let Some((raw, record)) = records.next_raw() {
            record?;
            set_offset_delta(raw, delta, &mut out)?;
            delta += 1;
        }
        Ok(out)
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
