//! What a partition remembers of idempotent producers (KIP-98, KIP-360): of each the epoch, the last five batches, and
//! where the transaction began that is open, as `org.apache.kafka.storage.internals.log.ProducerStateManager` and `ProducerAppendInfo` do.
//!
//! No I/O, no clock: a fold over the batches of the log.

use std::collections::{HashMap, HashSet, VecDeque};

use brooklet_model::{BatchHeader, EndMarker, Offset, ProducerEpoch, ProducerId, Timestamp};

use crate::partition::Point;

/// Batches remembered of each producer; clients have at most five requests in flight.
const BATCHES_MAX: usize = 5;

/// The last that a producer wrote to a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerEntry {
    /// Its epoch.
    pub epoch: ProducerEpoch,
    /// Sequence of its last record.
    pub last_sequence: i32,
    /// Offset of its last record.
    pub last_offset: Offset,
}

/// What compaction must leave of a producer, so that its state can be read from the log again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastRecord {
    /// Offset of its last record, if it has written any in its epoch.
    pub(crate) data_offset: Option<i64>,
    pub(crate) epoch: i16,
}

/// What a batch is to what was written before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sequenced {
    /// The next one.
    Next,
    /// Written before, at these offsets.
    Duplicate { base_offset: i64, last_offset: i64, timestamp: Timestamp },
}

/// Why a batch may not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SequenceError {
    /// A newer instance of the producer has written.
    Epoch { current: i16 },
    /// Not the sequence that follows.
    OutOfOrder { last: Option<i32> },
    /// A plain batch while a transaction of the producer is open.
    InTransaction,
}

/// Why a marker may not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MarkerError {
    /// A newer instance of the producer has written.
    Epoch { current: i16 },
    /// A newer coordinator has written a marker.
    Coordinator { current: i32 },
}

/// A producer as DescribeProducers tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerDescription {
    /// Its id.
    pub id: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
    /// Sequence of its last record; -1 if there is none in its epoch.
    pub last_sequence: i32,
    /// Time of its last batch or marker; -1 if there is none.
    pub last_timestamp: Timestamp,
    /// Term of the coordinator that last ended a transaction of it; -1 if none has.
    pub coordinator_epoch: i32,
    /// Where the open transaction began.
    pub transaction_start: Option<Offset>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    base_sequence: i32,
    last_sequence: i32,
    base_offset: i64,
    last_offset: i64,
    timestamp: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Producer {
    epoch: i16,
    batches: VecDeque<Written>,
    used: Timestamp,
    /// Of the last batch or marker; -1 if there was none.
    last_timestamp: Timestamp,
    /// Of the last marker; -1 if there was none.
    coordinator_epoch: i32,
    /// Offset of the last marker; -1 if there was none.
    last_marker: i64,
    /// Where the open transaction began.
    transaction: Option<Point>,
}

impl Producer {
    fn new(epoch: i16, used: Timestamp) -> Self {
        Self {
            epoch,
            batches: VecDeque::with_capacity(BATCHES_MAX),
            used,
            last_timestamp: -1,
            coordinator_epoch: -1,
            last_marker: -1,
            transaction: None,
        }
    }

    fn enter(&mut self, epoch: i16) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.batches.clear();
        }
    }
}

/// All producers of a partition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Producers {
    entries: HashMap<i64, Producer>,
    /// Changed or removed since [`Producers::take_changes`].
    changed: HashSet<i64>,
}

impl Producers {
    /// What `header`, of a client or, without sequences, of a coordinator, may be.
    pub(crate) fn check(&self, header: &BatchHeader) -> Result<Sequenced, SequenceError> {
        if header.producer_id.0 < 0 {
            return Ok(Sequenced::Next);
        }
        // A producer that is not remembered may begin anywhere: its records may have been deleted (KIP-360).
        let Some(producer) = self.entries.get(&header.producer_id.0) else { return Ok(Sequenced::Next) };
        if header.producer_epoch.0 < producer.epoch {
            return Err(SequenceError::Epoch { current: producer.epoch });
        }
        if header.base_sequence < 0 {
            return Ok(Sequenced::Next);
        }
        let next = self.check_sequence(producer, header)?;
        if next == Sequenced::Next && producer.transaction.is_some() && !header.is_transactional() {
            return Err(SequenceError::InTransaction);
        }
        Ok(next)
    }

    fn check_sequence(&self, producer: &Producer, header: &BatchHeader) -> Result<Sequenced, SequenceError> {
        if header.producer_epoch.0 > producer.epoch {
            return match header.base_sequence {
                0 => Ok(Sequenced::Next),
                _ => Err(SequenceError::OutOfOrder { last: None }),
            };
        }
        let (first, last) = (header.base_sequence, header.last_sequence());
        if let Some(written) =
            producer.batches.iter().find(|written| written.base_sequence == first && written.last_sequence == last)
        {
            let Written { base_offset, last_offset, timestamp, .. } = *written;
            return Ok(Sequenced::Duplicate { base_offset, last_offset, timestamp });
        }
        let previous = producer.batches.back().map(|written| written.last_sequence);
        match previous {
            Some(i32::MAX) if first == 0 => Ok(Sequenced::Next),
            Some(previous) if i64::from(previous) + 1 == i64::from(first) => Ok(Sequenced::Next),
            // The epoch is that of a marker.
            None if first == 0 => Ok(Sequenced::Next),
            last => Err(SequenceError::OutOfOrder { last }),
        }
    }

    /// Whether a marker may be written; `outdates` says that its epoch must be newer than that of the records.
    pub(crate) fn check_marker(
        &self,
        id: ProducerId,
        epoch: ProducerEpoch,
        marker: EndMarker,
        outdates: bool,
    ) -> Result<(), MarkerError> {
        let Some(producer) = self.entries.get(&id.0) else { return Ok(()) };
        // With the transaction over, one of the same epoch is the marker once more: harmless.
        let is_old = epoch.0 < producer.epoch;
        let is_same = epoch.0 == producer.epoch && outdates && producer.transaction.is_some();
        if is_old || is_same {
            return Err(MarkerError::Epoch { current: producer.epoch });
        }
        if marker.coordinator_epoch < producer.coordinator_epoch {
            return Err(MarkerError::Coordinator { current: producer.coordinator_epoch });
        }
        Ok(())
    }

    /// Remembers a batch that was written at `at` (or is read again at a start); `now` is when. Returns whether a
    /// transaction begins with it.
    pub(crate) fn remember(&mut self, header: &BatchHeader, at: Point, now: Timestamp) -> bool {
        if header.producer_id.0 < 0 || header.base_sequence < 0 && !header.is_transactional() {
            return false;
        }
        let epoch = header.producer_epoch.0;
        let producer = self.entries.entry(header.producer_id.0).or_insert_with(|| Producer::new(epoch, now));
        producer.enter(epoch);
        if header.base_sequence >= 0 {
            if producer.batches.len() == BATCHES_MAX {
                producer.batches.pop_front();
            }
            producer.batches.push_back(Written {
                base_sequence: header.base_sequence,
                last_sequence: header.last_sequence(),
                base_offset: header.base_offset.0,
                last_offset: header.last_offset().0,
                timestamp: header.max_timestamp,
            });
        }
        producer.used = now;
        producer.last_timestamp = header.max_timestamp;
        let begins = header.is_transactional() && producer.transaction.is_none();
        if begins {
            producer.transaction = Some(at);
        }
        self.changed.insert(header.producer_id.0);
        begins
    }

    /// Remembers a marker that was written; returns where the transaction began that it ends.
    pub(crate) fn end_transaction(&mut self, header: &BatchHeader, marker: EndMarker, now: Timestamp) -> Option<Point> {
        let epoch = header.producer_epoch.0;
        let producer = self.entries.entry(header.producer_id.0).or_insert_with(|| Producer::new(epoch, now));
        producer.enter(epoch);
        producer.used = now;
        producer.last_timestamp = header.max_timestamp;
        producer.coordinator_epoch = marker.coordinator_epoch;
        producer.last_marker = header.base_offset.0;
        self.changed.insert(header.producer_id.0);
        producer.transaction.take()
    }

    /// The producer's open transaction: in which epoch, and where it began.
    pub(crate) fn transaction(&self, id: ProducerId) -> Option<(ProducerEpoch, Point)> {
        let producer = self.entries.get(&id.0)?;
        producer.transaction.map(|begin| (ProducerEpoch(producer.epoch), begin))
    }

    /// Where each open transaction began.
    pub(crate) fn open_transactions(&self) -> impl Iterator<Item = Point> {
        self.entries.values().filter_map(|producer| producer.transaction)
    }

    /// Offset of the producer's last marker; -1 if there is none.
    pub(crate) fn last_marker(&self, id: ProducerId) -> i64 {
        self.entries.get(&id.0).map_or(-1, |producer| producer.last_marker)
    }

    /// The producer's epoch, if it is remembered.
    pub(crate) fn epoch(&self, id: ProducerId) -> Option<ProducerEpoch> {
        self.entries.get(&id.0).map(|producer| ProducerEpoch(producer.epoch))
    }

    /// All that clients may know of, ordered by id.
    pub(crate) fn describe(&self) -> Vec<ProducerDescription> {
        let described = self.entries.iter().filter(|(id, _)| !ProducerId(**id).is_query());
        let mut described: Vec<_> = described
            .map(|(id, producer)| ProducerDescription {
                id: ProducerId(*id),
                epoch: ProducerEpoch(producer.epoch),
                last_sequence: producer.batches.back().map_or(-1, |last| last.last_sequence),
                last_timestamp: producer.last_timestamp,
                coordinator_epoch: producer.coordinator_epoch,
                transaction_start: producer.transaction.map(|begin| Offset(begin.offset)),
            })
            .collect();
        described.sort_unstable_by_key(|producer| producer.id);
        described
    }

    /// The last that `producer` wrote.
    pub(crate) fn get(&self, producer: ProducerId) -> Option<ProducerEntry> {
        let producer = self.entries.get(&producer.0)?;
        let last = producer.batches.back()?;
        Some(ProducerEntry {
            epoch: ProducerEpoch(producer.epoch),
            last_sequence: last.last_sequence,
            last_offset: Offset(last.last_offset),
        })
    }

    /// The last record of each producer.
    pub(crate) fn last_records(&self) -> HashMap<i64, LastRecord> {
        let last = |producer: &Producer| LastRecord {
            data_offset: producer.batches.back().map(|written| written.last_offset),
            epoch: producer.epoch,
        };
        self.entries.iter().map(|(id, producer)| (*id, last(producer))).collect()
    }

    /// Forgets who has not written since `before`, save queries and whoever has a transaction open.
    pub(crate) fn expire(&mut self, before: Timestamp) {
        let changed = &mut self.changed;
        self.entries.retain(|id, producer| {
            let keep = producer.used >= before || ProducerId(*id).is_query() || producer.transaction.is_some();
            if !keep {
                changed.insert(*id);
            }
            keep
        });
    }

    /// Whom [`Producers::take_changes`] would return.
    pub(crate) fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Who changed since the last call, encoded; `None` is gone.
    pub(crate) fn take_changes(&mut self) -> Vec<(i64, Option<Vec<u8>>)> {
        let entries = &self.entries;
        self.changed.drain().map(|id| (id, entries.get(&id).map(encode))).collect()
    }

    /// Takes up what [`Producers::take_changes`] gave once; `None` if it cannot be that.
    pub(crate) fn restore(&mut self, id: i64, bytes: &[u8]) -> Option<()> {
        self.entries.insert(id, decode(bytes)?);
        Some(())
    }
}

/// Epoch i16; last use, last timestamp i64; coordinator epoch i32; last marker i64; the open transaction's offset (-1
/// is none), segment, position: i64; then 32 bytes a batch, oldest first; all big-endian.
fn encode(producer: &Producer) -> Vec<u8> {
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

fn decode(bytes: &[u8]) -> Option<Producer> {
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

#[cfg(test)]
mod tests {
    use brooklet_model::LeaderEpoch;
    use proptest::prelude::*;

    use super::*;

    fn header(producer: i64, epoch: i16, base_sequence: i32, records: i32, offset: i64) -> BatchHeader {
        BatchHeader {
            base_offset: Offset(offset),
            size: 100,
            leader_epoch: LeaderEpoch(0),
            crc: 0,
            attributes: 0,
            last_offset_delta: records - 1,
            base_timestamp: 0,
            max_timestamp: offset * 10,
            producer_id: ProducerId(producer),
            producer_epoch: ProducerEpoch(epoch),
            base_sequence,
            record_count: records,
        }
    }

    /// The rule in words, over all that was ever accepted.
    fn expected(history: &[BatchHeader], new: &BatchHeader) -> Result<Sequenced, SequenceError> {
        let own: Vec<_> = history.iter().filter(|old| old.producer_id == new.producer_id).collect();
        let Some(last) = own.last() else { return Ok(Sequenced::Next) };
        if new.producer_epoch < last.producer_epoch {
            return Err(SequenceError::Epoch { current: last.producer_epoch.0 });
        }
        if new.producer_epoch > last.producer_epoch {
            let begins = new.base_sequence == 0;
            return if begins { Ok(Sequenced::Next) } else { Err(SequenceError::OutOfOrder { last: None }) };
        }
        let of_epoch: Vec<_> = own.iter().filter(|old| old.producer_epoch == new.producer_epoch).collect();
        let remembered = &of_epoch[of_epoch.len().saturating_sub(5)..];
        let sequences = |batch: &BatchHeader| (batch.base_sequence, batch.last_sequence());
        if let Some(old) = remembered.iter().find(|old| sequences(old) == sequences(new)) {
            let (base_offset, last_offset) = (old.base_offset.0, old.last_offset().0);
            return Ok(Sequenced::Duplicate { base_offset, last_offset, timestamp: old.max_timestamp });
        }
        match last.last_sequence().checked_add(1).unwrap_or(0) == new.base_sequence {
            true => Ok(Sequenced::Next),
            false => Err(SequenceError::OutOfOrder { last: Some(last.last_sequence()) }),
        }
    }

    /// Producer, epoch, how far from the sequence that would be next, records, and whether all is stored and restored.
    fn steps() -> impl Strategy<Value = Vec<(i64, i16, i32, i32, bool)>> {
        proptest::collection::vec((0..2i64, 0..3i16, -7..3i32, 1..4i32, any::<bool>()), 1..80)
    }

    proptest! {
        #[test]
        fn a_batch_is_taken_once_and_in_order(steps in steps(), first in prop_oneof![Just(0), Just(i32::MAX - 8)]) {
            let mut producers = Producers::default();
            let mut stored: HashMap<i64, Vec<u8>> = HashMap::new();
            let mut history: Vec<BatchHeader> = Vec::new();
            let mut offset = 0;
            for (producer, epoch, away, records, restart) in steps {
                let last = history.iter().rfind(|old| old.producer_id.0 == producer);
                let next = match last {
                    None => first,
                    Some(last) if last.producer_epoch.0 < epoch => 0,
                    Some(last) => last.last_sequence().checked_add(1).unwrap_or(0),
                };
                // Mostly the right one; below it, a batch that was there or never was.
                let sequence = if away >= 0 { next } else { (i64::from(next) + i64::from(away)).rem_euclid(1 << 31) as i32 };
                let new = header(producer, epoch, sequence, records, offset);
                let verdict = producers.check(&new);
                prop_assert_eq!(&verdict, &expected(&history, &new));
                if verdict == Ok(Sequenced::Next) {
                    producers.remember(&new, at(offset), 0);
                    history.push(new);
                    offset += i64::from(records);
                }
                if restart {
                    stored.extend(producers.take_changes().into_iter().map(|(id, bytes)| (id, bytes.unwrap())));
                    producers = Producers::default();
                    for (id, bytes) in &stored {
                        producers.restore(*id, bytes).unwrap();
                    }
                }
            }
        }

        #[test]
        fn any_bytes_are_restored_without_panic(bytes: Vec<u8>) {
            let _ = Producers::default().restore(1, &bytes);
        }
    }

    fn at(offset: i64) -> Point {
        Point { offset, segment: 0, position: 0 }
    }

    #[test]
    fn the_silent_are_forgotten_unless_a_query_writes_under_them() {
        let mut producers = Producers::default();
        producers.remember(&header(1, 0, 0, 1, 0), at(0), 100);
        producers.remember(&header(2, 0, 0, 1, 1), at(1), 200);
        producers.remember(&header(ProducerId::QUERIES.0, 0, 0, 1, 1), at(1), 100);
        producers.take_changes();
        producers.expire(200);
        assert_eq!(producers.take_changes(), [(1, None)]);
        assert!(producers.get(ProducerId::QUERIES).is_some());
        assert!(producers.get(ProducerId(1)).is_none());
        assert!(producers.get(ProducerId(2)).is_some());
    }
}
