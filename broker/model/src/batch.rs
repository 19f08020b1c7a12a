//! The header of a record batch (magic 2), read in place.
//!
//! ```text
//!  0 base offset i64      17 crc32c u32 of all after it    43 producer id i64
//!  8 length i32           21 attributes i16                51 producer epoch i16
//! 12 leader epoch i32     23 last offset delta i32         53 base sequence i32
//! 16 magic i8             27 base timestamp i64            57 record count i32
//!                         35 max timestamp i64             61 records
//! ```
//! See `org.apache.kafka.common.record.DefaultRecordBatch`.

use bytes::Bytes;

use crate::{Compression, LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};

/// Bytes before those that the length field counts: base offset and length.
pub const LOG_OVERHEAD: usize = 12;
/// Bytes of a batch before its records.
pub const HEADER_LEN: usize = 61;

/// Attributes: part of a transaction.
pub(crate) const TRANSACTIONAL: i16 = 0x10;
/// Attributes: a marker of the broker.
pub(crate) const CONTROL: i16 = 0x20;

const CRC_START: usize = 17;
const ATTRIBUTES: usize = 21;

/// Why bytes are not a record batch that may be stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Fewer bytes than a header, or than the header's length says.
    #[error("the batch is cut short: {have} of {need} bytes")]
    Truncated {
        /// Bytes there are.
        have: usize,
        /// Bytes there should be.
        need: usize,
    },
    /// The length field is smaller than a header.
    #[error("the batch's length {0} is smaller than its header")]
    Length(i32),
    /// A message set of before Kafka 0.11, or nonsense.
    #[error("the batch has magic {0}; only 2 is supported")]
    Magic(i8),
    /// The checksum does not fit the bytes.
    #[error("the batch's checksum is {computed:#010x}, its header says {stored:#010x}")]
    Crc {
        /// As the header has it.
        stored: u32,
        /// As the bytes have it.
        computed: u32,
    },
    /// The record count and the last offset delta do not fit each other.
    #[error("the batch says {count} records and last offset delta {last_offset_delta}")]
    Count {
        /// The header's record count.
        count: i32,
        /// The header's last offset delta.
        last_offset_delta: i32,
    },
}

/// Whose clock a batch's timestamps are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's, record by record.
    CreateTime,
    /// The broker's at the append: the batch's max timestamp holds for each record.
    LogAppendTime,
}

/// The 61 bytes at the head of a batch, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record.
    pub base_offset: Offset,
    /// Bytes of the whole batch, the first 12 included.
    pub size: usize,
    /// The leader's term when the batch was appended.
    pub leader_epoch: LeaderEpoch,
    /// CRC32C of everything from the attributes on.
    pub crc: u32,
    /// Bits: 0-2 codec, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon.
    pub attributes: i16,
    /// Offset of the last record less the base offset.
    pub last_offset_delta: i32,
    /// Timestamp that the records' deltas are relative to.
    pub base_timestamp: Timestamp,
    /// Largest timestamp of the batch.
    pub max_timestamp: Timestamp,
    /// The idempotent producer, or -1.
    pub producer_id: ProducerId,
    /// The producer's epoch, or -1.
    pub producer_epoch: ProducerEpoch,
    /// Sequence of the first record, or -1.
    pub base_sequence: i32,
    /// Records in the batch.
    pub record_count: i32,
}

impl BatchHeader {
    /// Reads the header at the front of `bytes`, which may end before the batch does.
    ///
    /// Checks magic and the length's lower bound; neither checksum nor counts.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        let Some(head) = bytes.first_chunk::<HEADER_LEN>() else {
            return Err(BatchError::Truncated { have: bytes.len(), need: HEADER_LEN });
        };
        let magic = head[16] as i8;
        if magic != 2 {
            return Err(BatchError::Magic(magic));
        }
        let length = i32_at(head, 8);
        let size = usize::try_from(length).unwrap_or(0).saturating_add(LOG_OVERHEAD);
        if size < HEADER_LEN {
            return Err(BatchError::Length(length));
        }
        Ok(Self {
            base_offset: Offset(i64_at(head, 0)),
            size,
            leader_epoch: LeaderEpoch(i32_at(head, 12)),
            crc: i32_at(head, 17) as u32,
            attributes: i16_at(head, 21),
            last_offset_delta: i32_at(head, 23),
            base_timestamp: i64_at(head, 27),
            max_timestamp: i64_at(head, 35),
            producer_id: ProducerId(i64_at(head, 43)),
            producer_epoch: ProducerEpoch(i16_at(head, 51)),
            base_sequence: i32_at(head, 53),
            record_count: i32_at(head, 57),
        })
    }

    /// Offset of the last record.
    pub fn last_offset(&self) -> Offset {
        self.base_offset.plus(i64::from(self.last_offset_delta))
    }

    /// The offset after the last record.
    pub fn next_offset(&self) -> Offset {
        self.last_offset().plus(1)
    }

    /// Codec of the records; an unknown number is the error.
    pub fn compression(&self) -> Result<Compression, i16> {
        Compression::from_attributes(self.attributes)
    }

    /// Whose clock the timestamps are.
    pub fn timestamp_type(&self) -> TimestampType {
        if self.attributes & 0x08 == 0 { TimestampType::CreateTime } else { TimestampType::LogAppendTime }
    }

    /// Part of a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    /// A marker of the broker, not records of a producer.
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// Sequence of the last record; wraps after `i32::MAX` as Kafka's does.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return self.base_sequence;
        }
        (i64::from(self.base_sequence) + i64::from(self.last_offset_delta)).rem_euclid(1 << 31) as i32
    }
}

/// One whole batch: its header, and its bytes (a slice of what it was read from).
#[derive(Clone, Debug)]
pub struct Batch {
    /// The parsed header.
    pub header: BatchHeader,
    /// Exactly the batch, from its base offset to its last record's end.
    pub bytes: Bytes,
}

impl Batch {
    /// Takes the batch at the front of `bytes`; without a check of its checksum.
    pub fn parse(bytes: &Bytes) -> Result<Self, BatchError> {
        let header = BatchHeader::parse(bytes)?;
        if header.size > bytes.len() {
            return Err(BatchError::Truncated { have: bytes.len(), need: header.size });
        }
        Ok(Self { header, bytes: bytes.slice(..header.size) })
    }

    /// Checks the bytes against the checksum.
    pub fn verify_checksum(&self) -> Result<(), BatchError> {
        let covered = self.bytes.get(ATTRIBUTES..).unwrap_or_default();
        let computed = crc32c::crc32c(covered);
        if computed != self.header.crc {
            return Err(BatchError::Crc { stored: self.header.crc, computed });
        }
        Ok(())
    }

    /// Checks what a producer promises of a new batch: as many records as offsets, at least one. (A compacted batch
    /// may hold fewer.) The records themselves are not looked at.
    pub fn verify_counts(&self) -> Result<(), BatchError> {
        let BatchHeader { record_count, last_offset_delta, .. } = self.header;
        if record_count <= 0 || last_offset_delta != record_count - 1 {
            return Err(BatchError::Count { count: record_count, last_offset_delta });
        }
        Ok(())
    }

    /// The bytes that the broker writes before those that the checksum covers: base offset, length, leader epoch
    /// (16 bytes; the magic, the checksum and all after them stay as the producer sent them).
    pub fn stored_prefix(&self, base_offset: Offset, leader_epoch: LeaderEpoch) -> [u8; 16] {
        let mut prefix = [0; 16];
        prefix[..8].copy_from_slice(&base_offset.0.to_be_bytes());
        prefix[8..12].copy_from_slice(&((self.header.size - LOG_OVERHEAD) as i32).to_be_bytes());
        prefix[12..].copy_from_slice(&leader_epoch.0.to_be_bytes());
        prefix
    }

    /// The same batch with the broker's time for every record (`message.timestamp.type=LogAppendTime`); the
    /// checksum is computed anew.
    pub fn with_log_append_time(&self, now: Timestamp) -> Self {
        let mut bytes = self.bytes.to_vec();
        let attributes = self.header.attributes | 0x08;
        bytes[ATTRIBUTES..ATTRIBUTES + 2].copy_from_slice(&attributes.to_be_bytes());
        bytes[35..43].copy_from_slice(&now.to_be_bytes());
        let crc = crc32c::crc32c(&bytes[ATTRIBUTES..]);
        bytes[CRC_START..ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
        Self { header: BatchHeader { attributes, max_timestamp: now, crc, ..self.header }, bytes: bytes.into() }
    }
}

/// The whole batches in `bytes`, in order. A batch cut off at the end is passed over, as a consumer does with the
/// end of a fetch; other damage is an error, and the last item.
pub fn split_batches(bytes: Bytes) -> impl Iterator<Item = Result<Batch, BatchError>> {
    let mut rest = bytes;
    std::iter::from_fn(move || match Batch::parse(&rest) {
        Ok(batch) => {
            rest = rest.slice(batch.header.size..);
            Some(Ok(batch))
        }
        Err(BatchError::Truncated { .. }) => None,
        Err(error) => {
            rest.clear();
            Some(Err(error))
        }
    })
}

fn i16_at(head: &[u8; HEADER_LEN], at: usize) -> i16 {
    i16::from_be_bytes([head[at], head[at + 1]])
}

fn i32_at(head: &[u8; HEADER_LEN], at: usize) -> i32 {
    i32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
}

fn i64_at(head: &[u8; HEADER_LEN], at: usize) -> i64 {
    i64::from(i32_at(head, at)) << 32 | i64::from(i32_at(head, at + 4) as u32)
}
