use bytes::{Buf, BufMut, Bytes};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Decodable, Encodable, Message, Request};
use proptest::prelude::*;

use super::schema::{Field, Kind, Schema};
use super::*;
use crate::newer;
use crate::topic_ids::{OffsetCommitNamesOrIds, OffsetFetchNamesOrIds};

mod allocated;

/// Bytes that a decode may take beside structures: the request itself, the frame's reference count.
const SLACK: usize = 1024;
/// Bytes that an error may take: it carries a backtrace where the environment asks for one.
const SLACK_ERROR: usize = 64 << 10;

/// Writes requests of a layout: random counts, lengths and bytes, tagged fields known and unknown.
struct Writer {
    out: Vec<u8>,
    version: i16,
    flexible: bool,
    state: u64,
}

impl Writer {
    fn request(schema: &Schema, version: i16, seed: u64) -> Vec<u8> {
        let mut writer = Self { out: Vec::new(), version, flexible: version >= schema.flexible, state: seed | 1 };
        writer.structure(schema.fields);
        writer.out
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % bound
    }

    fn structure(&mut self, fields: &[Field]) {
        for field in fields.iter().filter(|field| field.stands_in(self.version)).collect::<Vec<_>>() {
            self.field(&field.kind);
        }
        if self.flexible {
            let known: Vec<_> = (0..10)
                .filter_map(|tag| Some((tag, fields.iter().find(|field| field.is_tagged(tag, self.version))?)))
                .collect();
            let unknown = self.below(3) as u32;
            self.varint(known.len() as u32 + unknown);
            for (tag, field) in known {
                let mut inner = Self { out: Vec::new(), version: self.version, flexible: true, state: self.state };
                inner.field(&field.kind);
                self.varint(tag);
                self.varint(inner.out.len() as u32);
                self.out.extend(inner.out);
            }
            for tag in 0..unknown {
                self.varint(1000 + tag);
                self.varint(2);
                self.out.extend([7, 7]);
            }
        }
    }

    fn field(&mut self, kind: &Kind) {
        match *kind {
            Kind::Fixed(size) => self.fill(size),
            Kind::Text => self.text(),
            Kind::Bytes => {
                let length = self.below(200) as u32;
                self.count(length);
                self.fill(length as usize);
            }
            Kind::Numbers(size) => {
                let count = self.below(4) as u32;
                self.count(count);
                self.fill(count as usize * size);
            }
            Kind::Texts => {
                let count = self.below(4) as u32;
                self.count(count);
                (0..count).for_each(|_| self.text());
            }
            Kind::One(fields) => self.structure(fields),
            Kind::Optional(fields) => match self.below(2) {
                0 => self.out.put_i8(-1),
                _ => {
                    self.out.put_i8(1);
                    self.structure(fields);
                }
            },
            Kind::Many { fields, .. } => {
                let count = self.below(4) as u32;
                self.count(count);
                (0..count).for_each(|_| self.structure(fields));
            }
        }
    }

    fn fill(&mut self, size: usize) {
        for _ in 0..size {
            let byte = self.below(256) as u8;
            self.out.push(byte);
        }
    }

    fn text(&mut self) {
        let length = self.below(20) as u32;
        if self.flexible {
            self.varint(length + 1)
        } else {
            self.out.put_i16(length as i16)
        }
        self.out.extend(std::iter::repeat_n(b'a', length as usize));
    }

    fn count(&mut self, count: u32) {
        if self.flexible { self.varint(count + 1) } else { self.out.put_i32(count as i32) }
    }

    fn varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }
}

/// What stands for the crate: each request that has a layout, but for those that are decoded by hand.
macro_rules! apis {
    ($($request:ident)*) => {
        fn decode(key: i16, version: i16, body: &mut Bytes) -> Option<Box<dyn std::any::Any>> {
            match (key, version) {
                (8, 10) => Some(Box::new(OffsetCommitNamesOrIds::decode(body, version).ok()?)),
                (9, 10) => Some(Box::new(OffsetFetchNamesOrIds::decode(body, version).ok()?)),
                (27, _) => Some(Box::new(newer::WriteTxnMarkersRequest::decode(body, version).ok()?)),
                (80, _) => Some(Box::new(newer::AddRaftVoterRequest::decode(body, version).ok()?)),
                $(($request::KEY, _) => Some(Box::new($request::decode(body, version).ok()?)),)*
                _ => unreachable!("no request has the key {key}"),
            }
        }

        fn default_request(key: i16, version: i16) -> Vec<u8> {
            let mut out = Vec::new();
            match key {
                27 => out.extend([1, 0]),
                80 => {
                    // No cluster's id; times and ids that are zero; no listeners.
                    out.put_bytes(0, 1 + 4 + 4 + 16);
                    out.extend_from_slice(if version == 0 { &[1, 0] } else { &[1, 1, 0] });
                }
                $($request::KEY => $request::default().encode(&mut out, version).unwrap(),)*
                _ => unreachable!("no request has the key {key}"),
            }
            out
        }

        /// Key, first and last version of each request, and the first version with a flexible header.
        fn ranges() -> Vec<(i16, i16, i16, i16)> {
            use kafka_protocol::protocol::HeaderVersion;
            let mut ranges = vec![(27, 1, 2, 1), (80, 0, 1, 0)];
            ranges.extend([$({
                let versions = $request::VERSIONS;
                let flexible = (versions.min..=versions.max).find(|version| $request::header_version(*version) == 2);
                ($request::KEY, versions.min, versions.max, flexible.unwrap_or(i16::MAX))
            }),*]);
            ranges.sort();
            ranges
        }
    };
}

apis! {
    ProduceRequest FetchRequest ListOffsetsRequest MetadataRequest OffsetCommitRequest OffsetFetchRequest
    FindCoordinatorRequest JoinGroupRequest HeartbeatRequest LeaveGroupRequest SyncGroupRequest DescribeGroupsRequest
    ListGroupsRequest SaslHandshakeRequest ApiVersionsRequest CreateTopicsRequest DeleteTopicsRequest
    DeleteRecordsRequest InitProducerIdRequest OffsetForLeaderEpochRequest AddPartitionsToTxnRequest
    AddOffsetsToTxnRequest EndTxnRequest TxnOffsetCommitRequest DescribeAclsRequest
    CreateAclsRequest DeleteAclsRequest DescribeConfigsRequest AlterConfigsRequest
    AlterReplicaLogDirsRequest DescribeLogDirsRequest SaslAuthenticateRequest CreatePartitionsRequest
    CreateDelegationTokenRequest RenewDelegationTokenRequest ExpireDelegationTokenRequest DescribeDelegationTokenRequest
    DeleteGroupsRequest ElectLeadersRequest
    IncrementalAlterConfigsRequest AlterPartitionReassignmentsRequest ListPartitionReassignmentsRequest
    OffsetDeleteRequest DescribeClientQuotasRequest AlterClientQuotasRequest DescribeUserScramCredentialsRequest
    AlterUserScramCredentialsRequest DescribeQuorumRequest UpdateFeaturesRequest DescribeClusterRequest
    DescribeProducersRequest UnregisterBrokerRequest
    DescribeTransactionsRequest ListTransactionsRequest ConsumerGroupHeartbeatRequest ConsumerGroupDescribeRequest
    ListConfigResourcesRequest DescribeTopicPartitionsRequest RemoveRaftVoterRequest
}

fn each() -> impl Iterator<Item = (&'static Schema, i16)> {
    SCHEMAS.iter().flat_map(|schema| (schema.first..=schema.last).map(|version| (*schema, version)))
}

#[test]
fn the_layouts_have_the_versions_of_the_crate() {
    // Two are read in a version more, by codecs of our own.
    let last = |schema: &Schema| if [8, 9].contains(&schema.key) { schema.last - 1 } else { schema.last };
    let layouts: Vec<_> =
        SCHEMAS.iter().map(|schema| (schema.key, schema.first, last(schema), schema.flexible)).collect();
    assert_eq!(layouts, ranges());
    assert!(SCHEMAS.is_sorted_by_key(|schema| schema.key));
}

#[test]
fn a_default_request_passes_whole() {
    for (schema, version) in each().filter(|(schema, version)| !matches!((schema.key, version), (8 | 9, 10))) {
        let body = default_request(schema.key, version);
        let walked = walk::request(schema, version, &body).unwrap();
        assert!(walked.rest.is_empty(), "{} v{version}", schema.key);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The layout and the crate agree on every byte: what is written by the one is read whole by the other.
    #[test]
    fn a_rich_request_passes_and_decodes_whole(seed: u64) {
        for (schema, version) in each() {
            let body = Writer::request(schema, version, seed);
            let walked = walk::request(schema, version, &body).unwrap();
            prop_assert!(walked.rest.is_empty(), "{} v{version}", schema.key);
            let mut bytes = Bytes::from(body.clone());
            let (decoded, peak) = allocated::peak(|| decode(schema.key, version, &mut bytes));
            prop_assert!(decoded.is_some(), "{} v{version}: {bytes:?}", schema.key);
            prop_assert!(bytes.is_empty(), "{} v{version}: {bytes:?}", schema.key);
            prop_assert!(peak <= walked.decoded + SLACK, "{} v{version}: {peak} > {}", schema.key, walked.decoded);
        }
    }

    #[test]
    fn a_request_cut_short_is_refused(seed: u64, at: prop::sample::Index) {
        for (schema, version) in each() {
            let body = Writer::request(schema, version, seed);
            if !body.is_empty() {
                prop_assert!(check(schema.key, version, &body[..at.index(body.len())]).is_err());
            }
        }
    }

    #[test]
    fn what_passes_decodes_within_its_bound(
        seed: u64, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        for (schema, version) in each() {
            let mut body = Writer::request(schema, version, seed);
            for (at, byte) in &changes {
                if !body.is_empty() {
                    let at = at.index(body.len());
                    body[at] = *byte;
                }
            }
            decodes_within_its_bound(schema, version, body)?;
        }
    }

    #[test]
    fn any_bytes_that_pass_decode_within_their_bound(body in prop::collection::vec(
        prop_oneof![Just(0u8), Just(1), Just(2), Just(0xff), any::<u8>()], 0..300,
    )) {
        for (schema, version) in each() {
            decodes_within_its_bound(schema, version, body.clone())?;
        }
    }

    #[test]
    fn any_bytes_are_a_header_or_an_error(key in -1i16..80, version in -1i16..20, rest: Vec<u8>) {
        let mut frame = Vec::new();
        frame.put_i16(key);
        frame.put_i16(version);
        frame.extend(rest);
        let _ = parse_header(&mut Bytes::from(frame));
    }
}

fn decodes_within_its_bound(schema: &Schema, version: i16, body: Vec<u8>) -> Result<(), TestCaseError> {
    let Ok(walked) = walk::request(schema, version, &body) else { return Ok(()) };
    let (bound, mut bytes) = (walked.decoded, Bytes::from(body.clone()));
    let (decoded, peak) = allocated::peak(|| decode(schema.key, version, &mut bytes));
    let bound = bound + if decoded.is_some() { SLACK } else { SLACK_ERROR };
    prop_assert!(peak <= bound, "{} v{version}: {peak} > {bound}", schema.key);
    Ok(())
}

#[test]
fn nine_bytes_are_not_two_thousand_million_topics() {
    let body = [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0];
    assert_eq!(check(3, 1, &body), Err(GuardError::Short { need: i32::MAX as usize, have: 5 }));
}

/// One byte an element: the frame could hold them all.
#[test]
fn a_frame_of_empty_names_is_refused_before_it_is_decoded() {
    let count: u32 = 8 << 20;
    let mut body = vec![0; 12 + count as usize];
    body[..4].copy_from_slice(&[(count + 1) as u8 | 0x80, ((count + 1) >> 7) as u8 | 0x80, 0x80, 0x04]);
    assert_eq!(check(15, 5, &body), Err(GuardError::TooMany));
}

#[test]
fn a_frame_of_unknown_tags_is_refused_before_it_is_decoded() {
    let mut body = vec![0, 0x80, 0x80, 0x10];
    body.extend(
        (0..1u32 << 18).flat_map(|tag| [tag as u8 | 0x80, (tag >> 7) as u8 | 0x80, (tag >> 14) as u8 | 0x40, 0]),
    );
    assert_eq!(check(60, 0, &body), Err(GuardError::TooMany));
}

#[test]
fn a_known_tag_must_be_as_long_as_it_says() {
    // Fetch v12: the cluster id is tag 0, and the crate does not look at its size.
    let expected = GuardError::Tag { tag: 0, said: 5, has: 2 };
    let mut fetch = Vec::new();
    FetchRequest::default().encode(&mut fetch, 12).unwrap();
    fetch.pop();
    fetch.extend([1, 0, 5, 2, b'x', 0, 0, 0]);
    assert_eq!(check(1, 12, &fetch), Err(expected));
}

#[test]
fn a_number_of_more_than_32_bits_is_refused() {
    assert_eq!(check(15, 5, &[0xff, 0xff, 0xff, 0xff, 0x1f]), Err(GuardError::Varint));
    assert_eq!(check(15, 5, &[0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), Err(GuardError::Varint));
}

#[test]
fn a_length_below_null_is_refused() {
    assert_eq!(check(3, 1, &(-2i32).to_be_bytes()), Err(GuardError::Negative(-2)));
    assert_eq!(check(12, 0, &(-7i16).to_be_bytes()), Err(GuardError::Negative(-7)));
}

#[test]
fn what_is_not_known_is_not_supported() {
    assert_eq!(check(3, 14, &[]), Err(GuardError::Unsupported { key: 3, version: 14 }));
    assert_eq!(check(4, 0, &[]), Err(GuardError::Unsupported { key: 4, version: 0 }));
}

fn encoded_header(key: i16, version: i16, client_id: Option<&'static str>, tags: bool, encoded_as: i16) -> Bytes {
    let mut header = kafka_protocol::messages::RequestHeader::default()
        .with_request_api_key(key)
        .with_request_api_version(version)
        .with_correlation_id(77)
        .with_client_id(client_id.map(kafka_protocol::protocol::StrBytes::from_static_str));
    if tags {
        header = header.with_unknown_tagged_field(9, Bytes::from_static(b"abc"));
    }
    let mut out = Vec::new();
    header.encode(&mut out, encoded_as).unwrap();
    out.put_u8(0xaa);
    out.into()
}

#[test]
fn a_header_is_taken_off_its_frame() {
    for (key, version, tags, encoded_as) in [(3, 8, false, 1), (3, 9, false, 2), (3, 9, true, 2), (18, 3, true, 2)] {
        for client_id in [Some("me"), Some(""), None] {
            let mut frame = encoded_header(key, version, client_id, tags, encoded_as);
            let header = parse_header(&mut frame).unwrap();
            assert_eq!((header.api_key, header.api_version, header.correlation_id), (key, version, 77));
            assert_eq!(header.client_id.as_deref(), client_id);
            assert_eq!(frame, [0xaa][..]);
        }
    }
}

#[test]
fn an_unknown_version_leaves_what_it_cannot_tell() {
    let mut frame = encoded_header(18, 99, Some("me"), false, 2);
    let header = parse_header(&mut frame).unwrap();
    assert_eq!((header.api_key, header.api_version, header.correlation_id), (18, 99, 77));
    assert_eq!(header.client_id, None);
}

#[test]
fn a_header_cut_short_is_refused() {
    let whole = encoded_header(3, 9, Some("me"), true, 2);
    for length in 0..whole.remaining() - 1 {
        assert!(parse_header(&mut whole.slice(..length)).is_err(), "{length}");
    }
}
