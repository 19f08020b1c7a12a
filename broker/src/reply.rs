//! A reply as it goes out: bytes of our own, record bytes as they are kept, and stretches of segment files.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use brooklet_storage::{LogSlice, SlicePart};
use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::Encodable;
use tokio::time::Instant;

/// Stretches of a file up to this size are read into the reply's own bytes: one copy costs less than a system call.
const INLINE_MAX: usize = 16 * 1024;

/// One stretch of a reply.
#[derive(Debug)]
pub(crate) enum Part {
    Bytes(Bytes),
    File { file: Arc<File>, position: u64, len: usize },
}

/// A response's body, ready to be sent.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) parts: Vec<Part>,
    own: BytesMut,
}

impl Body {
    /// Bytes in all.
    pub(crate) fn len(&self) -> usize {
        let sent: usize = self.parts.iter().map(|part| part.len()).sum();
        sent + self.own.len()
    }

    /// The bytes that are written next, to append to.
    pub(crate) fn own(&mut self) -> &mut BytesMut {
        &mut self.own
    }

    /// Appends stored records, without copying them unless they are few.
    pub(crate) fn push_records(&mut self, records: LogSlice) -> io::Result<()> {
        if records.len() <= INLINE_MAX {
            self.own.extend_from_slice(&records.into_bytes()?);
            return Ok(());
        }
        self.close_own();
        self.parts.extend(records.parts.into_iter().map(|part| match part {
            SlicePart::Bytes(bytes) => Part::Bytes(bytes),
            SlicePart::File { file, position, len } => Part::File { file, position, len },
        }));
        Ok(())
    }

    /// The parts in order.
    pub(crate) fn into_parts(mut self) -> Vec<Part> {
        self.close_own();
        self.parts
    }

    fn close_own(&mut self) {
        if !self.own.is_empty() {
            self.parts.push(Part::Bytes(self.own.split().freeze()));
        }
    }
}

impl Part {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File { len, .. } => *len,
        }
    }
}

/// What a handler gives back.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Send this body.
    Body(Body),
    /// Send nothing (produce with acks=0).
    Nothing,
    /// Close the connection (produce with acks=0 that failed: Kafka's only way to tell).
    Close,
    /// The same, and then read nothing more from the client until its quota lets it (KIP-219).
    Muted(Box<Reply>, Instant),
}

impl Reply {
    /// The reply to a client that is to be silent for so many milliseconds; 0 for one that need not.
    pub(crate) fn muted_for(self, throttle_ms: i32) -> Self {
        match u64::try_from(throttle_ms) {
            Ok(ms @ 1..) => Self::Muted(Box::new(self), Instant::now() + Duration::from_millis(ms)),
            _ => self,
        }
    }
}

/// Encodes a response message; the error is a field that its version does not have, which is a bug of ours.
pub(crate) fn encode(message: &impl Encodable, version: i16) -> Result<Reply, anyhow::Error> {
    let mut body = Body::default();
    message.encode(body.own(), version)?;
    Ok(Reply::Body(body))
}
