//! The columns of Spark's Kafka source.

use std::sync::Arc;

use crate::plan::ReadFrom;
use crate::types::{DataType, Field};

/// In Spark's order.
pub(super) const COLUMNS: [(&str, ReadFrom); 8] = [
    ("key", ReadFrom::Key),
    ("value", ReadFrom::Value),
    ("topic", ReadFrom::Topic),
    ("partition", ReadFrom::Partition),
    ("offset", ReadFrom::Offset),
    ("timestamp", ReadFrom::Timestamp),
    ("timestampType", ReadFrom::TimestampType),
    ("headers", ReadFrom::Headers),
];

/// A column by its name, in any case.
pub(super) fn column(name: &str) -> Option<(&'static str, ReadFrom)> {
    COLUMNS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// See `KafkaRecordToRowConverter.kafkaSchema`.
pub(super) fn data_type(from: ReadFrom) -> DataType {
    match from {
        ReadFrom::Json | ReadFrom::Topic => DataType::String,
        ReadFrom::Key | ReadFrom::Value => DataType::Binary,
        ReadFrom::Partition | ReadFrom::TimestampType => DataType::Int,
        ReadFrom::Offset => DataType::BigInt,
        ReadFrom::Timestamp => DataType::Timestamp,
        ReadFrom::Headers => {
            let field = |name: &str, data_type| Field { name: name.to_owned(), data_type };
            let fields = [field("key", DataType::String), field("value", DataType::Binary)];
            DataType::Array(Arc::new(DataType::Struct(Arc::new(fields))))
        }
    }
}
