//! The streaming query processor: SQL to a typed plan, and the runtime that runs it in exactly-once micro-batches
//! over the logs of the broker in the same process.

mod like;
mod plan;
mod predicate;
mod sql;

pub use plan::{Plan, Sink};
pub use sql::{PlanError, SQL_BYTES_MAX, plan};
