//! Batches made from stored ones: with fewer records after compaction, with another codec, emptied. Offsets, producer
//! and sequence stay, so that whoever reads the log later learns the same of its producers
//! (`org.apache.kafka.common.record.MemoryRecords.filterTo`).

use std::io;

use bytes::Bytes;

use crate::batch::{Batch, BatchHeader, HEADER_LEN, LOG_OVERHEAD};
use crate::compression::compress_at;
use crate::varint::{put_varlong, take_varint, take_varlong, varlong_len};
use crate::{Compression, RecordError, Timestamp, TimestampType};

const CODEC_BITS: i16 = 0x07;
const LOG_APPEND_TIME: i16 = 0x08;
/// The batch's base timestamp says when its tombstones and markers may go (KIP-534).
const DELETE_HORIZON: i16 = 0x40;

/// What a batch made from another has in place of that one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewritten<'a> {
    /// The records one after the other, not compressed.
    pub records: &'a [u8],
    /// How many they are.
    pub count: i32,
    /// What their timestamps are relative to.
    pub base_timestamp: Timestamp,
    /// The largest timestamp.
    pub max_timestamp: Timestamp,
    /// Whether the base timestamp is the delete horizon.
    pub has_delete_horizon: bool,
    /// Whose clock the timestamps are.
    pub timestamp_type: TimestampType,
    /// How the records are compressed.
    pub codec: Compression,
    /// The codec's level; `None` is its default.
    pub level: Option<i32>,
}

impl BatchHeader {
    /// From when on the batch's tombstones, or its marker, need not be kept; `None` while no compaction has met them.
    pub fn delete_horizon(&self) -> Option<Timestamp> {
        (self.attributes & DELETE_HORIZON != 0).then_some(self.base_timestamp)
    }

    /// What [`BatchHeader::write_rewritten`] begins from: the batch as it is, with these records.
    pub fn rewritten<'a>(&self, records: &'a [u8], count: i32) -> Rewritten<'a> {
        Rewritten {
            records,
            count,
            base_timestamp: self.base_timestamp,
            max_timestamp: self.max_timestamp,
            has_delete_horizon: self.delete_horizon().is_some(),
            timestamp_type: self.timestamp_type(),
            codec: self.compression().unwrap_or(Compression::None),
            level: None,
        }
    }

    /// Appends the batch to `out` as `new` has it; returns its header. The error is the codec's.
    pub fn write_rewritten(&self, new: &Rewritten<'_>, out: &mut Vec<u8>) -> io::Result<Self> {
        let start = out.len();
        out.resize(start + HEADER_LEN, 0);
        compress_at(new.codec, new.level, new.records, out)?;
        let mut attributes = self.attributes & !(CODEC_BITS | LOG_APPEND_TIME | DELETE_HORIZON) | new.codec as i16;
        if new.timestamp_type == TimestampType::LogAppendTime {
            attributes |= LOG_APPEND_TIME;
        }
        if new.has_delete_horizon {
            attributes |= DELETE_HORIZON;
        }
        let header = Self {
            size: out.len() - start,
            attributes,
            base_timestamp: new.base_timestamp,
            max_timestamp: new.max_timestamp,
            record_count: new.count,
            ..*self
        };
        let batch = out.get_mut(start..).unwrap_or_default();
        Ok(header.put(batch))
    }

    /// Appends the batch without its records to `out`; what it says of offsets and producer stays.
    pub fn write_emptied(&self, out: &mut Vec<u8>) -> Self {
        let start = out.len();
        out.resize(start + HEADER_LEN, 0);
        let header = Self {
            size: HEADER_LEN,
            attributes: self.attributes & !(CODEC_BITS | DELETE_HORIZON),
            base_timestamp: -1,
            record_count: 0,
            ..*self
        };
        header.put(out.get_mut(start..).unwrap_or_default())
    }

    /// Writes the header to the front of its batch, with the checksum of what is there; returns it with that.
    fn put(self, batch: &mut [u8]) -> Self {
        let length = (self.size - LOG_OVERHEAD) as i32;
        let mut put = |at: usize, bytes: &[u8]| batch[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &self.base_offset.0.to_be_bytes());
        put(8, &length.to_be_bytes());
        put(12, &self.leader_epoch.0.to_be_bytes());
        put(16, &[2]);
        put(21, &self.attributes.to_be_bytes());
        put(23, &self.last_offset_delta.to_be_bytes());
        put(27, &self.base_timestamp.to_be_bytes());
        put(35, &self.max_timestamp.to_be_bytes());
        put(43, &self.producer_id.0.to_be_bytes());
        put(51, &self.producer_epoch.0.to_be_bytes());
        put(53, &self.base_sequence.to_be_bytes());
        put(57, &self.record_count.to_be_bytes());
        let crc = crc32c::crc32c(&batch[21..]);
        batch[17..21].copy_from_slice(&crc.to_be_bytes());
        Self { crc, ..self }
    }
}

impl Batch {
    /// The batch's records as they are stored, compressed or not.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(HEADER_LEN..).unwrap_or_default()
    }

    /// The same batch with other times: of this kind, and none larger than this. The checksum is computed anew.
    pub fn with_max_timestamp(&self, timestamp_type: TimestampType, max_timestamp: Timestamp) -> Self {
        let attributes = match timestamp_type {
            TimestampType::CreateTime => self.header.attributes & !LOG_APPEND_TIME,
            TimestampType::LogAppendTime => self.header.attributes | LOG_APPEND_TIME,
        };
        let mut bytes = self.bytes.to_vec();
        let header = BatchHeader { attributes, max_timestamp, ..self.header }.put(&mut bytes);
        Self { header, bytes: bytes.into() }
    }

    /// The batch as `new` has it, as a batch of its own.
    pub fn rewrite(&self, new: &Rewritten<'_>) -> io::Result<Self> {
        let mut out = Vec::with_capacity(HEADER_LEN + new.records.len());
        let header = self.header.write_rewritten(new, &mut out)?;
        Ok(Self { header, bytes: Bytes::from(out) })
    }
}

/// Appends an encoded record to `out` with its timestamp `later` milliseconds further from the batch's base.
pub fn shift_timestamp(record: &[u8], later: i64, out: &mut Vec<u8>) -> Result<(), RecordError> {
    let mut rest = record;
    let parts = (|| {
        take_varint(&mut rest)?;
        let (attributes, after) = rest.split_first()?;
        rest = after;
        Some((*attributes, take_varlong(&mut rest)?))
    })();
    let (attributes, delta) = parts.ok_or(RecordError::Malformed)?;
    let delta = delta.wrapping_add(later);
    put_varlong(out, (1 + varlong_len(delta) + rest.len()) as i64);
    out.push(attributes);
    put_varlong(out, delta);
    out.extend_from_slice(rest);
    Ok(())
}

/// Appends an encoded record to `out` with the offset `delta` after the batch's base.
pub fn set_offset_delta(record: &[u8], delta: i32, out: &mut Vec<u8>) -> Result<(), RecordError> {
    let mut rest = record;
    let parts = (|| {
        take_varint(&mut rest)?;
        let body = rest;
        rest = rest.get(1..)?;
        take_varlong(&mut rest)?;
        let head = body.get(..body.len() - rest.len())?;
        take_varint(&mut rest)?;
        Some(head)
    })();
    let head = parts.ok_or(RecordError::Malformed)?;
    let delta = i64::from(delta);
    put_varlong(out, (head.len() + varlong_len(delta) + rest.len()) as i64);
    out.extend_from_slice(head);
    put_varlong(out, delta);
    out.extend_from_slice(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BatchBuilder, NewRecord, ProducerEpoch, ProducerId};

    fn batch(codec: Compression) -> Batch {
        let mut builder = BatchBuilder::new().producer(ProducerId(7), ProducerEpoch(2), 40);
        for (timestamp, value) in [(100, "a"), (90, "bb"), (300, "ccc")] {
            builder.push(NewRecord { timestamp, key: Some(b"k"), value: Some(value.as_bytes()), headers: &[] });
        }
        Batch::parse(&builder.finish(codec).unwrap()).unwrap()
    }

    fn values(batch: &Batch) -> Vec<(i64, i64, Vec<u8>)> {
        let mut scratch = Vec::new();
        let records = batch.records(&mut scratch, 1 << 20).unwrap().map(Result::unwrap);
        records.map(|record| (record.offset.0, record.timestamp, record.value.unwrap().to_vec())).collect()
    }

    #[test]
    fn records_are_given_other_offsets_and_keep_the_rest() {
        let original = batch(Compression::None);
        let mut unfolded = Vec::new();
        let mut records = original.records(&mut unfolded, 1 << 20).unwrap();
        let mut moved = Vec::new();
        let mut deltas = [300, 0, 70_000].into_iter();
        while let Some((raw, _)) = records.next_raw() {
            set_offset_delta(raw, deltas.next().unwrap(), &mut moved).unwrap();
        }
        let moved = original.rewrite(&original.header.rewritten(&moved, 3)).unwrap();
        let expected = [(300, 100, b"a".to_vec()), (0, 90, b"bb".to_vec()), (70_000, 300, b"ccc".to_vec())];
        assert_eq!(values(&moved), expected);
        assert!(matches!(set_offset_delta(&[4, 0], 1, &mut Vec::new()), Err(RecordError::Malformed)));
    }

    #[test]
    fn a_batch_keeps_who_wrote_it_and_where_it_ends() {
        for codec in [Compression::None, Compression::Gzip, Compression::Lz4, Compression::Zstd, Compression::Snappy] {
            let original = batch(codec);
            let mut scratch = Vec::new();
            let mut records = original.records(&mut scratch, 1 << 20).unwrap();
            let mut kept = Vec::new();
            while let Some((raw, record)) = records.next_raw() {
                if record.unwrap().offset.0 != 1 {
                    shift_timestamp(raw, 100 - 5000, &mut kept).unwrap();
                }
            }
            let new =
                Rewritten { base_timestamp: 5000, has_delete_horizon: true, ..original.header.rewritten(&kept, 2) };
            let batch = original.rewrite(&new).unwrap();
            assert_eq!(Batch::parse(&batch.bytes).unwrap().header, batch.header);
            batch.verify_checksum().unwrap();
            assert_eq!(values(&batch), [(0, 100, b"a".to_vec()), (2, 300, b"ccc".to_vec())]);
            assert_eq!(batch.header.delete_horizon(), Some(5000));
            assert_eq!(batch.header.compression(), Ok(codec));
            let same = |header: &BatchHeader| {
                (header.base_offset, header.last_offset_delta, header.producer_id, header.last_sequence())
            };
            assert_eq!(same(&batch.header), same(&original.header));

            let mut bytes = Vec::new();
            original.header.write_emptied(&mut bytes);
            let emptied = Batch::parse(&bytes.into()).unwrap();
            emptied.verify_checksum().unwrap();
            assert_eq!((emptied.header.record_count, emptied.bytes.len()), (0, HEADER_LEN));
            assert_eq!(same(&emptied.header), same(&original.header));
            assert_eq!((values(&emptied).len(), emptied.header.max_timestamp), (0, 300));
        }
    }
}
