//! Frames off the wire: a length of four bytes, then a request header and its body.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Why no further request can be read from a connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("a frame of {size} bytes; the bound is {max}")]
    Size { size: i32, max: usize },
    #[error("the connection ended inside a frame")]
    CutShort,
    #[error("a large frame stood still for {} seconds", STALL_MAX.as_secs())]
    Stalled,
    #[error("there is no memory for a frame of {0} bytes")]
    NoMemory(usize),
}

/// What all connections together may hold in frames too large to be kept room for (`queued.max.request.bytes`).
#[derive(Clone, Debug)]
pub(crate) struct FrameBudget {
    kibibytes: Arc<Semaphore>,
    kibibytes_max: u32,
}

impl FrameBudget {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let kibibytes_max = u32::try_from(bytes_max / 1024).unwrap_or(u32::MAX >> 4).clamp(1, u32::MAX >> 4);
        Self { kibibytes: Arc::new(Semaphore::new(kibibytes_max as usize)), kibibytes_max }
    }

    /// Waits until a frame of `len` bytes may be held.
    async fn take(&self, len: usize) -> Option<OwnedSemaphorePermit> {
        let share = u32::try_from(len / 1024).unwrap_or(u32::MAX).min(self.kibibytes_max);
        // It fails only when the semaphore is closed, which nobody does.
        Arc::clone(&self.kibibytes).acquire_many_owned(share).await.ok()
    }
}

/// A request as it came, and its share of the budget, given back with it.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

/// Reads frames from a socket into one buffer that is used again once a request is done with it.
///
/// A frame is contiguous: at most [`READ_AHEAD`] bytes are read before its length is known, and none of the next
/// frame with the body of a long one, so that nothing large is ever moved. Room is made for what a frame says it has:
/// up to [`KEEP_MAX`] for each connection, more only within the budget.
#[derive(Debug)]
pub(crate) struct FrameReader {
    buffer: BytesMut,
    frame_bytes_max: usize,
    budget: FrameBudget,
}

const LENGTH_LEN: usize = 4;
/// Bytes asked for before a frame's length is known: a small request takes one read.
const READ_AHEAD: usize = 4096;
/// The connection's own buffer grows up to this; larger frames share a budget with those of other connections.
const KEEP_MAX: usize = 2 * 1024 * 1024;
/// Who holds a share of the budget must go on sending: others may wait for it.
const STALL_MAX: Duration = Duration::from_secs(30);

impl FrameReader {
    pub(crate) fn new(frame_bytes_max: usize, budget: FrameBudget) -> Self {
        Self { buffer: BytesMut::new(), frame_bytes_max, budget }
    }

    /// The next frame without its length; `None` when the peer closed between frames.
    pub(crate) async fn next<S: AsyncRead + Unpin>(&mut self, socket: &mut S) -> Result<Option<Frame>, FrameError> {
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
        if frame_len > KEEP_MAX {
            return self.next_large(socket, frame_len).await.map(Some);
        }
        while self.buffer.len() < frame_len {
            let missing = frame_len - self.buffer.len();
            self.buffer.reserve(missing);
            if (&mut *socket).take(missing as u64).read_buf(&mut self.buffer).await? == 0 {
                return Err(FrameError::CutShort);
            }
        }
        let mut frame = self.buffer.split_to(frame_len);
        frame.advance(LENGTH_LEN);
        Ok(Some(Frame { bytes: frame.freeze(), _share: None }))
    }

    /// A frame too large for the connection's own buffer: it waits for its share of the budget, and takes all of its
    /// memory at once, if there is as much.
    async fn next_large<S: AsyncRead + Unpin>(
        &mut self,
        socket: &mut S,
        frame_len: usize,
    ) -> Result<Frame, FrameError> {
        let share = self.budget.take(frame_len).await;
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(frame_len).map_err(|_| FrameError::NoMemory(frame_len))?;
        buffer.extend_from_slice(&self.buffer.split());
        while buffer.len() < frame_len {
            let missing = frame_len - buffer.len();
            let mut body = (&mut *socket).take(missing as u64);
            let read = tokio::time::timeout(STALL_MAX, body.read_buf(&mut buffer));
            if read.await.map_err(|_| FrameError::Stalled)?? == 0 {
                return Err(FrameError::CutShort);
            }
        }
        let mut frame = Bytes::from(buffer);
        frame.advance(LENGTH_LEN);
        Ok(Frame { bytes: frame, _share: share })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(stream: &[u8], chunk: usize, max: usize) -> Result<Vec<Vec<u8>>, FrameError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (mut near, mut far) = tokio::io::duplex(chunk);
            let stream = stream.to_vec();
            let writer = async move {
                // The reader may give up first, which closes the pipe.
                let _ = tokio::io::AsyncWriteExt::write_all(&mut far, &stream).await;
            };
            let reader = async move {
                let mut reader = FrameReader::new(max, FrameBudget::new(1 << 20));
                let mut frames = Vec::new();
                while let Some(frame) = reader.next(&mut near).await? {
                    frames.push(frame.bytes.to_vec());
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

    #[tokio::test(start_paused = true)]
    async fn large_frames_share_a_budget_and_whoever_stalls_loses_its_share() {
        let large = KEEP_MAX + 1;
        let budget = FrameBudget::new(large);
        let length = (large as i32).to_be_bytes();
        let (mut near, mut stalling) = tokio::io::duplex(64);
        tokio::io::AsyncWriteExt::write_all(&mut stalling, &length).await.unwrap();
        let mut reader = FrameReader::new(large, budget.clone());
        let stalled = tokio::spawn(async move { reader.next(&mut near).await.map(|_| ()) });
        // The clock is virtual: it moves only when everybody waits.
        while budget.kibibytes.available_permits() > 1 {
            tokio::task::yield_now().await;
        }
        let stream = [&length[..], &vec![7; large]].concat();
        let (mut near, mut far) = tokio::io::duplex(1 << 20);
        let writer = tokio::spawn(async move {
            tokio::io::AsyncWriteExt::write_all(&mut far, &stream).await.unwrap();
            far
        });
        let frame = FrameReader::new(large, budget.clone()).next(&mut near).await.unwrap().unwrap();
        assert!(matches!(stalled.await.unwrap(), Err(FrameError::Stalled)));
        assert_eq!(frame.bytes.len(), large);
        assert_eq!(budget.kibibytes.available_permits(), 0);
        drop(frame);
        assert!(budget.kibibytes.available_permits() > 0);
        drop(writer.await.unwrap());
    }
}
