//! Which transactions a walk over the log is inside of, and what that means for their batches and markers
//! (`kafka.log.CleanedTransactionMetadata`).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use brooklet_model::BatchHeader;

/// An aborted transaction of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AbortedTransaction {
    /// Offset of its first record.
    pub(crate) first_offset: i64,
    pub(crate) producer_id: i64,
}

/// How a transaction ended, by its marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    Abort,
    Commit,
    /// Of a kind that is no end of a transaction.
    Other,
}

impl Marker {
    /// By the key of a control record: version i16, type i16
    /// (`org.apache.kafka.common.record.ControlRecordType`).
    pub(crate) fn of_key(key: Option<&[u8]>) -> Self {
        match key.and_then(|key| key.get(2..4)) {
            Some([0, 0]) => Self::Abort,
            Some([0, 1]) => Self::Commit,
            _ => Self::Other,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Transactions {
    /// Those still to come, the first on top.
    aborted: BinaryHeap<Reverse<AbortedTransaction>>,
    /// By producer, the aborted ones that the walk is inside of, and whether any batch of theirs was met.
    ongoing_aborted: HashMap<i64, bool>,
    ongoing_committed: HashSet<i64>,
}

impl Transactions {
    pub(crate) fn new(aborted: impl IntoIterator<Item = AbortedTransaction>) -> Self {
        Self { aborted: aborted.into_iter().map(Reverse).collect(), ..Self::default() }
    }

    /// Takes note of a batch of records; whether its transaction was aborted, so that nothing of it need be kept.
    pub(crate) fn meet_batch(&mut self, header: &BatchHeader) -> bool {
        self.begin_up_to(header.last_offset().0);
        if !header.is_transactional() {
            return false;
        }
        match self.ongoing_aborted.get_mut(&header.producer_id.0) {
            Some(met) => {
                *met = true;
                true
            }
            None => {
                self.ongoing_committed.insert(header.producer_id.0);
                false
            }
        }
    }

    /// Takes note of a marker (`None`: a control batch that was emptied); whether no batch of its transaction is left,
    /// so that it may go once its delete horizon is past.
    pub(crate) fn meet_marker(&mut self, header: &BatchHeader, marker: Option<Marker>) -> bool {
        self.begin_up_to(header.last_offset().0);
        match marker {
            None => true,
            Some(Marker::Abort) => !self.ongoing_aborted.remove(&header.producer_id.0).unwrap_or(false),
            Some(Marker::Commit) => !self.ongoing_committed.remove(&header.producer_id.0),
            Some(Marker::Other) => false,
        }
    }

    fn begin_up_to(&mut self, offset: i64) {
        while let Some(Reverse(next)) = self.aborted.peek().copied()
            && next.first_offset <= offset
        {
            self.aborted.pop();
            self.ongoing_aborted.entry(next.producer_id).or_insert(false);
        }
    }
}

/// Finds aborted transactions by a walk over the batches of a log, in order.
#[derive(Debug, Default)]
pub(crate) struct AbortedFinder {
    /// First offset of the transaction that each producer has open.
    open: HashMap<i64, i64>,
    found: Vec<AbortedTransaction>,
}

impl AbortedFinder {
    pub(crate) fn meet_batch(&mut self, header: &BatchHeader) {
        if header.is_transactional() {
            self.open.entry(header.producer_id.0).or_insert(header.base_offset.0);
        }
    }

    pub(crate) fn meet_marker(&mut self, header: &BatchHeader, marker: Option<Marker>) {
        let producer_id = header.producer_id.0;
        match marker {
            Some(Marker::Abort) => {
                let begun = self.open.remove(&producer_id);
                self.found.extend(begun.map(|first_offset| AbortedTransaction { first_offset, producer_id }));
            }
            Some(Marker::Commit) => drop(self.open.remove(&producer_id)),
            Some(Marker::Other) | None => {}
        }
    }

    /// Whether a transaction that began before `offset` has not met its marker yet.
    pub(crate) fn is_open_before(&self, offset: i64) -> bool {
        self.open.values().any(|first| *first < offset)
    }

    pub(crate) fn found(self) -> Vec<AbortedTransaction> {
        self.found
    }
}
