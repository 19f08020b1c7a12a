//! `brooklet produce`: a Kafka producer for the command line, on librdkafka, so that it works against any
//! broker. It sends the lines of a file or of standard input, or generates log records, and reports how many
//! were acknowledged, how fast, and why any were not.
//!
//! Reading order: [`ProduceArgs`] (what can be asked for), `command.rs` (the command), `pump.rs` (source to
//! producer, paced and bounded), `client.rs` (librdkafka), `tally.rs` (what became of the records).

mod admin;
mod args;
mod client;
mod command;
mod consume;
mod gate;
mod generator;
mod groups;
mod lines;
mod pace;
mod progress;
mod pump;
mod reader;
mod source;
mod tally;

pub use admin::{ConfigsArgs, GroupsArgs, TopicsArgs, TransactionsArgs, configs, groups, topics, transactions};
pub use args::{Acks, Codec, ProduceArgs, Rate, property};
pub use client::ClientOptions;
pub use command::run;
pub use consume::{ConsumeArgs, consume};
pub use generator::{LOG_RECORD_BYTES_MIN, LogGenerator};
pub use groups::members_user_data;
pub use lines::Lines;
pub use pump::{Pump, PumpOptions};
pub use rdkafka::message::OwnedMessage;
pub use reader::{Fetched, From, TopicReader, with_fetched};
pub use source::{RecordSource, Sourced};
pub use tally::Summary;
