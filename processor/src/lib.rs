//! The streaming query processor: SQL to a typed plan, and the runtime that runs it in exactly-once micro-batches
//! over the logs of the broker in the same process.

mod console;
mod groups;
mod json;
mod like;
mod order;
mod plan;
mod predicate;
mod sql;

pub use console::{ROWS_SHOWN, render_batch};
pub use groups::{GroupId, GroupTable, TooManyGroups};
pub use json::{Scanned, Scanner};
pub use order::{SHUFFLE_PARTITIONS, spark_partition};
pub use plan::{Plan, Sink};
pub use sql::{PlanError, SQL_BYTES_MAX, plan};
