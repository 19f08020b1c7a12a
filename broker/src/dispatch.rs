//! THE table: which APIs are served, in which versions, by which handler, in key order. ApiVersions is made from it.

use bytes::Bytes;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Decodable, HeaderVersion};

use crate::newer::{AddRaftVoterRequest, WriteTxnMarkersRequest};
use crate::reply::{self, Reply};
use crate::shared::{Call, Shared};
use crate::topic_ids::{OffsetCommitNamesOrIds, OffsetFetchNamesOrIds};
use crate::{api, guard};

/// What ApiVersions says of one API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Api {
    pub(crate) key: i16,
    /// Lowest version told to clients.
    pub(crate) advertised_min: i16,
    /// Lowest version answered; a lower one closes the connection.
    pub(crate) min: i16,
    /// Highest version told and answered.
    pub(crate) max: i16,
    /// Versions of the response's header by the version of the response.
    pub(crate) response_header: fn(i16) -> i16,
}

/// Why a request is answered by closing its connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("API {key} version {version} is not supported")]
    Unsupported { key: i16, version: i16 },
    #[error("a request of API {key} version {version} does not decode: {reason}")]
    Malformed { key: i16, version: i16, reason: String },
    #[error("a response of API {key} version {version} does not encode: {reason}")]
    Encode { key: i16, version: i16, reason: String },
}

macro_rules! apis {
    ($($key:literal $request:ident -> $response:ident [$advertised:literal] $min:literal..$max:literal => $($handler:ident)::+;)*) => {
        pub(crate) const TABLE: &[Api] = &[$(Api {
            key: $key,
            advertised_min: $advertised,
            min: $min,
            max: $max,
            response_header: <$response as HeaderVersion>::header_version,
        }),*];

        /// Decodes the request, has it handled, and encodes the response.
        pub(crate) async fn dispatch(shared: &Shared, api: &Api, call: &Call, body: Bytes) -> Result<Reply, Refused> {
            match api.key {
                $($key => {
                    let request = decode::<$request>(api.key, call.version, body)?;
                    let response = $($handler)::+(shared, call, request).await;
                    response.into_reply(response_layout(api.key, call.version)).map_err(|reason| Refused::Encode {
                        key: api.key, version: call.version, reason: reason.to_string(),
                    })
                })*
                key => Err(Refused::Unsupported { key, version: call.version }),
            }
        }
    };
}

apis! {
    // Produce 0-2 are told but not answered, as in Kafka: older librdkafka takes 0 for a sign of life (KAFKA-18659).
    0 ProduceRequest -> ProduceResponse [0] 3..13 => api::produce::handle;
    1 FetchRequest -> FetchResponse [4] 4..18 => api::fetch::handle;
    2 ListOffsetsRequest -> ListOffsetsResponse [1] 1..11 => api::list_offsets::handle;
    3 MetadataRequest -> MetadataResponse [0] 0..13 => api::metadata::handle;
    8 OffsetCommitNamesOrIds -> OffsetCommitResponse [2] 2..10 => api::offset_commit::handle;
    9 OffsetFetchNamesOrIds -> OffsetFetchResponse [1] 1..10 => api::offset_fetch::handle;
    10 FindCoordinatorRequest -> FindCoordinatorResponse [0] 0..6 => api::find_coordinator::handle;
    11 JoinGroupRequest -> JoinGroupResponse [0] 0..9 => api::join_group::handle;
    12 HeartbeatRequest -> HeartbeatResponse [0] 0..4 => api::heartbeat::handle;
    13 LeaveGroupRequest -> LeaveGroupResponse [0] 0..5 => api::leave_group::handle;
    14 SyncGroupRequest -> SyncGroupResponse [0] 0..5 => api::sync_group::handle;
    15 DescribeGroupsRequest -> DescribeGroupsResponse [0] 0..6 => api::describe_groups::handle;
    16 ListGroupsRequest -> ListGroupsResponse [0] 0..5 => api::list_groups::handle;
    17 SaslHandshakeRequest -> SaslHandshakeResponse [0] 0..1 => api::sasl::handshake;
    18 ApiVersionsRequest -> ApiVersionsResponse [0] 0..4 => api::api_versions::handle;
    19 CreateTopicsRequest -> CreateTopicsResponse [2] 2..7 => api::create_topics::handle;
    20 DeleteTopicsRequest -> DeleteTopicsResponse [1] 1..6 => api::delete_topics::handle;
    21 DeleteRecordsRequest -> DeleteRecordsResponse [0] 0..2 => api::delete_records::handle;
    22 InitProducerIdRequest -> InitProducerIdResponse [0] 0..5 => api::init_producer_id::handle;
    23 OffsetForLeaderEpochRequest -> OffsetForLeaderEpochResponse [2] 2..4 => api::offset_for_leader_epoch::handle;
    24 AddPartitionsToTxnRequest -> AddPartitionsToTxnResponse [0] 0..5 => api::add_partitions_to_txn::handle;
    25 AddOffsetsToTxnRequest -> AddOffsetsToTxnResponse [0] 0..4 => api::add_offsets_to_txn::handle;
    26 EndTxnRequest -> EndTxnResponse [0] 0..5 => api::end_txn::handle;
    27 WriteTxnMarkersRequest -> WriteTxnMarkersResponse [1] 1..2 => api::write_txn_markers::handle;
    28 TxnOffsetCommitRequest -> TxnOffsetCommitResponse [0] 0..5 => api::txn_offset_commit::handle;
    29 DescribeAclsRequest -> DescribeAclsResponse [1] 1..3 => api::acls::describe;
    30 CreateAclsRequest -> CreateAclsResponse [1] 1..3 => api::acls::create;
    31 DeleteAclsRequest -> DeleteAclsResponse [1] 1..3 => api::acls::delete;
    32 DescribeConfigsRequest -> DescribeConfigsResponse [1] 1..4 => api::describe_configs::handle;
    33 AlterConfigsRequest -> AlterConfigsResponse [0] 0..2 => api::alter_configs::handle;
    34 AlterReplicaLogDirsRequest -> AlterReplicaLogDirsResponse [1] 1..2 => api::log_dirs::alter;
    35 DescribeLogDirsRequest -> DescribeLogDirsResponse [1] 1..4 => api::log_dirs::describe;
    36 SaslAuthenticateRequest -> SaslAuthenticateResponse [0] 0..2 => api::sasl::authenticate;
    37 CreatePartitionsRequest -> CreatePartitionsResponse [0] 0..3 => api::create_partitions::handle;
    38 CreateDelegationTokenRequest -> CreateDelegationTokenResponse [1] 1..3 => api::delegation_tokens::create;
    39 RenewDelegationTokenRequest -> RenewDelegationTokenResponse [1] 1..2 => api::delegation_tokens::renew;
    40 ExpireDelegationTokenRequest -> ExpireDelegationTokenResponse [1] 1..2 => api::delegation_tokens::expire;
    41 DescribeDelegationTokenRequest -> DescribeDelegationTokenResponse [1] 1..3 => api::delegation_tokens::describe;
    42 DeleteGroupsRequest -> DeleteGroupsResponse [0] 0..2 => api::delete_groups::handle;
    43 ElectLeadersRequest -> ElectLeadersResponse [0] 0..2 => api::elect_leaders::handle;
    44 IncrementalAlterConfigsRequest -> IncrementalAlterConfigsResponse [0] 0..1 => api::alter_configs::handle_incremental;
    45 AlterPartitionReassignmentsRequest -> AlterPartitionReassignmentsResponse [0] 0..1 => api::reassignments::alter;
    46 ListPartitionReassignmentsRequest -> ListPartitionReassignmentsResponse [0] 0..0 => api::reassignments::list;
    47 OffsetDeleteRequest -> OffsetDeleteResponse [0] 0..0 => api::offset_delete::handle;
    48 DescribeClientQuotasRequest -> DescribeClientQuotasResponse [0] 0..1 => api::client_quotas::describe;
    49 AlterClientQuotasRequest -> AlterClientQuotasResponse [0] 0..1 => api::client_quotas::alter;
    50 DescribeUserScramCredentialsRequest -> DescribeUserScramCredentialsResponse [0] 0..0 => api::scram::describe;
    51 AlterUserScramCredentialsRequest -> AlterUserScramCredentialsResponse [0] 0..0 => api::scram::alter;
    55 DescribeQuorumRequest -> DescribeQuorumResponse [0] 0..2 => api::quorum::describe;
    57 UpdateFeaturesRequest -> UpdateFeaturesResponse [0] 0..2 => api::update_features::handle;
    60 DescribeClusterRequest -> DescribeClusterResponse [0] 0..2 => api::describe_cluster::handle;
    61 DescribeProducersRequest -> DescribeProducersResponse [0] 0..0 => api::describe_producers::handle;
    64 UnregisterBrokerRequest -> UnregisterBrokerResponse [0] 0..0 => api::unregister_broker::handle;
    65 DescribeTransactionsRequest -> DescribeTransactionsResponse [0] 0..0 => api::describe_transactions::handle;
    66 ListTransactionsRequest -> ListTransactionsResponse [0] 0..2 => api::list_transactions::handle;
    74 ListConfigResourcesRequest -> ListConfigResourcesResponse [0] 0..1 => api::list_config_resources::handle;
    75 DescribeTopicPartitionsRequest -> DescribeTopicPartitionsResponse [0] 0..0 => api::describe_topic_partitions::handle;
    80 AddRaftVoterRequest -> AddRaftVoterResponse [0] 0..1 => api::quorum::add_voter;
    81 RemoveRaftVoterRequest -> RemoveRaftVoterResponse [0] 0..0 => api::quorum::remove_voter;
}

/// The table's row for an API, if the version is one that is answered.
pub(crate) fn find(key: i16, version: i16) -> Result<&'static Api, Refused> {
    TABLE
        .iter()
        .find(|api| api.key == key && (api.min..=api.max).contains(&version))
        .ok_or(Refused::Unsupported { key, version })
}

/// The version whose layout a response has: where only the request has changed since, the protocol crate knows it.
fn response_layout(key: i16, version: i16) -> i16 {
    match (key, version) {
        (27, 2) => 1,
        (80, 1) => 0,
        _ => guard::layout(key, version),
    }
}

/// The protocol crate is not fit for hostile bytes: a panic in it is a malformed request, not the end of the process.
fn decode<R: Decodable>(key: i16, version: i16, body: Bytes) -> Result<R, Refused> {
    let malformed = |reason: String| Refused::Malformed { key, version, reason };
    guard::check(key, version, &body).map_err(|error| malformed(error.to_string()))?;
    let mut rest = body;
    let decoded =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| R::decode(&mut rest, guard::layout(key, version))));
    match decoded {
        Err(_) => Err(malformed("the decoder gave up".to_owned())),
        Ok(Err(error)) => Err(malformed(error.to_string())),
        // Bytes left over are let pass, as Kafka does: librdkafka sends three when it asks for all topics' metadata.
        Ok(Ok(request)) => Ok(request),
    }
}

/// What a handler may return: a response message, or a reply made by hand.
pub(crate) trait IntoReply {
    fn into_reply(self, version: i16) -> Result<Reply, anyhow::Error>;
}

impl IntoReply for Reply {
    fn into_reply(self, _version: i16) -> Result<Reply, anyhow::Error> {
        Ok(self)
    }
}

impl<M: kafka_protocol::protocol::Encodable> IntoReply for M {
    fn into_reply(self, version: i16) -> Result<Reply, anyhow::Error> {
        reply::encode(&self, version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_key_order_without_repetition() {
        assert!(TABLE.windows(2).all(|pair| pair[0].key < pair[1].key));
        assert!(TABLE.iter().all(|api| api.advertised_min <= api.min && api.min <= api.max));
    }
}
