//! What may be a topic: its name, its settings, its partitions. Shared by all APIs that make, change or describe one.

pub(crate) mod config;
mod config_table;
mod create;
pub(crate) mod name;

pub(crate) use create::{create, plan};
