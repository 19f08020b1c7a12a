//! The Kafka API over TCP.

pub mod guard;
