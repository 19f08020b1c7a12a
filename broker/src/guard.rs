//! What stands between a peer's bytes and the protocol crate.
//!
//! The crate allocates for as many elements as a count on the wire says, before it has seen one of them: nine bytes
//! can ask for 200 GiB. [`check`] walks a request by its layout first, allocates nothing, and lets through only what
//! - stays within the frame: every length and every element that is counted is really there, tagged fields included;
//! - decodes to at most [`DECODED_BYTES_MAX`] bytes of structures. The crate keeps texts and byte fields as slices of
//!   the frame, but each element of a list becomes a structure of up to some hundred bytes, though one byte of the
//!   frame can be enough for it, and each unknown tagged field (two bytes) a node of a tree.
//!
//! What passes may still be wrong (a null where none may be, text that is not UTF-8): that the crate reports.

mod admin;
mod cluster;
mod groups;
mod header;
mod records;
mod schema;
mod security;
mod transactions;
mod walk;

use schema::Schema;

pub use header::{RequestHeader, parse_header};

/// The bytes of structures, beyond its own frame, that a request may decode to: 32 MiB. Some 350,000 partitions in
/// one Fetch, or 450,000 topics in one Metadata request, are below it; and the frame's size has no part in it.
pub const DECODED_BYTES_MAX: usize = 32 << 20;

/// Why a request may not be decoded. The connection it came on is closed, as Kafka does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// No layout is known for the API, or for this version of it.
    #[error("version {version} of the API with key {key} is not supported")]
    Unsupported {
        /// The API's key.
        key: i16,
        /// The version.
        version: i16,
    },
    /// A length or a count reaches past the end of the frame.
    #[error("{need} bytes are needed where {have} are left")]
    Short {
        /// Bytes that must be there.
        need: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// A length or a count below -1.
    #[error("a length is negative: {0}")]
    Negative(i32),
    /// A variable-length number longer than five bytes or 32 bits.
    #[error("a number is longer than 32 bits")]
    Varint,
    /// A tagged field is not as long as it says.
    #[error("tagged field {tag} says {said} bytes and has {has}")]
    Tag {
        /// The field's tag.
        tag: u32,
        /// Its size as written.
        said: usize,
        /// Its size as it is.
        has: usize,
    },
    /// The client id is not UTF-8.
    #[error("the client id is not UTF-8")]
    ClientId,
    /// More structures than [`DECODED_BYTES_MAX`] allows.
    #[error("the request would take more than {DECODED_BYTES_MAX} bytes when decoded")]
    TooMany,
}

/// Checks the body of a request (what follows its header) before it may be decoded as `version` of the API `key`.
pub fn check(key: i16, version: i16, body: &[u8]) -> Result<(), GuardError> {
    let schema = schema(key, version).ok_or(GuardError::Unsupported { key, version })?;
    walk::request(schema, layout(key, version), body).map(|_| ())
}

/// The version whose layout a version has. ListOffsets 11 (KIP-1023) is laid out as 10 is, and the protocol crate knows
/// the latter only.
pub(crate) fn layout(key: i16, version: i16) -> i16 {
    match (key, version) {
        (2, 11) => 10,
        _ => version,
    }
}

fn schema(key: i16, version: i16) -> Option<&'static Schema> {
    let version = layout(key, version);
    let schema = SCHEMAS.iter().find(|schema| schema.key == key)?;
    (schema.first <= version && version <= schema.last).then_some(*schema)
}

/// The layouts, in the order of their keys.
static SCHEMAS: &[&Schema] = &[
    &records::PRODUCE,
    &records::FETCH,
    &records::LIST_OFFSETS,
    &admin::METADATA,
    &groups::OFFSET_COMMIT,
    &groups::OFFSET_FETCH,
    &groups::FIND_COORDINATOR,
    &groups::JOIN_GROUP,
    &groups::HEARTBEAT,
    &groups::LEAVE_GROUP,
    &groups::SYNC_GROUP,
    &groups::DESCRIBE_GROUPS,
    &groups::LIST_GROUPS,
    &security::SASL_HANDSHAKE,
    &admin::API_VERSIONS,
    &admin::CREATE_TOPICS,
    &admin::DELETE_TOPICS,
    &records::DELETE_RECORDS,
    &transactions::INIT_PRODUCER_ID,
    &records::OFFSET_FOR_LEADER_EPOCH,
    &transactions::ADD_PARTITIONS_TO_TXN,
    &transactions::ADD_OFFSETS_TO_TXN,
    &transactions::END_TXN,
    &transactions::WRITE_TXN_MARKERS,
    &transactions::TXN_OFFSET_COMMIT,
    &cluster::DESCRIBE_ACLS,
    &cluster::CREATE_ACLS,
    &cluster::DELETE_ACLS,
    &admin::DESCRIBE_CONFIGS,
    &admin::ALTER_CONFIGS,
    &cluster::ALTER_REPLICA_LOG_DIRS,
    &admin::DESCRIBE_LOG_DIRS,
    &security::SASL_AUTHENTICATE,
    &admin::CREATE_PARTITIONS,
    &security::CREATE_DELEGATION_TOKEN,
    &security::RENEW_DELEGATION_TOKEN,
    &security::EXPIRE_DELEGATION_TOKEN,
    &security::DESCRIBE_DELEGATION_TOKEN,
    &groups::DELETE_GROUPS,
    &cluster::ELECT_LEADERS,
    &admin::INCREMENTAL_ALTER_CONFIGS,
    &cluster::ALTER_PARTITION_REASSIGNMENTS,
    &cluster::LIST_PARTITION_REASSIGNMENTS,
    &groups::OFFSET_DELETE,
    &security::DESCRIBE_CLIENT_QUOTAS,
    &security::ALTER_CLIENT_QUOTAS,
    &security::DESCRIBE_USER_SCRAM_CREDENTIALS,
    &security::ALTER_USER_SCRAM_CREDENTIALS,
    &cluster::DESCRIBE_QUORUM,
    &cluster::UPDATE_FEATURES,
    &admin::DESCRIBE_CLUSTER,
    &records::DESCRIBE_PRODUCERS,
    &cluster::UNREGISTER_BROKER,
    &transactions::DESCRIBE_TRANSACTIONS,
    &transactions::LIST_TRANSACTIONS,
    &groups::CONSUMER_GROUP_HEARTBEAT,
    &groups::CONSUMER_GROUP_DESCRIBE,
    &admin::LIST_CONFIG_RESOURCES,
    &admin::DESCRIBE_TOPIC_PARTITIONS,
    &cluster::ADD_RAFT_VOTER,
    &cluster::REMOVE_RAFT_VOTER,
];

#[cfg(test)]
mod tests;
