//! Spark's `xxhash64()`: XXH64, with each column's hash as the seed of the next. Follows `XxHash64Function` and `XXH64`.

use super::Value;
use super::hash::{ValueHash, hash_with};

const PRIME_1: u64 = 0x9E37_79B1_85EB_CA87;
const PRIME_2: u64 = 0xC2B2_AE3D_27D4_EB4F;
const PRIME_3: u64 = 0x1656_67B1_9E37_79F9;
const PRIME_4: u64 = 0x85EB_CA77_C2B2_AE63;
const PRIME_5: u64 = 0x27D4_EB2F_1656_67C5;

/// The hash of a value after `seed`, which is what was hashed before it, and 42 at first. NULL leaves it as it is.
pub(crate) fn xxhash_value(value: &Value<'_>, seed: u64) -> u64 {
    hash_with::<XxHash64, u64>(value, seed)
}

struct XxHash64;

impl ValueHash<u64> for XxHash64 {
    fn int(word: u32, seed: u64) -> u64 {
        finish(mix_word(seed.wrapping_add(PRIME_5).wrapping_add(4), word))
    }

    fn long(value: u64, seed: u64) -> u64 {
        finish(mix_long(seed.wrapping_add(PRIME_5).wrapping_add(8), value))
    }

    fn bytes(bytes: &[u8], seed: u64) -> u64 {
        of_bytes(bytes, seed)
    }
}

fn mix_word(hash: u64, word: u32) -> u64 {
    (hash ^ u64::from(word).wrapping_mul(PRIME_1)).rotate_left(23).wrapping_mul(PRIME_2).wrapping_add(PRIME_3)
}

fn mix_long(hash: u64, long: u64) -> u64 {
    (hash ^ round(0, long)).rotate_left(27).wrapping_mul(PRIME_1).wrapping_add(PRIME_4)
}

fn round(lane: u64, long: u64) -> u64 {
    lane.wrapping_add(long.wrapping_mul(PRIME_2)).rotate_left(31).wrapping_mul(PRIME_1)
}

fn of_bytes(bytes: &[u8], seed: u64) -> u64 {
    let (stripes, rest) = bytes.as_chunks::<32>();
    let mut hash = seed.wrapping_add(PRIME_5);
    if !stripes.is_empty() {
        let mut lanes = [
            seed.wrapping_add(PRIME_1).wrapping_add(PRIME_2),
            seed.wrapping_add(PRIME_2),
            seed,
            seed.wrapping_sub(PRIME_1),
        ];
        for stripe in stripes {
            let (longs, _) = stripe.as_chunks::<8>();
            for (lane, long) in lanes.iter_mut().zip(longs) {
                *lane = round(*lane, u64::from_le_bytes(*long));
            }
        }
        hash =
            lanes.iter().zip([1, 7, 12, 18]).fold(0, |sum: u64, (lane, bits)| sum.wrapping_add(lane.rotate_left(bits)));
        for lane in lanes {
            hash = (hash ^ round(0, lane)).wrapping_mul(PRIME_1).wrapping_add(PRIME_4);
        }
    }
    hash = hash.wrapping_add(bytes.len() as u64);
    let (longs, rest) = rest.as_chunks::<8>();
    hash = longs.iter().fold(hash, |hash, long| mix_long(hash, u64::from_le_bytes(*long)));
    let (words, rest) = rest.as_chunks::<4>();
    hash = words.iter().fold(hash, |hash, word| mix_word(hash, u32::from_le_bytes(*word)));
    hash = rest
        .iter()
        .fold(hash, |hash, byte| (hash ^ u64::from(*byte).wrapping_mul(PRIME_5)).rotate_left(11).wrapping_mul(PRIME_1));
    finish(hash)
}

fn finish(mut hash: u64) -> u64 {
    hash = (hash ^ hash >> 33).wrapping_mul(PRIME_2);
    hash = (hash ^ hash >> 29).wrapping_mul(PRIME_3);
    hash ^ hash >> 32
}
