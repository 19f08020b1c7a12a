//! `approx_count_distinct`: HyperLogLog++ as Spark has it (`HyperLogLogPlusPlusHelper`), with the same hashes and
//! registers, and so with the same results.

use std::sync::LazyLock;

use crate::types::{Value, xxhash_value};

/// Bits of a register's number: the fewest and the most. (Spark has no upper bound, and runs out of memory.)
const BITS: std::ops::RangeInclusive<u8> = 4..=18;
const SEED: u64 = 42;
/// Below so many the count goes by the registers that are empty; for each number of bits from 4 on.
const LINEAR_MAX: [f64; 15] = [
    10.0, 20.0, 40.0, 80.0, 220.0, 400.0, 900.0, 1800.0, 3100.0, 6500.0, 15500.0, 20000.0, 50000.0, 120000.0, 350000.0,
];
/// So many estimates around one tell how much it is too large.
const NEIGHBOURS: usize = 6;

/// For each number of bits from 4 on: raw estimates, and by how much each is too large.
static BIAS: LazyLock<Vec<Vec<f64>>> = LazyLock::new(|| {
    let lines = include_str!("cardinality/bias.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(' ').filter_map(|number| number.parse().ok()).collect()).collect()
});

/// How many bits number the registers of a sketch with this relative deviation; `None` if that is too large or too small.
pub(crate) fn bits(deviation: f64) -> Option<u8> {
    let bits = (2.0 * (1.106 / deviation).log2()).ceil();
    let bits = if bits.is_finite() { bits as i64 } else { i64::MAX };
    u8::try_from(bits).ok().filter(|bits| BITS.contains(bits))
}

/// Counts a value that is not NULL.
pub(super) fn add(registers: &mut [u8], bits: u8, value: &Value<'_>) {
    let hash = xxhash_value(value, SEED);
    let number = (hash >> (64 - u32::from(bits))) as usize;
    // A bit after all others bounds the run of zeros.
    let rest = hash << bits | 1 << (bits - 1);
    let run = rest.leading_zeros() as u8 + 1;
    if let Some(register) = registers.get_mut(number) {
        *register = run.max(*register);
    }
}

/// About how many different values were counted.
pub(super) fn estimate(registers: &[u8], bits: u8) -> i64 {
    let count = registers.len() as f64;
    let empty = registers.iter().filter(|register| **register == 0).count() as f64;
    let inverse: f64 = registers.iter().map(|register| 1.0 / (1_u64 << register.min(&63)) as f64).sum();
    let alpha = match bits {
        4 => 0.673,
        5 => 0.697,
        6 => 0.709,
        _ => 0.7213 / (1.0 + 1.079 / count),
    };
    let raw = alpha * count * count / inverse;
    let linear = count * (count / empty).ln();
    let linear_max = LINEAR_MAX.get(usize::from(bits.saturating_sub(*BITS.start()))).copied().unwrap_or(0.0);
    let estimate = if empty > 0.0 && (linear <= linear_max || raw <= 2.5 * count) {
        linear
    } else if raw < 5.0 * count {
        raw - bias(raw, bits)
    } else {
        raw
    };
    // Java's Math.round.
    (estimate + 0.5).floor() as i64
}

/// By how much a raw estimate is too large: the mean of those that are nearest.
fn bias(raw: f64, bits: u8) -> f64 {
    let at = usize::from(bits.saturating_sub(*BITS.start())) * 2;
    let (Some(estimates), Some(biases)) = (BIAS.get(at), BIAS.get(at + 1)) else { return 0.0 };
    let distance = |index: usize| estimates.get(index).map_or(f64::INFINITY, |estimate| (raw - estimate).powi(2));
    let nearest = place(estimates, raw);
    let mut low = (nearest + 1).saturating_sub(NEIGHBOURS);
    let mut high = (low + NEIGHBOURS).min(estimates.len());
    while high < estimates.len() && distance(high) < distance(low) {
        low += 1;
        high += 1;
    }
    let near = biases.get(low..high).unwrap_or_default();
    near.iter().sum::<f64>() / near.len().max(1) as f64
}

/// Where a number stands among others. Some of these are not in order, so that it matters where the search looks: as
/// Java's `Arrays.binarySearch`.
fn place(numbers: &[f64], wanted: f64) -> usize {
    let (mut low, mut end) = (0, numbers.len());
    while low < end {
        let middle = (low + end - 1) / 2;
        match numbers.get(middle) {
            Some(number) if *number < wanted => low = middle + 1,
            Some(number) if *number > wanted => end = middle,
            _ => return middle,
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_of_bits_has_its_estimates() {
        assert_eq!(BIAS.len(), 2 * LINEAR_MAX.len());
        for pair in BIAS.chunks(2) {
            assert!(pair[0].len() == pair[1].len() && pair[0].len() >= 79);
        }
    }

    #[test]
    fn deviations_become_bits() {
        assert_eq!([0.39, 0.2, 0.1, 0.05, 0.02, 0.01, 0.0025].map(bits), [4, 5, 7, 9, 12, 14, 18].map(Some));
        assert_eq!([0.4, 0.001, 0.0, -1.0, f64::NAN].map(bits), [None; 5]);
    }

    #[test]
    fn estimates_are_sparks() {
        // Of 0, 1, 2 … as BIGINT, with these deviations.
        let bits = [0.39, 0.25, 0.2, 0.1, 0.05, 0.02, 0.01].map(|deviation| super::bits(deviation).unwrap());
        let recorded: [(i64, [i64; 7]); 20] = [
            (0, [0, 0, 0, 0, 0, 0, 0]),
            (1, [1, 1, 1, 1, 1, 1, 1]),
            (10, [13, 12, 12, 10, 10, 10, 10]),
            (45, [48, 49, 49, 47, 46, 45, 45]),
            (60, [51, 67, 67, 59, 63, 60, 60]),
            (75, [60, 88, 88, 77, 76, 75, 75]),
            (90, [80, 111, 111, 91, 92, 90, 90]),
            (130, [103, 141, 141, 134, 130, 130, 131]),
            (200, [191, 220, 220, 195, 195, 199, 199]),
            (330, [302, 323, 323, 283, 330, 331, 331]),
            (500, [374, 394, 394, 410, 484, 499, 500]),
            (640, [424, 419, 419, 545, 649, 641, 637]),
            (1300, [1505, 1408, 1408, 1280, 1260, 1282, 1296]),
            (1500, [1505, 1408, 1408, 1404, 1400, 1494, 1507]),
            (2000, [2442, 2042, 2042, 2096, 1947, 2019, 2013]),
            (2500, [2548, 2125, 2125, 2446, 2378, 2501, 2495]),
            (5000, [5387, 4700, 4700, 4570, 4671, 4908, 4957]),
            (15000, [15552, 12738, 12738, 13501, 14240, 14911, 14897]),
            (21000, [25488, 20497, 20497, 19095, 20455, 20684, 20912]),
            (50000, [59583, 46266, 46266, 54380, 50113, 50201, 49813]),
        ];
        for (count, expected) in recorded {
            let estimates = bits.map(|bits| {
                let mut registers = vec![0; 1 << bits];
                (0..count).for_each(|number| add(&mut registers, bits, &Value::BigInt(number)));
                estimate(&registers, bits)
            });
            assert_eq!(estimates, expected, "{count}");
        }
    }
}
