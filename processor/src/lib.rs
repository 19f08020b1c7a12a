//! The streaming query processor: SQL to a typed plan, and the runtime that runs it in exactly-once micro-batches
//! over the logs of the broker in the same process.

mod changelog;
mod console;
mod error;
mod groups;
mod json;
mod like;
mod operators;
mod options;
mod order;
mod plan;
mod predicate;
mod query;
mod runtime;
mod short;
mod sink;
mod source;
mod sql;
mod step;
#[cfg(test)]
mod testing;

pub use changelog::ChangelogError;
pub use console::{ROWS_SHOWN, render_batch};
pub use error::{QueryError, StartError};
pub use groups::{GroupId, GroupTable, TooManyGroups};
pub use json::{Scanned, Scanner};
pub use options::{OnDataLoss, Progress, QueryOptions, StartFrom, Trigger};
pub use order::{SHUFFLE_PARTITIONS, spark_partition};
pub use plan::{Plan, Sink};
pub use query::Query;
pub use sql::{PlanError, SQL_BYTES_MAX, plan};
pub use step::Stopped;
