//! What a partition remembers of idempotent producers (KIP-98, KIP-360): of each the epoch, the last five batches, and
//! where the transaction began that is open, as `org.apache.kafka.storage.internals.log.ProducerStateManager` and `ProducerAppendInfo` do.
//!
//! No I/O, no clock: a fold over the batches of the log.

use std::collections::{HashMap, HashSet, VecDeque};

use brooklet_model::{BatchHeader, EndMarker, Offset, ProducerEpoch, ProducerId, Timestamp};

use crate::partition::Point;
pub(crate) use sequence::{MarkerError, SequenceError, Sequenced};
use stored::{decode, encode};

mod sequence;
mod stored;

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

#[cfg(test)]
mod tests;
