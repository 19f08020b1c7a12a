//! The keys of sled's trees. All are big-endian, so that they sort as numbers do, begin with the log's number, and
//! have at most 22 bytes where they can: sled keeps such keys inline.
//!
//! ```text
//! ends       log u32                                  → offset i64, segment i64, position u64
//! index      log u32, offset i64                      → segment i64, position u64
//! times      log u32, segment i64, max timestamp i64* → offset i64, position u64
//! segments   log u32, base i64                        → first timestamp, max timestamp, its offset, created: i64
//! producers  log u32, producer id i64                 → see producers.rs
//! aborted    log u32, marker's offset i64             → producer id, first offset, last stable offset: i64
//! applied    log u32                                  → offset i64
//! tables     log u32, key                             → see sled_index/tables.rs
//! pieces     log u32, value i64, piece u64            → part of a large value of a table
//! cleaned    log u32                                  → generation i64, compacted up to this offset i64
//! records    log u32, segment i64, position u64       → bytes of the log
//! slots      log u32, base i64                        → see store/sled_slots.rs
//! ```
//! (* with its sign bit flipped; offsets and positions are never negative.)

/// All of a log in any tree.
pub(crate) fn log(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

/// Log and one number.
pub(crate) fn log_and(number: u32, then: i64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&number.to_be_bytes());
    key[4..].copy_from_slice(&then.to_be_bytes());
    key
}

/// Log and two numbers.
pub(crate) fn log_and_two(number: u32, then: i64, last: u64) -> [u8; 20] {
    let mut key = [0; 20];
    key[..12].copy_from_slice(&log_and(number, then));
    key[12..].copy_from_slice(&last.to_be_bytes());
    key
}

/// A timestamp as a number that sorts like it.
pub(crate) fn sortable(timestamp: i64) -> u64 {
    (timestamp as u64) ^ (1 << 63)
}

/// Numbers one after the other.
pub(crate) fn numbers<const N: usize>(values: [i64; N]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// Exactly `N` numbers of [`numbers`]; `None` if there are fewer or more bytes.
pub(crate) fn parse_numbers<const N: usize>(bytes: &[u8]) -> Option<[i64; N]> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() || chunks.len() != N {
        return None;
    }
    let mut values = [0; N];
    for (value, chunk) in values.iter_mut().zip(chunks) {
        *value = i64::from_be_bytes(*chunk);
    }
    Some(values)
}

/// The number at the end of a key.
pub(crate) fn last_number(key: &[u8]) -> Option<i64> {
    key.last_chunk().map(|bytes| i64::from_be_bytes(*bytes))
}
