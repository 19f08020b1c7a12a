//! Requests about replicas, folders, rights and the cluster as a whole: fields as in Kafka's `*Request.json`, their names as comments.

use kafka_protocol::messages::{
    add_raft_voter_request, alter_partition_reassignments_request, alter_replica_log_dirs_request, create_acls_request,
    delete_acls_request, describe_quorum_request, elect_leaders_request, list_partition_reassignments_request,
    update_features_request,
};

use super::schema::{Field, Schema, int8, int16, int32, many, numbers, text, uuid};

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

pub(super) static DESCRIBE_QUORUM: Schema = Schema {
    key: 55,
    first: 0,
    last: 2,
    flexible: 0,
    fields: &[many::<describe_quorum_request::TopicData>(&[
        text(), // topic name
        many::<describe_quorum_request::PartitionData>(&[
            int32(), // partition index
        ]),
    ])],
};

pub(super) static UPDATE_FEATURES: Schema = Schema {
    key: 57,
    first: 0,
    last: 2,
    flexible: 0,
    fields: &[
        int32(), // timeout ms
        many::<update_features_request::FeatureUpdateKey>(&[
            text(),          // feature
            int16(),         // max version level
            int8().until(0), // allow downgrade
            int8().from(1),  // upgrade type
        ]),
        int8().from(1), // validate only
    ],
};

pub(super) static UNREGISTER_BROKER: Schema = Schema {
    key: 64,
    first: 0,
    last: 0,
    flexible: 0,
    fields: &[
        int32(), // broker id
    ],
};

pub(super) static ADD_RAFT_VOTER: Schema = Schema {
    key: 80,
    first: 0,
    last: 1,
    flexible: 0,
    fields: &[
        text(),  // cluster id
        int32(), // timeout ms
        int32(), // voter id
        uuid(),  // voter directory id
        many::<add_raft_voter_request::Listener>(&[
            text(),  // name
            text(),  // host
            int16(), // port
        ]),
        int8().from(1), // ack when committed
    ],
};

pub(super) static REMOVE_RAFT_VOTER: Schema = Schema {
    key: 81,
    first: 0,
    last: 0,
    flexible: 0,
    fields: &[
        text(),  // cluster id
        int32(), // voter id
        uuid(),  // voter directory id
    ],
};
