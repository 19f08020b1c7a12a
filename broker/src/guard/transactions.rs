//! Requests about producers and their transactions: fields as in Kafka's `*Request.json`, their names as comments.

use kafka_protocol::messages::{add_partitions_to_txn_request, txn_offset_commit_request};

use super::schema::{Schema, int8, int16, int32, int64, many, numbers, text, texts};
use crate::newer::{TxnMarker, TxnMarkerTopic};

pub(super) static INIT_PRODUCER_ID: Schema = Schema {
    key: 22,
    first: 0,
    last: 5,
    flexible: 2,
    fields: &[
        text(),          // transactional id
        int32(),         // transaction timeout ms
        int64().from(3), // producer id
        int16().from(3), // producer epoch
    ],
};

pub(super) static ADD_PARTITIONS_TO_TXN: Schema = Schema {
    key: 24,
    first: 0,
    last: 5,
    flexible: 3,
    fields: &[
        many::<add_partitions_to_txn_request::AddPartitionsToTxnTransaction>(&[
            text(),  // transactional id
            int64(), // producer id
            int16(), // producer epoch
            int8(),  // verify only
            many::<add_partitions_to_txn_request::AddPartitionsToTxnTopic>(&[
                text(),     // name
                numbers(4), // partitions
            ]),
        ])
        .from(4),
        text().until(3),  // v3 and below transactional id
        int64().until(3), // v3 and below producer id
        int16().until(3), // v3 and below producer epoch
        many::<add_partitions_to_txn_request::AddPartitionsToTxnTopic>(&[
            text(),     // name
            numbers(4), // partitions
        ])
        .until(3),
    ],
};

pub(super) static ADD_OFFSETS_TO_TXN: Schema = Schema {
    key: 25,
    first: 0,
    last: 4,
    flexible: 3,
    fields: &[
        text(),  // transactional id
        int64(), // producer id
        int16(), // producer epoch
        text(),  // group id
    ],
};

pub(super) static END_TXN: Schema = Schema {
    key: 26,
    first: 0,
    last: 5,
    flexible: 3,
    fields: &[
        text(),  // transactional id
        int64(), // producer id
        int16(), // producer epoch
        int8(),  // committed
    ],
};

pub(super) static WRITE_TXN_MARKERS: Schema = Schema {
    key: 27,
    first: 1,
    last: 2,
    flexible: 1,
    fields: &[many::<TxnMarker>(&[
        int64(), // producer id
        int16(), // producer epoch
        int8(),  // transaction result
        many::<TxnMarkerTopic>(&[
            text(),     // name
            numbers(4), // partition indexes
        ]),
        int32(),        // coordinator epoch
        int8().from(2), // transaction version
    ])],
};

pub(super) static TXN_OFFSET_COMMIT: Schema = Schema {
    key: 28,
    first: 0,
    last: 5,
    flexible: 3,
    fields: &[
        text(),          // transactional id
        text(),          // group id
        int64(),         // producer id
        int16(),         // producer epoch
        int32().from(3), // generation id
        text().from(3),  // member id
        text().from(3),  // group instance id
        many::<txn_offset_commit_request::TxnOffsetCommitRequestTopic>(&[
            text(), // name
            many::<txn_offset_commit_request::TxnOffsetCommitRequestPartition>(&[
                int32(),         // partition index
                int64(),         // committed offset
                int32().from(2), // committed leader epoch
                text(),          // committed metadata
            ]),
        ]),
    ],
};

pub(super) static DESCRIBE_TRANSACTIONS: Schema = Schema {
    key: 65,
    first: 0,
    last: 0,
    flexible: 0,
    fields: &[
        texts(), // transactional ids
    ],
};

pub(super) static LIST_TRANSACTIONS: Schema = Schema {
    key: 66,
    first: 0,
    last: 2,
    flexible: 0,
    fields: &[
        texts(),         // state filters
        numbers(8),      // producer id filters
        int64().from(1), // duration filter
        text().from(2),  // transactional id pattern
    ],
};
