//! Requests about consumer groups: fields as in Kafka's `*Request.json`, their names as comments.

use kafka_protocol::messages::{
    consumer_group_heartbeat_request, join_group_request, leave_group_request, offset_commit_request,
    offset_delete_request, offset_fetch_request, sync_group_request,
};

use super::schema::{Schema, bytes, int8, int32, int64, many, numbers, text, texts, uuid};

pub(super) static OFFSET_COMMIT: Schema = Schema {
    key: 8,
    first: 2,
    last: 10,
    flexible: 8,
    fields: &[
        text(),           // group id
        int32(),          // generation id or member epoch
        text(),           // member id
        text().from(7),   // group instance id
        int64().until(4), // retention time ms
        many::<offset_commit_request::OffsetCommitRequestTopic>(&[
            text().until(9), // name
            uuid().from(10), // topic id
            many::<offset_commit_request::OffsetCommitRequestPartition>(&[
                int32(),         // partition index
                int64(),         // committed offset
                int32().from(6), // committed leader epoch
                text(),          // committed metadata
            ]),
        ]),
    ],
};

pub(super) static OFFSET_FETCH: Schema = Schema {
    key: 9,
    first: 1,
    last: 10,
    flexible: 6,
    fields: &[
        text().until(7), // group id
        many::<offset_fetch_request::OffsetFetchRequestTopic>(&[
            text(),     // name
            numbers(4), // partition indexes
        ])
        .until(7),
        many::<offset_fetch_request::OffsetFetchRequestGroup>(&[
            text(),          // group id
            text().from(9),  // member id
            int32().from(9), // member epoch
            many::<offset_fetch_request::OffsetFetchRequestTopics>(&[
                text().until(9), // name
                uuid().from(10), // topic id
                numbers(4),      // partition indexes
            ]),
        ])
        .from(8),
        int8().from(7), // require stable
    ],
};

pub(super) static FIND_COORDINATOR: Schema = Schema {
    key: 10,
    first: 0,
    last: 6,
    flexible: 3,
    fields: &[
        text().until(3), // key
        int8().from(1),  // key type
        texts().from(4), // coordinator keys
    ],
};

pub(super) static JOIN_GROUP: Schema = Schema {
    key: 11,
    first: 0,
    last: 9,
    flexible: 6,
    fields: &[
        text(),          // group id
        int32(),         // session timeout ms
        int32().from(1), // rebalance timeout ms
        text(),          // member id
        text().from(5),  // group instance id
        text(),          // protocol type
        many::<join_group_request::JoinGroupRequestProtocol>(&[
            text(),  // name
            bytes(), // metadata
        ]),
        text().from(8), // reason
    ],
};

pub(super) static HEARTBEAT: Schema = Schema {
    key: 12,
    first: 0,
    last: 4,
    flexible: 4,
    fields: &[
        text(),         // group id
        int32(),        // generation id
        text(),         // member id
        text().from(3), // group instance id
    ],
};

pub(super) static LEAVE_GROUP: Schema = Schema {
    key: 13,
    first: 0,
    last: 5,
    flexible: 4,
    fields: &[
        text(),          // group id
        text().until(2), // member id
        many::<leave_group_request::MemberIdentity>(&[
            text(),         // member id
            text(),         // group instance id
            text().from(5), // reason
        ])
        .from(3),
    ],
};

pub(super) static SYNC_GROUP: Schema = Schema {
    key: 14,
    first: 0,
    last: 5,
    flexible: 4,
    fields: &[
        text(),         // group id
        int32(),        // generation id
        text(),         // member id
        text().from(3), // group instance id
        text().from(5), // protocol type
        text().from(5), // protocol name
        many::<sync_group_request::SyncGroupRequestAssignment>(&[
            text(),  // member id
            bytes(), // assignment
        ]),
    ],
};

pub(super) static DESCRIBE_GROUPS: Schema = Schema {
    key: 15,
    first: 0,
    last: 6,
    flexible: 5,
    fields: &[
        texts(),        // groups
        int8().from(3), // include authorized operations
    ],
};

pub(super) static LIST_GROUPS: Schema = Schema {
    key: 16,
    first: 0,
    last: 5,
    flexible: 3,
    fields: &[
        texts().from(4), // states filter
        texts().from(5), // types filter
    ],
};

pub(super) static DELETE_GROUPS: Schema = Schema {
    key: 42,
    first: 0,
    last: 2,
    flexible: 2,
    fields: &[
        texts(), // groups names
    ],
};

pub(super) static OFFSET_DELETE: Schema = Schema {
    key: 47,
    first: 0,
    last: 0,
    flexible: i16::MAX,
    fields: &[
        text(), // group id
        many::<offset_delete_request::OffsetDeleteRequestTopic>(&[
            text(), // name
            many::<offset_delete_request::OffsetDeleteRequestPartition>(&[
                int32(), // partition index
            ]),
        ]),
    ],
};

pub(super) static CONSUMER_GROUP_HEARTBEAT: Schema = Schema {
    key: 68,
    first: 0,
    last: 1,
    flexible: 0,
    fields: &[
        text(),         // group id
        text(),         // member id
        int32(),        // member epoch
        text(),         // instance id
        text(),         // rack id
        int32(),        // rebalance timeout ms
        texts(),        // subscribed topic names
        text().from(1), // subscribed topic regex
        text(),         // server assignor
        many::<consumer_group_heartbeat_request::TopicPartitions>(&[
            uuid(),     // topic id
            numbers(4), // partitions
        ]),
    ],
};

pub(super) static CONSUMER_GROUP_DESCRIBE: Schema = Schema {
    key: 69,
    first: 0,
    last: 1,
    flexible: 0,
    fields: &[
        texts(), // group ids
        int8(),  // include authorized operations
    ],
};
