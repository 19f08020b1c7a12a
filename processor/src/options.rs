//! How a query is run.

use std::time::Duration;

use crate::restart::Backoff;
use crate::sink::TerminalSize;

/// Where a query begins that has no checkpoint yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartFrom {
    /// At the end of the topic as it is when the query starts.
    #[default]
    Latest,
    /// At the first record that is there.
    Earliest,
    /// At the first record of each partition whose time (milliseconds since 1970) is this or later; at the end where
    /// there is none.
    Timestamp(i64),
}

/// When a micro-batch runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trigger {
    /// As soon as there are records.
    #[default]
    Asap,
    /// At most once in each interval, at multiples of it on the clock (Spark's `ProcessingTime`).
    Interval(Duration),
    /// Over what is there when the query starts; then the query ends.
    AvailableNow,
    /// One batch over all that is there, and what a batch under way left; then the query ends.
    Once,
}

impl Trigger {
    /// Whether the query ends by itself.
    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::AvailableNow | Self::Once)
    }
}

/// What to do when records that were to be read are gone: the topic was deleted, made anew or cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDataLoss {
    /// End the query with an error.
    #[default]
    Fail,
    /// Say so in the log, and go on with what is there.
    Continue,
}

/// A query's options; the defaults are those of the command line.
#[derive(Clone, Debug)]
pub struct QueryOptions {
    /// The query's name, which its checkpoint has too; made from the plan if it is not given. 1 to 200 of a-z, A-Z,
    /// 0-9, `.`, `_` and `-`.
    pub name: Option<String>,
    /// Where it begins without a checkpoint.
    pub from: StartFrom,
    /// When a micro-batch runs.
    pub trigger: Trigger,
    /// What to do when records are gone.
    pub on_data_loss: OnDataLoss,
    /// Partitions of the topics that the query makes where they are missing. 1.
    pub partitions: i32,
    /// Memory that the groups may take, in bytes; past it the query ends with an error. 1 GiB.
    pub state_bytes_max: usize,
    /// Records in one micro-batch, which bounds how long a batch takes; what is left waits for the next. Spark knows
    /// no bound unless `maxOffsetsPerTrigger` is set. 10,000,000.
    pub batch_records_max: u64,
    /// What one record batch of the topic may unfold to, in bytes; one that is larger counts as bad. 64 MiB.
    pub unfolded_bytes_max: usize,
    /// The topic that bad records are sent on to; made if it is missing.
    pub dead_letters: Option<String>,
    /// Shows the rows of the console sink as one table that is drawn in place, on a terminal of this size, instead of as
    /// Spark's console does.
    pub live: Option<TerminalSize>,
    /// How long to wait before the query is started again after a failure that may pass; without it, the first one ends
    /// it.
    pub backoff: Option<Backoff>,
}

impl Default for QueryOptions {
    fn default() -> Self {
        Self {
            name: None,
            from: StartFrom::default(),
            trigger: Trigger::default(),
            on_data_loss: OnDataLoss::default(),
            partitions: 1,
            state_bytes_max: 1 << 30,
            batch_records_max: 10_000_000,
            unfolded_bytes_max: 64 << 20,
            dead_letters: None,
            live: None,
            backoff: None,
        }
    }
}

/// How far a query is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Micro-batches done since the query's first start.
    pub batches: u64,
    /// Records read since the query's first start, also those that WHERE removed.
    pub records_in: u64,
    /// Of these, the ones that are not JSON objects or could not be read.
    pub bad_records: u64,
    /// Groups in the state.
    pub groups: u64,
    /// Memory of the state, in bytes.
    pub state_bytes: u64,
}
