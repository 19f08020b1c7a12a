//! The command-line producer.
