//! The pure coordinators: consumer groups, transactions and producer ids.
//!
//! Nothing here does I/O, reads a clock or draws a random number. A coordinator is a fold of events:
//! `handle(&self, …)` reads the state and returns a [`groups::Step`]: durable events (records to be persisted), volatile
//! ones (a parked join), replies, and timers to arm or cancel. `replay(&mut self, &event)` is the only mutator. After
//! any prefix of any history a restart from the persisted records gives what folding the durable events gives; a
//! property test holds that over random histories.
//!
//! The contract is that of `org.apache.kafka.coordinator.common.runtime.CoordinatorShard`.

mod codec;
pub mod groups;
pub mod producers;
mod records;
mod timers;
pub mod transactions;

pub use codec::DecodeError;
pub use records::{CommittedOffset, GroupValue, MemberValue, Record};
pub use timers::{TimerChange, Timers};
