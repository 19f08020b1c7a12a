//! Spark's `xxhash64()`: XXH64, with each column's hash as the seed of the next. Follows `XxHash64Function` and `XXH64`.

use crate::types::{Decimal, Value};

const SEED: u64 = 42;
const PRIME_1: u64 = 0x9E37_79B1_85EB_CA87;
const PRIME_2: u64 = 0xC2B2_AE3D_27D4_EB4F;
const PRIME_3: u64 = 0x1656_67B1_9E37_79F9;
const PRIME_4: u64 = 0x85EB_CA77_C2B2_AE63;
const PRIME_5: u64 = 0x27D4_EB2F_1656_67C5;
/// Digits of a decimal that Spark keeps in a long.
const LONG_DIGITS: u8 = 18;

/// Sees NULLs, which leave the hash as it is.
pub(crate) fn xxhash64(values: Vec<Value<'_>>) -> Value<'_> {
    Value::BigInt(values.iter().fold(SEED, |seed, value| of_value(value, seed)) as i64)
}

fn of_value(value: &Value<'_>, seed: u64) -> u64 {
    match value {
        Value::Null => seed,
        Value::Boolean(value) => of_int(u32::from(*value), seed),
        Value::Int(value) | Value::Date(value) => of_int(*value as u32, seed),
        Value::BigInt(value) | Value::Timestamp(value) => of_long(*value as u64, seed),
        // One zero, and one NaN.
        Value::Double(value) if *value == 0.0 => of_long(0, seed),
        Value::Double(value) if value.is_nan() => of_long(0x7ff8_0000_0000_0000, seed),
        Value::Double(value) => of_long(value.to_bits(), seed),
        Value::Decimal(value) => of_decimal(*value, seed),
        Value::String(bytes) | Value::Binary(bytes) => of_bytes(bytes, seed),
        Value::Array(values) | Value::Struct(values) => values.iter().fold(seed, |seed, value| of_value(value, seed)),
        Value::Map(entries) => entries.iter().fold(seed, |seed, (key, value)| of_value(value, of_value(key, seed))),
    }
}

fn of_decimal(decimal: Decimal, seed: u64) -> u64 {
    if decimal.precision <= LONG_DIGITS {
        return of_long(decimal.unscaled as u64, seed);
    }
    // `BigInteger.toByteArray`: the fewest bytes that keep the sign.
    let bytes = decimal.unscaled.to_be_bytes();
    let spare_bits = decimal.unscaled.leading_zeros().max(decimal.unscaled.leading_ones()).saturating_sub(1);
    of_bytes(bytes.get(spare_bits as usize / 8..).unwrap_or(&bytes), seed)
}

fn of_int(value: u32, seed: u64) -> u64 {
    finish(mix_word(seed.wrapping_add(PRIME_5).wrapping_add(4), value))
}

fn of_long(value: u64, seed: u64) -> u64 {
    finish(mix_long(seed.wrapping_add(PRIME_5).wrapping_add(8), value))
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
