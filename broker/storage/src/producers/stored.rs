//! A producer as sled has it.

use super::{Point, Producer, Written};

/// Epoch i16; last use, last timestamp i64; coordinator epoch i32; last marker i64; the open transaction's offset (-1
/// is none), segment, position: i64; then 32 bytes a batch, oldest first; all big-endian.
pub(super) fn encode(producer: &Producer) -> Vec<u8> {
    let mut out = Vec::with_capacity(54 + 32 * producer.batches.len());
    out.extend_from_slice(&producer.epoch.to_be_bytes());
    out.extend_from_slice(&producer.used.to_be_bytes());
    out.extend_from_slice(&producer.last_timestamp.to_be_bytes());
    out.extend_from_slice(&producer.coordinator_epoch.to_be_bytes());
    out.extend_from_slice(&producer.last_marker.to_be_bytes());
    let begin = producer.transaction.unwrap_or(Point { offset: -1, segment: -1, position: 0 });
    out.extend_from_slice(&begin.offset.to_be_bytes());
    out.extend_from_slice(&begin.segment.to_be_bytes());
    out.extend_from_slice(&begin.position.to_be_bytes());
    for written in &producer.batches {
        out.extend_from_slice(&written.base_sequence.to_be_bytes());
        out.extend_from_slice(&written.last_sequence.to_be_bytes());
        out.extend_from_slice(&written.base_offset.to_be_bytes());
        out.extend_from_slice(&written.last_offset.to_be_bytes());
        out.extend_from_slice(&written.timestamp.to_be_bytes());
    }
    out
}

/// Takes the bytes of a number off the front.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

pub(super) fn decode(bytes: &[u8]) -> Option<Producer> {
    let mut rest = bytes;
    let mut producer = Producer::new(i16::from_be_bytes(take(&mut rest)?), i64::from_be_bytes(take(&mut rest)?));
    producer.last_timestamp = i64::from_be_bytes(take(&mut rest)?);
    producer.coordinator_epoch = i32::from_be_bytes(take(&mut rest)?);
    producer.last_marker = i64::from_be_bytes(take(&mut rest)?);
    let begin = Point {
        offset: i64::from_be_bytes(take(&mut rest)?),
        segment: i64::from_be_bytes(take(&mut rest)?),
        position: u64::from_be_bytes(take(&mut rest)?),
    };
    producer.transaction = (begin.offset >= 0).then_some(begin);
    while !rest.is_empty() {
        producer.batches.push_back(Written {
            base_sequence: i32::from_be_bytes(take(&mut rest)?),
            last_sequence: i32::from_be_bytes(take(&mut rest)?),
            base_offset: i64::from_be_bytes(take(&mut rest)?),
            last_offset: i64::from_be_bytes(take(&mut rest)?),
            timestamp: i64::from_be_bytes(take(&mut rest)?),
        });
    }
    Some(producer)
}
