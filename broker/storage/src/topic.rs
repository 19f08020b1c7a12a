//! Topics, as the catalogue has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_model::TopicId;

use crate::{LogConfig, PartitionLog};

/// The longest name Kafka allows.
const NAME_LEN_MAX: usize = 249;
/// Names of brooklet's own logs begin so; no client sees them.
pub(crate) const HIDDEN_PREFIX: &str = "__brooklet_";

/// A topic, as it was when it was looked up: a change makes a new one.
#[derive(Debug)]
pub struct Topic {
    /// Its name.
    pub name: Arc<str>,
    /// Its unique id: a topic deleted and made again has another.
    pub id: TopicId,
    /// One of Kafka's internal topics.
    pub internal: bool,
    /// What it sets for itself, by Kafka's names.
    pub overrides: BTreeMap<String, String>,
    /// The settings in force.
    pub config: Arc<LogConfig>,
    /// Its partitions, from 0.
    pub partitions: Vec<Arc<PartitionLog>>,
}

/// A topic to be created.
#[derive(Clone, Debug, Default)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions, at least 1.
    pub partitions: i32,
    /// What it sets for itself, by Kafka's names.
    pub overrides: BTreeMap<String, String>,
    /// One of Kafka's internal topics.
    pub internal: bool,
}

impl NewTopic {
    /// A topic with the broker's settings.
    pub fn new(name: impl Into<String>, partitions: i32) -> Self {
        Self { name: name.into(), partitions, ..Self::default() }
    }
}

/// Whether a client may use the name (`org.apache.kafka.common.internals.Topic.validate`).
pub fn is_legal_topic_name(name: &str) -> bool {
    is_file_name(name) && !name.starts_with(HIDDEN_PREFIX)
}

/// Whether a log's folder can have that name.
pub(crate) fn is_file_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !name.is_empty() && name.len() <= NAME_LEN_MAX && name != "." && name != ".." && name.bytes().all(legal)
}
