use std::fmt;
use std::sync::Arc;

/// A topic's unique id (KIP-516). The nil id means "none" on the wire.
pub type TopicId = uuid::Uuid;

/// Milliseconds since 1970-01-01T00:00:00Z; -1 is "no timestamp", as in Kafka.
pub type Timestamp = i64;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }
    };
}

number!(
    /// The position of a record in its partition, counted in records from 0.
    Offset(i64)
);
number!(
    /// The term of a partition's leader (KIP-101). brooklet is the only replica and never elects: always 0.
    LeaderEpoch(i32)
);
number!(
    /// Identifies an idempotent producer (KIP-98); -1 is "not idempotent".
    ProducerId(i64)
);
number!(
    /// Fences older instances of one producer id (KIP-98).
    ProducerEpoch(i16)
);

impl Offset {
    /// The offset `records` further on.
    pub fn plus(self, records: i64) -> Self {
        Self(self.0.saturating_add(records))
    }
}

impl ProducerId {
    /// What a producer that is not idempotent writes.
    pub const NONE: Self = Self(-1);

    /// The ids of queries' outputs begin here. Those that the broker hands out count up from 0 and never come so far.
    pub const QUERIES: Self = Self(1 << 62);

    /// Whether a query writes under this id: a log never forgets what it took of one, since a batch cut short by a
    /// kill may run again after any time.
    pub fn is_query(self) -> bool {
        self >= Self::QUERIES
    }
}

/// A partition by the name of its topic. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's index, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// The partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}
