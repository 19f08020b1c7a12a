//! The four codecs of Kafka's record batches, each with a bound on what it may unfold to.

use std::io::{self, Read, Write};

/// How the records of a batch are compressed: the low three bits of its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// As they are.
    None = 0,
    /// RFC 1952.
    Gzip = 1,
    /// Snappy, either raw (librdkafka) or in xerial's framing (Java).
    Snappy = 2,
    /// LZ4 frames.
    Lz4 = 3,
    /// Zstandard (KIP-110).
    Zstd = 4,
}

/// Why compressed records could not be unfolded.
#[derive(Debug, thiserror::Error)]
pub enum CompressionError {
    /// They unfold to more than the bound.
    #[error("the records unfold to more than {0} bytes")]
    TooLarge(usize),
    /// They are not what their codec writes.
    #[error("the records do not decompress: {0}")]
    Corrupt(String),
}

impl Compression {
    /// The codec that a batch's attributes name; a number without a codec is the error.
    pub fn from_attributes(attributes: i16) -> Result<Self, i16> {
        match attributes & 0x07 {
            0 => Ok(Self::None),
            1 => Ok(Self::Gzip),
            2 => Ok(Self::Snappy),
            3 => Ok(Self::Lz4),
            4 => Ok(Self::Zstd),
            other => Err(other),
        }
    }
}

/// Unfolds `input` into `out`, which is cleared first and never grows past `bytes_max`.
pub fn decompress(
    codec: Compression,
    input: &[u8],
    out: &mut Vec<u8>,
    bytes_max: usize,
) -> Result<(), CompressionError> {
    out.clear();
    match codec {
        Compression::None if input.len() > bytes_max => Err(CompressionError::TooLarge(bytes_max)),
        Compression::None => {
            out.extend_from_slice(input);
            Ok(())
        }
        Compression::Gzip => read_bounded(flate2::read::MultiGzDecoder::new(input), out, bytes_max),
        Compression::Lz4 => read_bounded(lz4_flex::frame::FrameDecoder::new(input), out, bytes_max),
        Compression::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(input).map_err(corrupt)?;
            read_bounded(decoder, out, bytes_max)
        }
        Compression::Snappy => unfold_snappy(input, out, bytes_max),
    }
}

/// Appends `input`, compressed, to `out`, at the codec's default level; Snappy in xerial's framing, as Java writes it.
pub fn compress(codec: Compression, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    compress_at(codec, None, input, out)
}

/// As [`compress`], at a level of gzip (0-9) or Zstandard; the other codecs have one level here.
pub fn compress_at(codec: Compression, level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    match codec {
        Compression::None => out.extend_from_slice(input),
        Compression::Gzip => {
            let level = level.and_then(|level| u32::try_from(level).ok()).filter(|level| *level <= 9);
            let level = level.map_or_else(flate2::Compression::default, flate2::Compression::new);
            let mut encoder = flate2::write::GzEncoder::new(out, level);
            encoder.write_all(input)?;
            encoder.finish()?;
        }
        Compression::Lz4 => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(out);
            encoder.write_all(input)?;
            encoder.finish().map_err(io::Error::other)?;
        }
        Compression::Zstd => zstd::stream::copy_encode(input, out, level.unwrap_or(0))?,
        Compression::Snappy => fold_snappy(input, out)?,
    }
    Ok(())
}

fn corrupt(error: impl std::fmt::Display) -> CompressionError {
    CompressionError::Corrupt(error.to_string())
}

/// Reads to the end, one byte past the bound at most.
fn read_bounded(reader: impl Read, out: &mut Vec<u8>, bytes_max: usize) -> Result<(), CompressionError> {
    reader.take(bytes_max as u64 + 1).read_to_end(out).map_err(corrupt)?;
    if out.len() > bytes_max { Err(CompressionError::TooLarge(bytes_max)) } else { Ok(()) }
}

/// xerial's framing: this, version and lowest compatible version (4 bytes each), then blocks of length and raw Snappy.
const XERIAL_MAGIC: &[u8; 8] = b"\x82SNAPPY\0";
const XERIAL_HEADER_LEN: usize = 16;
const XERIAL_BLOCK_LEN: usize = 32 * 1024;

fn unfold_snappy(input: &[u8], out: &mut Vec<u8>, bytes_max: usize) -> Result<(), CompressionError> {
    if !input.starts_with(XERIAL_MAGIC) {
        return unfold_snappy_block(input, out, bytes_max);
    }
    let mut rest = input.get(XERIAL_HEADER_LEN..).ok_or_else(|| corrupt("the xerial header is cut short"))?;
    while !rest.is_empty() {
        let (length, body) = rest.split_first_chunk::<4>().ok_or_else(|| corrupt("a xerial block is cut short"))?;
        let (block, next) = usize::try_from(u32::from_be_bytes(*length))
            .ok()
            .and_then(|length| body.split_at_checked(length))
            .ok_or_else(|| corrupt("a xerial block is cut short"))?;
        unfold_snappy_block(block, out, bytes_max)?;
        rest = next;
    }
    Ok(())
}

fn unfold_snappy_block(block: &[u8], out: &mut Vec<u8>, bytes_max: usize) -> Result<(), CompressionError> {
    let length = snap::raw::decompress_len(block).map_err(corrupt)?;
    let start = out.len();
    if length > bytes_max - start {
        return Err(CompressionError::TooLarge(bytes_max));
    }
    // Snappy copies at most 64 bytes for each byte or two of input: a larger promise is a lie, refused before its
    // memory is touched.
    if length / 64 > block.len() {
        return Err(corrupt("a block promises more than it can hold"));
    }
    out.resize(start + length, 0);
    let room = out.get_mut(start..).unwrap_or_default();
    let written = snap::raw::Decoder::new().decompress(block, room).map_err(corrupt)?;
    out.truncate(start + written);
    Ok(())
}

fn fold_snappy(input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    out.extend_from_slice(XERIAL_MAGIC);
    out.extend_from_slice(&1i32.to_be_bytes());
    out.extend_from_slice(&1i32.to_be_bytes());
    let mut encoder = snap::raw::Encoder::new();
    for block in input.chunks(XERIAL_BLOCK_LEN) {
        let folded = encoder.compress_vec(block).map_err(io::Error::other)?;
        out.extend_from_slice(&(folded.len() as u32).to_be_bytes());
        out.extend_from_slice(&folded);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Compression; 5] =
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_is_compressed_unfolds_to_itself(input in proptest::collection::vec(0u8..4, 0..70_000)) {
            for codec in ALL {
                let mut folded = Vec::new();
                compress(codec, &input, &mut folded).unwrap();
                let mut out = vec![9];
                decompress(codec, &folded, &mut out, input.len()).unwrap();
                prop_assert_eq!(&out, &input);
                if !input.is_empty() {
                    let bound = input.len() - 1;
                    prop_assert!(matches!(decompress(codec, &folded, &mut out, bound), Err(CompressionError::TooLarge(_))));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_unfold_or_are_refused(input: Vec<u8>) {
            for codec in ALL {
                let mut out = Vec::new();
                let _ = decompress(codec, &input, &mut out, 1 << 16);
                prop_assert!(out.len() <= (1 << 16) + 1);
            }
        }
    }

    #[test]
    fn raw_snappy_of_librdkafka_is_read() {
        let folded = snap::raw::Encoder::new().compress_vec(b"hello hello hello").unwrap();
        let mut out = Vec::new();
        decompress(Compression::Snappy, &folded, &mut out, 100).unwrap();
        assert_eq!(out, b"hello hello hello");
    }

    #[test]
    fn a_snappy_block_that_promises_gigabytes_is_refused_without_the_memory() {
        let mut out = Vec::new();
        let lie = [0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        assert!(decompress(Compression::Snappy, &lie, &mut out, usize::MAX).is_err());
        assert_eq!(out.capacity(), 0);
    }
}
