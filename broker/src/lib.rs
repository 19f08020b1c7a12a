//! The Kafka API over TCP: sockets, frames, one dispatch table, one file per API.
//!
//! Where to start: [`Broker`] accepts; `connection.rs` takes frames in and sends replies out in order;
//! `dispatch.rs` is the table of what is served; `api/` has a handler per API, which returns a response and never
//! touches a socket.

mod api;
mod broker_config;
mod cluster;
mod compact;
mod config;
mod configs;
mod connection;
mod coordinators;
mod dispatch;
mod error;
mod frame;
pub mod guard;
mod loggers;
mod newer;
mod observed;
mod reply;
mod send;
mod server;
mod shared;
mod throttle;
mod topic_ids;
mod topics;

pub use config::{BrokerConfig, Limits};
pub use loggers::{LogLevel, RootLogger};
pub use observed::{OBSERVED_GROUP_PREFIX, ObserveGroups, ObservedGroup};
pub use server::{Broker, StartError};
