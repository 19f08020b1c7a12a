//! OffsetCommit and OffsetFetch 10, which name topics by their ids: the protocol crate has the field in its structures,
//! writes the responses, and reads the requests up to version 9 only.

use anyhow::Result;
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::{OffsetCommitRequest, OffsetFetchRequest};
use kafka_protocol::protocol::Decodable;
use kafka_protocol::protocol::buf::ByteBuf;
use uuid::Uuid;

use crate::compact::{list, nullable_list, nullable_text, skip_tagged, text};

/// The first version with ids; the last that the crate reads is the one before it.
pub(crate) const TOPIC_IDS_SINCE: i16 = 10;
/// The version whose layout the structures that have not changed are read by.
const UNCHANGED_SINCE: i16 = 9;

/// OffsetCommit of any version; in its topics either the name or the id is empty.
pub(crate) struct OffsetCommitNamesOrIds(pub(crate) OffsetCommitRequest);

/// OffsetFetch of any version; in its topics either the name or the id is empty.
pub(crate) struct OffsetFetchNamesOrIds(pub(crate) OffsetFetchRequest);

impl Decodable for OffsetCommitNamesOrIds {
    fn decode<B: ByteBuf>(from: &mut B, version: i16) -> Result<Self> {
        if version < TOPIC_IDS_SINCE {
            return OffsetCommitRequest::decode(from, version).map(Self);
        }
        let request = OffsetCommitRequest::default()
            .with_group_id(text(from)?.into())
            .with_generation_id_or_member_epoch(from.try_get_i32()?)
            .with_member_id(text(from)?)
            .with_group_instance_id(nullable_text(from)?)
            .with_topics(list(from, commit_topic)?);
        skip_tagged(from)?;
        Ok(Self(request))
    }
}

fn commit_topic<B: ByteBuf>(from: &mut B) -> Result<OffsetCommitRequestTopic> {
    let partition = |from: &mut B| OffsetCommitRequestPartition::decode(from, UNCHANGED_SINCE);
    let topic = OffsetCommitRequestTopic::default().with_topic_id(id(from)?).with_partitions(list(from, partition)?);
    skip_tagged(from)?;
    Ok(topic)
}

impl Decodable for OffsetFetchNamesOrIds {
    fn decode<B: ByteBuf>(from: &mut B, version: i16) -> Result<Self> {
        if version < TOPIC_IDS_SINCE {
            return OffsetFetchRequest::decode(from, version).map(Self);
        }
        let groups = list(from, fetch_group)?;
        let request = OffsetFetchRequest::default().with_groups(groups).with_require_stable(from.try_get_u8()? != 0);
        skip_tagged(from)?;
        Ok(Self(request))
    }
}

fn fetch_group<B: ByteBuf>(from: &mut B) -> Result<OffsetFetchRequestGroup> {
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(text(from)?.into())
        .with_member_id(nullable_text(from)?)
        .with_member_epoch(from.try_get_i32()?)
        .with_topics(nullable_list(from, fetch_topic)?);
    skip_tagged(from)?;
    Ok(group)
}

fn fetch_topic<B: ByteBuf>(from: &mut B) -> Result<OffsetFetchRequestTopics> {
    let indexes = |from: &mut B| Ok(from.try_get_i32()?);
    let topic =
        OffsetFetchRequestTopics::default().with_topic_id(id(from)?).with_partition_indexes(list(from, indexes)?);
    skip_tagged(from)?;
    Ok(topic)
}

fn id<B: ByteBuf>(from: &mut B) -> Result<Uuid> {
    Ok(Uuid::from_slice(&from.try_get_bytes(size_of::<Uuid>())?)?)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kafka_protocol::messages::offset_commit_request;
    use kafka_protocol::protocol::{Encodable, StrBytes};

    use super::*;

    const ID: [u8; 16] = *b"0123456789abcdef";

    #[test]
    fn a_commit_by_id_is_read_field_by_field() {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(3)
            .with_committed_offset(4)
            .with_committed_leader_epoch(5)
            .with_committed_metadata(Some(StrBytes::from_static_str("m")));
        let topic = offset_commit_request::OffsetCommitRequestTopic::default().with_partitions(vec![partition.clone()]);
        let expected = OffsetCommitRequest::default()
            .with_group_id(StrBytes::from_static_str("g").into())
            .with_generation_id_or_member_epoch(7)
            .with_member_id(StrBytes::from_static_str("me"))
            .with_topics(vec![topic.with_topic_id(Uuid::from_bytes(ID))]);
        let mut bytes = b"\x02g\0\0\0\x07\x03me\0\x02".to_vec();
        bytes.extend(ID);
        bytes.push(2);
        partition.encode(&mut bytes, UNCHANGED_SINCE).unwrap();
        // Tagged fields: none of the topic, an unknown one of the request.
        bytes.extend(b"\0\x01\x09\x02xx");
        let mut bytes = Bytes::from(bytes);
        let OffsetCommitNamesOrIds(read) = OffsetCommitNamesOrIds::decode(&mut bytes, 10).unwrap();
        assert_eq!((read, bytes.len()), (expected, 0));
    }

    #[test]
    fn a_fetch_by_id_is_read_field_by_field() {
        let topic =
            OffsetFetchRequestTopics::default().with_topic_id(Uuid::from_bytes(ID)).with_partition_indexes(vec![1, 2]);
        let group = OffsetFetchRequestGroup::default()
            .with_group_id(StrBytes::from_static_str("g").into())
            .with_member_id(None)
            .with_member_epoch(-1)
            .with_topics(Some(vec![topic]));
        let all = OffsetFetchRequestGroup::default()
            .with_group_id(StrBytes::from_static_str("h").into())
            .with_member_id(Some(StrBytes::from_static_str("me")))
            .with_member_epoch(6)
            .with_topics(None);
        let expected = OffsetFetchRequest::default().with_groups(vec![group, all]).with_require_stable(true);
        let mut bytes = b"\x03\x02g\0\xff\xff\xff\xff\x02".to_vec();
        bytes.extend(ID);
        bytes.extend(b"\x03\0\0\0\x01\0\0\0\x02\0\0\x02h\x03me\0\0\0\x06\0\0\x01\0");
        let mut bytes = Bytes::from(bytes);
        let OffsetFetchNamesOrIds(read) = OffsetFetchNamesOrIds::decode(&mut bytes, 10).unwrap();
        assert_eq!((read, bytes.len()), (expected, 0));
    }
}
