//! Whether a batch or a marker may follow what its producer wrote before
//! (`org.apache.kafka.storage.internals.log.ProducerAppendInfo`).

use brooklet_model::{BatchHeader, EndMarker, ProducerEpoch, ProducerId, Timestamp};

use super::{Producer, Producers, Written};

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
}
