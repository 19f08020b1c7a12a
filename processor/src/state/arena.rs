//! Byte strings one after the other, each told by 32 bits.

/// Strings of bytes that were put and not released. What was released is given back by copying what is left.
#[derive(Debug, Default)]
pub(super) struct Arena {
    /// Each string as its length in seven bits a byte, its bytes, and up to three more to a whole granule.
    bytes: Vec<u8>,
    /// Bytes of those that were released.
    released: usize,
}

/// Places are counted in these, so that 32 bits tell 16 GiB.
const GRANULE: usize = 4;
/// Less is not worth the work of giving it back.
const RELEASED_MIN: usize = 64 << 10;

impl Arena {
    /// Where the string is now; `None` if there is no more place.
    pub(super) fn put(&mut self, string: &[u8]) -> Option<u32> {
        let place = u32::try_from(self.bytes.len() / GRANULE).ok().filter(|place| *place < u32::MAX)?;
        reserve(&mut self.bytes, string.len() + 2 * GRANULE + size_of::<u64>());
        let mut len = string.len();
        while len >= 0x80 {
            self.bytes.push(len as u8 | 0x80);
            len >>= 7;
        }
        self.bytes.push(len as u8);
        self.bytes.extend_from_slice(string);
        self.bytes.resize(self.bytes.len().next_multiple_of(GRANULE), 0);
        Some(place)
    }

    #[inline]
    pub(super) fn get(&self, place: u32) -> Option<&[u8]> {
        let start = place as usize * GRANULE;
        let first = *self.bytes.get(start)?;
        if first < 0x80 {
            return self.bytes.get(start + 1..start + 1 + first as usize);
        }
        let (mut len, mut at, mut shift) = (usize::from(first & 0x7f), start + 1, 7);
        loop {
            let byte = *self.bytes.get(at)?;
            len |= usize::from(byte & 0x7f) << shift;
            at += 1;
            shift += 7;
            if byte < 0x80 {
                return self.bytes.get(at..at + len);
            }
        }
    }

    /// Says that a string is not needed any more.
    pub(super) fn release(&mut self, place: u32) {
        let len = self.get(place).map_or(0, <[u8]>::len);
        let prefix = (usize::BITS - len.leading_zeros()).max(1).div_ceil(7) as usize;
        self.released += (prefix + len).next_multiple_of(GRANULE);
    }

    /// Whether most of it was released.
    pub(super) fn is_mostly_released(&self) -> bool {
        self.released > RELEASED_MIN && self.released > self.bytes.len() / 2
    }

    /// An empty one with room for what is left of this one.
    pub(super) fn successor(&self) -> Self {
        Self { bytes: Vec::with_capacity(self.bytes.len().saturating_sub(self.released)), released: 0 }
    }

    /// Memory in bytes, as allocated.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.capacity()
    }
}

/// Makes room, at first by doubling and from a MiB on by a quarter: so much of a large state may lie idle.
pub(super) fn reserve<T>(vec: &mut Vec<T>, additional: usize) {
    if vec.capacity() - vec.len() < additional {
        let large = vec.capacity() * size_of::<T>() >= 1 << 20;
        let step = if large { vec.capacity() / 4 } else { vec.capacity() };
        vec.reserve_exact(additional.max(step).max(16));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_any_length_are_found() {
        let mut arena = Arena::default();
        let strings: Vec<Vec<u8>> =
            [0, 1, 3, 4, 127, 128, 16_383, 16_384, 100_000].map(|len| vec![len as u8; len]).into();
        let places: Vec<u32> = strings.iter().map(|string| arena.put(string).unwrap()).collect();
        for (string, place) in strings.iter().zip(&places) {
            assert_eq!(arena.get(*place), Some(string.as_slice()));
        }
        let full = arena.bytes.len();
        places.iter().for_each(|place| arena.release(*place));
        assert_eq!(arena.released, full);
        assert!(arena.is_mostly_released());
        assert_eq!(arena.successor().bytes(), 0);
    }
}
