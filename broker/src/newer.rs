//! Requests in versions that are newer than the protocol crate: what is needed of them, decoded by hand.

use kafka_protocol::messages::TopicName;
use kafka_protocol::protocol::buf::ByteBuf;
use kafka_protocol::protocol::{Decodable, StrBytes};

use crate::compact::{list, nullable_text, skip_tagged, text};

/// WriteTxnMarkers, versions 1 and 2 (KIP-1228).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WriteTxnMarkersRequest {
    pub(crate) markers: Vec<TxnMarker>,
}

/// The end of one producer's transaction in some partitions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TxnMarker {
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    /// Whether it is a commit.
    pub(crate) transaction_result: bool,
    pub(crate) topics: Vec<TxnMarkerTopic>,
    pub(crate) coordinator_epoch: i32,
    /// The protocol of transactions that the producer speaks; 0 where version 1 does not say.
    pub(crate) transaction_version: i8,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TxnMarkerTopic {
    pub(crate) name: TopicName,
    pub(crate) partition_indexes: Vec<i32>,
}

/// AddRaftVoter, versions 0 and 1 (KIP-853): which cluster is meant. Who is to be a voter does not matter where nobody
/// can become one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AddRaftVoterRequest {
    pub(crate) cluster_id: Option<StrBytes>,
}

impl Decodable for WriteTxnMarkersRequest {
    fn decode<B: ByteBuf>(buf: &mut B, version: i16) -> anyhow::Result<Self> {
        let markers = list(buf, |buf| TxnMarker::decode(buf, version))?;
        skip_tagged(buf)?;
        Ok(Self { markers })
    }
}

impl Decodable for TxnMarker {
    fn decode<B: ByteBuf>(buf: &mut B, version: i16) -> anyhow::Result<Self> {
        let marker = Self {
            producer_id: buf.try_get_i64()?,
            producer_epoch: buf.try_get_i16()?,
            transaction_result: buf.try_get_u8()? != 0,
            topics: list(buf, |buf| TxnMarkerTopic::decode(buf, version))?,
            coordinator_epoch: buf.try_get_i32()?,
            transaction_version: if version >= 2 { buf.try_get_i8()? } else { 0 },
        };
        skip_tagged(buf)?;
        Ok(marker)
    }
}

impl Decodable for TxnMarkerTopic {
    fn decode<B: ByteBuf>(buf: &mut B, _version: i16) -> anyhow::Result<Self> {
        let name = TopicName(text(buf)?);
        let partition_indexes = list(buf, |buf| Ok(buf.try_get_i32()?))?;
        skip_tagged(buf)?;
        Ok(Self { name, partition_indexes })
    }
}

impl Decodable for AddRaftVoterRequest {
    fn decode<B: ByteBuf>(buf: &mut B, version: i16) -> anyhow::Result<Self> {
        let cluster_id = nullable_text(buf)?;
        // Timeout, and who is to be a voter.
        buf.try_get_bytes(4 + 4 + 16)?;
        list(buf, |buf| {
            let (_name, _host) = (text(buf)?, text(buf)?);
            buf.try_get_u16()?;
            skip_tagged(buf)
        })?;
        if version >= 1 {
            buf.try_get_u8()?;
        }
        skip_tagged(buf)?;
        Ok(Self { cluster_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
    use kafka_protocol::messages::{self, ProducerId};
    use kafka_protocol::protocol::Encodable;
    use proptest::prelude::*;

    proptest! {
        /// Version 1 is read as the protocol crate writes it.
        #[test]
        fn markers_are_read_as_the_crate_writes_them(markers in proptest::collection::vec(
            (any::<i64>(), any::<i16>(), any::<bool>(), proptest::collection::vec(("[a-z]{0,200}", any::<Vec<i32>>()), 0..3), any::<i32>()), 0..4,
        )) {
            let topic = |(name, indexes): &(String, Vec<i32>)| WritableTxnMarkerTopic::default()
                .with_name(TopicName(StrBytes::from_string(name.clone())))
                .with_partition_indexes(indexes.clone());
            let written = markers.iter().map(|(id, epoch, result, topics, coordinator)| WritableTxnMarker::default()
                .with_producer_id(ProducerId(*id))
                .with_producer_epoch(*epoch)
                .with_transaction_result(*result)
                .with_topics(topics.iter().map(topic).collect())
                .with_coordinator_epoch(*coordinator)
                .with_unknown_tagged_field(7, bytes::Bytes::from_static(b"more")));
            let mut out = bytes::BytesMut::new();
            messages::WriteTxnMarkersRequest::default().with_markers(written.collect()).encode(&mut out, 1).unwrap();
            let mut rest = out.freeze();
            let read = WriteTxnMarkersRequest::decode(&mut rest, 1).unwrap();
            prop_assert!(rest.is_empty());
            let topic = |(name, partition_indexes): (String, Vec<i32>)| TxnMarkerTopic { name: TopicName(StrBytes::from_string(name)), partition_indexes };
            let expected = markers.into_iter().map(|(producer_id, producer_epoch, transaction_result, topics, coordinator_epoch)| TxnMarker {
                producer_id, producer_epoch, transaction_result, coordinator_epoch,
                topics: topics.into_iter().map(topic).collect(),
                transaction_version: 0,
            });
            prop_assert_eq!(read.markers, expected.collect::<Vec<_>>());
        }
    }
}
