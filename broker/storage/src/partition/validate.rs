//! What a batch must be before it is appended, and what it becomes by the topic's settings, outside the partition's
//! lock. See `org.apache.kafka.storage.internals.log.LogValidator`.
//!
//! Records are looked at one by one, compressed ones unfolded for it, as nobody else will before a consumer does. The
//! largest of their times becomes the header's, whatever that said.

use std::cell::Cell;

use brooklet_model::{Batch, Compression, Rewritten, Timestamp, TimestampType, TopicPartition};

use super::checks::Checks;
use crate::log_config::StoredCompression;
use crate::{AppendError, LogConfig, StorageError};

/// What a thread keeps of the memory that it has unfolded a batch in: taken anew for each, it costs as much as some
/// codecs do.
const KEPT_BYTES_MAX: usize = 1 << 20;

std::thread_local! {
    static UNFOLDED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

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
    if header.is_control() {
        return Err(invalid("clients may not write control batches".to_owned()));
    }
    if header.producer_id.0 >= 0 && header.base_sequence < 0 && of_client {
        let (sequence, id) = (header.base_sequence, header.producer_id);
        return Err(invalid(format!("invalid sequence number {sequence} in a batch of the producer {id}")));
    }
    let mut unfolded = UNFOLDED.take();
    let stored = checked(batch, codec, id, config, now, &mut unfolded);
    if unfolded.capacity() <= KEPT_BYTES_MAX {
        UNFOLDED.set(unfolded);
    }
    let stored = stored?;
    check_size(&stored, config)?;
    if stored.header.size as u64 > config.segment_bytes && config.segments_bound_batches {
        return Err(AppendError::LargerThanSegment { size: stored.header.size, max: config.segment_bytes });
    }
    Ok(stored)
}

/// Looks at the records; returns the batch as it is to be stored.
fn checked(
    batch: Batch,
    codec: Compression,
    id: &TopicPartition,
    config: &LogConfig,
    now: Timestamp,
    unfolded: &mut Vec<u8>,
) -> Result<Batch, AppendError> {
    let header = &batch.header;
    let target = match config.compression {
        StoredCompression::Producer => codec,
        StoredCompression::Codec(target) => target,
    };
    let checks = Checks { id, config, now, batch: &batch };
    let seen = checks.check(unfolded)?;
    let mut max_timestamp = seen.max_timestamp;
    let mut renumbered = None;
    if !seen.in_order && target != codec {
        renumbered = Some(checks.renumber()?);
    } else if !seen.in_order && codec != Compression::None {
        return Err(AppendError::Unreadable("the records do not have the offsets that the batch promises".to_owned()));
    }
    let timestamp_type = config.timestamp_type;
    if timestamp_type == TimestampType::LogAppendTime {
        max_timestamp = now;
    }
    Ok(if target != codec {
        let records = match &renumbered {
            Some(renumbered) => renumbered,
            None if codec == Compression::None => batch.body(),
            None => unfolded,
        };
        let level = config.level(target);
        let same = header.rewritten(records, header.record_count);
        batch
            .rewrite(&Rewritten { codec: target, level, timestamp_type, max_timestamp, ..same })
            .map_err(StorageError::from)?
    } else if (timestamp_type, max_timestamp) != (header.timestamp_type(), header.max_timestamp) {
        batch.with_max_timestamp(timestamp_type, max_timestamp)
    } else {
        batch
    })
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

#[cfg(test)]
mod tests {
    use brooklet_model::{BatchBuilder, NewRecord, Offset};
    use proptest::prelude::*;

    use super::super::checks::UNFOLDED_BYTES_MAX;
    use super::*;

    const CODECS: [Compression; 4] = [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

    fn validated(batch: Batch, config: &LogConfig) -> Result<Batch, AppendError> {
        validate(batch, &TopicPartition::new("t", 0), config, 1000, true)
    }

    fn built(rows: &[(i64, Vec<u8>)], codec: Compression) -> Batch {
        let mut builder = BatchBuilder::new();
        for (timestamp, value) in rows {
            let headers: &[(&[u8], Option<&[u8]>)] = &[(b"h", Some(value))];
            let headers = if value.is_empty() { &[] } else { headers };
            builder.push(NewRecord { timestamp: *timestamp, key: Some(value), value: Some(value), headers });
        }
        Batch::parse(&builder.finish(codec).unwrap()).unwrap()
    }

    #[test]
    fn what_unfolds_too_far_is_too_large() {
        let batch = built(&[(0, Vec::new()), (1, vec![0; UNFOLDED_BYTES_MAX / 3])], Compression::Zstd);
        let refused = validated(batch, &LogConfig::default());
        assert!(matches!(refused, Err(AppendError::UnfoldsTooFar(UNFOLDED_BYTES_MAX))), "{refused:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever becomes of a compressed batch on its way: if it is taken, everybody can read it.
        #[test]
        fn what_is_stored_can_be_read(
            rows in proptest::collection::vec((0i64..2000, proptest::collection::vec(0u8..3, 0..40)), 1..20),
            codec in 0usize..4,
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            target in prop_oneof![Just(StoredCompression::Producer), Just(StoredCompression::Codec(Compression::Zstd))],
        ) {
            let original = built(&rows, CODECS[codec]);
            let mut bytes = original.bytes.to_vec();
            for (at, byte) in &changes {
                // Codec and count stand before the records.
                let at = 21 + at.index(bytes.len() - 21);
                bytes[at] = *byte;
            }
            // With the checksum that fits.
            let changed = Batch::parse(&bytes.into()).unwrap();
            let header = &changed.header;
            let batch = changed.with_max_timestamp(header.timestamp_type(), header.max_timestamp);
            let is_compressed = batch.header.compression() != Ok(Compression::None);
            match validated(batch, &LogConfig { compression: target, ..LogConfig::default() }) {
                Err(error) => prop_assert!(!changes.is_empty(), "{error}"),
                Ok(stored) => {
                    stored.verify_checksum().unwrap();
                    let mut unfolded = Vec::new();
                    let records: Result<Vec<_>, _> = stored.records(&mut unfolded, UNFOLDED_BYTES_MAX).unwrap().collect();
                    if is_compressed {
                        let records = records.unwrap();
                        prop_assert_eq!(records.len() as i32, stored.header.record_count);
                        // A time before that of a record without one counts as none, as in Kafka.
                        let latest = records.iter().map(|record| record.timestamp).fold(-1, i64::max);
                        prop_assert_eq!(latest, stored.header.max_timestamp);
                        for (index, record) in (0..).zip(&records) {
                            prop_assert_eq!(record.offset, Offset(index));
                            prop_assert!(record.headers.iter().all(|header| header.is_ok()));
                        }
                    }
                }
            }
        }
    }
}
