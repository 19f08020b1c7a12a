//! The operations that a client may do, as bits (KIP-430). Without an authorizer that is all that Kafka lists for the
//! kind of resource (`AclEntry.supportedOperations`, `AclOperation`).

const READ: i32 = 1 << 3;
const WRITE: i32 = 1 << 4;
const CREATE: i32 = 1 << 5;
const DELETE: i32 = 1 << 6;
const ALTER: i32 = 1 << 7;
const DESCRIBE: i32 = 1 << 8;
const CLUSTER_ACTION: i32 = 1 << 9;
const DESCRIBE_CONFIGS: i32 = 1 << 10;
const ALTER_CONFIGS: i32 = 1 << 11;
const IDEMPOTENT_WRITE: i32 = 1 << 12;

/// What may be done with a topic.
pub(crate) const TOPIC: i32 = READ | WRITE | CREATE | DELETE | ALTER | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS;
/// What may be done with the cluster.
pub(crate) const CLUSTER: i32 =
    CREATE | ALTER | DESCRIBE | CLUSTER_ACTION | DESCRIBE_CONFIGS | ALTER_CONFIGS | IDEMPOTENT_WRITE;
/// Stands for "not asked for".
pub(crate) const NOT_ASKED: i32 = i32::MIN;

#[cfg(test)]
mod tests {
    /// Read off a running Apache Kafka 4.2.
    #[test]
    fn the_bits_are_kafkas() {
        assert_eq!((super::TOPIC, super::CLUSTER), (3576, 8096));
    }
}
