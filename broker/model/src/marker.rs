//! The end of a transaction as a partition's log has it: a control batch with one record (KIP-98).
//!
//! ```text
//! key    version i16, type i16: 0 abort, 1 commit
//! value  version i16, coordinator epoch i32
//! ```
//! See `org.apache.kafka.common.record.EndTransactionMarker`.

use std::io;

use crate::{Batch, BatchBuilder, Compression, NewRecord, ProducerEpoch, ProducerId, Timestamp};

const ABORT: i16 = 0;
const COMMIT: i16 = 1;
/// A marker has a few bytes; what unfolds to more is none.
const UNFOLDED_BYTES_MAX: usize = 4096;

/// How a transaction ended, and on whose word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndMarker {
    /// Committed, or aborted.
    pub commit: bool,
    /// Term of the coordinator that decided; an older coordinator is fenced by it.
    pub coordinator_epoch: i32,
}

impl EndMarker {
    /// The control batch for the producer's transaction. The error is that of the builder.
    pub fn batch(self, id: ProducerId, epoch: ProducerEpoch, timestamp: Timestamp) -> io::Result<Batch> {
        let mut key = [0; 4];
        key[2..].copy_from_slice(&(if self.commit { COMMIT } else { ABORT }).to_be_bytes());
        let mut value = [0; 6];
        value[2..].copy_from_slice(&self.coordinator_epoch.to_be_bytes());
        let mut builder = BatchBuilder::new().producer(id, epoch, -1).transactional().control();
        builder.push(NewRecord { timestamp, key: Some(&key), value: Some(&value), headers: &[] });
        Batch::parse(&builder.finish(Compression::None)?).map_err(io::Error::other)
    }

    /// What a control batch says; `None` if that is not the end of a transaction, or nothing is left in it (a
    /// transaction of which compaction kept nothing).
    pub fn parse(batch: &Batch) -> Option<Self> {
        let mut scratch = Vec::new();
        let record = batch.records(&mut scratch, UNFOLDED_BYTES_MAX).ok()?.next()?.ok()?;
        let commit = match i16::from_be_bytes(*record.key?.get(2..)?.first_chunk()?) {
            ABORT => false,
            COMMIT => true,
            _ => return None,
        };
        let coordinator_epoch = i32::from_be_bytes(*record.value?.get(2..)?.first_chunk()?);
        Some(Self { commit, coordinator_epoch })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::HEADER_LEN;

    #[test]
    fn the_bytes_are_those_of_kafka() {
        let marker = EndMarker { commit: true, coordinator_epoch: 7 };
        let batch = marker.batch(ProducerId(5), ProducerEpoch(2), 1000).unwrap();
        assert!(batch.header.is_transactional() && batch.header.is_control());
        assert_eq!((batch.header.attributes, batch.header.base_sequence), (0x30, -1));
        assert_eq!(&batch.bytes[HEADER_LEN..], b"\x20\0\0\0\x08\0\0\0\x01\x0c\0\0\0\0\0\x07\0");
    }

    proptest! {
        #[test]
        fn a_marker_reads_back(commit: bool, coordinator_epoch: i32, epoch in 0i16..) {
            let marker = EndMarker { commit, coordinator_epoch };
            let batch = marker.batch(ProducerId(5), ProducerEpoch(epoch), 1000).unwrap();
            prop_assert_eq!(EndMarker::parse(&batch), Some(marker));
        }
    }

    #[test]
    fn a_batch_of_something_else_is_no_marker() {
        let mut builder = BatchBuilder::new().control();
        builder.push(NewRecord { key: Some(b"\0\0\0\x05"), value: Some(b"\0\0\0\0\0\0"), ..NewRecord::default() });
        let other = Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap();
        assert_eq!(EndMarker::parse(&other), None);
    }
}
