//! What a partition remembers of idempotent producers (KIP-98, KIP-360): the epoch and the last five batches of
//! each, as `org.apache.kafka.storage.internals.log.ProducerStateManager` and `ProducerAppendInfo` do.
//!
//! No I/O, no clock: a fold over the batches of the log.

use std::collections::{HashMap, HashSet, VecDeque};

use brooklet_model::{BatchHeader, Offset, ProducerEpoch, ProducerId, Timestamp};

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
}

/// All producers of a partition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Producers {
    entries: HashMap<i64, Producer>,
    /// Changed or removed since [`Producers::take_changes`].
    changed: HashSet<i64>,
}

impl Producers {
    /// What `header`, of a client, may be.
    pub(crate) fn check(&self, header: &BatchHeader) -> Result<Sequenced, SequenceError> {
        if header.producer_id.0 < 0 {
            return Ok(Sequenced::Next);
        }
        // A producer that is not remembered may begin anywhere: its records may have been deleted (KIP-360).
        let Some(producer) = self.entries.get(&header.producer_id.0) else { return Ok(Sequenced::Next) };
        if header.producer_epoch.0 < producer.epoch {
            return Err(SequenceError::Epoch { current: producer.epoch });
        }
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
            last => Err(SequenceError::OutOfOrder { last }),
        }
    }

    /// Remembers a batch that was written (or is read again at a start) with its offsets; `now` is when.
    pub(crate) fn remember(&mut self, header: &BatchHeader, now: Timestamp) {
        if header.producer_id.0 < 0 || header.base_sequence < 0 {
            return;
        }
        let producer = self.entries.entry(header.producer_id.0).or_insert_with(|| Producer {
            epoch: header.producer_epoch.0,
            batches: VecDeque::with_capacity(BATCHES_MAX),
            used: now,
        });
        if producer.epoch != header.producer_epoch.0 {
            producer.epoch = header.producer_epoch.0;
            producer.batches.clear();
        }
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
        producer.used = now;
        self.changed.insert(header.producer_id.0);
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

    /// Forgets who has not written since `before`, save queries.
    pub(crate) fn expire(&mut self, before: Timestamp) {
        let changed = &mut self.changed;
        self.entries.retain(|id, producer| {
            let keep = producer.used >= before || ProducerId(*id).is_query();
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

/// Epoch i16, last use i64, then 32 bytes a batch, oldest first; all big-endian.
fn encode(producer: &Producer) -> Vec<u8> {
    let mut out = Vec::with_capacity(10 + 32 * producer.batches.len());
    out.extend_from_slice(&producer.epoch.to_be_bytes());
    out.extend_from_slice(&producer.used.to_be_bytes());
    for written in &producer.batches {
        out.extend_from_slice(&written.base_sequence.to_be_bytes());
        out.extend_from_slice(&written.last_sequence.to_be_bytes());
        out.extend_from_slice(&written.base_offset.to_be_bytes());
        out.extend_from_slice(&written.last_offset.to_be_bytes());
        out.extend_from_slice(&written.timestamp.to_be_bytes());
    }
    out
}

fn decode(bytes: &[u8]) -> Option<Producer> {
    let (epoch, rest) = bytes.split_first_chunk()?;
    let (used, mut rest) = rest.split_first_chunk()?;
    let mut batches = VecDeque::with_capacity(BATCHES_MAX);
    while !rest.is_empty() {
        let (base_sequence, after) = rest.split_first_chunk()?;
        let (last_sequence, after) = after.split_first_chunk()?;
        let (base_offset, after) = after.split_first_chunk()?;
        let (last_offset, after) = after.split_first_chunk()?;
        let (timestamp, after) = after.split_first_chunk()?;
        batches.push_back(Written {
            base_sequence: i32::from_be_bytes(*base_sequence),
            last_sequence: i32::from_be_bytes(*last_sequence),
            base_offset: i64::from_be_bytes(*base_offset),
            last_offset: i64::from_be_bytes(*last_offset),
            timestamp: i64::from_be_bytes(*timestamp),
        });
        rest = after;
    }
    Some(Producer { epoch: i16::from_be_bytes(*epoch), used: i64::from_be_bytes(*used), batches })
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
                    producers.remember(&new, 0);
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

    #[test]
    fn the_silent_are_forgotten_unless_a_query_writes_under_them() {
        let mut producers = Producers::default();
        producers.remember(&header(1, 0, 0, 1, 0), 100);
        producers.remember(&header(2, 0, 0, 1, 1), 200);
        producers.remember(&header(ProducerId::QUERIES.0, 0, 0, 1, 1), 100);
        producers.take_changes();
        producers.expire(200);
        assert_eq!(producers.take_changes(), [(1, None)]);
        assert!(producers.get(ProducerId::QUERIES).is_some());
        assert!(producers.get(ProducerId(1)).is_none());
        assert!(producers.get(ProducerId(2)).is_some());
    }
}
