//! What may be a topic: its name, its settings, its partitions. Shared by all APIs that make, change or describe one.

pub(crate) mod config;
mod config_table;
mod create;
pub(crate) mod name;

pub(crate) use create::{create, plan};

/// Partitions that one request may ask for (Kafka's `MAX_PARTITIONS_PER_BATCH`).
pub(crate) const PARTITIONS_MAX: i64 = 10_000;
