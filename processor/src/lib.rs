//! The streaming query processor: SQL to a typed plan, and the runtime that runs it in exactly-once micro-batches
//! over the logs of the broker in the same process.

mod adhoc;
mod aggregate;
mod bad;
mod changelog;
mod codec;
mod console;
mod emit;
mod error;
mod expr;
mod java_double;
mod json;
mod nearest;
mod operators;
mod options;
mod order;
mod pipeline;
mod plan;
mod query;
mod restart;
mod runtime;
mod short;
mod sink;
mod source;
mod sql;
mod state;
mod status;
mod step;
#[cfg(test)]
mod testing;
mod types;

pub use adhoc::{AdHocProgress, AdHocQuery, Feed, Format, SourceRecord};
pub use bad::{BadCounts, BadReason, BadRecord};
pub use changelog::{ChangelogError, replay_bytes};
pub use console::{ROWS_SHOWN, render_batch};
pub use error::{QueryError, StartError};
pub use json::{Scanned, Scanner};
pub use options::{OnDataLoss, Progress, QueryOptions, StartFrom, Trigger};
pub use order::spark_partition;
pub use plan::{OutputMode, Plan, Sink};
pub use query::{Query, QueryStatusReader, reset};
pub use restart::Backoff;
pub use sink::TerminalSize;
pub use sql::{PlanError, PlanSettings, SQL_BYTES_MAX, plan, plan_all};
pub use state::{Aggregated, GroupId, GroupTable, TooManyGroups};
pub use status::{Failure, Phase, Position, QueryStatus};
pub use step::Stopped;
pub use types::{DataType, Field, IntervalRange, IntervalUnit};
