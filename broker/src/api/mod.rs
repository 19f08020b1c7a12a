//! One file per API. A handler takes the decoded request and returns the response; it never sees a socket.

pub(crate) mod acls;
pub(crate) mod add_offsets_to_txn;
pub(crate) mod add_partitions_to_txn;
pub(crate) mod alter_configs;
pub(crate) mod api_versions;
pub(crate) mod authorized;
pub(crate) mod client_quotas;
mod commits;
pub(crate) mod create_partitions;
pub(crate) mod create_topics;
pub(crate) mod delegation_tokens;
pub(crate) mod delete_groups;
pub(crate) mod delete_records;
pub(crate) mod delete_topics;
pub(crate) mod describe_cluster;
pub(crate) mod describe_configs;
pub(crate) mod describe_groups;
pub(crate) mod describe_producers;
pub(crate) mod describe_topic_partitions;
pub(crate) mod describe_transactions;
pub(crate) mod elect_leaders;
pub(crate) mod end_txn;
pub(crate) mod fetch;
mod fetch_response;
pub(crate) mod fetch_session;
pub(crate) mod find_coordinator;
mod group_text;
pub(crate) mod heartbeat;
pub(crate) mod init_producer_id;
pub(crate) mod join_group;
pub(crate) mod leave_group;
pub(crate) mod list_config_resources;
pub(crate) mod list_groups;
pub(crate) mod list_offsets;
pub(crate) mod list_transactions;
pub(crate) mod log_dirs;
pub(crate) mod metadata;
pub(crate) mod offset_commit;
pub(crate) mod offset_delete;
pub(crate) mod offset_fetch;
pub(crate) mod offset_for_leader_epoch;
pub(crate) mod produce;
mod produce_transaction;
pub(crate) mod quorum;
pub(crate) mod reassignments;
pub(crate) mod sasl;
pub(crate) mod scram;
pub(crate) mod sync_group;
pub(crate) mod txn_offset_commit;
pub(crate) mod unregister_broker;
pub(crate) mod update_features;
pub(crate) mod write_txn_markers;

use std::sync::Arc;

use brooklet_storage::PartitionLog;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::TopicName;
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use crate::shared::Shared;

/// A topic's name as messages carry it.
pub(crate) fn topic_name(name: &Arc<str>) -> TopicName {
    TopicName(StrBytes::from_string(name.as_ref().to_owned()))
}

/// The name of the topic with that id; empty if there is none.
fn name_of(shared: &Shared, id: Uuid) -> TopicName {
    shared.storage.topic_by_id(id).map_or_else(TopicName::default, |topic| topic_name(&topic.name))
}

/// Checks the leader epoch that a client believes in (KIP-320); -1 believes in none.
pub(crate) fn check_leader_epoch(log: &PartitionLog, believed: i32) -> Result<(), ResponseError> {
    let epoch = log.leader_epoch().0;
    match believed {
        -1 => Ok(()),
        _ if believed < epoch => Err(ResponseError::FencedLeaderEpoch),
        _ if believed > epoch => Err(ResponseError::UnknownLeaderEpoch),
        _ => Ok(()),
    }
}
