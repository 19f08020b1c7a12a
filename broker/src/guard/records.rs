//! Requests about the records of partitions: fields as in Kafka's `*Request.json`, their names as comments.

use kafka_protocol::messages::{
    delete_records_request, describe_producers_request, fetch_request, list_offsets_request,
    offset_for_leader_epoch_request, produce_request,
};

use super::schema::{Schema, bytes, int8, int16, int32, int64, many, numbers, one, text, uuid};

pub(super) static PRODUCE: Schema = Schema {
    key: 0,
    first: 3,
    last: 13,
    flexible: 9,
    fields: &[
        text(),  // transactional id
        int16(), // acks
        int32(), // timeout ms
        many::<produce_request::TopicProduceData>(&[
            text().until(12), // name
            uuid().from(13),  // topic id
            many::<produce_request::PartitionProduceData>(&[
                int32(), // index
                bytes(), // records
            ]),
        ]),
    ],
};

pub(super) static FETCH: Schema = Schema {
    key: 1,
    first: 4,
    last: 18,
    flexible: 12,
    fields: &[
        text().tag(0).from(12), // cluster id
        int32().until(14),      // replica id
        one(&[
            int32(), // replica id
            int64(), // replica epoch
        ])
        .tag(1)
        .from(15),
        int32(),         // max wait ms
        int32(),         // min bytes
        int32(),         // max bytes
        int8(),          // isolation level
        int32().from(7), // session id
        int32().from(7), // session epoch
        many::<fetch_request::FetchTopic>(&[
            text().until(12), // topic
            uuid().from(13),  // topic id
            many::<fetch_request::FetchPartition>(&[
                int32(),                 // partition
                int32().from(9),         // current leader epoch
                int64(),                 // fetch offset
                int32().from(12),        // last fetched epoch
                int64().from(5),         // log start offset
                int32(),                 // partition max bytes
                uuid().tag(0).from(17),  // replica directory id
                int64().tag(1).from(18), // high watermark
            ]),
        ]),
        many::<fetch_request::ForgottenTopic>(&[
            text().until(12), // topic
            uuid().from(13),  // topic id
            numbers(4),       // partitions
        ])
        .from(7),
        text().from(11), // rack id
    ],
};

pub(super) static LIST_OFFSETS: Schema = Schema {
    key: 2,
    first: 1,
    last: 10,
    flexible: 6,
    fields: &[
        int32(),        // replica id
        int8().from(2), // isolation level
        many::<list_offsets_request::ListOffsetsTopic>(&[
            text(), // name
            many::<list_offsets_request::ListOffsetsPartition>(&[
                int32(),         // partition index
                int32().from(4), // current leader epoch
                int64(),         // timestamp
            ]),
        ]),
        int32().from(10), // timeout ms
    ],
};

pub(super) static OFFSET_FOR_LEADER_EPOCH: Schema = Schema {
    key: 23,
    first: 2,
    last: 4,
    flexible: 4,
    fields: &[
        int32().from(3), // replica id
        many::<offset_for_leader_epoch_request::OffsetForLeaderTopic>(&[
            text(), // topic
            many::<offset_for_leader_epoch_request::OffsetForLeaderPartition>(&[
                int32(), // partition
                int32(), // current leader epoch
                int32(), // leader epoch
            ]),
        ]),
    ],
};

pub(super) static DELETE_RECORDS: Schema = Schema {
    key: 21,
    first: 0,
    last: 2,
    flexible: 2,
    fields: &[
        many::<delete_records_request::DeleteRecordsTopic>(&[
            text(), // name
            many::<delete_records_request::DeleteRecordsPartition>(&[
                int32(), // partition index
                int64(), // offset
            ]),
        ]),
        int32(), // timeout ms
    ],
};

pub(super) static DESCRIBE_PRODUCERS: Schema = Schema {
    key: 61,
    first: 0,
    last: 0,
    flexible: 0,
    fields: &[many::<describe_producers_request::TopicRequest>(&[
        text(),     // name
        numbers(4), // partition indexes
    ])],
};
