//! Kafka's zig-zag varints, as in a record (Protocol Buffers' encoding, `org.apache.kafka.common.utils.ByteUtils`).

/// Takes one signed varint of at most 64 bits off the front of `input`; `None` if it is cut short or too long.
#[inline]
pub(crate) fn take_varlong(input: &mut &[u8]) -> Option<i64> {
    // One or two bytes are nearly all there are in a record.
    if let [byte, rest @ ..] = *input
        && byte & 0x80 == 0
    {
        *input = rest;
        return Some(unfold(u64::from(*byte)));
    }
    if let [low, high, rest @ ..] = *input
        && high & 0x80 == 0
    {
        *input = rest;
        return Some(unfold(u64::from(low & 0x7f) | u64::from(*high) << 7));
    }
    take_long_varlong(input)
}

#[inline]
fn unfold(zigzag: u64) -> i64 {
    (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)
}

fn take_long_varlong(input: &mut &[u8]) -> Option<i64> {
    let mut value: u64 = 0;
    let mut shift = 0;
    loop {
        let (&byte, rest) = input.split_first()?;
        *input = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(unfold(value));
        }
        shift += 7;
        if shift > 63 {
            return None;
        }
    }
}

/// Takes one signed varint of at most 32 bits off the front of `input`.
#[inline]
pub fn take_varint(input: &mut &[u8]) -> Option<i32> {
    take_varlong(input).and_then(|value| i32::try_from(value).ok())
}

/// Appends `value` as a zig-zag varint.
#[inline]
pub(crate) fn put_varlong(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// The bytes that [`put_varlong`] would append.
#[inline]
pub(crate) fn varlong_len(value: i64) -> usize {
    let rest = ((value << 1) ^ (value >> 63)) as u64;
    (70 - (rest | 1).leading_zeros() as usize) / 7
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_written_number_reads_back(value: i64) {
            let mut out = Vec::new();
            put_varlong(&mut out, value);
            prop_assert_eq!(out.len(), varlong_len(value));
            let mut input = out.as_slice();
            prop_assert_eq!(take_varlong(&mut input), Some(value));
            prop_assert!(input.is_empty());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let mut input = bytes.as_slice();
            let _ = take_varlong(&mut input);
            let _ = take_varint(&mut input);
        }
    }

    #[test]
    fn the_bytes_are_those_of_kafka() {
        for (value, bytes) in [(0, &[0][..]), (-1, &[1]), (1, &[2]), (63, &[0x7e]), (-64, &[0x7f]), (64, &[0x80, 1])] {
            let mut out = Vec::new();
            put_varlong(&mut out, value);
            assert_eq!(out, bytes);
        }
    }
}
