//! The records of a batch, one by one, borrowed from its bytes.
//!
//! A record is: length varint, attributes i8, timestamp delta varlong, offset delta varint, key, value, headers; key
//! and value are a length varint (negative is null) and bytes. See `org.apache.kafka.common.record.DefaultRecord`.

use crate::batch::{Batch, HEADER_LEN, TimestampType};
use crate::builder::put_headers;
use crate::varint::{take_varint, take_varlong};
use crate::{Compression, CompressionError, Offset, Timestamp, decompress};

/// Why a batch's records cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The attributes name no codec.
    #[error("no compression codec has the number {0}")]
    Codec(i16),
    /// The codec refused the bytes.
    #[error(transparent)]
    Compression(#[from] CompressionError),
    /// The records are not laid out as they must be.
    #[error("a record is malformed")]
    Malformed,
    /// Bytes are left after the last record.
    #[error("{0} bytes stand after the batch's last record")]
    Trailing(usize),
}

/// One record, borrowed from its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its offset in the partition.
    pub offset: Offset,
    /// Its time, by the clock that the batch says.
    pub timestamp: Timestamp,
    /// Its key, if it has one.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its headers, still encoded.
    pub headers: Headers<'a>,
}

/// A record's headers: in order, repeated keys kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers<'a> {
    count: i32,
    bytes: &'a [u8],
}

impl<'a> Headers<'a> {
    /// Headers that came in another way than in a batch, encoded into `scratch`.
    pub fn encoded(headers: &[(&[u8], Option<&[u8]>)], scratch: &'a mut Vec<u8>) -> Self {
        scratch.clear();
        put_headers(scratch, headers);
        Self { count: i32::try_from(headers.len()).unwrap_or(i32::MAX), bytes: scratch }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Key and value of each; the error ends it.
    pub fn iter(&self) -> impl Iterator<Item = Result<(&'a [u8], Option<&'a [u8]>), RecordError>> + use<'a> {
        let mut rest = self.bytes;
        let mut left = self.count;
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            left -= 1;
            let header = take_header(&mut rest).ok_or(RecordError::Malformed);
            if header.is_err() {
                left = 0;
            }
            Some(header)
        })
    }
}

fn take_header<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], Option<&'a [u8]>)> {
    let key = take_nullable(rest)??;
    Some((key, take_nullable(rest)?))
}

/// Iterator over a batch's records; an error is the last item.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    left: i32,
    base_offset: Offset,
    base_timestamp: Timestamp,
    append_time: Option<Timestamp>,
}

impl Batch {
    /// The batch's records. Compressed ones are unfolded into `scratch` first, to `bytes_max` bytes at most;
    /// others are read where they are.
    pub fn records<'a>(&'a self, scratch: &'a mut Vec<u8>, bytes_max: usize) -> Result<Records<'a>, RecordError> {
        let header = &self.header;
        let body = self.bytes.get(HEADER_LEN..).unwrap_or_default();
        let rest = match header.compression().map_err(RecordError::Codec)? {
            Compression::None => body,
            codec => {
                decompress(codec, body, scratch, bytes_max)?;
                scratch
            }
        };
        Ok(Records {
            rest,
            left: header.record_count.max(0),
            base_offset: header.base_offset,
            base_timestamp: header.base_timestamp,
            append_time: match header.timestamp_type() {
                TimestampType::CreateTime => None,
                TimestampType::LogAppendTime => Some(header.max_timestamp),
            },
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            let trailing = std::mem::take(&mut self.rest).len();
            return (trailing > 0).then_some(Err(RecordError::Trailing(trailing)));
        }
        self.left -= 1;
        let record = self.take_record();
        if record.is_none() {
            self.left = 0;
            self.rest = &[];
        }
        Some(record.ok_or(RecordError::Malformed))
    }
}

impl<'a> Records<'a> {
    /// The records that were not read yet, as they are encoded.
    pub fn remaining(&self) -> &'a [u8] {
        self.rest
    }

    /// As `next`, with the record's bytes as they are encoded.
    #[inline]
    pub fn next_raw(&mut self) -> Option<(&'a [u8], Result<Record<'a>, RecordError>)> {
        let before = self.rest;
        let record = self.next()?;
        let raw = before.get(..before.len() - self.rest.len()).unwrap_or_default();
        Some((raw, record))
    }

    #[inline]
    fn take_record(&mut self) -> Option<Record<'a>> {
        let length = usize::try_from(take_varint(&mut self.rest)?).ok()?;
        let (mut body, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        let (_attributes, after) = body.split_first()?;
        body = after;
        let timestamp_delta = take_varlong(&mut body)?;
        let offset_delta = take_varint(&mut body)?;
        let key = take_nullable(&mut body)?;
        let value = take_nullable(&mut body)?;
        let count = take_varint(&mut body)?;
        // A header takes two bytes at least, so a larger count cannot be meant.
        if count < 0 || count as usize > body.len() / 2 {
            return None;
        }
        if count == 0 && !body.is_empty() {
            return None;
        }
        Some(Record {
            offset: self.base_offset.plus(i64::from(offset_delta)),
            timestamp: self.append_time.unwrap_or(self.base_timestamp.wrapping_add(timestamp_delta)),
            key,
            value,
            headers: Headers { count, bytes: body },
        })
    }
}

/// Length varint and bytes; the inner `None` is null, as any negative length is to Kafka.
#[inline]
fn take_nullable<'a>(body: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = take_varint(body)?;
    if length < 0 {
        return Some(None);
    }
    let (bytes, rest) = body.split_at_checked(length as usize)?;
    *body = rest;
    Some(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BatchBuilder, NewRecord};
    use bytes::Bytes;
    use proptest::prelude::*;

    type Row = (Option<Vec<u8>>, Option<Vec<u8>>, Vec<(Vec<u8>, Option<Vec<u8>>)>, i64);

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
        let some = move || proptest::option::of(bytes());
        let headers = proptest::collection::vec((bytes(), some()), 0..4);
        proptest::collection::vec((some(), some(), headers, 0i64..1 << 41), 1..30)
    }

    fn codec() -> impl Strategy<Value = Compression> {
        (0i16..5).prop_map(|number| Compression::from_attributes(number).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_built_reads_back(rows in rows(), codec in codec()) {
            let mut builder = BatchBuilder::new();
            for (key, value, headers, timestamp) in &rows {
                let headers: Vec<_> = headers.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
                builder.push(NewRecord {
                    timestamp: *timestamp, key: key.as_deref(), value: value.as_deref(), headers: &headers,
                });
            }
            let batch = Batch::parse(&builder.finish(codec).unwrap()).unwrap();
            batch.verify_checksum().unwrap();
            batch.verify_counts().unwrap();
            let mut scratch = Vec::new();
            let mut read = Vec::new();
            for (index, record) in batch.records(&mut scratch, 1 << 20).unwrap().enumerate() {
                let record = record.unwrap();
                prop_assert_eq!(record.offset, Offset(index as i64));
                let headers = record.headers.iter().map(|header| {
                    let (key, value) = header.unwrap();
                    (key.to_vec(), value.map(<[u8]>::to_vec))
                }).collect();
                read.push((record.key.map(<[u8]>::to_vec), record.value.map(<[u8]>::to_vec), headers, record.timestamp));
            }
            prop_assert_eq!(&read, &rows);
            prop_assert_eq!(batch.header.max_timestamp, rows.iter().map(|row| row.3).max().unwrap());
        }

    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, attributes in 0i16..8, count in -1i32..100) {
            let mut raw = vec![0; 61];
            raw[8..12].copy_from_slice(&(49 + bytes.len() as i32).to_be_bytes());
            raw[16] = 2;
            raw[21..23].copy_from_slice(&attributes.to_be_bytes());
            raw[57..61].copy_from_slice(&count.to_be_bytes());
            raw.extend_from_slice(&bytes);
            let batch = Batch::parse(&Bytes::from(raw)).unwrap();
            let mut scratch = Vec::new();
            if let Ok(records) = batch.records(&mut scratch, 1 << 20) {
                for record in records.flatten() {
                    for _ in record.headers.iter() {}
                }
            }
        }
    }
}
