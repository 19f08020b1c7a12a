//! What every part of brooklet speaks of: offsets and partitions, the record batch as Kafka writes it
//! (magic 2), its records one by one, and its compression codecs.
//!
//! Nothing here does I/O or reads a clock. Lengths and counts found in a batch come from a peer and are
//! never trusted: each is checked against the bytes that are there before anything is allocated.

mod batch;
mod builder;
mod compression;
mod ids;
mod marker;
mod record;
mod rewrite;
mod varint;

pub use batch::{Batch, BatchError, BatchHeader, HEADER_LEN, LOG_OVERHEAD, TimestampType, split_batches};
pub use builder::{BatchBuilder, NewRecord};
pub use compression::{Compression, CompressionError, compress, compress_at, decompress};
pub use ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp, TopicId, TopicPartition};
pub use marker::EndMarker;
pub use record::{Headers, Record, RecordError, Records};
pub use rewrite::{Rewritten, set_offset_delta, shift_timestamp};
pub use varint::take_varint;
