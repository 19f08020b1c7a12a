//! Frames off the wire: a length of four bytes, then a request header and its body.

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Why no further request can be read from a connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("a frame of {size} bytes; the bound is {max}")]
    Size { size: i32, max: usize },
    #[error("the connection ended inside a frame")]
    CutShort,
}

/// Reads frames from a socket into one buffer that is used again once a request is done with it.
///
/// A frame is contiguous: at most [`READ_AHEAD`] bytes are read before its length is known, and none of the next
/// frame with the body of a long one, so that nothing large is ever moved.
#[derive(Debug)]
pub(crate) struct FrameReader {
    buffer: BytesMut,
    frame_bytes_max: usize,
}

const LENGTH_LEN: usize = 4;
/// Bytes asked for before a frame's length is known: a small request takes one read.
const READ_AHEAD: usize = 4096;
/// A buffer grown larger than this is given back instead of kept for the next request.
const KEEP_MAX: usize = 2 * 1024 * 1024;

impl FrameReader {
    pub(crate) fn new(frame_bytes_max: usize) -> Self {
        Self { buffer: BytesMut::new(), frame_bytes_max }
    }

    /// The next frame without its length; `None` when the peer closed between frames.
    pub(crate) async fn next<S: AsyncRead + Unpin>(&mut self, socket: &mut S) -> Result<Option<Bytes>, FrameError> {
        if self.buffer.is_empty() && self.buffer.capacity() > KEEP_MAX {
            self.buffer = BytesMut::new();
        }
        while self.buffer.len() < LENGTH_LEN {
            self.buffer.reserve(READ_AHEAD);
            let room = READ_AHEAD - self.buffer.len();
            if (&mut *socket).take(room as u64).read_buf(&mut self.buffer).await? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(FrameError::CutShort) };
            }
        }
        let size = (&self.buffer[..LENGTH_LEN]).get_i32();
        let body_len = usize::try_from(size)
            .ok()
            .filter(|len| *len <= self.frame_bytes_max)
            .ok_or(FrameError::Size { size, max: self.frame_bytes_max })?;
        let frame_len = LENGTH_LEN + body_len;
        while self.buffer.len() < frame_len {
            let missing = frame_len - self.buffer.len();
            // A length is only a promise: room is made as the bytes come, at most doubling what is there.
            self.buffer.reserve(missing.min(self.buffer.len().max(KEEP_MAX / 2)));
            if (&mut *socket).take(missing as u64).read_buf(&mut self.buffer).await? == 0 {
                return Err(FrameError::CutShort);
            }
        }
        let mut frame = self.buffer.split_to(frame_len);
        frame.advance(LENGTH_LEN);
        Ok(Some(frame.freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(stream: &[u8], chunk: usize, max: usize) -> Result<Vec<Vec<u8>>, FrameError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut near, mut far) = tokio::io::duplex(chunk);
            let stream = stream.to_vec();
            let writer = async move {
                // The reader may give up first, which closes the pipe.
                let _ = tokio::io::AsyncWriteExt::write_all(&mut far, &stream).await;
            };
            let reader = async move {
                let mut reader = FrameReader::new(max);
                let mut frames = Vec::new();
                while let Some(frame) = reader.next(&mut near).await? {
                    frames.push(frame.to_vec());
                }
                Ok(frames)
            };
            let (_, frames) = tokio::join!(writer, reader);
            frames
        })
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in(
            frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9000), 0..6), chunk in 1usize..9000,
        ) {
            let mut stream = Vec::new();
            for frame in &frames {
                stream.extend_from_slice(&(frame.len() as i32).to_be_bytes());
                stream.extend_from_slice(frame);
            }
            prop_assert_eq!(read_all(&stream, chunk, 9000).unwrap(), frames);
        }
    }

    #[test]
    fn a_frame_over_the_bound_or_of_negative_length_is_refused() {
        assert!(matches!(read_all(&[0, 0, 0, 11], 8, 10), Err(FrameError::Size { size: 11, max: 10 })));
        assert!(matches!(read_all(&[255, 255, 255, 255], 8, 10), Err(FrameError::Size { size: -1, .. })));
        assert!(matches!(read_all(&[0, 0, 0, 3, 1], 8, 10), Err(FrameError::CutShort)));
    }
}
