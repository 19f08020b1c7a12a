//! Short byte strings as machine words, which compare without a loop or a call.

/// A byte string of up to 16 bytes, or NULL. Equal if and only if what it was made of is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShortKey {
    first: u64,
    last: u64,
    len: u64,
}

impl ShortKey {
    /// NULL.
    pub(crate) const NULL: Self = Self { first: 0, last: 0, len: u64::MAX };

    /// The key of `bytes`; `None` if they are too long.
    #[inline]
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        // The first and the last bytes, which overlap or meet: with the length they tell all of it.
        let (first, last) = match bytes {
            [] => (0, 0),
            [only] => (u64::from(*only), 0),
            [a, b] => (u64::from(*a), u64::from(*b)),
            [a, b, c] => (u64::from(*a), u64::from(*b) << 8 | u64::from(*c)),
            _ if bytes.len() < 8 => (
                u64::from(u32::from_le_bytes(*bytes.first_chunk()?)),
                u64::from(u32::from_le_bytes(*bytes.last_chunk()?)),
            ),
            _ if bytes.len() <= 16 => {
                (u64::from_le_bytes(*bytes.first_chunk()?), u64::from_le_bytes(*bytes.last_chunk()?))
            }
            _ => return None,
        };
        Some(Self { first, last, len: bytes.len() as u64 })
    }

    /// A number below `2^bits`, for a table that may be wrong: keys that clash cost time alone.
    #[inline]
    pub(crate) fn spread(self, bits: u32) -> usize {
        let mixed = (self.first ^ self.last.rotate_left(25) ^ self.len).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> (64 - bits)) as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_are_equal_as_their_bytes_are(
            a in prop::collection::vec(0u8..2, 0..20), b in prop::collection::vec(0u8..2, 0..20),
        ) {
            let (short_a, short_b) = (ShortKey::of(&a), ShortKey::of(&b));
            prop_assert_eq!(short_a.is_some(), a.len() <= 16);
            if let (Some(short_a), Some(short_b)) = (short_a, short_b) {
                prop_assert_eq!(short_a == short_b, a == b);
                prop_assert_ne!(short_a, ShortKey::NULL);
                prop_assert!(short_a.spread(6) < 64);
            }
        }
    }
}
