//! The Kafka API over TCP.
