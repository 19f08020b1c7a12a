//! Requests about topics, configuration and the connection itself: fields as in Kafka's `*Request.json`, their names as comments.

use kafka_protocol::messages::{
    alter_configs_request, create_partitions_request, create_topics_request, delete_topics_request,
    describe_configs_request, describe_log_dirs_request, describe_topic_partitions_request,
    incremental_alter_configs_request, metadata_request,
};

use super::schema::{Schema, int8, int16, int32, many, numbers, optional, text, texts, uuid};

pub(super) static METADATA: Schema = Schema {
    key: 3,
    first: 0,
    last: 13,
    flexible: 9,
    fields: &[
        many::<metadata_request::MetadataRequestTopic>(&[
            uuid().from(10), // topic id
            text(),          // name
        ]),
        int8().from(4),           // allow auto topic creation
        int8().from(8).until(10), // include cluster authorized operations
        int8().from(8),           // include topic authorized operations
    ],
};

pub(super) static API_VERSIONS: Schema = Schema {
    key: 18,
    first: 0,
    last: 4,
    flexible: 3,
    fields: &[
        text().from(3), // client software name
        text().from(3), // client software version
    ],
};

pub(super) static CREATE_TOPICS: Schema = Schema {
    key: 19,
    first: 2,
    last: 7,
    flexible: 5,
    fields: &[
        many::<create_topics_request::CreatableTopic>(&[
            text(),  // name
            int32(), // num partitions
            int16(), // replication factor
            many::<create_topics_request::CreatableReplicaAssignment>(&[
                int32(),    // partition index
                numbers(4), // broker ids
            ]),
            many::<create_topics_request::CreatableTopicConfig>(&[
                text(), // name
                text(), // value
            ]),
        ]),
        int32(), // timeout ms
        int8(),  // validate only
    ],
};

pub(super) static DELETE_TOPICS: Schema = Schema {
    key: 20,
    first: 1,
    last: 6,
    flexible: 4,
    fields: &[
        many::<delete_topics_request::DeleteTopicState>(&[
            text(), // name
            uuid(), // topic id
        ])
        .from(6),
        texts().until(5), // topic names
        int32(),          // timeout ms
    ],
};

pub(super) static DESCRIBE_CONFIGS: Schema = Schema {
    key: 32,
    first: 1,
    last: 4,
    flexible: 4,
    fields: &[
        many::<describe_configs_request::DescribeConfigsResource>(&[
            int8(),  // resource type
            text(),  // resource name
            texts(), // configuration keys
        ]),
        int8(),         // include synonyms
        int8().from(3), // include documentation
    ],
};

pub(super) static ALTER_CONFIGS: Schema = Schema {
    key: 33,
    first: 0,
    last: 2,
    flexible: 2,
    fields: &[
        many::<alter_configs_request::AlterConfigsResource>(&[
            int8(), // resource type
            text(), // resource name
            many::<alter_configs_request::AlterableConfig>(&[
                text(), // name
                text(), // value
            ]),
        ]),
        int8(), // validate only
    ],
};

pub(super) static DESCRIBE_LOG_DIRS: Schema = Schema {
    key: 35,
    first: 1,
    last: 4,
    flexible: 2,
    fields: &[many::<describe_log_dirs_request::DescribableLogDirTopic>(&[
        text(),     // topic
        numbers(4), // partitions
    ])],
};

pub(super) static CREATE_PARTITIONS: Schema = Schema {
    key: 37,
    first: 0,
    last: 3,
    flexible: 2,
    fields: &[
        many::<create_partitions_request::CreatePartitionsTopic>(&[
            text(),  // name
            int32(), // count
            many::<create_partitions_request::CreatePartitionsAssignment>(&[
                numbers(4), // broker ids
            ]),
        ]),
        int32(), // timeout ms
        int8(),  // validate only
    ],
};

pub(super) static INCREMENTAL_ALTER_CONFIGS: Schema = Schema {
    key: 44,
    first: 0,
    last: 1,
    flexible: 1,
    fields: &[
        many::<incremental_alter_configs_request::AlterConfigsResource>(&[
            int8(), // resource type
            text(), // resource name
            many::<incremental_alter_configs_request::AlterableConfig>(&[
                text(), // name
                int8(), // config operation
                text(), // value
            ]),
        ]),
        int8(), // validate only
    ],
};

pub(super) static DESCRIBE_CLUSTER: Schema = Schema {
    key: 60,
    first: 0,
    last: 2,
    flexible: 0,
    fields: &[
        int8(),         // include cluster authorized operations
        int8().from(1), // endpoint type
        int8().from(2), // include fenced brokers
    ],
};

pub(super) static LIST_CONFIG_RESOURCES: Schema = Schema {
    key: 74,
    first: 0,
    last: 1,
    flexible: 0,
    fields: &[
        numbers(1).from(1), // resource types
    ],
};

pub(super) static DESCRIBE_TOPIC_PARTITIONS: Schema = Schema {
    key: 75,
    first: 0,
    last: 0,
    flexible: 0,
    fields: &[
        many::<describe_topic_partitions_request::TopicRequest>(&[
            text(), // name
        ]),
        int32(), // response partition limit
        optional(&[
            text(),  // topic name
            int32(), // partition index
        ]),
    ],
};
