//! The records of `__consumer_offsets`, byte for byte as Apache Kafka writes them, so that its tools read them.
//!
//! A key begins with its version, which names the record's kind: 0 and 1 a committed offset (`OffsetCommitKey`), 2 a
//! classic group (`GroupMetadataKey`); higher ones are groups of other protocols. A value begins with its own version
//! (`OffsetCommitValue` 1 and 3, `GroupMetadataValue` 3 are written; all below 4 are read).

use std::sync::Arc;

use brooklet_model::{Timestamp, TopicPartition};
use bytes::Bytes;

use crate::codec::{DecodeError, Reader, Writer};

const OFFSET_KEY: i16 = 1;
const GROUP_KEY: i16 = 2;
const OFFSET_VALUE: i16 = 3;
/// The one version of an offset's value that can say when it expires (OffsetCommit v2-v4).
const OFFSET_VALUE_WITH_EXPIRY: i16 = 1;
const GROUP_VALUE: i16 = 3;

/// A change of durable state: one record of the topic. A value of `None` is a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// What a group committed for a partition.
    Offset {
        /// The group's id.
        group: Arc<str>,
        /// The partition.
        partition: TopicPartition,
        /// What was committed.
        value: Option<CommittedOffset>,
    },
    /// A classic group's last settled generation.
    Group {
        /// The group's id.
        group: Arc<str>,
        /// Its generation.
        value: Option<GroupValue>,
    },
}

/// `OffsetCommitValue`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next offset to be read.
    pub offset: i64,
    /// Epoch of the leader of the last record read; -1 is unknown (KIP-320).
    pub leader_epoch: i32,
    /// The client's own text.
    pub metadata: Arc<str>,
    /// When it was committed.
    pub commit_timestamp: Timestamp,
    /// When it expires whatever the group does, if the client said (OffsetCommit v2-v4).
    pub expire_timestamp: Option<Timestamp>,
}

/// `GroupMetadataValue`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupValue {
    /// For example `consumer` or `connect`; empty for a group that never had a member.
    pub protocol_type: Arc<str>,
    /// The generation's number.
    pub generation: i32,
    /// The protocol that the members agreed on.
    pub protocol: Option<Arc<str>>,
    /// Member id of the leader.
    pub leader: Option<Arc<str>>,
    /// When the group entered its state; -1 is unknown.
    pub state_timestamp: Timestamp,
    /// The members; none in an empty group.
    pub members: Vec<MemberValue>,
}

/// A member within a [`GroupValue`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberValue {
    /// The member's id.
    pub id: Arc<str>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    /// Client id of the request that it joined with.
    pub client_id: Arc<str>,
    /// Where that came from.
    pub client_host: Arc<str>,
    /// How long a rebalance waits for it, in ms.
    pub rebalance_timeout_ms: i32,
    /// How long it may be silent, in ms.
    pub session_timeout_ms: i32,
    /// Its metadata for the group's protocol.
    pub subscription: Bytes,
    /// What the leader gave it.
    pub assignment: Bytes,
}

impl Record {
    /// Key and value as they are stored.
    pub fn encode(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        let mut key = Writer::default();
        match self {
            Self::Offset { group, partition, value } => {
                key.i16(OFFSET_KEY);
                key.string(group);
                key.string(&partition.topic);
                key.i32(partition.partition);
                (key.0, value.as_ref().map(CommittedOffset::encode))
            }
            Self::Group { group, value } => {
                key.i16(GROUP_KEY);
                key.string(group);
                (key.0, value.as_ref().map(GroupValue::encode))
            }
        }
    }

    /// Reads a stored record; `None` if it is of a kind that is not ours to read.
    pub fn decode(key: &[u8], value: Option<&[u8]>) -> Result<Option<Self>, DecodeError> {
        let mut key = Reader(key);
        match key.i16()? {
            0 | OFFSET_KEY => {
                let group = key.string()?;
                let partition = TopicPartition::new(key.string()?, key.i32()?);
                let value = value.map(CommittedOffset::decode).transpose()?;
                Ok(Some(Self::Offset { group, partition, value }))
            }
            GROUP_KEY => {
                let group = key.string()?;
                Ok(Some(Self::Group { group, value: value.map(GroupValue::decode).transpose()? }))
            }
            _ => Ok(None),
        }
    }
}

impl CommittedOffset {
    fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.i16(if self.expire_timestamp.is_some() { OFFSET_VALUE_WITH_EXPIRY } else { OFFSET_VALUE });
        out.i64(self.offset);
        if self.expire_timestamp.is_none() {
            out.i32(self.leader_epoch);
        }
        out.string(&self.metadata);
        out.i64(self.commit_timestamp);
        if let Some(expire) = self.expire_timestamp {
            out.i64(expire);
        }
        out.0
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut value = Reader(bytes);
        let version = value.i16()?;
        if !(0..=OFFSET_VALUE).contains(&version) {
            return Err(DecodeError::Version(version));
        }
        Ok(Self {
            offset: value.i64()?,
            leader_epoch: if version >= 3 { value.i32()? } else { -1 },
            metadata: value.string()?,
            commit_timestamp: value.i64()?,
            expire_timestamp: if version == OFFSET_VALUE_WITH_EXPIRY {
                Some(value.i64()?).filter(|expire| *expire != -1)
            } else {
                None
            },
        })
    }
}

impl GroupValue {
    fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.i16(GROUP_VALUE);
        out.string(&self.protocol_type);
        out.i32(self.generation);
        out.nullable_string(self.protocol.as_deref());
        out.nullable_string(self.leader.as_deref());
        out.i64(self.state_timestamp);
        out.i32(self.members.len() as i32);
        for member in &self.members {
            out.string(&member.id);
            out.nullable_string(member.instance.as_deref());
            out.string(&member.client_id);
            out.string(&member.client_host);
            out.i32(member.rebalance_timeout_ms);
            out.i32(member.session_timeout_ms);
            out.bytes(&member.subscription);
            out.bytes(&member.assignment);
        }
        out.0
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut value = Reader(bytes);
        let version = value.i16()?;
        if !(0..=GROUP_VALUE).contains(&version) {
            return Err(DecodeError::Version(version));
        }
        let mut group = Self {
            protocol_type: value.string()?,
            generation: value.i32()?,
            protocol: value.nullable_string()?,
            leader: value.nullable_string()?,
            state_timestamp: if version >= 2 { value.i64()? } else { -1 },
            members: Vec::new(),
        };
        for _ in 0..value.i32()? {
            let id = value.string()?;
            let instance = if version >= 3 { value.nullable_string()? } else { None };
            let client_id = value.string()?;
            let client_host = value.string()?;
            let rebalance_timeout = if version >= 1 { value.i32()? } else { -1 };
            let session_timeout_ms = value.i32()?;
            group.members.push(MemberValue {
                id,
                instance,
                client_id,
                client_host,
                rebalance_timeout_ms: if rebalance_timeout == -1 { session_timeout_ms } else { rebalance_timeout },
                session_timeout_ms,
                subscription: value.bytes()?,
                assignment: value.bytes()?,
            });
        }
        Ok(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bytes_are_those_of_kafka() {
        let record = Record::Offset {
            group: "g".into(),
            partition: TopicPartition::new("t", 7),
            value: Some(CommittedOffset {
                offset: 5,
                leader_epoch: 2,
                metadata: "m".into(),
                commit_timestamp: 9,
                expire_timestamp: None,
            }),
        };
        let (key, value) = record.encode();
        assert_eq!(key, b"\0\x01\0\x01g\0\x01t\0\0\0\x07");
        assert_eq!(value.unwrap(), b"\0\x03\0\0\0\0\0\0\0\x05\0\0\0\x02\0\x01m\0\0\0\0\0\0\0\x09");

        let record = Record::Group {
            group: "g".into(),
            value: Some(GroupValue {
                protocol_type: "".into(),
                generation: 1,
                protocol: None,
                leader: None,
                state_timestamp: 3,
                members: vec![],
            }),
        };
        let (key, value) = record.encode();
        assert_eq!(key, b"\0\x02\0\x01g");
        assert_eq!(value.unwrap(), b"\0\x03\0\0\0\0\0\x01\xff\xff\xff\xff\0\0\0\0\0\0\0\x03\0\0\0\0");
    }

    fn offset() -> impl Strategy<Value = CommittedOffset> {
        (any::<i64>(), any::<i32>(), ".{0,9}", any::<i64>(), proptest::option::of(0..i64::MAX)).prop_map(
            |(offset, leader_epoch, metadata, commit_timestamp, expire_timestamp)| CommittedOffset {
                offset,
                // Version 1 has no place for it, and is written for clients that had none.
                leader_epoch: if expire_timestamp.is_some() { -1 } else { leader_epoch },
                metadata: metadata.into(),
                commit_timestamp,
                expire_timestamp,
            },
        )
    }

    proptest! {
        #[test]
        fn an_offset_reads_back(group in ".{0,9}", topic in ".{0,9}", partition: i32, value in proptest::option::of(offset())) {
            let record = Record::Offset { group: group.into(), partition: TopicPartition::new(topic, partition), value };
            let (key, value) = record.encode();
            prop_assert_eq!(Record::decode(&key, value.as_deref()), Ok(Some(record)));
        }

        #[test]
        fn any_bytes_are_read_without_panic(key: Vec<u8>, value: Vec<u8>, kind in 0u8..4) {
            let _ = Record::decode(&key, Some(&value));
            let _ = Record::decode(&[0, kind, 0, 0, 0, 0, 0, 0, 0, 0], Some(&value));
            let mut value = value;
            value.splice(0..0, [0, 3]);
            let _ = Record::decode(&[0, 2, 0, 0], Some(&value));
        }
    }
}
