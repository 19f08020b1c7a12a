//! What a log knows of transactions: which are open, where the stable part ends, and which were aborted (KIP-98).
//!
//! A fold over the batches of the log, as `org.apache.kafka.storage.internals.log.ProducerStateManager` and
//! `TransactionIndex` are. Of aborted transactions 32 bytes each are kept in memory for as long as the log has their
//! markers.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use brooklet_model::{EndMarker, Offset, ProducerEpoch, ProducerId, TimestampType};

use super::append::Appended;
use super::{PartitionLog, Point, State};
use crate::producers::{MarkerError, Producers};
use crate::{AppendError, ProducerDescription, StorageError};

/// A transaction that was aborted, as Fetch tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Whose it was.
    pub producer_id: ProducerId,
    /// Offset of its first record here.
    pub first_offset: Offset,
    /// Offset of its marker.
    pub last_offset: Offset,
    /// Where the log was stable up to once the marker was there: whatever aborts later begins there or after.
    pub(crate) last_stable_offset: Offset,
}

/// What a writer shows that had its transaction looked up before its first batch: see
/// [`PartitionLog::begin_transaction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    producer_id: i64,
    /// The producer's last marker at the time: a later one ended what was looked up.
    last_marker: i64,
    /// Whether a producer that the log does not know has to begin with the sequence 0.
    from_zero: bool,
}

impl Verified {
    /// For clients whose epoch each transaction bumps (`transaction.version` 2): a producer that the log does not know
    /// begins with the sequence 0, else records are missing.
    #[must_use]
    pub fn from_zero(self) -> Self {
        Self { from_zero: true, ..self }
    }

    pub(super) fn is_from_zero(&self) -> bool {
        self.from_zero
    }
}

#[derive(Debug)]
struct Unstable {
    begin: Point,
    /// Once it is written; the transaction counts until that may be served.
    marker: Option<i64>,
}

/// The open transactions of a log, by first offset, and the aborted ones by the offset of their markers.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    unstable: BTreeMap<i64, Unstable>,
    aborted: Vec<AbortedTransaction>,
    /// How many of those, from the front, are in sled.
    stored: usize,
}

impl Transactions {
    /// As sled has it.
    pub(super) fn restore(producers: &Producers, aborted: Vec<AbortedTransaction>) -> Self {
        let open = producers.open_transactions().map(|begin| (begin.offset, Unstable { begin, marker: None }));
        Self { unstable: open.collect(), stored: aborted.len(), aborted }
    }

    pub(super) fn begin(&mut self, begin: Point) {
        self.unstable.insert(begin.offset, Unstable { begin, marker: None });
    }

    /// Notes the marker at `at` of the transaction that began at `first`.
    pub(super) fn end(&mut self, producer_id: ProducerId, first: i64, at: i64, marker: EndMarker) {
        if let Some(unstable) = self.unstable.get_mut(&first) {
            unstable.marker = Some(at);
        }
        if marker.commit {
            return;
        }
        let next_open = self.unstable.iter().find(|(_, unstable)| unstable.marker.is_none()).map(|(first, _)| *first);
        let aborted = AbortedTransaction {
            producer_id,
            first_offset: Offset(first),
            last_offset: Offset(at),
            last_stable_offset: Offset(next_open.unwrap_or(at + 1)),
        };
        let place = self.aborted.partition_point(|known| known.last_offset.0 < at);
        // At a start sled may know already what the log is read again for, and knows it better.
        if self.aborted.get(place).is_none_or(|known| known.last_offset.0 != at) {
            self.stored = self.stored.min(place);
            self.aborted.insert(place, aborted);
        }
    }

    /// Forgets those whose marker lies before `end`, up to which the log is served.
    pub(super) fn settle(&mut self, end: i64) {
        self.unstable.retain(|_, unstable| unstable.marker.is_none_or(|marker| marker >= end));
    }

    pub(super) fn is_stable(&self) -> bool {
        self.unstable.is_empty()
    }

    pub(super) fn first_unstable(&self) -> Option<Point> {
        self.unstable.first_key_value().map(|(_, unstable)| unstable.begin)
    }

    /// Forgets aborted transactions whose markers are gone.
    pub(super) fn remove_before(&mut self, start: i64) {
        let gone = self.aborted.partition_point(|known| known.last_offset.0 < start);
        self.aborted.drain(..gone);
        self.stored = self.stored.saturating_sub(gone);
    }

    /// Forgets the aborted transactions with these markers: nothing of them is left.
    pub(super) fn forget(&mut self, markers: &[i64]) {
        for marker in markers {
            if let Ok(at) = self.aborted.binary_search_by_key(marker, |known| known.last_offset.0) {
                self.aborted.remove(at);
                self.stored -= usize::from(at < self.stored);
            }
        }
    }

    /// Forgets what lies beyond the log's end.
    pub(super) fn remove_from(&mut self, end: i64) {
        let kept = self.aborted.partition_point(|known| known.last_offset.0 < end);
        self.aborted.truncate(kept);
        self.stored = self.stored.min(kept);
    }

    /// The aborted transactions that sled has not.
    pub(super) fn unstored(&self) -> Vec<AbortedTransaction> {
        self.aborted.get(self.stored..).unwrap_or_default().to_vec()
    }

    /// Notes that those up to the marker at `last` are in sled.
    pub(super) fn stored(&mut self, last: i64) {
        self.stored = self.aborted.partition_point(|known| known.last_offset.0 <= last);
    }

    /// Those with records from `from` on and before `end`, ordered by their markers.
    fn aborted_between(&self, from: i64, end: i64) -> Vec<AbortedTransaction> {
        let first = self.aborted.partition_point(|known| known.last_offset.0 < from);
        let mut found = Vec::new();
        for known in self.aborted.get(first..).unwrap_or_default() {
            if known.first_offset.0 < end {
                found.push(*known);
            }
            if known.last_stable_offset.0 >= end {
                break;
            }
        }
        found
    }
}

impl State {
    /// Up to where a reader of committed transactions may read.
    pub(super) fn stable_end(&self) -> Point {
        let Some(begin) = self.transactions.first_unstable() else { return self.committed };
        if begin.offset >= self.committed.offset {
            return self.committed;
        }
        match self.segments.front() {
            // Its first records were removed.
            Some(first) if begin.segment < first.base => Point { offset: first.base, segment: first.base, position: 0 },
            _ => begin,
        }
    }

    /// Aborted transactions with records from `from` on, before `end`.
    pub(super) fn aborted_between(&self, from: i64, end: i64) -> Vec<AbortedTransaction> {
        self.transactions.aborted_between(from, end)
    }
}

impl PartitionLog {
    /// The end of what a reader of committed transactions may see.
    pub fn last_stable_offset(&self) -> Offset {
        // In this order: a transaction is noted before the high watermark passes its first record.
        let high_watermark = self.high_watermark().0;
        Offset(self.first_unstable.load(Ordering::Acquire).min(high_watermark).max(self.log_start_offset().0))
    }

    /// Whether a batch of the producer needs to be verified, because it is the first of a transaction here: then what
    /// is returned has to be given to [`PartitionLog::append_in_transaction`], after the transaction's coordinator was
    /// asked (KIP-890). A marker in between makes it worthless.
    pub fn begin_transaction(&self, producer_id: ProducerId, epoch: ProducerEpoch) -> Option<Verified> {
        let state = self.state.lock();
        match state.producers.transaction(producer_id) {
            Some((open, _)) if open == epoch => None,
            _ => Some(state.verified(producer_id)),
        }
    }

    /// Ends the producer's transaction: writes the marker, and lets readers pass. There need not be a transaction.
    ///
    /// `outdates` says that the marker's epoch must be newer than that of the records (`transaction.version` 2).
    pub fn end_transaction(
        &self,
        producer_id: ProducerId,
        epoch: ProducerEpoch,
        marker: EndMarker,
        outdates: bool,
    ) -> Result<Appended, AppendError> {
        let config = self.config();
        let now = self.shared.clock.now();
        let mut batch = marker.batch(producer_id, epoch, now).map_err(StorageError::from)?;
        if config.timestamp_type == TimestampType::LogAppendTime {
            batch = batch.with_log_append_time(now);
        }
        let state = self.state.lock();
        self.check_open()?;
        self.check_poison(&state)?;
        state.producers.check_marker(producer_id, epoch, marker, outdates).map_err(|error| match error {
            MarkerError::Epoch { current } => AppendError::InvalidProducerEpoch(format!(
                "a marker for the producer {producer_id} has the epoch {epoch}, its current epoch is {current}"
            )),
            MarkerError::Coordinator { current } => AppendError::CoordinatorFenced(format!(
                "a marker for the producer {producer_id} has the coordinator epoch {}, the current one is {current}",
                marker.coordinator_epoch
            )),
        })?;
        let header = self.write_checked(state, &batch, &config, now)?;
        Ok(Appended {
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            log_append_time: -1,
            log_start_offset: self.log_start_offset(),
            duplicate: false,
        })
    }

    /// The producers that are remembered, ordered by id.
    pub fn producers(&self) -> Vec<ProducerDescription> {
        self.state.lock().producers.describe()
    }

    /// What epoch the producer wrote with last, if it is remembered.
    pub fn producer_epoch(&self, producer_id: ProducerId) -> Option<ProducerEpoch> {
        self.state.lock().producers.epoch(producer_id)
    }

    /// To be called before the high watermark moves.
    pub(super) fn publish_stable_end(&self, state: &mut State) {
        state.transactions.settle(state.committed.offset);
        let first = state.transactions.first_unstable().map_or(i64::MAX, |begin| begin.offset);
        self.first_unstable.store(first, Ordering::Release);
    }
}

impl State {
    pub(super) fn verified(&self, producer_id: ProducerId) -> Verified {
        let last_marker = self.producers.last_marker(producer_id);
        Verified { producer_id: producer_id.0, last_marker, from_zero: false }
    }

    /// Whether nothing has ended since the producer's transaction was looked up.
    pub(super) fn still_holds(&self, verified: Verified, producer_id: ProducerId) -> bool {
        Verified { from_zero: false, ..verified } == self.verified(producer_id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One transaction: producer, first offset, marker, committed.
    type Ended = (i64, i64, i64, bool);

    proptest! {
        /// Against a plain search, whatever overlaps.
        #[test]
        fn the_aborted_ones_that_overlap_a_range_are_found(
            steps in proptest::collection::vec((0i64..4, 0u8..3), 0..60), from in 0i64..70, len in 0i64..70,
        ) {
            let mut transactions = Transactions::default();
            let mut open = BTreeMap::new();
            let mut ended: Vec<Ended> = Vec::new();
            for ((producer, what), at) in steps.into_iter().zip(0i64..) {
                match (open.get(&producer).copied(), what) {
                    (None, _) => {
                        transactions.begin(Point { offset: at, segment: 0, position: 0 });
                        open.insert(producer, at);
                    }
                    (Some(_), 0) => {}
                    (Some(first), what) => {
                        let marker = EndMarker { commit: what == 1, coordinator_epoch: 0 };
                        transactions.end(ProducerId(producer), first, at, marker);
                        transactions.settle(at + 1);
                        open.remove(&producer);
                        ended.push((producer, first, at, what == 1));
                    }
                }
                prop_assert_eq!(transactions.first_unstable().map(|point| point.offset), open.values().min().copied());
            }
            let expected: Vec<_> = ended.iter().filter(|(_, first, last, commit)| !commit && *last >= from && *first < from + len)
                .map(|(producer, first, last, _)| (*producer, *first, *last)).collect();
            let found: Vec<_> = transactions.aborted_between(from, from + len).iter()
                .map(|found| (found.producer_id.0, found.first_offset.0, found.last_offset.0)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
