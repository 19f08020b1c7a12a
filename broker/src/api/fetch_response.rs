//! The fetch response, encoded by hand so that records are never copied into it: the protocol crate's encoder would.
//!
//! Versions 4 to 18, field for field as `FetchResponse.json` of Apache Kafka has them; a test decodes what is written
//! here with the protocol crate.

use std::io;

use brooklet_storage::{AbortedTransaction, LogSlice};
use bytes::{BufMut, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::TopicName;
use uuid::Uuid;

use super::fetch_session::Wanted;
use crate::reply::Body;

/// A topic's part of the answer.
pub(crate) struct FetchedTopic {
    pub(crate) name: TopicName,
    pub(crate) id: Uuid,
    pub(crate) partitions: Vec<FetchedPartition>,
}

/// A partition's part of the answer.
#[derive(Debug)]
pub(crate) struct FetchedPartition {
    pub(crate) index: i32,
    pub(crate) error: Option<ResponseError>,
    /// -1 with an error.
    pub(crate) high_watermark: i64,
    /// -1 with an error.
    pub(crate) last_stable_offset: i64,
    /// -1 with an error.
    pub(crate) log_start_offset: i64,
    /// Where the client's history leaves ours: epoch and its end offset (KIP-595).
    pub(crate) diverging_epoch: Option<(i32, i64)>,
    /// `Some` for read_committed: the transactions with records among these that were aborted.
    pub(crate) aborted: Option<Vec<AbortedTransaction>>,
    pub(crate) records: LogSlice,
}

impl FetchedPartition {
    /// The answer where nothing can be read.
    pub(crate) fn failed(index: i32, error: ResponseError) -> Self {
        Self {
            index,
            error: Some(error),
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: None,
            // Of a place that there is not, and where all fails, Kafka gives the message as it is when new.
            aborted: matches!(
                error,
                ResponseError::UnknownTopicOrPartition
                    | ResponseError::UnknownTopicId
                    | ResponseError::UnknownServerError
            )
            .then(Vec::new),
            records: LogSlice::default(),
        }
    }
}

/// First version with compact fields and tags.
const FLEXIBLE_MIN: i16 = 12;
/// First version that names topics by id.
const TOPIC_IDS_MIN: i16 = 13;

/// Bytes of the answer with these partitions, and of the four that stand before it: what Kafka goes by where there is
/// a quota (`FetchResponse.sizeOf`).
pub(crate) fn len<'a>(version: i16, partitions: impl IntoIterator<Item = (&'a Wanted, &'a FetchedPartition)>) -> usize {
    let flexible = version >= FLEXIBLE_MIN;
    let of_count = |count: usize| if flexible { varint_len(count + 1) } else { 4 };
    let tags = usize::from(flexible);
    // Throttle time; error and session.
    let mut len = 4 + 4 + if version >= 7 { 6 } else { 0 } + tags;
    let (mut topic, mut topics, mut in_topic) = (None, 0, 0);
    for (wanted, fetched) in partitions {
        if topic != Some((&wanted.topic, wanted.topic_id)) {
            len += if topics > 0 { of_count(in_topic) } else { 0 };
            (topic, topics, in_topic) = (Some((&wanted.topic, wanted.topic_id)), topics + 1, 0);
            let of_name = if flexible { varint_len(wanted.topic.len() + 1) } else { 2 } + wanted.topic.len();
            len += if version >= TOPIC_IDS_MIN { 16 } else { of_name } + tags;
        }
        in_topic += 1;
        let aborted = fetched.aborted.as_ref().map_or(0, Vec::len);
        let of_aborted = if fetched.aborted.is_some() { of_count(aborted) } else { usize::from(!flexible) * 3 + 1 };
        let diverging = if flexible && fetched.diverging_epoch.is_some() { 15 } else { 0 };
        // Index, error, high watermark, last stable offset; log start; preferred replica.
        len += 22 + if version >= 5 { 8 } else { 0 } + if version >= 11 { 4 } else { 0 };
        len += of_aborted
            + aborted * (16 + tags)
            + of_count(fetched.records.len())
            + fetched.records.len()
            + tags
            + diverging;
    }
    len + if topics > 0 { of_count(in_topic) } else { 0 } + of_count(topics)
}

fn varint_len(value: usize) -> usize {
    let bits = usize::BITS - value.leading_zeros();
    bits.div_ceil(7).max(1) as usize
}

/// Encodes the whole answer.
pub(crate) fn encode(
    version: i16,
    throttle_ms: i32,
    error: Option<ResponseError>,
    session_id: i32,
    topics: Vec<FetchedTopic>,
) -> io::Result<Body> {
    let mut body = Body::default();
    let own = body.own();
    own.put_i32(throttle_ms);
    if version >= 7 {
        own.put_i16(error.map_or(0, |error| error.code()));
        own.put_i32(session_id);
    }
    put_count(own, version, topics.len());
    for topic in topics {
        let own = body.own();
        if version >= TOPIC_IDS_MIN {
            own.put_slice(topic.id.as_bytes());
        } else {
            put_string(own, version, &topic.name);
        }
        put_count(own, version, topic.partitions.len());
        for partition in topic.partitions {
            put_partition(&mut body, version, partition)?;
        }
        put_no_tags(body.own(), version);
    }
    put_no_tags(body.own(), version);
    Ok(body)
}

fn put_partition(body: &mut Body, version: i16, partition: FetchedPartition) -> io::Result<()> {
    let own = body.own();
    own.put_i32(partition.index);
    own.put_i16(partition.error.map_or(0, |error| error.code()));
    own.put_i64(partition.high_watermark);
    own.put_i64(partition.last_stable_offset);
    if version >= 5 {
        own.put_i64(partition.log_start_offset);
    }
    put_aborted_transactions(own, version, partition.aborted.as_deref());
    if version >= 11 {
        own.put_i32(-1); // preferred read replica
    }
    let len = partition.records.len();
    if version >= FLEXIBLE_MIN {
        put_unsigned_varint(own, len as u32 + 1);
    } else {
        own.put_i32(len as i32);
    }
    body.push_records(partition.records)?;
    match partition.diverging_epoch {
        Some((epoch, end_offset)) if version >= FLEXIBLE_MIN => {
            // One tagged field: tag 0, 13 bytes: epoch, end offset, no tags of its own.
            let own = body.own();
            own.put_slice(&[1, 0, 13]);
            own.put_i32(epoch);
            own.put_i64(end_offset);
            own.put_u8(0);
        }
        _ => put_no_tags(body.own(), version),
    }
    Ok(())
}

/// Null for read_uncommitted.
fn put_aborted_transactions(own: &mut BytesMut, version: i16, aborted: Option<&[AbortedTransaction]>) {
    let Some(aborted) = aborted else {
        return if version >= FLEXIBLE_MIN { own.put_u8(0) } else { own.put_i32(-1) };
    };
    put_count(own, version, aborted.len());
    for transaction in aborted {
        own.put_i64(transaction.producer_id.0);
        own.put_i64(transaction.first_offset.0);
        put_no_tags(own, version);
    }
}

fn put_count(own: &mut BytesMut, version: i16, count: usize) {
    if version >= FLEXIBLE_MIN {
        put_unsigned_varint(own, count as u32 + 1);
    } else {
        own.put_i32(count as i32);
    }
}

fn put_string(own: &mut BytesMut, version: i16, text: &str) {
    if version >= FLEXIBLE_MIN {
        put_unsigned_varint(own, text.len() as u32 + 1);
    } else {
        own.put_i16(text.len() as i16);
    }
    own.put_slice(text.as_bytes());
}

fn put_no_tags(own: &mut BytesMut, version: i16) {
    if version >= FLEXIBLE_MIN {
        own.put_u8(0);
    }
}

fn put_unsigned_varint(own: &mut BytesMut, mut value: u32) {
    while value >= 0x80 {
        own.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    own.put_u8(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use brooklet_storage::SlicePart;
    use bytes::{Buf, Bytes};
    use kafka_protocol::messages::FetchResponse;
    use kafka_protocol::protocol::{Decodable, StrBytes};

    fn slice(len: usize) -> LogSlice {
        LogSlice { parts: vec![SlicePart::Bytes(Bytes::from(vec![7; len]))] }
    }

    fn partition(
        index: i32,
        read_committed: bool,
        diverging_epoch: Option<(i32, i64)>,
        len: usize,
    ) -> FetchedPartition {
        FetchedPartition {
            index,
            error: None,
            high_watermark: 90,
            last_stable_offset: 80,
            log_start_offset: 5,
            diverging_epoch,
            aborted: read_committed.then(Vec::new),
            records: slice(len),
        }
    }

    #[test]
    fn the_length_that_quotas_go_by_is_that_of_the_answer() {
        let name = |name: &'static str| TopicName(StrBytes::from_static_str(name));
        let wanted = |name: &TopicName, id| Wanted {
            topic: name.clone(),
            topic_id: Uuid::from_u128(id),
            by_id: false,
            partition: 0,
            offset: 0,
            bytes_max: 0,
            current_leader_epoch: -1,
            last_fetched_epoch: -1,
        };
        let (one, other) = (name("logs"), name("a topic with a long name"));
        let told = || {
            let first = [partition(0, false, None, 100), partition(1, true, Some((3, 44)), 0)];
            let first = first.into_iter().chain((2..140).map(|index| partition(index, true, None, 70_000))).collect();
            [(&one, 1, first), (&other, 2, vec![FetchedPartition::failed(0, ResponseError::OffsetOutOfRange)])]
        };
        for version in 4..=18 {
            for count in 0..=2 {
                let topics = told().into_iter().take(count).collect::<Vec<_>>();
                let all = topics.iter().flat_map(|(name, id, all)| all.iter().map(|it| (wanted(name, *id), it)));
                let all: Vec<_> = all.collect();
                let len = len(version, all.iter().map(|(wanted, it)| (wanted, *it)));
                let topics = topics.into_iter().map(|(name, id, partitions)| FetchedTopic {
                    name: name.clone(),
                    id: Uuid::from_u128(id),
                    partitions,
                });
                let body = encode(version, 0, None, 0, topics.collect()).unwrap();
                assert_eq!(len, body.len() + 4, "version {version}, {count} topics");
            }
        }
    }

    #[test]
    fn the_protocol_crate_reads_every_version() {
        for version in 4..=18 {
            let topics = vec![FetchedTopic {
                name: TopicName(StrBytes::from_static_str("logs")),
                id: Uuid::from_u128(77),
                partitions: vec![
                    partition(0, false, None, 100),
                    partition(1, true, Some((3, 44)), 100_000),
                    FetchedPartition::failed(300, ResponseError::OffsetOutOfRange),
                ],
            }];
            let body = encode(version, 33, Some(ResponseError::UnknownServerError), 9, topics).unwrap();
            let mut bytes = BytesMut::new();
            let len = body.len();
            for part in body.into_parts() {
                match part {
                    crate::reply::Part::Bytes(part) => bytes.put_slice(&part),
                    crate::reply::Part::File { .. } => unreachable!("no file was given"),
                }
            }
            assert_eq!(bytes.len(), len);
            let mut bytes = bytes.freeze();
            let response = FetchResponse::decode(&mut bytes, version).unwrap();
            assert!(!bytes.has_remaining(), "version {version}");
            assert_eq!(response.throttle_time_ms, 33);
            assert_eq!(response.error_code, if version >= 7 { -1 } else { 0 });
            assert_eq!(response.session_id, if version >= 7 { 9 } else { 0 });
            let topic = &response.responses[0];
            assert_eq!(topic.topic.as_str(), if version >= 13 { "" } else { "logs" });
            assert_eq!(topic.topic_id.as_u128(), if version >= 13 { 77 } else { 0 });
            let [plain, committed, failed] = topic.partitions.as_slice() else { panic!("three partitions") };
            assert_eq!((plain.high_watermark, plain.last_stable_offset), (90, 80));
            assert_eq!(plain.log_start_offset, if version >= 5 { 5 } else { -1 });
            assert_eq!(plain.aborted_transactions, None);
            assert_eq!(committed.aborted_transactions, Some(vec![]));
            assert_eq!(plain.records.as_ref().unwrap().len(), 100);
            assert_eq!(committed.records.as_ref().unwrap().len(), 100_000);
            let diverging = (committed.diverging_epoch.epoch, committed.diverging_epoch.end_offset);
            assert_eq!(diverging, if version >= 12 { (3, 44) } else { (-1, -1) });
            assert_eq!((failed.partition_index, failed.error_code), (300, 1));
            assert_eq!(failed.records.as_ref().unwrap().len(), 0);
        }
    }
}
