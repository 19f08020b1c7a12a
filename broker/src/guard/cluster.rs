//! Requests about replicas, folders and rights: fields as in Kafka's `*Request.json`, their names as comments.

use kafka_protocol::messages::{
    alter_partition_reassignments_request, alter_replica_log_dirs_request, create_acls_request, delete_acls_request,
    describe_user_scram_credentials_request, elect_leaders_request, list_partition_reassignments_request,
};

use super::schema::{Field, Schema, int8, int32, many, numbers, text};

/// A filter of ACLs.
const ACL_FILTER: [Field; 7] = [
    int8(), // resource type filter
    text(), // resource name filter
    int8(), // pattern type filter
    text(), // principal filter
    text(), // host filter
    int8(), // operation
    int8(), // permission type
];

pub(super) static DESCRIBE_ACLS: Schema = Schema { key: 29, first: 1, last: 3, flexible: 2, fields: &ACL_FILTER };

pub(super) static CREATE_ACLS: Schema = Schema {
    key: 30,
    first: 1,
    last: 3,
    flexible: 2,
    fields: &[many::<create_acls_request::AclCreation>(&[
        int8(), // resource type
        text(), // resource name
        int8(), // resource pattern type
        text(), // principal
        text(), // host
        int8(), // operation
        int8(), // permission type
    ])],
};

pub(super) static DELETE_ACLS: Schema = Schema {
    key: 31,
    first: 1,
    last: 3,
    flexible: 2,
    fields: &[many::<delete_acls_request::DeleteAclsFilter>(&ACL_FILTER)],
};

pub(super) static ALTER_REPLICA_LOG_DIRS: Schema = Schema {
    key: 34,
    first: 1,
    last: 2,
    flexible: 2,
    fields: &[many::<alter_replica_log_dirs_request::AlterReplicaLogDir>(&[
        text(), // path
        many::<alter_replica_log_dirs_request::AlterReplicaLogDirTopic>(&[
            text(),     // name
            numbers(4), // partitions
        ]),
    ])],
};

pub(super) static ELECT_LEADERS: Schema = Schema {
    key: 43,
    first: 0,
    last: 2,
    flexible: 2,
    fields: &[
        int8().from(1), // election type
        many::<elect_leaders_request::TopicPartitions>(&[
            text(),     // topic
            numbers(4), // partitions
        ]),
        int32(), // timeout ms
    ],
};

pub(super) static ALTER_PARTITION_REASSIGNMENTS: Schema = Schema {
    key: 45,
    first: 0,
    last: 1,
    flexible: 0,
    fields: &[
        int32(),        // timeout ms
        int8().from(1), // allow replication factor change
        many::<alter_partition_reassignments_request::ReassignableTopic>(&[
            text(), // name
            many::<alter_partition_reassignments_request::ReassignablePartition>(&[
                int32(),    // partition index
                numbers(4), // replicas
            ]),
        ]),
    ],
};

pub(super) static LIST_PARTITION_REASSIGNMENTS: Schema = Schema {
    key: 46,
    first: 0,
    last: 0,
    flexible: 0,
    fields: &[
        int32(), // timeout ms
        many::<list_partition_reassignments_request::ListPartitionReassignmentsTopics>(&[
            text(),     // name
            numbers(4), // partition indexes
        ]),
    ],
};

pub(super) static DESCRIBE_USER_SCRAM_CREDENTIALS: Schema = Schema {
    key: 50,
    first: 0,
    last: 0,
    flexible: 0,
    fields: &[many::<describe_user_scram_credentials_request::UserName>(&[
        text(), // name
    ])],
};
