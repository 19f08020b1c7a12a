//! Builds a batch as a producer does: what the broker and the processor write themselves.

use std::io;

use bytes::Bytes;

use crate::batch::{CONTROL, HEADER_LEN, TRANSACTIONAL};
use crate::varint::{put_varlong, varlong_len};
use crate::{Compression, ProducerEpoch, ProducerId, Timestamp, compress};

/// A record to be written.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewRecord<'a> {
    /// Milliseconds since 1970.
    pub timestamp: Timestamp,
    /// The key, or null.
    pub key: Option<&'a [u8]>,
    /// The value, or null for a tombstone.
    pub value: Option<&'a [u8]>,
    /// Headers in order.
    pub headers: &'a [(&'a [u8], Option<&'a [u8]>)],
}

/// Collects records into one batch of base offset 0; the log that it is appended to sets the real one.
#[derive(Debug)]
pub struct BatchBuilder {
    records: Vec<u8>,
    count: i32,
    base_timestamp: Timestamp,
    max_timestamp: Timestamp,
    producer: (ProducerId, ProducerEpoch, i32),
    /// Bits beside the codec's.
    attributes: i16,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// An empty batch without a producer.
    pub fn new() -> Self {
        Self {
            records: Vec::new(),
            count: 0,
            base_timestamp: -1,
            max_timestamp: -1,
            producer: (ProducerId::NONE, ProducerEpoch(-1), -1),
            attributes: 0,
        }
    }

    /// Makes it a batch of an idempotent producer, whose first record has the sequence `base_sequence`.
    #[must_use]
    pub fn producer(mut self, id: ProducerId, epoch: ProducerEpoch, base_sequence: i32) -> Self {
        self.producer = (id, epoch, base_sequence);
        self
    }

    /// Makes the records part of the producer's transaction.
    #[must_use]
    pub fn transactional(mut self) -> Self {
        self.attributes |= TRANSACTIONAL;
        self
    }

    /// Makes it a batch of the broker's, which consumers do not show.
    #[must_use]
    pub(crate) fn control(mut self) -> Self {
        self.attributes |= CONTROL;
        self
    }

    /// Adds a record.
    pub fn push(&mut self, record: NewRecord<'_>) {
        if self.count == 0 {
            self.base_timestamp = record.timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(record.timestamp);
        let timestamp_delta = record.timestamp.wrapping_sub(self.base_timestamp);
        let field_len = |field: Option<&[u8]>| match field {
            None => 1,
            Some(bytes) => varlong_len(bytes.len() as i64) + bytes.len(),
        };
        let headers_len: usize =
            record.headers.iter().map(|(key, value)| field_len(Some(key)) + field_len(*value)).sum();
        let length = 1
            + varlong_len(timestamp_delta)
            + varlong_len(i64::from(self.count))
            + field_len(record.key)
            + field_len(record.value)
            + varlong_len(record.headers.len() as i64)
            + headers_len;
        let out = &mut self.records;
        put_varlong(out, length as i64);
        out.push(0);
        put_varlong(out, timestamp_delta);
        put_varlong(out, i64::from(self.count));
        put_field(out, record.key);
        put_field(out, record.value);
        put_varlong(out, record.headers.len() as i64);
        put_headers(out, record.headers);
        self.count += 1;
    }

    /// Records so far.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there is no record yet.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the records so far, before compression.
    pub fn bytes(&self) -> usize {
        self.records.len()
    }

    /// The batch, ready to be appended. The error is the codec's.
    pub fn finish(self, codec: Compression) -> io::Result<Bytes> {
        let mut out = Vec::with_capacity(HEADER_LEN + self.records.len());
        out.resize(HEADER_LEN, 0);
        compress(codec, &self.records, &mut out)?;
        let (producer_id, producer_epoch, base_sequence) = self.producer;
        let length = (out.len() - 12) as i32;
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(8, &length.to_be_bytes());
        put(16, &[2]);
        put(21, &(codec as i16 | self.attributes).to_be_bytes());
        put(23, &(self.count - 1).to_be_bytes());
        put(27, &self.base_timestamp.to_be_bytes());
        put(35, &self.max_timestamp.to_be_bytes());
        put(43, &producer_id.0.to_be_bytes());
        put(51, &producer_epoch.0.to_be_bytes());
        put(53, &base_sequence.to_be_bytes());
        put(57, &self.count.to_be_bytes());
        let crc = crc32c::crc32c(&out[21..]);
        out[17..21].copy_from_slice(&crc.to_be_bytes());
        Ok(out.into())
    }
}

/// Appends headers as a record has them, without their number.
pub(crate) fn put_headers(out: &mut Vec<u8>, headers: &[(&[u8], Option<&[u8]>)]) {
    for (key, value) in headers {
        put_field(out, Some(key));
        put_field(out, *value);
    }
}

fn put_field(out: &mut Vec<u8>, field: Option<&[u8]>) {
    match field {
        None => put_varlong(out, -1),
        Some(bytes) => {
            put_varlong(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
    }
}
