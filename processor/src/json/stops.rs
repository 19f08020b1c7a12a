//! Where the plain part of a JSON string ends: at a quote, a backslash or a control character (below 0x20), looked for
//! in 16 or 8 bytes at once.
//!
//! On x86-64 with SSE2, which belongs to the architecture and so needs no detection at run time; elsewhere the same is
//! done on 64-bit words. Property tests hold the two to one meaning.

/// Where a run of plain characters stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Index of the first stop, or the length of the bytes.
    pub(super) end: usize,
    /// Whether a byte of the run is not ASCII.
    pub(super) non_ascii: bool,
}

/// The run that begins at `from`, which may be the length of `bytes` or more. `quote` is ASCII.
#[inline]
pub(super) fn plain_run(bytes: &[u8], from: usize, quote: u8) -> Run {
    // SAFETY: every x86-64 processor has SSE2; the function itself is safe code. (The compiler does not take that from
    // the target on its own.)
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    return unsafe { sse2::plain_run(bytes, from, quote) };
    #[cfg(not(target_arch = "x86_64"))]
    return portable::plain_run(bytes, from, quote);
}

/// For each byte a bit, the first byte's the lowest: whether it is a stop, the quote being the double one; and whether
/// it is not ASCII.
#[inline]
pub(super) fn marks(block: &[u8; 64]) -> (u64, u64) {
    // SAFETY: as above.
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    return unsafe { sse2::marks(block) };
    #[cfg(not(target_arch = "x86_64"))]
    return portable::marks(block);
}

/// The last bytes, too few for a whole block.
#[inline]
fn tail_run(bytes: &[u8], from: usize, quote: u8, mut non_ascii: bool) -> Run {
    let mut end = from;
    for &byte in bytes.get(from..).unwrap_or_default() {
        if byte == quote || byte == b'\\' || byte < 0x20 {
            break;
        }
        non_ascii |= byte >= 0x80;
        end += 1;
    }
    Run { end, non_ascii }
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_max_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };

    use super::{Run, tail_run};

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) fn plain_run(bytes: &[u8], from: usize, quote: u8) -> Run {
        let mut at = from;
        let mut high_bits = 0;
        while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
            let (stops, high) = part_marks(block, quote);
            if stops != 0 {
                let index = stops.trailing_zeros();
                high_bits |= high & ((1 << index) - 1);
                return Run { end: at + index as usize, non_ascii: high_bits != 0 };
            }
            high_bits |= high;
            at += 16;
        }
        tail_run(bytes, at, quote, high_bits != 0)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) fn marks(block: &[u8; 64]) -> (u64, u64) {
        let (mut all_stops, mut all_high) = (0, 0);
        for (index, part) in block.as_chunks::<16>().0.iter().enumerate() {
            let (stops, high) = part_marks(part, b'"');
            all_stops |= u64::from(stops) << (16 * index);
            all_high |= u64::from(high) << (16 * index);
        }
        (all_stops, all_high)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn part_marks(part: &[u8; 16], quote: u8) -> (u32, u32) {
        let part = load(part);
        let last_control = _mm_set1_epi8(0x1f);
        let quotes = _mm_cmpeq_epi8(part, _mm_set1_epi8(quote as i8));
        let backslashes = _mm_cmpeq_epi8(part, _mm_set1_epi8(b'\\' as i8));
        let controls = _mm_cmpeq_epi8(_mm_max_epu8(part, last_control), last_control);
        let stops = _mm_or_si128(_mm_or_si128(quotes, backslashes), controls);
        (_mm_movemask_epi8(stops) as u32, _mm_movemask_epi8(part) as u32)
    }

    /// Becomes one unaligned load.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(part: &[u8; 16]) -> __m128i {
        let part = u128::from_le_bytes(*part);
        _mm_set_epi64x((part >> 64) as i64, part as i64)
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    use super::{Run, tail_run};

    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;

    pub(super) fn plain_run(bytes: &[u8], from: usize, quote: u8) -> Run {
        let mut at = from;
        let mut high_bits = 0;
        while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*word);
            // A borrow makes false hits only above a true one, and the lowest is what counts.
            let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word & HIGHS;
            let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
            let stops = equal(quote) | equal(b'\\') | below(word, 0x20);
            if stops != 0 {
                let index = stops.trailing_zeros() / 8;
                high_bits |= word & HIGHS & ((1 << (index * 8)) - 1);
                return Run { end: at + index as usize, non_ascii: high_bits != 0 };
            }
            high_bits |= word & HIGHS;
            at += 8;
        }
        tail_run(bytes, at, quote, high_bits != 0)
    }

    pub(super) fn marks(block: &[u8; 64]) -> (u64, u64) {
        let mut marks = (0, 0);
        for (index, &byte) in block.iter().enumerate() {
            marks.0 |= u64::from(byte == b'"' || byte == b'\\' || byte < 0x20) << index;
            marks.1 |= u64::from(byte >= 0x80) << index;
        }
        marks
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(in super::super) fn text_like() -> impl Strategy<Value = Vec<u8>> {
        let byte =
            prop_oneof![12 => Just(b'a'), 1 => any::<u8>(), 1 => prop::sample::select(&b"\"'\\\x1f \x7f\x80\xff"[..])];
        prop::collection::vec(byte, 0..200)
    }

    proptest! {
        #[test]
        fn every_path_stops_where_a_byte_by_byte_search_does(bytes in text_like(), from in 0usize..210, double: bool) {
            let quote = if double { b'"' } else { b'\'' };
            let expected = tail_run(&bytes, from, quote, false);
            prop_assert_eq!(plain_run(&bytes, from, quote), expected);
            prop_assert_eq!(portable::plain_run(&bytes, from, quote), expected);
            if let Some(block) = bytes.first_chunk() {
                prop_assert_eq!(marks(block), portable::marks(block));
            }
        }
    }
}
