//! The order in which Spark's console shows groups: by the shuffle partition that their key hashes to.

/// `spark.sql.shuffle.partitions` by default.
pub const SHUFFLE_PARTITIONS: u32 = 200;

const SEED: u32 = 42;

/// The shuffle partition, below 200, of a group with these key columns, all STRING:
/// `pmod(Murmur3Hash(columns, 42), 200)`. A NULL leaves the hash so far as it is.
///
/// Rows are shown partition by partition; within one, as they first appeared.
pub fn spark_partition<'a>(columns: impl IntoIterator<Item = Option<&'a [u8]>>) -> u32 {
    let hash = columns.into_iter().flatten().fold(SEED, |seed, column| hash_unsafe_bytes(column, seed));
    (hash as i32).rem_euclid(SHUFFLE_PARTITIONS as i32) as u32
}

/// `Murmur3_x86_32.hashUnsafeBytes`: unlike Murmur3 proper, each byte after the last whole word is mixed in as a word
/// of its own, sign-extended.
fn hash_unsafe_bytes(bytes: &[u8], seed: u32) -> u32 {
    let (words, tail) = bytes.as_chunks::<4>();
    let words = words.iter().map(|word| u32::from_le_bytes(*word));
    let tail = tail.iter().map(|&byte| byte as i8 as u32);
    let mixed = words.chain(tail).fold(seed, mix);
    finish(mixed ^ bytes.len() as u32)
}

fn mix(hash: u32, word: u32) -> u32 {
    let word = word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    (hash ^ word).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

fn finish(mut hash: u32) -> u32 {
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}
