//! What may be a topic: its name, its settings, its partitions. Shared by all APIs that make, change or describe one.

pub(crate) mod alter;
pub(crate) mod config;
mod config_table;
mod create;
pub(crate) mod name;

pub(crate) use alter::alter_error;
pub(crate) use create::{check_replicas, create, plan};

/// Partitions that one request may ask for (Kafka's `MAX_PARTITIONS_PER_BATCH`).
pub(crate) const PARTITIONS_MAX: i64 = 10_000;
