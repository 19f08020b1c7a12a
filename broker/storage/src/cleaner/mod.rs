//! Compaction of logs whose `cleanup.policy` says so: of each key's records the latest stays
//! (`kafka.log.LogCleaner`). What is here decides and has no I/O; `partition/compact.rs` walks a log with it, and
//! `partition/swap.rs` puts what comes out in the place of what was there.

pub(crate) mod filter;
#[cfg(test)]
mod filter_tests;
pub(crate) mod offset_map;
pub(crate) mod plan;
pub(crate) mod transactions;

/// What one pass over a log did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cleaned {
    /// Bytes of segments read for the second time, and what is left of them.
    pub(crate) bytes_before: u64,
    pub(crate) bytes_after: u64,
    /// Everything before this offset is compacted.
    pub(crate) to: i64,
}
