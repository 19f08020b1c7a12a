//! The topics in a consumer's subscription (`ConsumerProtocolSubscription`), the one thing of it that the broker reads.

use std::sync::Arc;

use crate::codec::{DecodeError, Reader};

/// The topics, by the layout that all versions begin with: version i16, count i32, strings. `None` if it is not one.
pub(super) fn subscribed_topics(metadata: &[u8]) -> Option<Vec<Arc<str>>> {
    read(metadata).ok()
}

fn read(metadata: &[u8]) -> Result<Vec<Arc<str>>, DecodeError> {
    let mut reader = Reader(metadata);
    reader.i16()?;
    let mut topics = Vec::new();
    for _ in 0..reader.i32()? {
        topics.push(reader.string()?);
    }
    Ok(topics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_whatever_follows_them() {
        let metadata = b"\0\x03\0\0\0\x02\0\x01a\0\x02bc\xff\xff\xff\xffrest";
        assert_eq!(subscribed_topics(metadata), Some(vec!["a".into(), "bc".into()]));
        assert_eq!(subscribed_topics(b"\0\0\x7f\xff\xff\xff\0\x01a"), None);
        assert_eq!(subscribed_topics(b""), None);
    }
}
