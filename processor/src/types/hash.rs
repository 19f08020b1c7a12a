//! Spark's `hash()`: Murmur3 with its own ways of mixing in what is not a multiple of four bytes.
//! Follows `HashExpression`, `Murmur3HashFunction` and `Murmur3_x86_32`.

use super::{Decimal, Value};

/// Digits of a decimal that Spark keeps in a long.
const LONG_DIGITS: u8 = 18;

/// How a hash function takes the three kinds of pieces that Spark makes of values. `H` is the hash so far.
pub(crate) trait ValueHash<H: Copy> {
    fn int(word: u32, seed: H) -> H;
    fn long(value: u64, seed: H) -> H;
    fn bytes(bytes: &[u8], seed: H) -> H;
}

/// The hash of a value after `seed`, which is what was hashed before it, and 42 at first. NULL leaves it as it is.
pub(crate) fn hash_value(value: &Value<'_>, seed: u32) -> u32 {
    hash_with::<Murmur3, u32>(value, seed)
}

/// The same by any hash function (`InterpretedHashFunction.hash`).
pub(crate) fn hash_with<F: ValueHash<H>, H: Copy>(value: &Value<'_>, seed: H) -> H {
    let all = |seed, value: &Value<'_>| hash_with::<F, H>(value, seed);
    match value {
        Value::Null => seed,
        Value::Boolean(value) => F::int(u32::from(*value), seed),
        Value::TinyInt(value) => F::int(i32::from(*value) as u32, seed),
        Value::SmallInt(value) => F::int(i32::from(*value) as u32, seed),
        Value::Int(value) | Value::Date(value) | Value::Months(value) => F::int(*value as u32, seed),
        Value::BigInt(value) | Value::Timestamp(value) | Value::Micros(value) => F::long(*value as u64, seed),
        Value::Float(value) => F::int(float_bits(*value), seed),
        Value::Double(value) => F::long(group_bits(*value), seed),
        Value::Decimal(value) => hash_decimal::<F, H>(*value, seed),
        Value::String(bytes) | Value::Binary(bytes) => F::bytes(bytes, seed),
        Value::Array(values) | Value::Struct(values) => values.iter().fold(seed, all),
        Value::Map(entries) => entries.iter().fold(seed, |seed, (key, value)| all(all(seed, key), value)),
    }
}

/// The bits that stand for all doubles of a group: one for both zeros, and one for all NaNs.
pub(super) fn group_bits(double: f64) -> u64 {
    if double == 0.0 {
        0
    } else if double.is_nan() {
        0x7ff8_0000_0000_0000
    } else {
        double.to_bits()
    }
}

/// As [`group_bits`], of a float.
pub(super) fn float_bits(float: f32) -> u32 {
    if float == 0.0 {
        0
    } else if float.is_nan() {
        0x7fc0_0000
    } else {
        float.to_bits()
    }
}

fn hash_decimal<F: ValueHash<H>, H: Copy>(decimal: Decimal, seed: H) -> H {
    if decimal.precision <= LONG_DIGITS {
        return F::long(decimal.unscaled as u64, seed);
    }
    // `BigInteger.toByteArray`: the fewest bytes that keep the sign.
    let bytes = decimal.unscaled.to_be_bytes();
    let spare_bits = decimal.unscaled.leading_zeros().max(decimal.unscaled.leading_ones()).saturating_sub(1);
    F::bytes(bytes.get(spare_bits as usize / 8..).unwrap_or(&bytes), seed)
}

struct Murmur3;

impl ValueHash<u32> for Murmur3 {
    fn int(word: u32, seed: u32) -> u32 {
        finish(mix(seed, word) ^ 4)
    }

    fn long(value: u64, seed: u32) -> u32 {
        finish(mix(mix(seed, value as u32), (value >> 32) as u32) ^ 8)
    }

    fn bytes(bytes: &[u8], seed: u32) -> u32 {
        hash_bytes(bytes, seed)
    }
}

/// `Murmur3_x86_32.hashUnsafeBytes`: unlike Murmur3 proper, each byte after the last whole word is mixed in as a word
/// of its own, sign-extended.
fn hash_bytes(bytes: &[u8], seed: u32) -> u32 {
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
