//! The records of `__transaction_state`, as Apache Kafka writes them (`TransactionLogKey`, `TransactionLogValue`).
//!
//! Values of version 1 are written, 0 and 1 are read. One tagged field is ours: the epoch before the current one, which
//! Kafka keeps in memory alone and forgets with the coordinator; its tools pass over it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use brooklet_model::{ProducerEpoch, ProducerId, Timestamp, TopicPartition};

use crate::codec::{DecodeError, Reader, Writer};

const KEY: i16 = 0;
const VALUE: i16 = 1;
const TAG_PREVIOUS_PRODUCER_ID: u32 = 0;
const TAG_NEXT_PRODUCER_ID: u32 = 1;
const TAG_CLIENT_VERSION: u32 = 2;
/// Far from what Kafka may add.
const TAG_LAST_EPOCH: u32 = 10_000;

/// No epoch yet.
pub const NO_EPOCH: ProducerEpoch = ProducerEpoch(-1);

/// Where a transactional id is. An id that is forgotten is `Dead`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// No transaction since the producer was initialised.
    Empty,
    /// Partitions were added.
    Ongoing,
    /// Committed; markers are being written.
    PrepareCommit,
    /// Aborted; markers are being written.
    PrepareAbort,
    /// Committed, and all markers are written.
    CompleteCommit,
    /// Aborted, and all markers are written.
    CompleteAbort,
    /// About to be forgotten.
    Dead,
}

impl State {
    const ALL: [Self; 7] = [
        Self::Empty,
        Self::Ongoing,
        Self::PrepareCommit,
        Self::PrepareAbort,
        Self::CompleteCommit,
        Self::CompleteAbort,
        Self::Dead,
    ];

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.to_string() == name)
    }

    fn from_id(id: i8) -> Option<Self> {
        usize::try_from(id).ok().and_then(|id| Self::ALL.get(id)).copied()
    }

    /// Whether the outcome is decided and markers are missing.
    pub fn is_prepared(self) -> bool {
        matches!(self, Self::PrepareCommit | Self::PrepareAbort)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Which protocol the client of a transaction speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClientVersion {
    /// The first: partitions are added by the client, the epoch stays.
    V1,
    /// KIP-890, part 2: partitions are added by the broker, and each end of a transaction bumps the epoch.
    V2,
}

/// All that is known of a transactional id: `TransactionLogValue`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The producer.
    pub producer_id: ProducerId,
    /// The producer id before the last transition.
    pub previous_producer_id: ProducerId,
    /// The producer id from the end of the transaction on; -1 if it stays.
    pub next_producer_id: ProducerId,
    /// The producer's epoch.
    pub epoch: ProducerEpoch,
    /// The epoch before the last bump; a client that did not hear of that may repeat its request with it.
    pub last_epoch: ProducerEpoch,
    /// `transaction.timeout.ms`
    pub timeout_ms: i32,
    /// Where it is.
    pub state: State,
    /// What the open transaction has written to, or may have.
    pub partitions: BTreeSet<TopicPartition>,
    /// When anything last changed.
    pub update_timestamp: Timestamp,
    /// When the transaction began; -1 if there was none.
    pub start_timestamp: Timestamp,
    /// The protocol of the client that made the last change.
    pub client_version: ClientVersion,
}

/// A change of durable state: one record of the topic. A value of `None` is a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionRecord {
    /// The transactional id.
    pub id: Arc<str>,
    /// What is known of it.
    pub value: Option<Arc<Transaction>>,
}

impl TransactionRecord {
    /// Key and value as they are stored.
    pub fn encode(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        let mut key = Writer::default();
        key.i16(KEY);
        key.string(&self.id);
        (key.0, self.value.as_ref().map(|value| value.encode()))
    }

    /// Reads a stored record; `None` if it is of a kind that is not ours to read.
    pub fn decode(key: &[u8], value: Option<&[u8]>) -> Result<Option<Self>, DecodeError> {
        let mut key = Reader(key);
        if key.i16()? != KEY {
            return Ok(None);
        }
        let id = key.string()?;
        let value = value.map(Transaction::decode).transpose()?.map(Arc::new);
        Ok(Some(Self { id, value }))
    }
}

impl Transaction {
    fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.i16(VALUE);
        out.i64(self.producer_id.0);
        out.i16(self.epoch.0);
        out.i32(self.timeout_ms);
        out.i8(State::ALL.iter().position(|state| *state == self.state).unwrap_or_default() as i8);
        self.encode_partitions(&mut out);
        out.i64(self.update_timestamp);
        out.i64(self.start_timestamp);
        let mut tagged: Vec<(u32, Vec<u8>)> = Vec::new();
        if self.previous_producer_id != ProducerId::NONE {
            tagged.push((TAG_PREVIOUS_PRODUCER_ID, self.previous_producer_id.0.to_be_bytes().to_vec()));
        }
        if self.next_producer_id != ProducerId::NONE {
            tagged.push((TAG_NEXT_PRODUCER_ID, self.next_producer_id.0.to_be_bytes().to_vec()));
        }
        if self.client_version == ClientVersion::V2 {
            tagged.push((TAG_CLIENT_VERSION, 2i16.to_be_bytes().to_vec()));
        }
        if self.last_epoch != NO_EPOCH {
            tagged.push((TAG_LAST_EPOCH, self.last_epoch.0.to_be_bytes().to_vec()));
        }
        out.unsigned_varint(tagged.len() as u32);
        for (tag, value) in tagged {
            out.tagged(tag, &value);
        }
        out.0
    }

    /// Null for an id without a transaction, as in Kafka.
    fn encode_partitions(&self, out: &mut Writer) {
        if self.state == State::Empty {
            return out.compact_len(None);
        }
        let mut topics: Vec<(&Arc<str>, Vec<i32>)> = Vec::new();
        for TopicPartition { topic, partition } in &self.partitions {
            match topics.last_mut() {
                Some((last, partitions)) if *last == topic => partitions.push(*partition),
                _ => topics.push((topic, vec![*partition])),
            }
        }
        out.compact_len(Some(topics.len()));
        for (topic, partitions) in topics {
            out.compact_string(topic);
            out.compact_len(Some(partitions.len()));
            partitions.iter().for_each(|partition| out.i32(*partition));
            out.unsigned_varint(0);
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut value = Reader(bytes);
        let version = value.i16()?;
        if !(0..=VALUE).contains(&version) {
            return Err(DecodeError::Version(version));
        }
        let flexible = version >= 1;
        let mut transaction = Self {
            producer_id: ProducerId(value.i64()?),
            previous_producer_id: ProducerId::NONE,
            next_producer_id: ProducerId::NONE,
            epoch: ProducerEpoch(value.i16()?),
            last_epoch: NO_EPOCH,
            timeout_ms: value.i32()?,
            state: value.i8().and_then(|id| State::from_id(id).ok_or(DecodeError::Value(id.into())))?,
            partitions: decode_partitions(&mut value, flexible)?,
            update_timestamp: value.i64()?,
            start_timestamp: value.i64()?,
            client_version: ClientVersion::V1,
        };
        if flexible {
            value.tagged(|tag, mut field| {
                match tag {
                    TAG_PREVIOUS_PRODUCER_ID => transaction.previous_producer_id = ProducerId(field.i64()?),
                    TAG_NEXT_PRODUCER_ID => transaction.next_producer_id = ProducerId(field.i64()?),
                    TAG_CLIENT_VERSION if field.i16()? >= 2 => transaction.client_version = ClientVersion::V2,
                    TAG_LAST_EPOCH => transaction.last_epoch = ProducerEpoch(field.i16()?),
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(transaction)
    }
}

fn decode_partitions(value: &mut Reader<'_>, flexible: bool) -> Result<BTreeSet<TopicPartition>, DecodeError> {
    let len = |value: &mut Reader<'_>| match flexible {
        true => value.compact_len(),
        false => value.i32().map(|len| usize::try_from(len).ok()),
    };
    let mut partitions = BTreeSet::new();
    for _ in 0..len(value)?.unwrap_or(0) {
        let topic = if flexible { value.compact_string()? } else { value.string()? };
        for _ in 0..len(value)?.unwrap_or(0) {
            partitions.insert(TopicPartition::new(topic.clone(), value.i32()?));
        }
        if flexible {
            value.tagged(|_, _| Ok(()))?;
        }
    }
    Ok(partitions)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bytes_are_those_of_kafka() {
        let transaction = Transaction {
            producer_id: ProducerId(7),
            previous_producer_id: ProducerId::NONE,
            next_producer_id: ProducerId::NONE,
            epoch: ProducerEpoch(2),
            last_epoch: NO_EPOCH,
            timeout_ms: 60_000,
            state: State::Ongoing,
            partitions: [TopicPartition::new("t", 0), TopicPartition::new("t", 3)].into(),
            update_timestamp: 9,
            start_timestamp: 5,
            client_version: ClientVersion::V2,
        };
        let record = TransactionRecord { id: "x".into(), value: Some(Arc::new(transaction)) };
        let (key, value) = record.encode();
        assert_eq!(key, b"\0\0\0\x01x");
        let expected: &[u8] = b"\0\x01\0\0\0\0\0\0\0\x07\0\x02\0\0\xea\x60\x01\
            \x02\x02t\x03\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x05\x01\x02\x02\0\x02";
        assert_eq!(value.unwrap(), expected);
    }

    #[test]
    fn the_older_version_is_read() {
        let value = b"\0\0\0\0\0\0\0\0\0\x07\0\x02\0\0\xea\x60\x05\0\0\0\x01\0\x01t\0\0\0\x01\0\0\0\x03\
            \0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x05";
        let record = TransactionRecord::decode(b"\0\0\0\x01x", Some(value)).unwrap().unwrap();
        let transaction = record.value.unwrap();
        assert_eq!((transaction.state, transaction.client_version), (State::CompleteAbort, ClientVersion::V1));
        assert_eq!(transaction.partitions, [TopicPartition::new("t", 3)].into());
    }

    fn transaction() -> impl Strategy<Value = Transaction> {
        let ids = (0i64.., -1i64.., -1i64.., -1i16.., -1i16..);
        let partitions = proptest::collection::btree_set((".{0,4}", 0i32..9), 0..6);
        (ids, any::<i32>(), 0usize..7, partitions, any::<i64>(), any::<i64>(), any::<bool>()).prop_map(
            |((id, previous, next, epoch, last), timeout_ms, state, partitions, update, start, v2)| {
                let partitions = partitions.into_iter().map(|(topic, index)| TopicPartition::new(topic, index));
                let state = State::ALL[state];
                Transaction {
                    producer_id: ProducerId(id),
                    previous_producer_id: ProducerId(previous),
                    next_producer_id: ProducerId(next),
                    epoch: ProducerEpoch(epoch),
                    last_epoch: ProducerEpoch(last),
                    timeout_ms,
                    state,
                    partitions: if state == State::Empty { BTreeSet::new() } else { partitions.collect() },
                    update_timestamp: update,
                    start_timestamp: start,
                    client_version: if v2 { ClientVersion::V2 } else { ClientVersion::V1 },
                }
            },
        )
    }

    proptest! {
        #[test]
        fn a_record_reads_back(id in ".{0,9}", value in proptest::option::of(transaction())) {
            let record = TransactionRecord { id: id.into(), value: value.map(Arc::new) };
            let (key, value) = record.encode();
            prop_assert_eq!(TransactionRecord::decode(&key, value.as_deref()), Ok(Some(record)));
        }

        #[test]
        fn any_bytes_are_read_without_panic(mut value: Vec<u8>, version in 0u8..2) {
            value.splice(0..0, [0, version]);
            let _ = TransactionRecord::decode(&[0, 0, 0, 0], Some(&value));
        }
    }
}
