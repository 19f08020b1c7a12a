//! Finds where the plain part of a JSON string ends, sixteen or eight bytes at a time.
//!
//! On x86-64 with SSE2, which belongs to the architecture and so needs no detection at run time; elsewhere the same is
//! done on 64-bit words. A property test holds the two to one meaning.

/// Where a run of plain characters stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Index of the first quote, backslash or control character (below 0x20), or the length of the bytes.
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
        let quotes = _mm_set1_epi8(quote as i8);
        let backslashes = _mm_set1_epi8(b'\\' as i8);
        let last_control = _mm_set1_epi8(0x1f);
        let look = |block: &[u8; 16]| {
            let block = load(block);
            let stops = _mm_or_si128(
                _mm_or_si128(_mm_cmpeq_epi8(block, quotes), _mm_cmpeq_epi8(block, backslashes)),
                _mm_cmpeq_epi8(_mm_max_epu8(block, last_control), last_control),
            );
            (_mm_movemask_epi8(stops) as u32, _mm_movemask_epi8(block) as u32)
        };
        let mut at = from;
        let mut high_bits = 0;
        while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
            let (stops, high) = look(block);
            if stops != 0 {
                let index = stops.trailing_zeros();
                high_bits |= high & ((1 << index) - 1);
                return Run { end: at + index as usize, non_ascii: high_bits != 0 };
            }
            high_bits |= high;
            at += 16;
        }
        // Less than a block is left: look at the last whole one again, without what comes before.
        if let Some(block) = bytes.last_chunk::<16>()
            && let Some(left) = bytes.len().checked_sub(at)
        {
            let (stops, high) = look(block);
            let (stops, high) = (stops >> (16 - left), high >> (16 - left));
            let index = stops.trailing_zeros().min(left as u32);
            high_bits |= high & ((1 << index) - 1);
            return Run { end: at + index as usize, non_ascii: high_bits != 0 };
        }
        tail_run(bytes, at, quote, high_bits != 0)
    }

    /// Becomes one unaligned load.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(block: &[u8; 16]) -> __m128i {
        let block = u128::from_le_bytes(*block);
        _mm_set_epi64x((block >> 64) as i64, block as i64)
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
        while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let block = u64::from_le_bytes(*block);
            // A borrow makes false hits only above a true one, and the lowest is what counts.
            let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word & HIGHS;
            let equal = |byte: u8| below(block ^ (ONES * u64::from(byte)), 1);
            let stops = equal(quote) | equal(b'\\') | below(block, 0x20);
            if stops != 0 {
                let index = stops.trailing_zeros() / 8;
                high_bits |= block & HIGHS & ((1 << (index * 8)) - 1);
                return Run { end: at + index as usize, non_ascii: high_bits != 0 };
            }
            high_bits |= block & HIGHS;
            at += 8;
        }
        tail_run(bytes, at, quote, high_bits != 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alphabet() -> impl Strategy<Value = u8> {
        prop_oneof![8 => Just(b'a'), 1 => any::<u8>(), 1 => prop::sample::select(&b"\"'\\\x1f \x7f\x80\xff"[..])]
    }

    proptest! {
        #[test]
        fn every_path_stops_where_a_byte_by_byte_search_does(
            bytes in prop::collection::vec(alphabet(), 0..80), from in 0usize..90, double: bool,
        ) {
            let quote = if double { b'"' } else { b'\'' };
            let expected = tail_run(&bytes, from, quote, false);
            prop_assert_eq!(plain_run(&bytes, from, quote), expected);
            prop_assert_eq!(portable::plain_run(&bytes, from, quote), expected);
        }
    }
}
